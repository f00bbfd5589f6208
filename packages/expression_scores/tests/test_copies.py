"""Copies of networks on the same children: differences, their errors over children and trainings, the least of several."""

import numpy as np
import pytest

from expression_scores.copies import (
    TRAINING_SD,
    Answers,
    Part,
    between_groups,
    comparable_groups,
    compared,
    gap_test,
    least,
)
from expression_scores.intervals import jackknife_errors, paired_differences
from expression_scores.metrics import METRICS, scores_of_confusions

FIRST, SECOND = ("net", "children"), ("net", "adults")


@pytest.fixture
def answers():
    """Two copies, two trainings each, of 60 children in two groups."""
    generator = np.random.default_rng(3)
    counts = {copy: generator.integers(0, 3, (2, 60, 7, 7)) + 3 * k * np.eye(7, dtype=int) for k, copy in
              enumerate((SECOND, FIRST))}  # fmt: skip
    return Answers(counts, np.array(["A", "B", "B"] * 20), 99, 0)


@pytest.mark.parametrize("metric", METRICS)
def test_a_difference_is_that_of_the_scores_and_its_error_the_jackknifes(answers, metric):
    found = compared(answers, metric, FIRST, SECOND)
    pairs = np.stack([answers.counts[copy].sum(axis=0) for copy in (FIRST, SECOND)], axis=1)
    assert found.value == pytest.approx(paired_differences(pairs)[metric].estimate)
    by_hand = jackknife_errors(
        pairs, lambda p: {m: v[..., 0] - v[..., 1] for m, v in scores_of_confusions(p).items()}
    )
    assert found.error == pytest.approx(by_hand[metric])
    assert (
        found.training_error >= TRAINING_SD
    )  # two copies, two trainings each: the variances add up and halve


def test_fixed_children_leave_the_training_alone(answers):
    found = compared(answers, "accuracy", FIRST, fixed=True)
    assert found.error == 0
    assert found.training_error == pytest.approx(TRAINING_SD / np.sqrt(2))


def test_groups_of_one_network_differ_whatever_the_training(answers):
    found = between_groups(answers, "accuracy", FIRST, ("A",), ("B",))
    assert found.training_error == 0
    assert found.value == pytest.approx(-between_groups(answers, "accuracy", FIRST, ("B",), ("A",)).value)


def test_a_gap_that_is_there_is_found_and_the_worst_group_named(answers):
    p_value, _ = gap_test(answers, "accuracy", FIRST)
    assert p_value > 0.01
    worse = answers.counts[FIRST].copy()
    worse[:, answers.groups == "A"] = answers.counts[SECOND][:, answers.groups == "A"]
    assert gap_test(Answers({FIRST: worse}, answers.groups, 99, 0), "accuracy", FIRST) == (0.01, "A")


def test_the_interval_of_the_least_covers_it():
    generator = np.random.default_rng(0)
    truths, held = np.array([0.6, 0.6, 0.6, 0.65, 0.7]), 0
    for _ in range(400):
        parts = [Part(value, 0.05, 1e6, 0.0) for value in generator.normal(truths, 0.05)]
        found = least(parts)
        held += found.low <= 0.6 <= found.high
    assert held >= 0.93 * 400


def test_small_and_unknown_groups_are_left_out():
    groups = np.array(["A"] * 9 + ["B"] * 8 + [""] * 20)
    assert comparable_groups(groups) == ["A"]
