"""Scores of copies of networks on the same children, and differences, with errors over children and over trainings.

Where the children stand for others like them, errors are the jackknife's over children (Efron & Tibshirani 1993, chapter
11) with Student's t. Where the photographs are fixed, only the training may differ. A network trained again is another
network: its training adds `TRAINING_SD` to the error of every score, more where the trainings given differ by more; n
trainings divide that variance by n. All groups are taken to move alike, so that it cancels between groups of one network.

The least of several estimates is judged by an interval for the least: its low end is the lowest of the low ends (an
intersection-union test, Berger 1982), its high end the lowest of high ends that allow for their number (Bonferroni). The
largest gap between groups, of which the observed one is always above zero, is the same with signs changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from expression_scores.groups import FEWEST_SUBJECTS, permutation_p_value
from expression_scores.intervals import LEVEL, Interval, jackknife_error, welch
from expression_scores.metrics import METRICS, Counts, Floats, scores_of_confusions

Copy = tuple[str, str]
"""Architecture and cohort."""

TRAINING_SD: Final = 0.03
"""Standard deviation of a score over trainings that differ in their seed alone: our judgement, for networks trained to
the end. Where the trainings given differ by more, that counts."""

TAIL: Final = (1 - LEVEL) / 2


class Part(NamedTuple):
    """A value from -1 to 1, the standard errors over children (with degrees of freedom) and over trainings."""

    value: float
    error: float
    freedom: float
    training_error: float


class Jackknifed(NamedTuple):
    """Each metric, 0 to 1, on all children (1,), without each child in turn (children,), by training (trainings,)."""

    values: dict[str, Floats]
    left_out: dict[str, Floats]
    by_training: dict[str, Floats]


@dataclass(frozen=True)
class Answers:
    """What copies of networks answered to the same children.

    `counts` maps architecture and cohort to counts (trainings, children, 7 true, 7 predicted); `groups` names every
    child's group, empty where unknown. `draws` and `seed` are those of the permutation test.
    """

    counts: Mapping[Copy, Counts]
    groups: NDArray[np.str_]
    draws: int
    seed: int
    _kept: dict[tuple[object, ...], Jackknifed] = field(default_factory=dict, repr=False)
    _by_chance: dict[Copy, dict[str, Floats]] = field(default_factory=dict, repr=False)

    def networks(self, cohort: str) -> list[str]:
        """Return the networks that have a copy of this cohort."""
        return [architecture for architecture, trained_on in self.counts if trained_on == cohort]

    def jackknifed(self, copy: Copy, groups: tuple[str, ...] = ()) -> Jackknifed:
        """Return a copy's scores, trainings added up, on the children of some groups; none named: on all children."""
        if (copy, groups) not in self._kept:
            counts = self.counts[copy]
            if groups:
                counts = counts[:, np.isin(self.groups, groups)]
            each = counts.sum(axis=1)
            whole = each.sum(axis=0)
            # in one call, since a call costs more than its numbers
            sets = np.concatenate([whole[None], whole - counts.sum(axis=0), each])
            ends = (1, 1 + counts.shape[1])
            parts = [np.split(values, ends) for values in scores_of_confusions(sets).values()]
            found = zip(*parts, strict=True)
            self._kept[copy, groups] = Jackknifed(*(dict(zip(METRICS, kind, strict=True)) for kind in found))
        return self._kept[copy, groups]

    def ranges_by_chance(self, copy: Copy) -> dict[str, Floats]:
        """Return best minus worst group for each metric where groups are permuted among children, (draws,)."""
        if copy not in self._by_chance:
            known = np.isin(self.groups, comparable_groups(self.groups))
            labels, summed = self.groups[known], self.counts[copy].sum(axis=0)[known]
            permuted = _permuted(tuple(labels.tolist()), self.draws, self.seed)
            flat = summed.reshape(len(summed), -1).astype(np.float64)
            found = scores_of_confusions((permuted @ flat).reshape(-1, self.draws, *summed.shape[1:]))
            self._by_chance[copy] = {metric: np.ptp(values, axis=0) for metric, values in found.items()}
        return self._by_chance[copy]


