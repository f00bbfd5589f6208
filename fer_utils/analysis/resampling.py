"""Intervals by bootstrap over subjects: photographs of one person are not independent, persons are.

A draw takes as many subjects as there are, with replacement, and adds up their confusion counts; a draw of
all subjects is thus one row of multinomial weights, and 10,000 draws one matrix product.

Intervals are percentile intervals (Efron & Tibshirani 1993, chapter 13). They need no formula for a standard
error, which macro F1 does not have; they stay within 0 and 1; and they transform with the metric. They are
first-order accurate: with few subjects (a dozen, say) they come out too short, so the number of subjects is
shown beside every interval.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from fer_utils.analysis.metrics import (
    METRICS,
    Counts,
    Floats,
    confusions_by_subject,
    scores_of_confusions,
)
from fer_utils.expressions import CHANCE

LEVEL: Final = 0.95
"""Confidence level of every interval in the book, by convention."""

DRAWS: Final = 10_000
"""Bootstrap draws; the error of a 95 % end point is then about a hundredth of the interval's width."""

BLOCK: Final = 4_000_000
"""Weights held in memory at once: 32 MB, however many subjects there are."""


@dataclass(frozen=True)
class Interval:
    """An estimate with the ends of its interval; ends are not a number for a single subject."""

    estimate: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero."""
        return self.low > 0 or self.high < 0


def clears_chance(interval: Interval, chance: float = CHANCE) -> bool:
    """Return whether the whole interval lies above chance; a network for which not "has not learned"."""
    return interval.low > chance


def intervals(confusions: Counts, draws: int = DRAWS, seed: int = 0) -> dict[str, Interval]:
    """Return an `Interval` for each metric from counts of shape (subjects, 7 true, 7 predicted).

    Raises ValueError when there is no subject or a subject without images.
    """
    points = scores_of_confusions(_checked(confusions).sum(axis=0))
    drawn = scores_of_confusions(resampled(confusions, draws, seed))
    return {m: _interval(float(points[m]), drawn[m], len(confusions)) for m in METRICS}


def paired_differences(pairs: Counts, draws: int = DRAWS, seed: int = 0) -> dict[str, Interval]:
    """Return first minus second for each metric, both scored on the same subjects in every draw.

    `pairs` are counts of shape (subjects, 2, 7 true, 7 predicted), as `paired_confusions` gives them.
    """
    points = scores_of_confusions(_checked(pairs).sum(axis=0))
    drawn = scores_of_confusions(resampled(pairs, draws, seed))
    return {
        m: _interval(float(points[m][0] - points[m][1]), drawn[m][:, 0] - drawn[m][:, 1], len(pairs))
        for m in METRICS
    }


def unpaired_differences(
    first: Counts, second: Counts, draws: int = DRAWS, seed: int = 0
) -> dict[str, Interval]:
    """Return first minus second for each metric of two groups of different subjects, drawn apart.

    Each holds counts of shape (subjects, 7 true, 7 predicted); group sizes stay as they are in every draw.
    """
    generator = np.random.default_rng(seed)
    points = [scores_of_confusions(_checked(group).sum(axis=0)) for group in (first, second)]
    drawn = [scores_of_confusions(resampled(group, draws, generator)) for group in (first, second)]
    fewest = min(len(first), len(second))
    return {
        m: _interval(float(points[0][m] - points[1][m]), drawn[0][m] - drawn[1][m], fewest) for m in METRICS
    }


def paired_confusions(first: pd.DataFrame, second: pd.DataFrame) -> Counts:
    """Return counts (subjects, 2, 7, 7) of two runs' joined predictions of the same faces.

    Raises ValueError when the two did not see the same faces.
    """
    if sorted(first["face_id"]) != sorted(second["face_id"]):
        raise ValueError(
            f"a paired difference needs two runs on the same faces, given {len(first)} and {len(second)} "
            "predictions of different ones: keep the faces that both have seen"
        )
    return np.stack([confusions_by_subject(first)[1], confusions_by_subject(second)[1]], axis=1)


def resampled(confusions: Counts, draws: int, seed: int | np.random.Generator) -> Floats:
    """Return the summed counts of each draw: from (subjects, ...) to (draws, ...), whole numbers."""
    generator = np.random.default_rng(seed)
    subjects = len(confusions)
    flat = confusions.reshape(subjects, -1).astype(np.float64)
    blocks = []
    for start in range(0, draws, step := max(1, BLOCK // subjects)):
        size = min(step, draws - start)
        weights = generator.multinomial(subjects, np.full(subjects, 1 / subjects), size=size)
        blocks.append(weights.astype(np.float64) @ flat)
    return np.concatenate(blocks).reshape(draws, *confusions.shape[1:])


def _interval(estimate: float, drawn: Floats, subjects: int) -> Interval:
    if subjects < 2:
        return Interval(estimate, np.nan, np.nan)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(estimate, float(low), float(high))


def _checked(confusions: Counts) -> Counts:
    if len(confusions) == 0 or (confusions.sum(axis=(-2, -1)) == 0).any():
        raise ValueError("a bootstrap over subjects needs at least one subject, and an image of each")
    return confusions
