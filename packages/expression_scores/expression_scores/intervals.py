"""Intervals over subjects: photographs of one person are not independent, persons are.

With `FEW` subjects or more: the percentile bootstrap over subjects (Efron & Tibshirani 1993, chapter 13), each draw one
row of multinomial weights, 10,000 draws one matrix product. With fewer subjects it is too short: 95 % intervals of 11
children contain the truth in about nine of ten samples. There the standard error is the jackknife's over whole subjects
(chapter 11), the safest of the usual choices for few and unequal clusters (MacKinnon, Nielsen & Webb 2023,
doi:10.1016/j.jeconom.2022.04.001). Shares get Student's t interval on the logit scale, differences as they are. Subjects
who are all alike say nothing about how others vary: `of_alike` bounds how many others may differ from them.
`tests/simulation/test_coverage_of_intervals.py` measures how often these intervals contain the truth.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import t

from expression_scores.metrics import METRICS, Counts, Floats, confusions_by_subject, scores_of_confusions
from face_sets.expressions import CHANCE, EXPRESSIONS

LEVEL: Final = 0.95
"""Confidence level of every interval in the book, by convention."""

DRAWS: Final = 10_000
"""Bootstrap draws; the error of a 95 % end point is then about a hundredth of the interval's width."""

FEW: Final = 150
"""Fewer subjects get the jackknife, as many or more the bootstrap: in simulations its 95 % intervals contain the truth in
92.6 to 94.4 % at 100 children (1,000 repetitions) and in 93.4 to 95.3 % at CAFE's 154."""

BLOCK: Final = 4_000_000
"""Weights held in memory at once: 32 MB, however many subjects there are."""

NOTHING: Final = 1e-12
"""A standard error below this is rounding: the subjects are all alike."""

Statistics = Callable[[Any], dict[str, Floats]]
"""From counts (..., and those of one draw or one set of subjects) to named values (...)."""


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

    >>> counts = np.zeros((2, 7, 7), dtype=int)
    >>> counts[:, 0, 0], counts[:, 0, 1] = (3, 1), (1, 3)  # two subjects, four images each of one expression
    >>> intervals(counts)["accuracy"].estimate
    0.5
    """
    return intervals_of(_checked(confusions), scores_of_confusions, share_interval, draws, seed)


def recall_intervals(confusions: Counts, draws: int = DRAWS, seed: int = 0) -> dict[str, Interval]:
    """Return an `Interval` for each expression's recall over the subjects who show it; not a number if nobody does."""
    found = dict.fromkeys(EXPRESSIONS, Interval(np.nan, np.nan, np.nan))
    for position, expression in enumerate(EXPRESSIONS):
        shown = confusions[:, position, :]
        seen = np.stack([shown[:, position], shown.sum(axis=1)], axis=1)  # (subjects, right and shown)
        if len(seen := seen[seen[:, 1] > 0]):
            found[expression] = intervals_of(seen, _recall, share_interval, draws, seed)["recall"]
    return found


def paired_differences(pairs: Counts, draws: int = DRAWS, seed: int = 0) -> dict[str, Interval]:
    """Return first minus second for each metric, both scored on the same subjects in every draw.

    `pairs` are counts of shape (subjects, 2, 7 true, 7 predicted), as `paired_confusions` gives them. Where both agree
    on every subject, they may still differ on as many other images as none of these leaves room for.
    """
    found = intervals_of(_checked(pairs), first_minus_second, difference_interval, draws, seed)
    if len(pairs) > 1 and (pairs[:, 0] == pairs[:, 1]).all():
        reach = of_alike(0.0, int(pairs[:, 0].sum()), lowest=0.0).high
        return dict.fromkeys(found, Interval(0.0, -reach, reach))
    return found


