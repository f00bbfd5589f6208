"""Step `train`: one network's copies, trained, saved, and tested; and what every step that learns shares."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from face_sets.code_digests import code_digest
from face_sets.face_images import FaceImages
from face_sets.files import atomic_path, digest
from face_sets.leaks import check_no_leak
from fer_utils import tables
from fer_utils.models.devices import device_name, is_deterministic
from fer_utils.models.networks import find_initial_weights
from fer_utils.models.prediction import features_of_children, predict_keras, prediction_rows
from fer_utils.models.training import Trained, of_cohort, train_copies
from fer_utils.paths import TRAINED, TRAINED_AGAIN, Paths
from fer_utils.study import Architecture, Cohort, Study
from traced_training.checkpoints import Checkpoint

CHECKPOINT: Final = ".checkpoint.npz"


def train(architecture: Architecture, study: Study, paths: Paths, *, again: bool = False) -> None:
    """Train one network's copies and write its runs, predictions (test faces) and curves.

    Of the copy that learned from all faces, the features of test children are kept too. Weights files lie beside
    the tables. `again`: the study's seed is a further one, which run ids carry; TRAINED_AGAIN alone is written.
    Raises before any training if a subject is in two splits.
    """
    place = {table: paths.trained(table, architecture) for table in TRAINED}
    if again:
        place = {table: paths.trained_again(table, architecture, study.seed) for table in TRAINED_AGAIN}
    faces = StudyFaces.read(study, paths)
    start, files = find_initial_weights(study)
    folder = place["runs"].parent
    rows: dict[str, list[pd.DataFrame]] = {table: [tables.empty(table)] for table in TRAINED}

    def name(cohort: Cohort) -> str:
        return f"{architecture}.{cohort}" + (f".seed-{study.seed}" if again else "")

    def used(cohort: Cohort) -> str:
        return _faces_digest(faces.learned[of_cohort(faces.learned, cohort, study)])

    def checkpoint(cohort: Cohort) -> Checkpoint:
        return checkpoint_of(name(cohort), "train", study, used(cohort), folder)

    def keep(cohort: Cohort, trained: Trained) -> None:
        run_id = name(cohort)
        artefact = f"{run_id}.h5"
        save_weights(trained, folder / artefact)
        row = run_row(
            study, "train", run_id=run_id, architecture=architecture, cohort=cohort, technique="none",
            precision="float32", initial_weights=start, parameters=trained.network.count_params(),
            train_seconds=trained.seconds, epochs=trained.epochs, status="done", artefact=artefact,
            file_digest=digest(folder / artefact), data_digest=used(cohort),
        )  # fmt: skip
        rows["runs"].append(pd.DataFrame([row]))
        answers = predict_keras(trained.network, faces.tested_images)
        rows["predictions"].append(prediction_rows(run_id, faces.tested, answers))
        rows["curves"].append(trained.curves)
        if cohort == "all" and not again:
            kept = features_of_children(run_id, trained.network, faces.tested, faces.tested_images, study)
            rows["features"].append(kept)

    train_copies(
        architecture, faces.learned, faces.learned_images, study, files[architecture], checkpoint, keep
    )
    for table, path in place.items():
        tables.write(tables.concatenated(rows[table]), table, path)
    remove_checkpoints(folder)


@dataclass(frozen=True)
class StudyFaces:
    """Faces to learn from (splits train and validation) and to test on, each with its images."""

    learned: pd.DataFrame
    learned_images: FaceImages
    tested: pd.DataFrame
    tested_images: FaceImages

    @classmethod
    def read(cls, study: Study, paths: Paths) -> "StudyFaces":
        """Return the study's faces. Raises LeakError, before any picture is opened, if a subject is in two splits."""
        faces = tables.read("faces", paths.faces)
        check_no_leak(faces)
        learned, tested = (
            faces[faces["split"].isin(splits)].reset_index(drop=True)
            for splits in (["train", "validation"], ["test"])
        )
        folder, size = paths.faces.parent, study.image_size
        return cls(
            learned, FaceImages.stored(learned, folder, size), tested, FaceImages.stored(tested, folder, size)
        )


def run_row(study: Study, step: str, **known: Any) -> dict[str, Any]:
    """Return a row of the `runs` table: what is `known`, and what the study and the step's code decide."""
    return {
        "seed": study.seed, "image_size": study.image_size, "code_digest": code_digest(f"fer_utils.steps.{step}"),
        "device": device_name(study), "threads": study.threads,
        "deterministic": is_deterministic(study, known["technique"]), **known,
    }  # fmt: skip


def checkpoint_of(run_id: str, step: str, study: Study, data_digest: str, folder: Path) -> Checkpoint:
    """Return where a training of a step is kept as it goes on, good for these settings, this code and these faces."""
    settings = study.settings("training", "compression")
    key = digest(run_id, settings, code_digest(f"fer_utils.steps.{step}"), data_digest)
    return Checkpoint(folder / f"{run_id}{CHECKPOINT}", key)


def remove_checkpoints(folder: Path) -> None:
    """Delete what was kept of the trainings of a step whose tables are written."""
    for path in folder.glob(f"*{CHECKPOINT}"):
        path.unlink()


def save_weights(trained: Trained, path: Path) -> None:
    """Write a trained network's weights atomically, in Keras 2's HDF5 format.

    `path` must not end in .weights.h5: by that name Keras would read another format.
    """
    with atomic_path(path) as temporary:
        trained.network.save_weights(temporary, save_format="h5")


def _faces_digest(faces: pd.DataFrame) -> str:
    """A digest of the faces that a run learned from: who, what, which pixels."""
    columns = ["face_id", "sha256", "expression", "age_group", "split"]
    return digest(faces[columns].astype(str).sort_values("face_id").to_csv(index=False))
