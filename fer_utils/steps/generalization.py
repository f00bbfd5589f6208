"""Steps `external_test` and `few_shot`: trained networks on other people than they learned from."""

import pandas as pd

from fer_utils import tables
from fer_utils.analysis import few_shot
from fer_utils.compression.exported_files import exported_files
from fer_utils.models.face_images import FaceImages
from fer_utils.models.prediction import predict_keras, predict_tflite, prediction_rows
from fer_utils.paths import Paths
from fer_utils.study import Architecture, Study


def predict_external(architecture: Architecture, study: Study, paths: Paths) -> None:
    """Predict the external test's photographs by every copy and exported file of one network; write `predictions`."""
    faces = tables.read("faces", paths.external_faces)
    images = FaceImages.stored(faces, paths.external_faces.parent, study.image_size)
    parts = [] if faces.empty else _predictions(architecture, study, paths, faces, images)
    answers = tables.concatenated(parts) if parts else tables.empty("predictions")
    tables.write(answers, "predictions", paths.external_predictions(architecture))


def retrain_last_layers(study: Study, paths: Paths) -> None:
    """Train the all-data copies' last layers again on a few children, predict the others; write `few_shot`."""
    features = tables.read("features", *paths.all_trained("features"))
    predictions = tables.read("predictions", *paths.all_trained("predictions"))
    seen = predictions["face_id"].isin(features["face_id"]) & predictions["run_id"].isin(features["run_id"])
    faces = tables.read("faces", paths.faces)
    made = few_shot.retrain_last_layers(predictions[seen], features, faces, study.seed)
    tables.write(made, "few_shot", paths.few_shot)


def _predictions(
    architecture: Architecture, study: Study, paths: Paths, faces: pd.DataFrame, images: FaceImages
) -> list[pd.DataFrame]:
    from fer_utils.models.backbones import build_network  # slow to import, needed only with photographs

    network = build_network(architecture, study, None)
    trained = tables.read("runs", paths.trained("runs", architecture))
    answers = []
    for run in trained.to_dict("records"):
        network.load_weights(tables.file_of(run, paths.trained("runs", architecture)))
        answers.append(prediction_rows(str(run["run_id"]), faces, predict_keras(network, images)))
    for run_id, file in exported_files([architecture], paths).items():
        answers.append(prediction_rows(run_id, faces, predict_tflite(file, images)))
    return answers
