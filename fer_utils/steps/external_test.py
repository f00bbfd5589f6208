"""Step `external`: one network's copies and files are asked about the photographs of the external test."""

import pandas as pd

from fer_utils import tables
from fer_utils.compression.exported_files import exported_files
from fer_utils.models.face_images import FaceImages
from fer_utils.models.prediction import predict_keras, predict_tflite, prediction_rows
from fer_utils.paths import Paths
from fer_utils.study import Architecture, Study


def predict_external(architecture: Architecture, study: Study, paths: Paths) -> None:
    """Ask every trained copy and every exported file of one network about the photographs; write `predictions`."""
    faces = tables.read("faces", paths.external_faces)
    images = FaceImages.stored(faces, paths.external_faces.parent, study.image_size)
    parts = [] if faces.empty else _answers(architecture, study, paths, faces, images)
    answers = tables.concatenated(parts) if parts else tables.empty("predictions")
    tables.write(answers, "predictions", paths.external_predictions(architecture))


def _answers(
    architecture: Architecture, study: Study, paths: Paths, faces: pd.DataFrame, images: FaceImages
) -> list[pd.DataFrame]:
    from fer_utils.models.backbones import build_network  # slow to import, needed only with photographs

    network = build_network(architecture, study, None)
    trained = tables.read("runs", paths.trained("runs", architecture))
    answers = []
    for run in trained.itertuples():
        network.load_weights(paths.trained("runs", architecture).parent / str(run.artefact))
        answers.append(prediction_rows(str(run.run_id), faces, predict_keras(network, images)))
    for run_id, file in exported_files([architecture], paths).items():
        answers.append(prediction_rows(run_id, faces, predict_tflite(file, images)))
    return answers
