"""What the steps that learn share: the study's faces, leak-checked, with their images; and the row of a run."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from face_sets.code_digests import code_digest
from face_sets.files import digest
from face_sets.leaks import check_no_leak
from fer_utils import tables
from fer_utils.models.face_images import FaceImages
from fer_utils.paths import Paths
from fer_utils.study import Study


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
    code = code_digest(f"fer_utils.steps.{step}")
    return {"seed": study.seed, "image_size": study.image_size, "code_digest": code, **known}


def faces_digest(faces: pd.DataFrame) -> str:
    """Return a digest of the faces that a run learned from: who, what, which pixels."""
    columns = ["face_id", "sha256", "expression", "age_group", "split"]
    return digest(faces[columns].astype(str).sort_values("face_id").to_csv(index=False))
