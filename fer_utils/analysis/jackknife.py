"""Standard errors by leaving out one subject at a time, and intervals from them that hold for few subjects.

The standard error is the jackknife's over whole subjects (Efron & Tibshirani 1993, chapter 11): with clusters it
needs no formula for the metric, and for few and unequal clusters it is the safest of the usual choices, erring
to the wide side (MacKinnon, Nielsen & Webb 2023, doi:10.1016/j.jeconom.2022.04.001). Shares get Student's t
interval on the logit scale, which keeps them within 0 and 1 and follows their skewness; differences get it as they
are. `fer_utils.simulation.coverage_simulation` measures how often these intervals hold the truth.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from scipy.special import expit, logit
from scipy.stats import t
from statsmodels.stats.proportion import proportion_confint

from fer_utils.analysis.metrics import Counts, Floats

Statistics = Callable[[Counts | Floats], dict[str, Floats]]
"""From counts (..., and those of one draw or one set of subjects) to named values (...)."""

NOTHING: Final = 1e-12
"""A standard error below this is rounding: the subjects do not differ at all."""


def jackknife_errors(counts: Counts, statistics: Statistics) -> dict[str, float]:
    """Return the standard error of each statistic from counts of shape (subjects, ...); 0 where nothing varies.

    Subjects are left out one at a time and the statistic taken of the rest; two subjects are the fewest.
    """
    left_out = statistics(counts.sum(axis=0) - counts)
    return {name: float(np.sqrt((len(counts) - 1) * v.var(axis=0))) for name, v in left_out.items()}


def share_interval(estimate: float, error: float, freedom: float, level: float) -> tuple[float, float]:
    """Return the ends of the t interval on the logit scale for a score from 0 to 1.

    `freedom` are the degrees of freedom, one fewer than the subjects. Where all are right or all are wrong no
    spread can be seen; there each subject counts as one photograph (Clopper & Pearson 1934), as if all photographs
    of one child were always read alike: the widest case.
    """
    if estimate <= 0 or estimate >= 1:
        subjects = freedom + 1
        low, high = proportion_confint(estimate * subjects, subjects, alpha=1 - level, method="beta")
        return float(low), float(high)
    if error < NOTHING:
        return estimate, estimate
    reach = t.ppf((1 + level) / 2, freedom) * error / (estimate * (1 - estimate))
    return float(expit(logit(estimate) - reach)), float(expit(logit(estimate) + reach))


def difference_interval(estimate: float, error: float, freedom: float, level: float) -> tuple[float, float]:
    """Return the ends of the t interval for a difference of two scores, within -1 and 1."""
    if error < NOTHING:
        return estimate, estimate
    reach = t.ppf((1 + level) / 2, freedom) * error
    return max(-1.0, float(estimate - reach)), min(1.0, float(estimate + reach))


def welch(errors: tuple[float, float], subjects: tuple[int, int]) -> tuple[float, float]:
    """Return the standard error of a difference between two separate groups, and its degrees of freedom.

    Welch (1947) and Satterthwaite (1946), with the groups' own standard errors and numbers of subjects.
    """
    squares = np.square(errors)
    total = float(squares.sum())
    if total < NOTHING**2:
        return 0.0, float(sum(subjects) - 2)
    return float(np.sqrt(total)), float(total**2 / (squares**2 / (np.array(subjects) - 1)).sum())
