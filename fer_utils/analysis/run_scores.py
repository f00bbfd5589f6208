"""One row a run: every metric with its interval, and whether the network has learned at all."""

import pandas as pd

from fer_utils.analysis.calibration import calibration_error
from fer_utils.analysis.metrics import METRICS, chance_level, confusions_by_subject
from fer_utils.analysis.resampling import DRAWS, clears_chance, intervals

ABOUT_RUN = (
    "run_id", "parent_run_id", "architecture", "cohort", "technique", "precision", "seed", "initial_weights",
    "image_size", "parameters", "status", "reason",
)  # fmt: skip

SCORES = (*METRICS, "calibration_error")


def run_scores(joined: pd.DataFrame, runs: pd.DataFrame, draws: int = DRAWS, seed: int = 0) -> pd.DataFrame:
    """Return one row a run of `runs`, in its order: what it is, subjects, images, metrics, `has_learned`.

    `joined` holds the runs' predictions joined with the faces to score (select them first: one data set, test
    split, one cohort). Metrics and the calibration error are from 0 to 1, each with `_low` and
    `_high` ends of its interval. All runs are resampled by one seed, so they share their draws where they saw the
    same subjects. A run without predictions (failed, not attempted) keeps its row and its reason, scores missing.
    `has_learned` says whether the interval of balanced accuracy lies above always naming one expression; missing if
    unscored.
    Raises ValueError for predictions of a run that `runs` does not hold.
    """
    if unknown := sorted(set(joined["run_id"]) - set(runs["run_id"])):
        raise ValueError(
            f"predictions of {unknown[0]!r}, which is not in the table of runs: give both of one study"
        )
    scored = pd.DataFrame(
        [_row(str(run_id), rows, draws, seed) for run_id, rows in joined.groupby("run_id", sort=False)],
        columns=["run_id", "subjects", "images", *_score_columns(), "has_learned"],
    ).astype({"subjects": "Int64", "images": "Int64", "has_learned": "boolean"})
    return runs[list(ABOUT_RUN)].merge(scored, on="run_id", how="left", validate="one_to_one")


def _row(run_id: str, joined: pd.DataFrame, draws: int, seed: int) -> dict[str, object]:
    _, confusions = confusions_by_subject(joined)
    found = intervals(confusions, draws, seed)
    shown = found | {"calibration_error": calibration_error(joined, draws, seed)}
    row: dict[str, object] = {"run_id": run_id, "subjects": len(confusions), "images": int(confusions.sum())}
    for metric, interval in shown.items():
        row |= {metric: interval.estimate, f"{metric}_low": interval.low, f"{metric}_high": interval.high}
    row["has_learned"] = clears_chance(found["balanced_accuracy"], chance_level(confusions))
    return row


def _score_columns() -> list[str]:
    return [name for metric in SCORES for name in (metric, f"{metric}_low", f"{metric}_high")]
