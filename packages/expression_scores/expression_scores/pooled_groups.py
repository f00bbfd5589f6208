"""Groups as one population: partial pooling, which keeps a group of ten children from looking better or worse than it is.

The log odds of each group's accuracy are taken as normal about their common mean, with a standard deviation between
groups that is not known (Gelman, Carlin, Stern, Dunson, Vehtari & Rubin 2013, Bayesian Data Analysis, section 5.4; no
sampling is needed, the deviation is one number and is summed over on a grid). Its prior is half normal (Gelman 2006,
doi:10.1214/06-BA117A). The error of a group's share follows from the design effect of all groups' children together, since
ten children alone cannot tell their own spread.

Such an interval holds on average over groups like these: 94 to 98 % where groups truly differ by a standard deviation of
up to 7 points, and too seldom for a single group that lies far from all others, which is drawn to them. So pooled
intervals stand beside the raw ones and decide nothing.
"""

from typing import Final

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import t

from expression_scores.groups import comparable, grouped_counts
from expression_scores.intervals import LEVEL
from expression_scores.metrics import Floats

SPREAD: Final = 0.4
"""Scale of the prior for the standard deviation between groups, in log odds: about ten points at an accuracy of 60 %.
Our choice: the largest gap that the paper prints between five groups, 11.6 points, is one of about five."""

GRID: Final = 61  # standard deviations from 0 to three times that scale
QUANTILES: Final = (np.arange(200) + 0.5) / 200
"""Each normal of the mixture is taken at these; end points are then known to about a tenth of a point."""

COLUMNS: Final = ("group", "subjects", "images", "accuracy", "pooled", "low", "high")


def pooled_groups(joined: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return one row per comparable group of one run's predictions, accuracies from 0 to 1: columns `COLUMNS`.

    `pooled` is the posterior median, low and high its 95 % interval. No rows for fewer than two groups.
    """
    if len(comparable(joined, column)) < 2:
        return pd.DataFrame(columns=list(COLUMNS))
    grouped = grouped_counts(joined, column)[0]
    names, counts = list(grouped), list(grouped.values())
    right = [np.trace(each, axis1=1, axis2=2).astype(np.float64) for each in counts]
    images = [each.sum(axis=(1, 2)).astype(np.float64) for each in counts]
    sums = np.array([each.sum() for each in right]), np.array([each.sum() for each in images])
    subjects = np.array([len(each) for each in counts])
    error = np.sqrt(_design_effect(right, images) * _binomial_variance(*sums))
    shares = (sums[0] + 0.5) / (sums[1] + 1)  # finite log odds also where all is right (Haldane 1956)
    found = expit(_posterior(logit(shares), error, int(subjects.sum()) - len(names)))
    low, median, high = found.T
    return pd.DataFrame({
        "group": names, "subjects": subjects, "images": sums[1].astype(int), "accuracy": sums[0] / sums[1],
        "pooled": median, "low": low, "high": high,
    })  # fmt: skip


def _design_effect(right: list[Floats], images: list[Floats]) -> float:
    """By what the children's spread within groups exceeds that of independent photographs; at least 1."""
    shares = [r.sum() / n.sum() for r, n in zip(right, images, strict=True)]
    squares = [(r - n * p) ** 2 / n for r, n, p in zip(right, images, shares, strict=True)]
    expected = sum((len(n) - 1) * p * (1 - p) for n, p in zip(images, shares, strict=True))
    return max(1.0, float(np.concatenate(squares).sum() / expected)) if expected else 1.0


def _binomial_variance(right: Floats, images: Floats) -> Floats:
    """Of log odds, with the share of all groups: a group's own error must not depend on its luck."""
    share = (right.sum() + 0.5) / (images.sum() + 1)
    return np.asarray(1 / (images * share * (1 - share)))


def _posterior(estimates: Floats, errors: Floats, freedom: int) -> Floats:
    """Return the low end, the median and the high end of each group's posterior, (groups, 3)."""
    between = np.linspace(0, 3 * SPREAD, GRID)[:, None]
    variances = errors**2
    total = variances + between**2
    mean_variance = 1 / (1 / total).sum(axis=1, keepdims=True)
    mean = mean_variance * (estimates / total).sum(axis=1, keepdims=True)
    log_weight = (
        -0.5 * (between / SPREAD) ** 2 + 0.5 * np.log(mean_variance)
        - 0.5 * (np.log(total) + (estimates - mean) ** 2 / total).sum(axis=1, keepdims=True)
    )  # fmt: skip
    weight = np.exp(log_weight - log_weight.max())[:, 0]
    drawn = variances / total  # how far each group is drawn to the mean
    centre = (1 - drawn) * estimates + drawn * mean
    spread = np.sqrt(variances * (1 - drawn) + drawn**2 * mean_variance)
    values = centre[..., None] + spread[..., None] * t.ppf(QUANTILES, freedom)
    return np.stack([_quantiles(values[:, group], weight) for group in range(len(estimates))])


def _quantiles(values: Floats, weight: Floats) -> Floats:
    """Of a mixture: values (grid, quantiles), each row with its weight (grid,)."""
    order = np.argsort(values, axis=None)
    share = np.cumsum(np.repeat(weight, values.shape[1])[order])
    asked = np.array([(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2]) * share[-1]
    return np.asarray(values.ravel()[order][np.searchsorted(share, asked)])
