"""Steps `external_test`, `external_files` and `few_shot`: trained networks on other people than they learned from."""

from pathlib import Path

import pandas as pd

from expression_scores import few_shot
from face_sets.face_images import FaceImages
from fer_utils import tables
from fer_utils.compression.exported_files import exported_files
from fer_utils.models.prediction import predict_keras, predict_tflite, prediction_rows
from fer_utils.paths import Paths
from fer_utils.study import Study


def predict_external(study: Study, paths: Paths) -> None:
    """Predict the external test's photographs by every trained copy; write `predictions`."""
    faces, images = _photographs(study, paths)
    answers = [] if faces.empty else _answers_of_copies(study, paths, faces, images)
    _write(answers, paths.external_predictions)


def predict_external_by_files(study: Study, paths: Paths) -> None:
    """Predict the external test's photographs by every exported file; write `compressed_predictions`."""
    faces, images = _photographs(study, paths)
    files = {} if faces.empty else exported_files(study.architectures, paths)
    answers = [prediction_rows(run_id, faces, predict_tflite(file, images)) for run_id, file in files.items()]
    _write(answers, paths.external_compressed_predictions)


def retrain_last_layers(study: Study, paths: Paths) -> None:
    """Train the all-data copies' last layers again on a few children, predict the others; write `few_shot`."""
    features = tables.read("features", *paths.all_trained("features"))
    predictions = tables.read("predictions", *paths.all_trained("predictions"))
    seen = predictions["face_id"].isin(features["face_id"]) & predictions["run_id"].isin(features["run_id"])
    faces = tables.read("faces", paths.faces)
    made = few_shot.retrain_last_layers(predictions[seen], features, faces, study.seed)
    tables.write(made, "few_shot", paths.few_shot)


def _photographs(study: Study, paths: Paths) -> tuple[pd.DataFrame, FaceImages]:
    faces = tables.read("faces", paths.external_faces)
    return faces, FaceImages.stored(faces, paths.external_faces.parent, study.image_size)


def _answers_of_copies(
    study: Study, paths: Paths, faces: pd.DataFrame, images: FaceImages
) -> list[pd.DataFrame]:
    from fer_utils.models.backbones import build_network  # slow to import, needed only with photographs

    answers = []
    for architecture in study.architectures:
        network, table = build_network(architecture, study, None), paths.trained("runs", architecture)
        for run in tables.read("runs", table).to_dict("records"):
            network.load_weights(tables.file_of(run, table))
            answers.append(prediction_rows(str(run["run_id"]), faces, predict_keras(network, images)))
    return answers


def _write(answers: list[pd.DataFrame], path: Path) -> None:
    tables.write(tables.concatenated([tables.empty("predictions"), *answers]), "predictions", path)
