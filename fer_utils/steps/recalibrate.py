"""Step `recalibrate`: the all-data copies' last layers are trained again on a few children, and asked about others."""

from fer_utils import tables
from fer_utils.analysis import recalibration
from fer_utils.study import Paths, Study


def recalibrate(study: Study, paths: Paths) -> None:
    """Train the last layers again from the features that training kept; write `recalibrations`."""
    features = tables.read("features", *paths.all_trained("features"))
    predictions = tables.read("predictions", *paths.all_trained("predictions"))
    seen = predictions["face_id"].isin(features["face_id"]) & predictions["run_id"].isin(features["run_id"])
    faces = tables.read("faces", paths.faces)
    made = recalibration.recalibrate(predictions[seen], features, faces, study.seed)
    tables.write(made, "recalibrations", paths.recalibrations)