def unpaired_differences(
    first: Counts, second: Counts, draws: int = DRAWS, seed: int = 0
) -> dict[str, Interval]:
    """Return first minus second for each metric of two groups of different subjects, resampled apart.

    Each holds counts of shape (subjects, 7 true, 7 predicted). The smaller decides between jackknife and bootstrap; where
    the subjects of a group are all alike, the two groups' own intervals are combined (Newcombe 1998, method 10,
    doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I).
    """
    groups = (_checked(first), _checked(second))
    points = [scores_of_confusions(group.sum(axis=0)) for group in groups]
    estimates = {m: float(points[0][m] - points[1][m]) for m in METRICS}
    if min(len(first), len(second)) < 2:
        return {m: Interval(estimate, np.nan, np.nan) for m, estimate in estimates.items()}
    errors = [jackknife_errors(group, scores_of_confusions) for group in groups]
    alike = [m for m in METRICS if min(errors[0][m], errors[1][m]) < NOTHING]
    if min(len(first), len(second)) < FEW:
        varied = [m for m in METRICS if m not in alike]
        spread = {m: welch((errors[0][m], errors[1][m]), (len(first), len(second))) for m in varied}
        found = {m: difference_interval(estimates[m], *spread[m]) for m in varied}
    else:
        generator = np.random.default_rng(seed)
        drawn = [scores_of_confusions(resampled(group, draws, generator)) for group in groups]
        found = {m: percentiles(estimates[m], drawn[0][m] - drawn[1][m]) for m in METRICS}
    own = zip(points, errors, groups, strict=True)
    alone = [{m: share_interval(float(p[m]), e[m], len(g) - 1) for m in alike} for p, e, g in own]
    return found | {m: _combined(alone[0][m], alone[1][m]) for m in alike}


def intervals_of(
    counts: Counts | Floats,
    statistics: Statistics,
    few: Callable[[float, float, float], Interval],
    draws: int,
    seed: int,
) -> dict[str, Interval]:
    """Return the interval of each statistic of counts (subjects, ...): jackknife below `FEW` subjects, else bootstrap.

    `few` makes an interval of an estimate, its standard error and its degrees of freedom.
    """
    points = {name: float(value) for name, value in statistics(counts.sum(axis=0)).items()}
    if len(counts) < 2:
        return {name: Interval(point, np.nan, np.nan) for name, point in points.items()}
    if len(counts) < FEW:
        errors = jackknife_errors(counts, statistics)
        return {name: few(point, errors[name], len(counts) - 1) for name, point in points.items()}
    drawn = statistics(resampled(counts, draws, seed))
    found = {name: percentiles(point, drawn[name]) for name, point in points.items()}
    alike = {
        name: few(each.estimate, 0.0, len(counts) - 1)
        for name, each in found.items()
        if each.low == each.high
    }
    return found | alike


def paired_confusions(first: pd.DataFrame, second: pd.DataFrame) -> Counts:
    """Return counts (subjects, 2, 7, 7) of two runs' joined predictions; raises ValueError for different faces."""
    if sorted(first["face_id"]) != sorted(second["face_id"]):
        raise ValueError(
            f"a paired difference needs two runs on the same faces, given {len(first)} and {len(second)} "
            "predictions of different ones: keep the faces that both have seen"
        )
    return np.stack([confusions_by_subject(first)[1], confusions_by_subject(second)[1]], axis=1)


