"""Step `train`: one network's copies, trained, saved, and asked about every test face."""

from pathlib import Path

import pandas as pd

from fer_utils import tables
from fer_utils.data.batches import load_pixels
from fer_utils.data.leaks import check_no_leak
from fer_utils.files import atomic_path, digest
from fer_utils.fingerprints import code_digest
from fer_utils.models.features import features_of_children
from fer_utils.models.initial_weights import find_initial_weights
from fer_utils.models.prediction import predict_keras, prediction_rows
from fer_utils.models.training import Trained, of_cohort, train_copies
from fer_utils.study import Architecture, Cohort, Paths, Study


def train(architecture: Architecture, study: Study, paths: Paths) -> None:
    """Train one network's copies and write its runs, predictions (test faces) and curves.

    Of the copy that learned from all faces, the features of test children are kept too. Weights files lie beside
    the tables. Raises before any training if a subject is in two splits.
    """
    faces = tables.read("faces", paths.faces)
    check_no_leak(faces)
    learned = faces[faces["split"].isin(["train", "validation"])].reset_index(drop=True)
    tested = faces[faces["split"] == "test"].reset_index(drop=True)
    folder = paths.faces.parent
    tested_pixels = load_pixels(tested, folder, study.image_size)
    start, files = find_initial_weights(study)
    runs: list[dict[str, object]] = []
    predictions: list[pd.DataFrame] = []
    curves: list[pd.DataFrame] = []
    features: list[pd.DataFrame] = []

    def keep(cohort: Cohort, trained: Trained) -> None:
        run_id = f"{architecture}.{cohort}"
        artefact = f"{run_id}.h5"
        save_weights(trained, paths.trained("runs", architecture).parent / artefact)
        used = learned[of_cohort(learned, cohort, study)]
        runs.append(
            {
                "run_id": run_id,
                "architecture": architecture,
                "cohort": cohort,
                "technique": "none",
                "precision": "float32",
                "seed": study.seed,
                "initial_weights": start,
                "image_size": study.image_size,
                "parameters": trained.network.count_params(),
                "train_seconds": trained.seconds,
                "epochs": trained.epochs,
                "status": "done",
                "artefact": artefact,
                "data_digest": faces_digest(used),
                "code_digest": code_digest("fer_utils.steps.train"),
            }
        )
        predictions.append(prediction_rows(run_id, tested, predict_keras(trained.network, tested_pixels)))
        curves.append(trained.curves)
        if cohort == "all":
            features.append(features_of_children(run_id, trained.network, tested, tested_pixels, study))

    pixels = load_pixels(learned, folder, study.image_size)
    train_copies(architecture, learned, pixels, study, files[architecture], keep)
    tables.write(tables.concatenated(predictions), "predictions", paths.trained("predictions", architecture))
    tables.write(tables.concatenated(curves), "curves", paths.trained("curves", architecture))
    kept = tables.concatenated(features or [tables.empty("features")])
    tables.write(kept, "features", paths.trained("features", architecture))
    tables.write(pd.DataFrame(runs), "runs", paths.trained("runs", architecture))


def save_weights(trained: Trained, path: Path) -> None:
    """Write a trained network's weights atomically, in Keras 2's HDF5 format.

    `path` must not end in .weights.h5: by that name Keras would read another format.
    """
    with atomic_path(path) as temporary:
        trained.network.save_weights(temporary, save_format="h5")


def faces_digest(faces: pd.DataFrame) -> str:
    """Return a digest of the faces that a run learned from: who, what, which pixels."""
    columns = ["face_id", "sha256", "expression", "cohort", "split"]
    return digest(faces[columns].astype(str).sort_values("face_id").to_csv(index=False))
