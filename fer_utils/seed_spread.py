"""How far trainings of one network scatter: measured by one command and shipped, for studies of a single seed."""

from pathlib import Path
from typing import Final

import pandas as pd

from expression_scores.metrics import is_right
from expression_scores.training_seeds import SPREAD_FILE
from face_sets.files import atomic_path, digest
from fer_utils.paths import Paths
from fer_utils.results import Results
from fer_utils.study import load_study
from fer_utils.workflow import make

NETWORKS: Final = ["mobilenet_v3_small", "mobilenet_v3_large"]
"""The two of the five with the fewest multiplications, among them the one that the claims are about."""

SEEDS: Final = [1, 2, 3, 4, 5]
"""Beside the study's own: six trainings tell a standard deviation to about a third of it."""


def measure(path: Path = SPREAD_FILE) -> None:
    """Train the networks' copies on the quick profile's faces from every seed, and write their accuracies to a CSV file.

    One row per network and seed: accuracy of each copy on the held-out children, 0 to 1, how many photographs these are,
    and the faces' digest.
    """
    study = load_study("quick", architectures=NETWORKS, further_seeds=SEEDS)
    paths = Paths.of(study)
    make(paths.all_trained("runs") + paths.all_trained_again("runs"), study.profile, study.changes)
    results = Results(study, paths, "03_cohorts")
    children = results.test_children
    again = results.answers(results.runs_again, children, results.predictions_again)
    answers = pd.concat([results.answers(results.runs, children), again])
    accuracy = is_right(answers).groupby(answers["run_id"].astype(str)).mean().rename("accuracy")
    runs = pd.concat([results.runs, results.runs_again]).merge(accuracy, on="run_id")
    table = runs.astype({"cohort": str}).pivot(
        index=["architecture", "seed"], columns="cohort", values="accuracy"
    )
    faces = digest(results.faces[["face_id", "sha256"]].astype(str).to_csv(index=False))[:12]
    table = table[list(study.cohorts)].assign(photographs=len(children), faces=faces)
    with atomic_path(path) as temporary:
        table.round(4).to_csv(temporary)
