"""What a printed score can support, when the predictions behind it are not to be had.

A score is a share of photographs; children are photographed several times, and photographs of one child may be
read right or wrong together. How much so is the correlation within children (the intraclass correlation of
being right), which nobody published: it stays an argument, and results are shown for several values.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from scipy.stats import binom, binomtest, norm, t
from statsmodels.stats.proportion import proportion_confint

from fer_utils.analysis.intervals import LEVEL, Interval
from fer_utils.analysis.metrics import Floats

ALPHA: Final = 1 - LEVEL
"""Level of every two-sided test here, the complement of the intervals' by design."""

POWER: Final = 0.8
"""Chance with which a gap that is called detectable is found, by convention."""

DRAWS: Final = 200_000
"""Draws of the chance range; its 95 % quantile then repeats to a few thousandths of itself."""


def design_effect(photographs: float, children: int, correlation: float) -> float:
    """Return by what factor clustering multiplies a share's variance: 1 + (m - 1) correlation (Kish 1965).

    m is the mean number of photographs a child. Raises ValueError for a correlation outside 0 to 1, or fewer
    photographs than children.
    """
    if not 0 <= correlation <= 1:
        raise ValueError(f"a correlation within children lies between 0 and 1, given {correlation}")
    if not 1 <= children <= photographs:
        raise ValueError(
            f"each child needs a photograph, given {children} children and {photographs} photographs"
        )
    return 1 + (photographs / children - 1) * correlation


def effective_photographs(photographs: float, children: int, correlation: float) -> float:
    """Return how many independent photographs would tell as much (Kish 1965)."""
    return photographs / design_effect(photographs, children, correlation)


def wilson(share: float, photographs: float) -> Interval:
    """Return Wilson's 95 % interval (1927) of a share from 0 to 1 of independent photographs, whole or effective.

    Raises ValueError for a share outside 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"a share lies between 0 and 1, given {share}: divide percentages by 100")
    low, high = proportion_confint(share * photographs, photographs, alpha=ALPHA, method="wilson")
    return Interval(share, float(low), float(high))


def widening_if_estimated(children: int) -> float:
    """Return by what factor an interval widens if the spread between children is estimated from them, not known.

    Student's t with one degree of freedom fewer than children, over the normal quantile; children of equal
    numbers of photographs.
    """
    return float(t.ppf(1 - ALPHA / 2, children - 1) / norm.ppf(1 - ALPHA / 2))


def half_width_of_difference(share: float, effective: Sequence[float]) -> float:
    """Return half the width of the normal 95 % interval of a difference between two separate groups' shares.

    `effective` holds the two groups' effective numbers of photographs; both are given the same `share`.
    """
    return float(norm.ppf(1 - ALPHA / 2)) * _error_of_difference(share, effective)


def smallest_detectable_gap(share: float, effective: Sequence[float]) -> float:
    """Return the true difference between two groups that a two-sided test at 5 % finds four times in five.

    Normal approximation with the variance of `share` in both groups; arguments as `half_width_of_difference`.
    """
    return float(norm.ppf(1 - ALPHA / 2) + norm.ppf(POWER)) * _error_of_difference(share, effective)


def gaps_by_chance(share: float, effective: Sequence[float], draws: int = DRAWS, seed: int = 0) -> Floats:
    """Return draws of the best minus the worst group, from 0 to 1, when all groups have the same true share.

    Normal draws with each group's binomial variance at its effective number of photographs.
    """
    errors = np.sqrt(share * (1 - share) / np.asarray(effective, dtype=float))
    scores = np.random.default_rng(seed).normal(0, errors, size=(draws, len(errors)))
    return np.asarray(np.ptp(scores, axis=1))


def mcnemar_p(discordant: int, net: int) -> float:
    """Return the exact two-sided p-value of McNemar's test (1947).

    `discordant` photographs are read right by one network only; the better one has `net` more of them. Raises
    ValueError when no two whole numbers have that sum and difference.
    """
    if not 0 <= net <= discordant or (discordant - net) % 2:
        raise ValueError(
            f"{discordant} photographs cannot fall to two networks with a difference of {net}: give a "
            "difference no larger, and both even or both odd"
        )
    return float(binomtest((discordant - net) // 2, discordant).pvalue) if discordant else 1.0


def most_discordant(net: int) -> int | None:
    """Return up to how many discordant photographs a net difference is significant at 5 %; None if at none."""
    found = None
    discordant = net
    while discordant and mcnemar_p(discordant, net) < ALPHA:
        found, discordant = discordant, discordant + 2
    return found


def least_net(discordant: int) -> int | None:
    """Return the smallest net difference that is significant among so many discordant photographs, if any."""
    nets = range(discordant % 2, discordant + 1, 2)
    return next((net for net in nets if mcnemar_p(discordant, net) < ALPHA), None)


def discordant_if_independent(shares: tuple[float, float], photographs: int) -> float:
    """Return how many discordant photographs to expect of two networks whose errors have nothing in common."""
    first, second = shares
    return photographs * (first * (1 - second) + second * (1 - first))


def numerators(percent: float, photographs: int, decimals: int = 2) -> list[int]:
    """Return every k for which k of `photographs` rounds to the printed percentage; halves may go either way."""
    scale = 10 ** (decimals + 2)
    units = round(percent * 10**decimals)
    nearest = units * photographs // scale
    return [
        k
        for k in range(max(0, nearest - photographs // scale - 1), nearest + photographs // scale + 3)
        if k <= photographs and 2 * abs(scale * k - units * photographs) <= photographs
    ]


def base_rate(photographs: int, decimals: int = 2) -> float:
    """Return which share of all percentages from 0 to 100 with so many decimals some k of `photographs` prints."""
    units = range(10 ** (decimals + 2) + 1)
    fitting = sum(bool(numerators(unit / 10**decimals, photographs, decimals)) for unit in units)
    return fitting / len(units)


def coincidence(hits: int, percentages: int, rate: float) -> float:
    """Return how probable it is that so many unrelated percentages, or more, fit a `base_rate` by chance."""
    return float(binom.sf(hits - 1, percentages, rate))


def denominators(percents: Iterable[float], candidates: Iterable[int]) -> list[int]:
    """Return the candidate numbers of photographs of which some fraction prints as each of the percentages."""
    wanted = list(percents)
    return [n for n in candidates if all(numerators(percent, n) for percent in wanted)]


def implied_size(parameters: int, times: float, decimals: int = 2) -> Interval:
    """Return the parameters that a printed ratio implies for the larger network, with the ratio's rounding."""
    half = 0.5 * 10**-decimals
    return Interval(times * parameters, (times - half) * parameters, (times + half) * parameters)


def _error_of_difference(share: float, effective: Sequence[float]) -> float:
    first, second = effective
    return float(np.sqrt(share * (1 - share) * (1 / first + 1 / second)))
