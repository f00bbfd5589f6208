"""Steps of the reality check: real photographs found and cropped, then shown to every model of a network."""

import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_utils import tables
from fer_utils.data.batches import load_pixels
from fer_utils.data.catalogue import catalogue_faces
from fer_utils.data.images import read_image
from fer_utils.data.sources.london import read_london
from fer_utils.files import atomic_path
from fer_utils.models.prediction import predict_keras, predict_tflite, prediction_rows
from fer_utils.steps.measure import exported_files
from fer_utils.study import Architecture, Paths, Study

DATA_VARIABLE = "FER_DATA"
LONDON_FOLDER = "london_faces"


def london_folder() -> Path | None:
    """Return the folder of the London photographs below `FER_DATA`, or None if it is not there."""
    folder = Path(os.environ.get(DATA_VARIABLE, "")) / LONDON_FOLDER
    return folder if os.environ.get(DATA_VARIABLE) and folder.is_dir() else None


def make_reality_faces(study: Study, paths: Paths) -> None:
    """Find and crop the photographs and write their `faces` table; without them it has no rows."""
    folder = london_folder()
    rows = read_london(folder) if folder else pd.DataFrame()
    if folder:
        faces, dropped = catalogue_faces(
            rows, partial(_photograph, folder=folder), paths.reality_faces.parent, study.face_size,
            processes=os.cpu_count() or 1,
        )  # fmt: skip
    else:
        faces = dropped = pd.DataFrame({name: [] for name in tables.COLUMNS["faces"]})
    with atomic_path(paths.reality_dropped) as temporary:
        dropped.to_parquet(temporary, index=False)
    tables.write(faces, "faces", paths.reality_faces)


def predict_reality(architecture: Architecture, study: Study, paths: Paths) -> None:
    """Ask every trained copy and every exported file of one network about the photographs; write `predictions`."""
    faces = tables.read("faces", paths.reality_faces)
    pixels = load_pixels(faces, paths.reality_faces.parent, study.image_size)
    parts = [] if faces.empty else _answers(architecture, study, paths, faces, pixels)
    tables.write(_or_empty(parts), "predictions", paths.reality_predictions(architecture))


def _answers(
    architecture: Architecture, study: Study, paths: Paths, faces: pd.DataFrame, pixels: np.ndarray
) -> list[pd.DataFrame]:
    from fer_utils.models.backbones import build_network  # slow to import, needed only with photographs

    network = build_network(architecture, study, None)
    trained = tables.read("runs", paths.trained("runs", architecture))
    answers = []
    for run in trained.itertuples():
        network.load_weights(paths.trained("runs", architecture).parent / str(run.artefact))
        answers.append(prediction_rows(str(run.run_id), faces, predict_keras(network, pixels)))
    for run_id, file in exported_files(architecture, paths).items():
        answers.append(prediction_rows(run_id, faces, predict_tflite(file, pixels)))
    return answers


def _photograph(row: Any, folder: Path) -> np.ndarray:
    return read_image(folder / row["path"])


def _or_empty(parts: list[pd.DataFrame]) -> pd.DataFrame:
    empty = pd.DataFrame({name: [] for name in tables.COLUMNS["predictions"]})
    return tables.concatenated(parts) if parts else empty
