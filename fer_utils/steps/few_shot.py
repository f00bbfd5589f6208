"""Step `recalibrate`: the all-data copies' last layers are trained again on a few children, and asked about others."""

from fer_utils import tables
from fer_utils.analysis import few_shot
from fer_utils.paths import Paths
from fer_utils.study import Study


def recalibrate(study: Study, paths: Paths) -> None:
    """Train the last layers again from the features that training kept; write `few_shot`."""
    features = tables.read("features", *paths.all_trained("features"))
    predictions = tables.read("predictions", *paths.all_trained("predictions"))
    seen = predictions["face_id"].isin(features["face_id"]) & predictions["run_id"].isin(features["run_id"])
    faces = tables.read("faces", paths.faces)
    made = few_shot.retrain_last_layers(predictions[seen], features, faces, study.seed)
    tables.write(made, "few_shot", paths.few_shot)
