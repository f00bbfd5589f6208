"""How often 95 % intervals hold the truth, measured on made-up children whose true scores are known exactly.

A made-up child has an ability of its own, which decides about all its photographs, and poses some expressions and
not others, so that children have between one and thirteen photographs, seven on average, about as CAFE has (1,192 of
154 children, LoBue & Thrasher 2015; five expressions and neutral with open and closed mouth, surprise open only).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import expit

from face_sets.expressions import EXPRESSIONS
from fer_utils.analysis.intervals import (
    LEVEL,
    Interval,
    intervals,
    paired_differences,
    resampled,
    unpaired_differences,
)
from fer_utils.analysis.metrics import METRICS, Counts, Floats, scores_of_confusions

OFFERED: Final = np.where(np.array(EXPRESSIONS) == "surprise", 1, 2)
"""Photographs that a child can have of each expression: mouth open and closed, surprise open only."""

SHARE_KEPT: Final = (0.1, 1.0)
"""Between which shares of its photographs a child's were kept, uniformly: 55 % on average, thus about seven."""

EASE: Final = np.array([1.0, -0.6, 1.8, 0.2, 1.2, 0.1, 0.3])
"""Log odds of reading each expression right in an average child: happiness easiest, fear hardest. Our choice."""

SPREAD: Final = 1.0
"""Standard deviation of children's abilities in log odds; the correlation within children is then 0.13."""

SUBJECTS: Final = (11, 16, 30, 77, 154)
"""CAFE's smallest two groups, about its middle ones, its largest, and all of its children."""

_QUADRATURE: Final = np.polynomial.hermite_e.hermegauss(60)


def mistakes(seed: int = 1) -> Floats:
    """Return how mistakes fall on the other expressions: (7, 7), rows add up to one, nothing on the diagonal."""
    generator = np.random.default_rng(seed)
    shares = np.zeros((len(EXPRESSIONS), len(EXPRESSIONS)))
    off_diagonal = ~np.eye(len(EXPRESSIONS), dtype=bool)
    shares[off_diagonal] = generator.dirichlet(np.full(len(EXPRESSIONS) - 1, 1.5), len(EXPRESSIONS)).ravel()
    return shares


def true_scores(shift: float = 0.0, spread: float = SPREAD) -> dict[str, float]:
    """Return each metric of a network that sees infinitely many such children; `shift` is added to all log odds."""
    nodes, weights = _QUADRATURE
    right = (expit(EASE[:, None] + shift + spread * nodes) * weights).sum(axis=1) / weights.sum()
    expected = OFFERED[:, None] * (np.diag(right) + (1 - right)[:, None] * mistakes())
    return {metric: float(value) for metric, value in scores_of_confusions(expected).items()}


def made_up_children(
    generator: np.random.Generator, subjects: int, shifts: Sequence[float] = (0.0,), spread: float = SPREAD
) -> Counts:
    """Return the confusion counts of children, each photograph seen by a network for each shift.

    Shape (subjects, networks, 7, 7), int64. A child's ability and photographs are the same for all networks.
    """
    shown = _shown(generator, subjects)
    ability = spread * generator.normal(size=(subjects, 1))
    counts = np.zeros((subjects, len(shifts), len(EXPRESSIONS), len(EXPRESSIONS)), dtype=np.int64)
    shares = mistakes()
    for network, shift in enumerate(shifts):
        right = generator.binomial(shown, expit(EASE + shift + ability))
        for true in range(len(EXPRESSIONS)):
            counts[:, network, true] = generator.multinomial(shown[:, true] - right[:, true], shares[true])
            counts[:, network, true, true] += right[:, true]
    return counts


def _shown(generator: np.random.Generator, subjects: int) -> Counts:
    """Photographs of each child and expression; children without any are drawn again."""
    shown = np.zeros((subjects, len(EXPRESSIONS)), dtype=np.int64)
    while (none := shown.sum(axis=1) == 0).any():
        kept = generator.uniform(*SHARE_KEPT, size=(int(none.sum()), 1))
        shown[none] = generator.binomial(OFFERED, kept)
    return shown


