"""Differences between runs that saw the same faces, with paired intervals."""

from collections.abc import Sequence

import pandas as pd

from fer_utils.analysis.resampling import DRAWS, paired_confusions, paired_differences


def compare_runs(
    joined: pd.DataFrame,
    pairs: Sequence[tuple[str, str]],
    metric: str = "accuracy",
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Return one row a pair of run ids: run minus reference in `metric`, from -1 to 1, and its 95 % interval.

    `joined` holds both runs' predictions of the same faces; subjects are resampled together (paired).
    Columns: run_id, reference, difference, low, high. Raises ValueError for a run without predictions.
    """
    rows = []
    for run_id, reference in pairs:
        parts = [_of(joined, name) for name in (run_id, reference)]
        interval = paired_differences(paired_confusions(*parts), draws, seed)[metric]
        rows.append((run_id, reference, interval.estimate, interval.low, interval.high))
    return pd.DataFrame(rows, columns=["run_id", "reference", "difference", "low", "high"])


def _of(joined: pd.DataFrame, run_id: str) -> pd.DataFrame:
    rows = joined[joined["run_id"] == run_id]
    if rows.empty:
        raise ValueError(f"run {run_id!r} has no predictions of these faces: compare runs that have")
    return rows
