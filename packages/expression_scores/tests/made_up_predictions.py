"""Made-up faces and predictions of known quality."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from expression_scores.metrics import join
from face_sets.expressions import EXPRESSIONS, PROBABILITY_COLUMNS


def made_up_faces(
    subjects: int,
    images: int,
    dataset: str = "made_up",
    groups: tuple[str, ...] = ("A", "B"),
    **fixed: object,
) -> pd.DataFrame:
    """Return faces of subjects who show the expressions in turn; groups alternate between subjects."""
    rows = [
        {
            "face_id": f"{dataset}-{s}-{i}",
            "dataset": dataset,
            "subject_id": f"s{s:04d}",
            "expression": EXPRESSIONS[(s + i) % 7],
            "age_group": "child",
            "ethnicity": groups[s % len(groups)],
            "split": "test",
            **fixed,
        }
        for s in range(subjects)
        for i in range(images)
    ]
    return pd.DataFrame(rows)


def made_up_predictions(
    faces: pd.DataFrame, right: np.ndarray | float, seed: int = 0, run_id: str = "run"
) -> pd.DataFrame:
    """Return predictions right with the probability given for each face, else any other at random."""
    generator = np.random.default_rng(seed)
    truth = pd.Categorical(faces["expression"], categories=list(EXPRESSIONS)).codes
    wrong = (truth + generator.integers(1, 7, size=len(faces))) % 7
    chosen = np.where(generator.random(len(faces)) < right, truth, wrong)
    probabilities = np.full((len(faces), 7), 0.1, dtype=np.float32)
    probabilities[np.arange(len(faces)), chosen] = 0.4
    frame = pd.DataFrame(probabilities, columns=list(PROBABILITY_COLUMNS))
    return frame.assign(run_id=run_id, face_id=faces["face_id"].to_numpy())


def made_up_joined(
    subjects: int, images: int, right: float = 0.6, seed: int = 0, **options: object
) -> pd.DataFrame:
    """Return joined predictions with one probability of being right for every face."""
    faces = made_up_faces(subjects, images, **options)  # type: ignore[arg-type]
    return join(made_up_predictions(faces, right, seed), faces)


@pytest.fixture
def joined_of() -> Callable[..., pd.DataFrame]:
    return made_up_joined


@pytest.fixture
def faces_of() -> Callable[..., pd.DataFrame]:
    return made_up_faces


@pytest.fixture
def predictions_of() -> Callable[..., pd.DataFrame]:
    return made_up_predictions
