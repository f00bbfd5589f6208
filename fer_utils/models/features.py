"""What a trained network makes of faces before its last layer: the `features` that another last layer may learn from."""

from typing import Any, Final

import numpy as np
import pandas as pd

from fer_utils import tables
from fer_utils.models.backbones import keras
from fer_utils.models.face_images import FaceImages
from fer_utils.models.prediction import BATCH
from fer_utils.study import Study

LAST_LAYER: Final = "probabilities"
"""The dense layer of every network's head; see `backbones.build_network`."""


def penultimate_features(network: Any, images: FaceImages) -> np.ndarray:
    """Return what enters a Keras model's last layer, float32 (N, F), for faces, uint8 RGB (N, S, S, 3).

    F is the number of features that the network pools. The layers are called one by one: for the few hundred
    faces of a test set, tracing a graph would take longer than it saves.
    """
    body = keras.Model(network.input, network.get_layer(LAST_LAYER).input)
    parts = [
        np.asarray(body(images[start : start + BATCH].astype(np.float32), training=False))
        for start in range(0, len(images), BATCH)
    ]
    width = int(body.output.shape[-1])
    return np.concatenate([np.empty((0, width), np.float32), *parts])


def features_of_children(
    run_id: str, network: Any, faces: pd.DataFrame, images: FaceImages, study: Study
) -> pd.DataFrame:
    """Return the `features` rows of one network for the children among `faces` that answer the study's questions.

    `faces` are test faces, `images` theirs. Adults and copies of the set with something planted are left out.
    """
    chosen = ((faces["age_group"] == "child") & (faces["dataset"] == study.test_set)).to_numpy(dtype=bool)
    features = penultimate_features(network, images.part(chosen))
    rows = {"run_id": run_id, "face_id": faces["face_id"].to_numpy()[chosen], "features": list(features)}
    return tables.conform(pd.DataFrame(rows), "features")