def comparable_groups(groups: NDArray[np.str_]) -> list[str]:
    """Return the groups of children, each child's given, that are large enough to be compared."""
    names, sizes = np.unique(groups[groups != ""], return_counts=True)
    return [str(name) for name in names[sizes >= FEWEST_SUBJECTS]]


@lru_cache(maxsize=1)
def _permuted(labels: tuple[str, ...], draws: int, seed: int) -> Floats:
    """Return who is in which group when labels are permuted: 0 or 1, (groups x draws, children)."""
    codes = np.unique(labels, return_inverse=True)[1]
    permuted = np.random.default_rng(seed).permuted(np.tile(codes, (draws, 1)), axis=1)
    return np.concatenate([(permuted == code).astype(np.float64) for code in np.unique(codes)])


def compared(
    answers: Answers, metric: str, *copies: Copy, groups: tuple[str, ...] = (), fixed: bool = False
) -> Part:
    """Return the metric of one copy, or of the first minus the second, on the same children; `fixed`: on these alone."""
    found = [answers.jackknifed(copy, groups) for copy in copies]
    signs = (1, -1)[: len(copies)]
    value = sum(sign * float(each.values[metric][0]) for sign, each in zip(signs, found, strict=True))
    without = np.sum([sign * each.left_out[metric] for sign, each in zip(signs, found, strict=True)], axis=0)
    error = 0.0 if fixed else jackknife_error(value, without, 1.0 - len(copies))
    variances = [
        _training_sd(each.by_training[metric]) ** 2 / len(each.by_training[metric]) for each in found
    ]
    return Part(value, error, max(1, len(without) - 1), float(np.sqrt(sum(variances))))


def between_groups(
    answers: Answers, metric: str, copy: Copy, first: tuple[str, ...], second: tuple[str, ...]
) -> Part:
    """Return the metric of one network on the children of some groups minus that on others'."""
    found = [answers.jackknifed(copy, names) for names in (first, second)]
    errors = [jackknife_error(float(each.values[metric][0]), each.left_out[metric], 0.0) for each in found]
    sizes = [len(each.left_out[metric]) for each in found]
    spread = welch((errors[0], errors[1]), (sizes[0], sizes[1]))
    return Part(float(found[0].values[metric][0] - found[1].values[metric][0]), *spread, 0.0)


def least(parts: Sequence[Part]) -> Interval:
    """Return the least of the parts with an interval for the least true value, from -1 to 1."""
    low = min(part.value - _reach(part, TAIL) for part in parts)
    high = min(part.value + _reach(part, TAIL / len(parts)) for part in parts)
    return Interval(min(part.value for part in parts), low, high)


def gap_test(answers: Answers, metric: str, copy: Copy) -> tuple[float, str]:
    """Return the p-value of a permutation test of the largest gap between groups, and the worst group."""
    names = comparable_groups(answers.groups)
    points = {name: float(answers.jackknifed(copy, (name,)).values[metric][0]) for name in names}
    observed = max(points.values()) - min(points.values())
    p_value = permutation_p_value(observed, answers.ranges_by_chance(copy)[metric])
    return p_value, min(points, key=points.__getitem__)


def _reach(part: Part, tail: float) -> float:
    over_children = _quantile(tail, round(part.freedom, 2)) * part.error if part.error else 0.0
    return float(np.hypot(over_children, _quantile(tail, np.inf) * part.training_error))


@lru_cache(maxsize=4096)
def _quantile(tail: float, freedom: float) -> float:
    return float(t.isf(tail, freedom))


def _training_sd(scores: Floats) -> float:
    return max(TRAINING_SD, float(scores.std(ddof=1))) if len(scores) > 1 else TRAINING_SD
