"""Runs scored and compared: every metric with its interval, paired differences, and which run nothing else beats."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fer_utils.analysis.calibration import calibration_error
from fer_utils.analysis.intervals import (
    DRAWS,
    Interval,
    clears_chance,
    intervals,
    paired_confusions,
    paired_differences,
    unpaired_differences,
)
from fer_utils.analysis.metrics import METRICS, chance_level, confusions_by_subject

ABOUT_RUN = (
    "run_id", "parent_run_id", "architecture", "cohort", "technique", "precision", "seed", "initial_weights",
    "image_size", "parameters", "status", "reason",
)  # fmt: skip


def run_scores(joined: pd.DataFrame, runs: pd.DataFrame, draws: int = DRAWS, seed: int = 0) -> pd.DataFrame:
    """Return one row per run of `runs`, in its order: what it is, subjects, images, metrics, `has_learned`.

    `joined` holds the runs' predictions of the faces to score. Metrics and the calibration error are from 0 to 1, each
    with `_low` and `_high` ends of its interval. A run without predictions keeps its row, scores missing. `has_learned`
    says whether the interval of balanced accuracy lies above always naming one expression. Raises ValueError for
    predictions of a run that `runs` does not hold.
    """
    if unknown := sorted(set(joined["run_id"]) - set(runs["run_id"])):
        raise ValueError(f"predictions of {unknown[0]!r}, which is not in the runs: give both of one study")
    found = [_row(str(run_id), rows, draws, seed) for run_id, rows in joined.groupby("run_id", sort=False)]
    unscored = with_ends(dict.fromkeys((*METRICS, "calibration_error"), Interval(np.nan, np.nan, np.nan)))
    scored = pd.DataFrame(found, columns=["run_id", "subjects", "images", *unscored, "has_learned"])
    scored = scored.astype({"subjects": "Int64", "images": "Int64", "has_learned": "boolean"})
    return runs[list(ABOUT_RUN)].merge(scored, on="run_id", how="left", validate="one_to_one")


def with_ends(found: dict[str, Interval]) -> dict[str, float]:
    """Return intervals as columns: each name with its estimate, its `_low` and its `_high`."""
    columns: dict[str, float] = {}
    for name, each in found.items():
        columns |= {name: each.estimate, f"{name}_low": each.low, f"{name}_high": each.high}
    return columns


def compare_runs(
    joined: pd.DataFrame,
    pairs: Sequence[tuple[str, str]],
    metric: str = "accuracy",
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Return one row per pair of run ids: run minus reference in `metric`, from -1 to 1, and its 95 % interval.

    `joined` holds both runs' predictions of the same faces; subjects are resampled together (paired).
    Columns: run_id, reference, difference, low, high. Raises ValueError for a run without predictions.
    """
    rows = []
    for pair in pairs:
        parts = [joined[joined["run_id"] == run_id] for run_id in pair]
        if absent := [run_id for run_id, part in zip(pair, parts, strict=True) if part.empty]:
            raise ValueError(f"run {absent[0]!r} has no predictions of these faces: compare runs that have")
        found = paired_differences(paired_confusions(*parts), draws, seed)[metric]
        rows.append((*pair, found.estimate, found.low, found.high))
    return pd.DataFrame(rows, columns=["run_id", "reference", "difference", "low", "high"])


def differences_by_run(
    joined: pd.DataFrame, column: str, pair: tuple[str, str], draws: int = DRAWS, seed: int = 0
) -> pd.DataFrame:
    """Return accuracy on the subjects of the first group of `column` minus that on those of the second.

    One row per run, in the order of `joined`: run_id, difference (-1 to 1), low, high: 95 % interval over subjects.
    """
    rows = []
    for run_id, part in joined.groupby("run_id", sort=False):
        sides = [confusions_by_subject(part[part[column] == group])[1] for group in pair]
        found = unpaired_differences(sides[0], sides[1], draws, seed)["accuracy"]
        rows.append((run_id, found.estimate, found.low, found.high))
    return pd.DataFrame(rows, columns=["run_id", "difference", "low", "high"])


def with_file(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table of runs that are a TFLite file."""
    return runs[runs["artefact"].str.endswith(".tflite").fillna(False)]


def on_frontier(costs: pd.Series, scores: pd.Series) -> pd.Series:
    """Return whether each row is on the frontier: none costs as little or less and scores better, or as well for less.

    A row that lacks either is not on it. The frontier is of point estimates.

    >>> on_frontier(pd.Series([1, 2, 3]), pd.Series([0.5, 0.4, 0.9])).to_list()
    [True, False, True]
    """
    cost, score = costs.to_numpy(float), scores.to_numpy(float)
    at_least_as_good = (cost[None, :] <= cost[:, None]) & (score[None, :] >= score[:, None])
    better = (cost[None, :] < cost[:, None]) | (score[None, :] > score[:, None])
    beaten = (at_least_as_good & better).any(axis=1)
    return pd.Series(~beaten & np.isfinite(cost) & np.isfinite(score), index=costs.index)


def _row(run_id: str, joined: pd.DataFrame, draws: int, seed: int) -> dict[str, object]:
    _, confusions = confusions_by_subject(joined)
    found = intervals(confusions, draws, seed)
    return {
        "run_id": run_id, "subjects": len(confusions), "images": int(confusions.sum()),
        **with_ends(found | {"calibration_error": calibration_error(joined, draws, seed)}),
        "has_learned": clears_chance(found["balanced_accuracy"], chance_level(confusions)),
    }  # fmt: skip
