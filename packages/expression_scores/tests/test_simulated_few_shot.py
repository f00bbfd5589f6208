"""Simulated children with features are read as they were made, and their gains are those of the analysis."""

import pandas as pd
import pytest

from expression_scores.few_shot import CHILDREN
from expression_scores.metrics import is_right, join
from expression_scores.simulated_few_shot import gains_of_sample, sampled, true_gains


@pytest.fixture(scope="module")
def gained():
    return gains_of_sample(60, 8, seed=3, draws=199, inner=4)


def test_about_half_is_read_right_and_photographs_of_one_child_correlate():
    parts = []
    for seed in range(40):
        faces, _, predictions = sampled(154, 7, seed)
        joined = join(predictions, faces)
        parts.append(
            joined.assign(right=is_right(joined).astype(float), child=f"{seed}/" + joined["subject_id"])
        )
    joined = pd.concat(parts)
    share = joined["right"].mean()
    beyond = joined["right"] - joined.groupby("expression")["right"].transform("mean")
    of_child = beyond.groupby(joined["child"]).mean()
    correlation = (7 * of_child.var() / beyond.var() - 1) / 6
    assert 0.4 < share < 0.7
    assert 0.05 < correlation < 0.25


def test_every_child_shows_every_expression_in_turn():
    faces, features, predictions = sampled(50, 7, 1)
    assert (pd.crosstab(faces["subject_id"], faces["expression"]) == 1).all(axis=None)
    assert faces["face_id"].is_unique
    assert features["face_id"].equals(predictions["face_id"])


def test_the_layer_gains_on_children_whom_it_has_not_seen(gained):
    assert gained["children"].tolist() == list(CHILDREN)
    assert (gained["low"] > 0).all()
    assert gained["difference"].is_monotonic_increasing


def test_the_true_gain_is_the_mean_of_samples(gained):
    truth = true_gains(8, samples=2)  # single ones scatter by 0.009: the mean of two is known to 0.007
    assert list(truth) == list(CHILDREN)
    assert gained.set_index("children")["difference"].to_dict() == pytest.approx(truth, abs=0.06)


def test_a_seed_gives_the_same_gains(gained):
    pd.testing.assert_frame_equal(gained, gains_of_sample(60, 8, seed=3, draws=199, inner=4))
