"""Intervals over subjects: photographs of one person are not independent, persons are.

With `FEW` subjects or more: the percentile bootstrap over subjects (Efron & Tibshirani 1993, chapter 13). A draw
takes as many subjects as there are, with replacement, and adds up their confusion counts; it is one row of
multinomial weights, and 10,000 draws are one matrix product.

With fewer subjects the percentile bootstrap comes out too short: 95 % intervals of 11 children hold the truth in
about nine of ten samples. There the jackknife's t interval takes its place (`fer_utils.analysis.jackknife`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from face_sets.expressions import CHANCE, EXPRESSIONS
from fer_utils.analysis.jackknife import (
    Statistics,
    difference_interval,
    jackknife_errors,
    share_interval,
    welch,
)
from fer_utils.analysis.metrics import (
    METRICS,
    Counts,
    Floats,
    confusions_by_subject,
    scores_of_confusions,
)

LEVEL: Final = 0.95
"""Confidence level of every interval in the book, by convention."""

DRAWS: Final = 10_000
"""Bootstrap draws; the error of a 95 % end point is then about a hundredth of the interval's width."""

FEW: Final = 150
"""Below so many subjects the jackknife speaks, from here on the bootstrap: by the simulation of
`fer_utils.simulation.coverage_simulation`, in which 95 % intervals of the bootstrap hold the truth in 92.6 to 94.4 % at
100 children (1,000 repetitions) and in 93.4 to 95.3 % at CAFE's 154."""

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
    return _intervals(_checked(confusions), scores_of_confusions, share_interval, draws, seed)


def recall_intervals(confusions: Counts, draws: int = DRAWS, seed: int = 0) -> dict[str, Interval]:
    """Return an `Interval` for each expression's recall, over the subjects who show it; not a number if nobody does.

    `confusions` are counts of shape (subjects, 7 true, 7 predicted).
    """
    found = {}
    for position, expression in enumerate(EXPRESSIONS):
        shown = confusions[:, position, :]
        seen = np.stack([shown[:, position], shown.sum(axis=1)], axis=1)  # (subjects, right and shown)
        seen = seen[seen[:, 1] > 0]
        found[expression] = (
            _intervals(seen, _recall, share_interval, draws, seed)["recall"]
            if len(seen)
            else Interval(np.nan, np.nan, np.nan)
        )
    return found


def paired_differences(pairs: Counts, draws: int = DRAWS, seed: int = 0) -> dict[str, Interval]:
    """Return first minus second for each metric, both scored on the same subjects in every draw.

    `pairs` are counts of shape (subjects, 2, 7 true, 7 predicted), as `paired_confusions` gives them.
    """
    return _intervals(_checked(pairs), _first_minus_second, difference_interval, draws, seed)


def unpaired_differences(
    first: Counts, second: Counts, draws: int = DRAWS, seed: int = 0
) -> dict[str, Interval]:
    """Return first minus second for each metric of two groups of different subjects, drawn apart.

    Each holds counts of shape (subjects, 7 true, 7 predicted); group sizes stay as they are in every draw. The
    smaller group decides whether the jackknife or the bootstrap speaks.
    """
    groups = (_checked(first), _checked(second))
    points = [scores_of_confusions(group.sum(axis=0)) for group in groups]
    estimates = {m: float(points[0][m] - points[1][m]) for m in METRICS}
    if min(len(first), len(second)) < 2:
        return {m: Interval(estimate, np.nan, np.nan) for m, estimate in estimates.items()}
    if min(len(first), len(second)) < FEW:
        errors = [jackknife_errors(group, scores_of_confusions) for group in groups]
        spread = {m: welch((errors[0][m], errors[1][m]), (len(first), len(second))) for m in METRICS}
        return {m: Interval(e, *difference_interval(e, *spread[m], LEVEL)) for m, e in estimates.items()}
    generator = np.random.default_rng(seed)
    drawn = [scores_of_confusions(resampled(group, draws, generator)) for group in groups]
    return {m: _percentiles(estimates[m], drawn[0][m] - drawn[1][m]) for m in METRICS}


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


def resampled(confusions: Counts | Floats, draws: int, seed: int | np.random.Generator) -> Floats:
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


def _intervals(
    counts: Counts,
    statistics: Statistics,
    few: Callable[[float, float, float, float], tuple[float, float]],
    draws: int,
    seed: int,
) -> dict[str, Interval]:
    points = {name: float(value) for name, value in statistics(counts.sum(axis=0)).items()}
    if len(counts) < 2:
        return {name: Interval(point, np.nan, np.nan) for name, point in points.items()}
    if len(counts) < FEW:
        errors = jackknife_errors(counts, statistics)
        freedom = len(counts) - 1
        return {name: Interval(p, *few(p, errors[name], freedom, LEVEL)) for name, p in points.items()}
    drawn = statistics(resampled(counts, draws, seed))
    return {name: _percentiles(point, drawn[name]) for name, point in points.items()}


def _percentiles(estimate: float, drawn: Floats) -> Interval:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(estimate, float(low), float(high))


def _first_minus_second(pairs: Counts | Floats) -> dict[str, Floats]:
    return {m: values[..., 0] - values[..., 1] for m, values in scores_of_confusions(pairs).items()}


def _recall(seen: Counts | Floats) -> dict[str, Floats]:
    """Recall from counts (..., right and shown)."""
    return {"recall": np.asarray(seen[..., 0] / seen[..., 1], dtype=np.float64)}


def _checked(confusions: Counts) -> Counts:
    if len(confusions) == 0 or (confusions.sum(axis=(-2, -1)) == 0).any():
        raise ValueError("a bootstrap over subjects needs at least one subject, and an image of each")
    return confusions
