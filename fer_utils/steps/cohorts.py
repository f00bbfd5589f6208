"""Step `train`, for the cohorts that a study's faces allow: where no face is there to learn from, a copy is left out."""

import pandas as pd

from fer_utils import tables
from fer_utils.models.training import of_cohort
from fer_utils.paths import Paths
from fer_utils.steps.train import train
from fer_utils.study import Architecture, Cohort, Study


class CohortError(ValueError):
    """No copy can be trained; the message says what is missing."""


def trainable(faces: pd.DataFrame, study: Study) -> tuple[Cohort, ...]:
    """Return those of a study's cohorts that have a training face, in the study's order; `faces` is its table.

    >>> trainable(faces_of_children, load_study("quick"))  # doctest: +SKIP
    ('children', 'all')
    """
    learned = faces[faces["split"] == "train"]
    return tuple(cohort for cohort in study.cohorts if of_cohort(learned, cohort, study).any())


def train_again(architecture: Architecture, seed: str, study: Study, paths: Paths) -> None:
    """Train one network on every cohort from a further seed, on the same faces; as `train_cohorts`."""
    train_cohorts(architecture, study.model_copy(update={"seed": int(seed)}), paths, again=True)


def train_cohorts(architecture: Architecture, study: Study, paths: Paths, *, again: bool = False) -> None:
    """Train one network on every cohort that has faces, by `train`; pages name the others (`Results.untrained`).

    Raises CohortError if no face is there to learn from at all.
    """
    possible = trainable(tables.read("faces", paths.faces), study)
    if not possible:
        raise CohortError("no face is there to train on: `fer data status` says which sets can be ingested")
    train(architecture, study.model_copy(update={"cohorts": possible}), paths, again=again)
