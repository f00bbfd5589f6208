"""Pooled intervals are much narrower for small groups and still contain the truth, on average over groups."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from expression_scores.intervals import DRAWS, intervals, share_interval
from expression_scores.metrics import confusions_by_subject
from expression_scores.pooled_groups import COLUMNS, pooled_groups
from face_sets.expressions import EXPRESSIONS

QUICK, CAFE = ((10,) * 5, 14), ((27, 16, 77, 23, 11), 8)
ALIKE = 0.2
"""Correlation between photographs of one child, as CAFE may have."""


def sampled(generator, sizes, photographs, accuracies):
    """Children whose own accuracies are beta distributed, so that their photographs correlate."""
    child = np.arange(sum(sizes)).repeat(photographs)
    group = np.arange(len(sizes)).repeat(sizes)[child]
    mean, strength = np.repeat(accuracies, sizes), 1 / ALIKE - 1
    right = generator.random(len(child)) < generator.beta(mean * strength, (1 - mean) * strength)[child]
    truth = np.arange(len(child)) % 7
    return pd.DataFrame(
        {
            "run_id": "run", "dataset": "made_up", "subject_id": child, "ethnicity": np.array(list("ABCDE"))[group],
            "expression": np.array(EXPRESSIONS)[truth],
            "predicted": np.array(EXPRESSIONS)[np.where(right, truth, (truth + 1) % 7)],
        }
    )  # fmt: skip


def measured(spread, repeats, seed=0):
    """Return coverage (mean over groups), and of groups of 10 or 11 children the width over that of raw intervals."""
    held, narrower = [], []
    generator = np.random.default_rng(seed)
    for number in range(repeats):
        sizes, photographs = (QUICK, CAFE)[number % 2]
        truth = expit(logit(0.6) + generator.normal(0, spread, len(sizes)))
        joined = sampled(generator, sizes, photographs, truth)
        table = pooled_groups(joined, "ethnicity")
        held += list((table["low"] <= truth) & (truth <= table["high"]))
        small = table["group"] == "E"
        counts = confusions_by_subject(joined[joined["ethnicity"] == "E"])[1]
        raw = intervals(counts, DRAWS)["accuracy"]  # as a table of groups has it
        width = float((table["high"] - table["low"])[small].iloc[0])
        narrower.append(width / (raw.high - raw.low))
    return np.mean(held), np.median(narrower)


def test_groups_that_differ_somewhat_are_covered_by_intervals_a_quarter_narrower():
    coverage, width = measured(0.2, 60)  # a standard deviation of five points
    assert 0.92 <= coverage <= 0.985
    assert width <= 0.75


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spread", "least", "most"),
    [(0.0, 0.95, 0.99), (0.1, 0.95, 0.985), (0.2, 0.93, 0.97), (0.3, 0.93, 0.97)],
)
def test_coverage_in_full(spread, least, most):
    coverage, width = measured(spread, 2000)
    assert least <= coverage <= most
    assert width <= 0.75


def test_a_small_group_is_drawn_to_the_others_further_than_a_large_one():
    joined = sampled(np.random.default_rng(1), (77, 77, 77, 77, 11), 8, [0.6, 0.6, 0.6, 0.75, 0.75])
    table = pooled_groups(joined, "ethnicity").set_index("group")
    moved = (table["accuracy"] - table["pooled"]).abs()
    assert moved["E"] > moved["D"]
    assert (table["low"] < table["pooled"]).all()
    assert (table["pooled"] < table["high"]).all()


def test_groups_far_apart_are_left_apart():
    joined = sampled(np.random.default_rng(2), (200,) * 5, 8, [0.3, 0.3, 0.8, 0.8, 0.8])
    table = pooled_groups(joined, "ethnicity")
    assert (table["pooled"] - table["accuracy"]).abs().max() < 0.01


def test_a_group_read_without_mistake_has_an_interval():
    joined = sampled(np.random.default_rng(3), (10,) * 5, 14, [0.6] * 5)
    faultless = joined["ethnicity"] == "A"
    joined.loc[faultless, "predicted"] = joined.loc[faultless, "expression"]
    first = pooled_groups(joined, "ethnicity").iloc[0]
    assert first["low"] < first["pooled"] < first["high"] < 1


def test_one_group_is_not_pooled():
    one = sampled(np.random.default_rng(4), (10, 5), 7, [0.6, 0.6])
    table = pooled_groups(one, "ethnicity")
    assert (list(table.columns), len(table)) == (list(COLUMNS), 0)


def test_independent_children_give_the_plain_error():
    """A large sample of one photograph per child: the pooled interval is about the binomial one."""
    joined = sampled(np.random.default_rng(5), (400, 400), 1, [0.5, 0.6])
    table = pooled_groups(joined, "ethnicity")
    for row in table.to_dict("records"):
        counts = confusions_by_subject(joined[joined["ethnicity"] == row["group"]])[1]
        share = np.trace(counts.sum(axis=0)) / counts.sum()
        plain = share_interval(share, np.sqrt(share * (1 - share) / 400), 399)
        assert row["high"] - row["low"] == pytest.approx(plain.high - plain.low, rel=0.12)