def percentile_bootstrap(counts: Counts, draws: int, seed: int) -> dict[str, Interval]:
    """Return plain percentile intervals at any number of subjects: what the rule of `intervals` is compared with."""
    drawn = scores_of_confusions(resampled(counts, draws, seed))
    points = scores_of_confusions(counts.sum(axis=0))
    ends = {m: np.quantile(drawn[m], [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) for m in METRICS}
    return {m: Interval(float(points[m]), float(ends[m][0]), float(ends[m][1])) for m in METRICS}


METHODS: Final[Mapping[str, Callable[[Counts, int, int], dict[str, Interval]]]] = {
    "intervals": intervals,
    "percentile bootstrap": percentile_bootstrap,
}
"""Ways to an interval for one score, by name; the first is the one that the study uses."""

SHIFT_OF_SECOND: Final = -0.5
"""How much worse, in log odds, the second network or group of a difference is: about ten points of accuracy."""


def coverage_of_scores(
    repetitions: int,
    draws: int = 1000,
    *,
    subjects: Sequence[int] = SUBJECTS,
    shifts: Sequence[float] = (0.0, 1.5),
    methods: Sequence[str] = tuple(METHODS),
    seed: int = 0,
) -> pd.DataFrame:
    """Return how often each method's 95 % intervals hold the true score, by method, subjects, shift and metric.

    Columns: method, subjects, truth (the true score), metric, coverage (0 to 1), error (its Monte Carlo standard
    error), width (mean).
    """
    rows = []
    for size in subjects:
        for shift in shifts:
            samples = [
                made_up_children(np.random.default_rng([seed, size, each]), size, (shift,))[:, 0]
                for each in range(repetitions)
            ]
            for method in methods:
                found = [METHODS[method](sample, draws, seed + each) for each, sample in enumerate(samples)]
                rows += _rows(method, size, true_scores(shift), found)
    return pd.DataFrame(rows)


def coverage_of_differences(
    repetitions: int,
    draws: int = 1000,
    *,
    pairs: Sequence[tuple[int, int]] = ((11, 77), (11, 27), (30, 30), (154, 154)),
    seed: int = 0,
) -> pd.DataFrame:
    """Return how often intervals hold a true difference: of two networks on the same children, and of two groups.

    The second of each pair is worse by `SHIFT_OF_SECOND`. Paired differences are of as many children as the
    first of a pair. Columns as `coverage_of_scores`.
    """
    better, worse = true_scores(), true_scores(SHIFT_OF_SECOND)
    truth = {metric: better[metric] - worse[metric] for metric in METRICS}
    rows = []
    for sizes in pairs:
        paired, unpaired = [], []
        for each in range(repetitions):
            generator = np.random.default_rng([seed, *sizes, each])
            first = made_up_children(generator, sizes[0], (0.0, SHIFT_OF_SECOND))
            second = made_up_children(generator, sizes[1], (SHIFT_OF_SECOND,))[:, 0]
            paired.append(paired_differences(first, draws, seed + each))
            unpaired.append(unpaired_differences(first[:, 0], second, draws, seed + each))
        rows += _rows("paired difference", sizes[0], truth, paired)
        rows += _rows("difference of groups", f"{sizes[0]} and {sizes[1]}", truth, unpaired)
    return pd.DataFrame(rows).astype({"subjects": str}).drop_duplicates(["method", "subjects", "metric"])


def _rows(
    method: str, subjects: int | str, truth: Mapping[str, float], found: Sequence[Mapping[str, Interval]]
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for metric in METRICS:
        each = [interval[metric] for interval in found]
        share = float(np.mean([i.low <= truth[metric] <= i.high for i in each]))
        rows.append(
            {
                "method": method,
                "subjects": subjects,
                "truth": truth[metric],
                "metric": metric,
                "coverage": share,
                "error": float(np.sqrt(share * (1 - share) / len(found))),
                "width": float(np.mean([i.high - i.low for i in each])),
            }
        )
    return rows
