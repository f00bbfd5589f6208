"""Every two groups of subjects compared: all differences at once, and tests adjusted for their number.

Intervals are Games & Howell's (1976, doi:10.3102/10769986001002113): the studentized range with Welch's degrees of
freedom, for groups of unequal sizes and spreads, here with the jackknife's standard errors. All of them hold the
truth together in 95 % of samples, so the widest one may be read off after looking. p-values are Welch's, one a
pair; `holm` adjusts them for their number.
"""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import t
from statsmodels.stats.libqsturng import qsturng
from statsmodels.stats.multitest import multipletests

from fer_utils.analysis.jackknife import NOTHING, jackknife_errors, welch
from fer_utils.analysis.metrics import Counts, Floats, scores_of_confusions
from fer_utils.analysis.resampling import LEVEL


def pairwise(grouped: Mapping[str, Counts], metric: str) -> pd.DataFrame:
    """Return one row a pair of groups: first, second, difference, low, high, p_value.

    `grouped` holds each group's counts (subjects, 7 true, 7 predicted). Differences are first minus second, from
    -1 to 1, with the ends of their simultaneous intervals. A group of one subject has differences only.
    """
    points = {g: float(scores_of_confusions(c.sum(axis=0))[metric]) for g, c in grouped.items()}
    errors = {g: jackknife_errors(c, scores_of_confusions)[metric] for g, c in grouped.items() if len(c) > 1}
    rows = []
    for a, b in combinations(grouped, 2):
        known = a in errors and b in errors
        spread = (
            welch((errors[a], errors[b]), (len(grouped[a]), len(grouped[b]))) if known else (np.nan, np.nan)
        )
        rows.append((a, b, points[a] - points[b], *spread))
    pairs = pd.DataFrame(rows, columns=["first", "second", "difference", "error", "freedom"])
    statistic = pairs["difference"].abs() / pairs["error"].clip(lower=NOTHING)
    widening = _quantiles(len(errors), pairs["freedom"]) / np.sqrt(2)
    return pairs.assign(
        low=(pairs["difference"] - widening * pairs["error"]).clip(lower=-1),
        high=(pairs["difference"] + widening * pairs["error"]).clip(upper=1),
        p_value=2 * t.sf(statistic, pairs["freedom"]),
    ).drop(columns=["error", "freedom"])


def holm(p_values: pd.Series) -> Floats:
    """Return p-values adjusted by Holm (1979) for their number; missing ones stay missing and do not count."""
    adjusted = np.full(len(p_values), np.nan)
    known = p_values.notna().to_numpy()
    if known.any():
        adjusted[known] = multipletests(p_values[known], method="holm")[1]
    return adjusted


def bounds_of_largest(pairs: pd.DataFrame) -> tuple[float, float]:
    """Return between which ends the largest true difference of any two groups lies, from `pairwise`.

    It is at least the largest of the lower and at most the largest of the upper ends of the absolute differences;
    as the intervals hold together, this holds in 95 % of samples or more, however many groups were looked at.
    """
    known = pairs.dropna(subset=["low"])
    if known.empty:
        return np.nan, np.nan
    low, high = known["low"].to_numpy(float), known["high"].to_numpy(float)
    return max(0.0, float(np.maximum(low, -high).max())), float(np.maximum(high, -low).max())


def _quantiles(groups: int, freedom: pd.Series) -> Floats:
    """Quantiles of the studentized range; statsmodels' interpolation, for SciPy's integral takes 0.1 s each."""
    return np.array([qsturng(LEVEL, groups, v) if v == v else np.nan for v in freedom], dtype=np.float64)
