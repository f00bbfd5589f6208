"""What a model answers to faces: rows of `predictions` from a Keras model or a TFLite file, and `features`."""

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from ai_edge_litert.interpreter import Interpreter

from face_sets.expressions import EXPRESSIONS, PROBABILITY_COLUMNS
from face_sets.face_images import FaceImages
from fer_utils.study import Study
from fer_utils.tables import conform

BATCH: Final = 64
"""Faces predicted at once: memory stays small, and more are no faster on a few cores."""

FILE_BATCH: Final = 16
"""Faces that a TFLite file answers at once: a third less time a face than one by one; more take memory, at 224 pixels."""


class PredictionError(RuntimeError):
    """A model's answer is not seven probabilities; the message names the model."""


def _batches(images: np.ndarray | FaceImages, size: int) -> Iterator[np.ndarray]:
    return (images[start : start + size].astype(np.float32) for start in range(0, len(images), size))


@lru_cache(maxsize=2)  # a network and what compression makes of it
def _inference(network: Any) -> Any:
    """A graph of the last layer's input and the answers, traced on first use; later changes of weights are seen."""
    import tensorflow as tf

    both = tf.keras.Model(network.input, [network.layers[-1].input, network.output])
    return tf.function(partial(both, training=False), autograph=False)


def predict_keras(network: Any, images: np.ndarray | FaceImages, batch_size: int = BATCH) -> np.ndarray:
    """Return probabilities, float32 (N, 7), of faces, uint8 RGB (N, S, S, 3), by a Keras model.

    Batches are padded to one size, so that a network is traced once.
    """
    return _answer(images, batch_size, lambda pixels: _inference(network)(pixels)[1], len(EXPRESSIONS))


def _answer(images: np.ndarray | FaceImages, size: int, answer: Callable[..., Any], width: int) -> np.ndarray:
    """Answers to all images, float32 (N, `width`), by a model that takes `size` at once: the last batch is padded."""
    answers = [np.empty((0, width), np.float32)]
    for pixels in _batches(images, size):
        padded = np.pad(pixels, ((0, size - len(pixels)), (0, 0), (0, 0), (0, 0)))
        answers.append(np.asarray(answer(padded)))
    return np.concatenate(answers)[: len(images)].astype(np.float32)


def predict_tflite(path: Path, images: np.ndarray | FaceImages) -> np.ndarray:
    """Return probabilities, float32 (N, 7), of faces, uint8 RGB (N, S, S, 3), by a TFLite file, one thread.

    Raises PredictionError if the file's input is not (1, S, S, 3) float32.
    """
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    given, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[0]["index"]
    shape, expected = tuple(int(side) for side in given["shape"]), (1, *images[:0].shape[1:])
    if shape != expected or given["dtype"] != np.float32:
        raise PredictionError(
            f"{path.name} takes {given['dtype'].__name__} {shape}, not float32 {expected}: "
            "give it faces of its own size"
        )
    size = max(1, min(FILE_BATCH, len(images)))
    interpreter.resize_tensor_input(given["index"], (size, *shape[1:]))
    interpreter.allocate_tensors()

    def answered(batch: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(given["index"], batch)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(answer))

    return _answer(images, size, answered, len(EXPRESSIONS))


def prediction_rows(run_id: str, faces: pd.DataFrame, probabilities: np.ndarray) -> pd.DataFrame:
    """Return the `predictions` rows of one run: `probabilities` (N, 7) in the order of `faces`' N rows.

    Raises PredictionError if a row is not a distribution over the seven expressions.
    """
    if probabilities.shape != (len(faces), len(EXPRESSIONS)):
        raise PredictionError(f"{run_id}: expected {len(faces)} x 7 probabilities, got {probabilities.shape}")
    if not np.allclose(probabilities.sum(1), 1, atol=0.03):  # int8 outputs step by 1/256
        raise PredictionError(f"{run_id}: some answers are not probabilities (they do not sum to 1)")
    columns = dict(zip(PROBABILITY_COLUMNS, probabilities.T, strict=True))
    frame = pd.DataFrame({"run_id": run_id, "face_id": faces["face_id"].to_numpy(), **columns})
    return conform(frame, "predictions")


def penultimate_features(network: Any, images: FaceImages) -> np.ndarray:
    """Return what enters a Keras model's last layer, float32 (N, F), for faces, uint8 RGB (N, S, S, 3).

    F is the number of features that the network pools. Batched as in `predict_keras`, whose graph gives both.
    """
    features = int(network.layers[-1].input.shape[-1])
    return _answer(images, BATCH, lambda pixels: _inference(network)(pixels)[0], features)


def features_of_children(
    run_id: str, network: Any, faces: pd.DataFrame, images: FaceImages, study: Study
) -> pd.DataFrame:
    """Return the `features` rows of one network for the children among `faces` in the study's test set.

    `faces` are test faces, `images` theirs. Adults and copies of the set with a planted gap are left out.
    """
    chosen = ((faces["age_group"] == "child") & (faces["dataset"] == study.test_set)).to_numpy(dtype=bool)
    features = penultimate_features(network, images.part(chosen))
    rows = {"run_id": run_id, "face_id": faces["face_id"].to_numpy()[chosen], "features": list(features)}
    return conform(pd.DataFrame(rows), "features")
