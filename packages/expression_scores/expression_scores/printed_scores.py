"""What a printed score can support when the predictions behind it are not available.

Photographs of one child may be read right or wrong together. How much so is the correlation within children (the
intraclass correlation of being right), which nobody published: results are shown for several values.
"""

from collections.abc import Iterable, Sequence
from itertools import count, takewhile
from typing import Final

import numpy as np
from scipy.stats import binomtest, norm, t
from statsmodels.stats.proportion import proportion_confint

from expression_scores.intervals import LEVEL, Interval
from expression_scores.metrics import Floats

ALPHA: Final = 1 - LEVEL
"""Level of every two-sided test here, the complement of the intervals' by design."""

POWER: Final = 0.8
"""Power at which a gap is called detectable, by convention."""

_QUANTILE: Final = float(norm.ppf(1 - ALPHA / 2))


def effective_photographs(photographs: float, children: int, correlation: float) -> float:
    """Return how many independent photographs carry as much information (Kish 1965).

    Raises ValueError for a correlation outside 0 to 1, or fewer photographs than children.
    """
    if not 0 <= correlation <= 1:
        raise ValueError(f"a correlation within children lies between 0 and 1, given {correlation}")
    if not 1 <= children <= photographs:
        raise ValueError(
            f"each child needs a photograph, given {children} children, {photographs} photographs"
        )
    return photographs / (1 + (photographs / children - 1) * correlation)


def wilson(share: float, photographs: float) -> Interval:
    """Return Wilson's 95 % interval (1927) of a share of independent photographs; raises ValueError outside 0 to 1."""
    if not 0 <= share <= 1:
        raise ValueError(f"a share lies between 0 and 1, given {share}: divide percentages by 100")
    low, high = proportion_confint(share * photographs, photographs, alpha=ALPHA, method="wilson")
    return Interval(share, float(low), float(high))


def widening_if_estimated(children: int) -> float:
    """Return Student's quantile over the normal one: how an interval widens if children's spread is estimated from them."""
    return float(t.ppf(1 - ALPHA / 2, children - 1)) / _QUANTILE


def smallest_detectable_gap(share: float, effective: Sequence[float], power: float = POWER) -> float:
    """Return the true difference between two groups that a two-sided test at 5 % finds with a certain power.

    `effective` holds the groups' effective numbers of photographs; normal approximation with the variance of `share`.
    At a power of 0.5 the gap is half the width of the difference's 95 % interval.
    """
    first, second = effective
    error = float(np.sqrt(share * (1 - share) * (1 / first + 1 / second)))
    return (_QUANTILE + float(norm.ppf(power))) * error


def gaps_by_chance(share: float, effective: Sequence[float], samples: int = 200_000, seed: int = 0) -> Floats:
    """Return samples of the best minus the worst group, from 0 to 1, when all groups have the same true share.

    Normal samples with each group's binomial variance at its effective number of photographs.
    """
    errors = np.sqrt(share * (1 - share) / np.asarray(effective, dtype=float))
    scores = np.random.default_rng(seed).normal(0, errors, size=(samples, len(errors)))
    return np.asarray(np.ptp(scores, axis=1))


def mcnemar_p(discordant: int, net: int) -> float:
    """Return the exact two-sided p-value of McNemar's test (1947).

    `discordant` photographs are read right by one network only; the better one has `net` more of them. Raises ValueError
    when no two whole numbers have that sum and difference.
    """
    if not 0 <= net <= discordant or (discordant - net) % 2:
        given = f"{discordant} photographs cannot fall to two networks with a difference of {net}"
        raise ValueError(f"{given}: give a difference no larger, and both even or both odd")
    return float(binomtest((discordant - net) // 2, discordant).pvalue) if discordant else 1.0


def most_discordant(net: int) -> int | None:
    """Return up to how many discordant photographs a net difference is significant at 5 %; None if at none."""
    found = list(takewhile(lambda discordant: mcnemar_p(discordant, net) < ALPHA, count(net, 2)))
    return found[-1] if found else None


def least_net(discordant: int) -> int | None:
    """Return the smallest net difference that is significant among so many discordant photographs, if any."""
    nets = range(discordant % 2, discordant + 1, 2)
    return next((net for net in nets if mcnemar_p(discordant, net) < ALPHA), None)


def discordant_if_independent(first: float, second: float, photographs: int) -> float:
    """Return how many discordant photographs to expect of two networks, by their shares right, if errors are independent."""
    return photographs * (first * (1 - second) + second * (1 - first))


def numerators(percent: float, photographs: int, decimals: int = 2) -> list[int]:
    """Return every k for which k of `photographs` rounds to the printed percentage; halves may go either way."""
    scale = 10 ** (decimals + 2)
    units = round(percent * 10**decimals)
    nearest, reach = units * photographs // scale, photographs // scale
    return [
        k
        for k in range(max(0, nearest - reach - 1), min(photographs, nearest + reach + 2) + 1)
        if 2 * abs(scale * k - units * photographs) <= photographs
    ]


def base_rate(photographs: int, decimals: int = 2) -> float:
    """Return which share of all percentages from 0 to 100 with so many decimals some k of `photographs` prints."""
    units = range(10 ** (decimals + 2) + 1)
    fitting = sum(bool(numerators(unit / 10**decimals, photographs, decimals)) for unit in units)
    return fitting / len(units)


def denominators(percents: Iterable[float], candidates: Iterable[int]) -> list[int]:
    """Return the candidate numbers of photographs of which some fraction prints as each of the percentages."""
    wanted = list(percents)
    return [n for n in candidates if all(numerators(percent, n) for percent in wanted)]
