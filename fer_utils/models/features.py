"""What a trained network makes of faces before its last layer: the `features` that another last layer may learn from."""

from typing import Any, Final

import numpy as np
import pandas as pd

from fer_utils import tables
from fer_utils.data.images import Pixels
from fer_utils.models.backbones import keras
from fer_utils.study import Study

LAST_LAYER: Final = "probabilities"
"""The dense layer of every network's head; see `backbones.build_network`."""

BATCH: Final = 64
"""Faces at once: as many as predictions take."""


def penultimate_features(network: Any, pixels: Pixels) -> np.ndarray:
    """Return what enters a Keras model's last layer, float32 (N, F), for uint8 RGB `pixels` (N, S, S, 3).

    F is the number of features that the network pools. The layers are called one by one: for the few hundred
    faces of a test set, tracing a graph would take longer than it saves.
    """
    body = keras.Model(network.input, network.get_layer(LAST_LAYER).input)
    parts = [
        np.asarray(body(pixels[start : start + BATCH].astype(np.float32), training=False))
        for start in range(0, len(pixels), BATCH)
    ]
    width = int(body.output.shape[-1])
    return np.concatenate([np.empty((0, width), np.float32), *parts])


def features_of_children(
    run_id: str, network: Any, faces: pd.DataFrame, pixels: Pixels, study: Study
) -> pd.DataFrame:
    """Return the `features` rows of one network for the children among `faces` that answer the study's questions.

    `faces` are test faces, `pixels` theirs. Adults and copies of the set with something planted are left out.
    """
    chosen = ((faces["cohort"] == "child") & (faces["dataset"] == study.test_set)).to_numpy(dtype=bool)
    features = penultimate_features(network, pixels[chosen])
    rows = {"run_id": run_id, "face_id": faces["face_id"].to_numpy()[chosen], "features": list(features)}
    return tables.conform(pd.DataFrame(rows), "features")
