"""From a claim's quantity to the estimate with the interval by which it is judged, in % or points."""

from collections.abc import Sequence
from functools import singledispatch
from typing import NamedTuple

import numpy as np

from expression_scores.copies import (
    Answers,
    Part,
    between_groups,
    comparable_groups,
    compared,
    gap_test,
    least,
)
from fer_utils.analysis import claims


class Estimate(NamedTuple):
    """A value with the interval by which it is judged; of gaps also the test of any gap.

    `p_value` is that of the permutation test, `named_worst` whether a group that the claim names is the worst.
    """

    value: float
    low: float
    high: float
    p_value: float = np.nan
    named_worst: bool = False


@singledispatch
def estimate(quantity: claims.OfFaces, answers: Answers) -> Estimate:  # noqa: ARG001
    """Return the estimate of a quantity from answers that hold all that it needs."""
    raise TypeError(f"no way to estimate a {type(quantity).__name__}: register one")


@estimate.register
def _score(q: claims.Score, answers: Answers) -> Estimate:
    return _least([compared(answers, q.metric, (q.architecture, q.cohort), fixed=q.children == "fixed")])


@estimate.register
def _score_difference(q: claims.ScoreDifference, answers: Answers) -> Estimate:
    return _least([compared(answers, q.metric, (q.architecture, q.cohort), (q.architecture, q.minus))])


@estimate.register
def _lead_over_others(q: claims.LeadOverOthers, answers: Answers) -> Estimate:
    others = [each for each in answers.networks(q.cohort) if each != q.architecture]
    return _least(
        [compared(answers, q.metric, (q.architecture, q.cohort), (each, q.cohort)) for each in others]
    )


@estimate.register
def _smallest_difference(q: claims.SmallestDifference, answers: Answers) -> Estimate:
    networks = answers.networks(q.cohort)
    return _least([compared(answers, q.metric, (each, q.cohort), (each, q.minus)) for each in networks])


@estimate.register
def _lowest_group(q: claims.LowestGroup, answers: Answers) -> Estimate:
    copy, names = (q.architecture, q.cohort), comparable_groups(answers.groups)
    return _least([compared(answers, q.metric, copy, groups=(name,)) for name in names])


@estimate.register
def _group_difference(q: claims.GroupDifference, answers: Answers) -> Estimate:
    higher = q.higher or tuple(name for name in comparable_groups(answers.groups) if name not in q.lower)
    return _least([between_groups(answers, q.metric, (q.architecture, q.cohort), higher, q.lower)])


@estimate.register
def _largest_gap(q: claims.LargestGap, answers: Answers) -> Estimate:
    copy, names = (q.architecture, q.cohort), comparable_groups(answers.groups)
    lower = q.lower or tuple(names)
    pairs = [
        (low, high) for low in lower for high in names if high != low and not (q.lower and high in lower)
    ]
    ahead = _least([between_groups(answers, q.metric, copy, (low,), (high,)) for low, high in pairs])
    p_value, worst = gap_test(answers, q.metric, copy)
    return Estimate(-ahead.value, -ahead.high, -ahead.low, p_value, worst in lower)  # the worse are behind


def _least(parts: Sequence[Part]) -> Estimate:
    found = least(parts)
    return Estimate(100 * found.estimate, 100 * found.low, 100 * found.high)
