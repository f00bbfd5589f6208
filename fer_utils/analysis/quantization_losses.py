"""What 8-bit arithmetic costs: accuracy against the float network that a file was made from, and time."""

from typing import Final

import pandas as pd

from fer_utils.analysis.intervals import DRAWS
from fer_utils.analysis.metrics import is_right, subjects_of
from fer_utils.analysis.run_scores import compare_runs

A_POINT: Final = 0.01
"""The loss of accuracy that the study asks about."""

ROUNDING: Final = 12**-0.5
"""Error of rounding alone, in steps: the root mean square of what is even between -1/2 and 1/2."""

FAST: Final = "Delegate/"
"""How the runtime's profiler marks operators that its fast kernels (XNNPACK's) took over."""


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
