"""What a model says of faces: rows of the `predictions` table, from a Keras model or a TFLite file."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from ai_edge_litert.interpreter import Interpreter

from face_sets.expressions import EXPRESSIONS, PROBABILITY_COLUMNS
from fer_utils.models.face_images import FaceImages
from fer_utils.tables import conform


class PredictionError(RuntimeError):
    """A model's answer is not seven probabilities; the message names the model."""


BATCH: Final = 64
"""Faces asked about at once: memory stays small, and more do not go faster on a few cores."""


def predict_keras(network: Any, images: np.ndarray | FaceImages, batch_size: int = BATCH) -> np.ndarray:
    """Return probabilities, float32 (N, 7), of faces, uint8 RGB (N, S, S, 3), by a Keras model.

    Batches are padded to one size, so that a network is traced once.
    """
    batches = [
        np.asarray(network.predict_on_batch(_padded(images[start : start + batch_size], batch_size)))
        for start in range(0, len(images), batch_size)
    ]
    answers = np.concatenate(batches)[: len(images)] if batches else np.empty((0, len(EXPRESSIONS)))
    return answers.astype(np.float32)


def _padded(pixels: np.ndarray, batch_size: int) -> np.ndarray:
    missing = batch_size - len(pixels)
    return np.pad(pixels.astype(np.float32), ((0, missing), (0, 0), (0, 0), (0, 0)))


def predict_tflite(path: Path, images: np.ndarray | FaceImages) -> np.ndarray:
    """Return probabilities, float32 (N, 7), of faces, uint8 RGB (N, S, S, 3), by a TFLite file, one thread.

    Raises PredictionError if the file's input is not (1, S, S, 3) float32.
    """
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    entrance, exit_ = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    expected = (1, *images[:0].shape[1:])
    taken = tuple(int(side) for side in entrance["shape"])
    if taken != expected or entrance["dtype"] != np.float32:
        raise PredictionError(
            f"{path.name} takes {entrance['dtype'].__name__} {taken}, not float32 {expected}: "
            "give it faces of its own size"
        )
    answers = np.empty((len(images), len(EXPRESSIONS)), np.float32)
    for start in range(0, len(images), BATCH):
        for row, face in enumerate(images[start : start + BATCH], start):
            interpreter.set_tensor(entrance["index"], face[None].astype(np.float32))
            interpreter.invoke()
            answers[row] = interpreter.get_tensor(exit_["index"])[0]
    return answers


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