def resampled(confusions: Counts | Floats, draws: int, seed: int | np.random.Generator) -> Floats:
    """Return the summed counts of each bootstrap draw: from (subjects, ...) to (draws, ...), whole numbers."""
    generator = np.random.default_rng(seed)
    subjects = len(confusions)
    flat = confusions.reshape(subjects, -1).astype(np.float64)
    blocks = []
    for start in range(0, draws, step := max(1, BLOCK // subjects)):
        size = min(step, draws - start)
        weights = generator.multinomial(subjects, np.full(subjects, 1 / subjects), size=size)
        blocks.append(weights.astype(np.float64) @ flat)
    return np.concatenate(blocks).reshape(draws, *confusions.shape[1:])


def percentiles(estimate: float, drawn: Floats) -> Interval:
    """Return an estimate with the percentile interval of its bootstrap draws."""
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(estimate, float(low), float(high))


def jackknife_errors(counts: Counts | Floats, statistics: Statistics) -> dict[str, float]:
    """Return the standard error of each statistic from counts of shape (subjects, ...); 0 where nothing varies.

    Subjects are left out one at a time; two subjects are the fewest.
    """
    left_out = statistics(counts.sum(axis=0) - counts)
    return {name: float(np.sqrt((len(counts) - 1) * v.var(axis=0))) for name, v in left_out.items()}


def jackknife_error(value: float, left_out: Floats, lowest: float) -> float:
    """Return the standard error of a value from `lowest` to 1, given what it is without each subject in turn, (subjects,).

    Infinite for one subject. Of subjects who are all alike it is the error whose t interval is as wide as `of_alike`.
    """
    subjects = len(left_out)
    if subjects < 2:
        return np.inf  # one says nothing of others
    found = float(np.sqrt((subjects - 1) * left_out.var()))
    if found > NOTHING:
        return found
    alike = of_alike(value, subjects, lowest)
    return max(alike.high - value, value - alike.low) / float(t.ppf((1 + LEVEL) / 2, subjects - 1))


def without_bias(counts: Counts, statistics: Statistics) -> dict[str, float]:
    """Return each statistic of counts (subjects, ...) less its bias of order 1/subjects (Quenouille 1956).

    The macro F1 of 11 children lies 0.6 points too low in `tests/simulated_children.py`, corrected 0.01. Of one subject
    the statistic is returned as it is.
    """
    whole = statistics(counts.sum(axis=0))
    if len(counts) < 2:
        return {name: float(value) for name, value in whole.items()}
    left_out = statistics(counts.sum(axis=0) - counts)
    subjects = len(counts)
    return {n: float(subjects * v - (subjects - 1) * left_out[n].mean()) for n, v in whole.items()}


def share_interval(estimate: float, error: float, freedom: float) -> Interval:
    """Return the t interval on the logit scale for a score from 0 to 1.

    `freedom` are the degrees of freedom, one fewer than the subjects.
    """
    if error < NOTHING or not 0 < estimate < 1:
        return of_alike(estimate, int(freedom) + 1, lowest=0.0)
    reach = t.ppf((1 + LEVEL) / 2, freedom) * error / (estimate * (1 - estimate))
    low, high = (float(expit(logit(estimate) + side * reach)) for side in (-1, 1))
    return Interval(estimate, low, high)


def difference_interval(estimate: float, error: float, freedom: float) -> Interval:
    """Return the t interval for a difference of two scores, within -1 and 1."""
    if error < NOTHING:
        return of_alike(estimate, int(freedom) + 1, lowest=-1.0)
    reach = t.ppf((1 + LEVEL) / 2, freedom) * error
    return Interval(estimate, max(-1.0, float(estimate - reach)), min(1.0, float(estimate + reach)))


def of_alike(estimate: float, subjects: int, lowest: float) -> Interval:
    """Return the interval for a mean, from `lowest` to 1, of subjects who are all alike.

    Of all other subjects at most a share differs from them (none of `subjects` does: Clopper & Pearson 1934), by no more
    than the scale leaves. Where all are right this is Clopper and Pearson's interval with each subject counted once.
    """
    others = 1 - ((1 - LEVEL) / 2) ** (1 / subjects)
    return Interval(estimate, estimate - others * (estimate - lowest), estimate + others * (1 - estimate))


def welch(errors: tuple[float, float], subjects: tuple[int, int]) -> tuple[float, float]:
    """Return the standard error of a difference between two groups and its degrees of freedom (Welch 1947)."""
    squares = np.square(errors)
    total = float(squares.sum())
    return float(np.sqrt(total)), float(total**2 / (squares**2 / (np.array(subjects) - 1)).sum())


def _combined(first: Interval, second: Interval) -> Interval:
    """First minus second: the ends of their own intervals combined as errors are."""
    estimate = first.estimate - second.estimate
    low = estimate - np.hypot(first.estimate - first.low, second.high - second.estimate)
    high = estimate + np.hypot(first.high - first.estimate, second.estimate - second.low)
    return Interval(estimate, max(-1.0, float(low)), min(1.0, float(high)))


def first_minus_second(pairs: Counts | Floats) -> dict[str, Floats]:
    """Return each metric of the first minus that of the second, for counts (..., 2, 7 true, 7 predicted)."""
    return {m: values[..., 0] - values[..., 1] for m, values in scores_of_confusions(pairs).items()}


def _recall(seen: Counts | Floats) -> dict[str, Floats]:
    """Recall from counts (..., right and shown)."""
    return {"recall": np.asarray(seen[..., 0] / seen[..., 1], dtype=np.float64)}


def _checked(confusions: Counts) -> Counts:
    if len(confusions) == 0 or (confusions.sum(axis=(-2, -1)) == 0).any():
        raise ValueError("a bootstrap over subjects needs at least one subject, and an image of each")
    return confusions
