"""What each choice of the training recipe does to accuracy: switched on alone, over seeds, on the faces of `make book`.

`python benchmarks/recipe.py --network mobilenet_v3_small --seeds 3 --to results/recipe.csv` trains the all-data copy as the
profile has it and once more with each choice, from the same first weights, and asks both about the same test children.
"""

import math
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from expression_scores.intervals import paired_differences
from expression_scores.metrics import confusions_by_subject, join, scores_of_confusions
from face_sets.files import write_text
from fer_utils.models.prediction import predict_keras, prediction_rows
from fer_utils.models.training import train_copies
from fer_utils.paths import Paths
from fer_utils.steps.train import StudyFaces
from fer_utils.study import Study, load_study

CHOICES: dict[str, dict[str, Any]] = {
    "warm-up": {"warm_up_epochs": 1},
    "weight decay": {"weight_decay": 0.01},
    "label smoothing": {"label_smoothing": 0.1},
    "weight average": {"weight_average": 0.98},
    "balanced sampling": {"balanced_sampling": True},
    "best epoch": {"chosen_epoch": "best"},
    "head first": {"head_epochs": 1},
    "augmentation": {"augmentation": 0.5},
    "erasing": {"erasing": 0.25},
    "sharpness-aware": {"sharpness_radius": 0.05},
}
"""By name: the fields that differ from the profile's. Numbers are those of shared recipes (0.1, 0.01) or of the quick
profile's length (an average over fifty steps, an epoch of six)."""


def confusions(network: str, study: Study, faces: StudyFaces) -> Any:
    """Counts by test child (children, 7, 7) of the all-data copy, trained with the study's seed."""
    answers = []
    train_copies(
        network, faces.learned, faces.learned_images, study.model_copy(update={"cohorts": ("all",)}), None,
        lambda _: None, lambda _, trained: answers.append(predict_keras(trained.network, faces.tested_images)),
    )  # fmt: skip
    asked = (faces.tested["dataset"] == study.test_set) & (faces.tested["age_group"] == "child")
    rows = prediction_rows("run", faces.tested, answers[0])
    return confusions_by_subject(join(rows[asked.to_numpy()], faces.tested[asked]))[1]


def row(name: str, pairs: list[Any]) -> dict[str, Any]:
    """One line of the table, from (base, changed) counts of each seed."""
    base, changed = (np.sum([pair[side] for pair in pairs], axis=0) for side in (0, 1))
    found = paired_differences(np.stack([changed, base], axis=1))["accuracy"]
    by_seed = [share(pair[1]) - share(pair[0]) for pair in pairs]
    spread = float(np.std(by_seed, ddof=1)) if len(by_seed) > 1 else math.nan
    return {
        "choice": name, "seeds": len(pairs), "accuracy": share(changed), "difference": found.estimate,
        "low": found.low, "high": found.high, "seed_sd": spread,
    }  # fmt: skip


def share(counts: Any) -> float:
    """Accuracy, 0 to 1."""
    return float(scores_of_confusions(counts.sum(axis=0))["accuracy"])


def main(
    network: Annotated[str, typer.Option(help="Which network")] = "mobilenet_v3_small",
    seeds: Annotated[int, typer.Option(min=1, help="How many training seeds")] = 3,
    profile: Annotated[str, typer.Option(help="Profile whose faces and recipe are the base")] = "quick",
    to: Annotated[Path, typer.Option(help="Table to write")] = Path("results/recipe.csv"),
) -> None:
    """Write a row per choice: accuracy on test children, 0 to 1, its change with a 95 % interval over children."""
    study = load_study(profile)
    faces = StudyFaces.read(study, Paths.of(study))
    studies = [study.model_copy(update={"seed": study.seed + place}) for place in range(seeds)]
    base = [confusions(network, each, faces) for each in studies]
    rows = [{"choice": "none", "seeds": seeds, "accuracy": share(np.sum(base, axis=0))}]
    for name, changes in CHOICES.items():
        changed = [confusions(network, each.model_copy(update=changes), faces) for each in studies]
        rows.append(row(name, list(zip(base, changed, strict=True))))
        write_text(to, pd.DataFrame(rows).round(4).to_csv(index=False))
        print(pd.DataFrame(rows[-1:]).to_string(header=len(rows) == 2, index=False), flush=True)


if __name__ == "__main__":
    typer.run(main)
