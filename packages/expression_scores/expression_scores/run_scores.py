"""Runs scored and compared: metrics with intervals, paired differences, the frontier, and what 8-bit arithmetic costs."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from expression_scores.calibration import calibration_error, overconfidence
from expression_scores.intervals import (
    DRAWS,
    Interval,
    clears_chance,
    intervals,
    paired_confusions,
    paired_differences,
    unpaired_differences,
)
from expression_scores.metrics import METRICS, chance_level, confusions_by_subject, is_right, subjects_of

ABOUT_RUN = (
    "run_id", "parent_run_id", "architecture", "cohort", "technique", "precision", "seed", "initial_weights",
    "image_size", "parameters", "status", "reason",
)  # fmt: skip

A_POINT: Final = 0.01
"""The loss of accuracy that the study asks about."""

ROUNDING: Final = 12**-0.5
"""Error of rounding alone, in steps: the root mean square of what is even between -1/2 and 1/2."""

FAST: Final = "Delegate/"
"""How the runtime's profiler marks operators that its fast kernels (XNNPACK's) took over."""


def run_scores(joined: pd.DataFrame, runs: pd.DataFrame, draws: int = DRAWS, seed: int = 0) -> pd.DataFrame:
    """Return one row per run of `runs`, in its order: what it is, subjects, images, metrics, `has_learned`.

    `joined` holds the runs' predictions of the faces to score. Metrics (0 to 1) and the overconfidence (-1 to 1)
    have `_low` and `_high` ends of their intervals, the calibration error has none. A run without predictions keeps its
    row, scores missing. `has_learned`
    says whether the interval of balanced accuracy lies above always naming one expression. Raises ValueError for
    predictions of a run that `runs` does not hold.
    """
    if unknown := sorted(set(joined["run_id"]) - set(runs["run_id"])):
        raise ValueError(f"predictions of {unknown[0]!r}, which is not in the table of runs: give both")
    found = [_row(str(run_id), rows, draws, seed) for run_id, rows in joined.groupby("run_id", sort=False)]
    unscored = with_ends(dict.fromkeys((*METRICS, "overconfidence"), Interval(np.nan, np.nan, np.nan)))
    columns = ["run_id", "subjects", "images", *unscored, "calibration_error", "has_learned"]
    scored = pd.DataFrame(found, columns=columns)
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

    One row per run, in the order of `joined`: run_id, difference (-1 to 1), low, high: 95 % interval over subjects. No
    rows where a group has nobody.
    """
    rows = []
    able = set(pair) <= set(joined[column].dropna())
    for run_id, part in joined.groupby("run_id", sort=False) if able else ():
        sides = [confusions_by_subject(part[part[column] == group])[1] for group in pair]
        found = unpaired_differences(sides[0], sides[1], draws, seed)["accuracy"]
        rows.append((run_id, found.estimate, found.low, found.high))
    return pd.DataFrame(rows, columns=["run_id", "difference", "low", "high"])


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


def rounding_losses(
    joined: pd.DataFrame, files: pd.DataFrame, draws: int = DRAWS, seed: int = 0
) -> pd.DataFrame:
    """Return one row per 8-bit file, beside the network that it was made from, on the same faces.

    `joined` holds both runs' predictions, `files` the rows of `runs`. Columns: run_id, architecture, technique, faces,
    subjects, float_accuracy, same_answer (share of faces), difference (file minus network), low, high (paired),
    within_a_point: yes if the whole interval lies within a point of zero, no if all of it lies outside, else cannot
    tell. Raises ValueError for a file or a network without predictions.
    """
    pairs = [(str(run.run_id), str(run.parent_run_id)) for run in files.itertuples()]
    compared = compare_runs(joined, pairs, "accuracy", draws, seed)
    by_run = {str(run): rows.set_index("face_id").sort_index() for run, rows in joined.groupby("run_id")}
    known = [_beside(by_run[run_id], by_run[parent]) for run_id, parent in pairs]
    columns = ["faces", "subjects", "float_accuracy", "same_answer"]
    described = files[["run_id", "architecture", "technique"]].reset_index(drop=True)
    intervals = compared[["difference", "low", "high"]]
    table = pd.concat([described, pd.DataFrame(known, columns=columns), intervals], axis=1)
    return table.assign(
        within_a_point=[_within_a_point(*ends) for ends in zip(table["low"], table["high"], strict=True)]
    )


def _beside(file: pd.DataFrame, network: pd.DataFrame) -> tuple[int, int, float, float]:
    same = file["predicted"].astype(str) == network["predicted"].astype(str)
    return len(file), subjects_of(file).nunique(), float(is_right(network).mean()), float(same.mean())


def _within_a_point(low: float, high: float) -> str:
    if low >= -A_POINT and high <= A_POINT:
        return "yes"
    return "no" if high < -A_POINT or low > A_POINT else "cannot tell"


def time_outside_fast_kernels(operators: pd.DataFrame) -> pd.DataFrame:
    """Return one row per file of an `operators` table: where its time goes.

    Columns: run_id, outside (share of its time, 0 to 1, in operators that the fast kernels did not take), slowest
    (the kind of operator that takes most time), slowest_share, slowest_outside (whether it is among those).

    >>> rows = [("file", "Delegate/Add", 1.0), ("file", "SOFTMAX", 3.0)]
    >>> time_outside_fast_kernels(pd.DataFrame(rows, columns=["run_id", "operator", "mean_ms"]))
      run_id  outside  slowest  slowest_share  slowest_outside
    0   file     0.75  SOFTMAX           0.75             True
    """
    rows = []
    for run_id, part in operators.groupby("run_id", sort=False):
        spent = part.groupby("operator")["mean_ms"].sum()
        total, slow = spent.sum(), spent[~spent.index.astype(str).str.startswith(FAST)]
        slowest = str(spent.idxmax())
        shares = (float(slow.sum() / total), slowest.removeprefix(FAST), float(spent.max() / total))
        rows.append((run_id, *shares, not slowest.startswith(FAST)))
    columns = ["run_id", "outside", "slowest", "slowest_share", "slowest_outside"]
    return pd.DataFrame(rows, columns=columns)


def _row(run_id: str, joined: pd.DataFrame, draws: int, seed: int) -> dict[str, object]:
    _, confusions = confusions_by_subject(joined)
    found = intervals(confusions, draws, seed)
    return {
        "run_id": run_id, "subjects": len(confusions), "images": int(confusions.sum()),
        **with_ends(found | {"overconfidence": overconfidence(joined, draws, seed)}),
        "calibration_error": calibration_error(joined),
        "has_learned": clears_chance(found["balanced_accuracy"], chance_level(confusions)),
    }  # fmt: skip
