"""Step `train`: one network's copies, trained, saved, and asked about every test face."""

from pathlib import Path

import pandas as pd

from face_sets.files import atomic_path
from fer_utils import tables
from fer_utils.models.networks import find_initial_weights
from fer_utils.models.prediction import features_of_children, predict_keras, prediction_rows
from fer_utils.models.training import Trained, of_cohort, train_copies
from fer_utils.paths import Paths
from fer_utils.steps.learning import StudyFaces, faces_digest, run_row
from fer_utils.study import Architecture, Cohort, Study


def train(architecture: Architecture, study: Study, paths: Paths) -> None:
    """Train one network's copies and write its runs, predictions (test faces) and curves.

    Of the copy that learned from all faces, the features of test children are kept too. Weights files lie beside
    the tables. Raises before any training if a subject is in two splits.
    """
    faces = StudyFaces.read(study, paths)
    start, files = find_initial_weights(study)
    rows: dict[str, list[pd.DataFrame]] = {
        "runs": [], "predictions": [], "curves": [], "features": [tables.empty("features")]
    }  # fmt: skip

    def keep(cohort: Cohort, trained: Trained) -> None:
        run_id = f"{architecture}.{cohort}"
        artefact = f"{run_id}.h5"
        save_weights(trained, paths.trained("runs", architecture).parent / artefact)
        used = faces.learned[of_cohort(faces.learned, cohort, study)]
        row = run_row(
            study, "train", run_id=run_id, architecture=architecture, cohort=cohort, technique="none",
            precision="float32", initial_weights=start, parameters=trained.network.count_params(),
            train_seconds=trained.seconds, epochs=trained.epochs, status="done", artefact=artefact,
            data_digest=faces_digest(used),
        )  # fmt: skip
        rows["runs"].append(pd.DataFrame([row]))
        answers = predict_keras(trained.network, faces.tested_images)
        rows["predictions"].append(prediction_rows(run_id, faces.tested, answers))
        rows["curves"].append(trained.curves)
        if cohort == "all":
            kept = features_of_children(run_id, trained.network, faces.tested, faces.tested_images, study)
            rows["features"].append(kept)

    train_copies(architecture, faces.learned, faces.learned_images, study, files[architecture], keep)
    for table, parts in rows.items():
        tables.write(tables.concatenated(parts), table, paths.trained(table, architecture))


def save_weights(trained: Trained, path: Path) -> None:
    """Write a trained network's weights atomically, in Keras 2's HDF5 format.

    `path` must not end in .weights.h5: by that name Keras would read another format.
    """
    with atomic_path(path) as temporary:
        trained.network.save_weights(temporary, save_format="h5")
