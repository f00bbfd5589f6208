"""Scores over seeds and children are covered whatever the seed does; shares of luck are those that were put in."""

import numpy as np
import pandas as pd
import pytest

from expression_scores import intervals, luck
from expression_scores.luck import differences_over_seeds, scores_over_seeds, variance_shares
from face_sets.expressions import EXPRESSIONS


def sampled(generator, seeds, children, photographs=8, by_seed=0.0, by_child=0.2, by_photograph=0.1):
    """Right or wrong, (seeds, children, photographs): each has luck of its own, in shares of accuracy."""
    chance = (
        0.6
        + by_seed * generator.normal(size=(seeds, 1, 1))
        + by_child * generator.normal(size=(1, children, 1))
    )
    chance = chance + by_photograph * generator.normal(size=(1, children, photographs))
    return generator.random((seeds, children, photographs)) < chance


def counts_of(right):
    counts = np.zeros((*right.shape[:2], 7, 7), dtype=np.int64)
    counts[..., 0, 0], counts[..., 0, 1] = right.sum(axis=2), (~right).sum(axis=2)
    return counts


@pytest.fixture
def accuracy_alone(monkeypatch):
    """Compute no metric that these tests do not ask for: three of four, and most of the time of a thousand repeats."""

    def accuracy(counts):
        return {"accuracy": counts.trace(axis1=-2, axis2=-1) / counts.sum(axis=(-2, -1))}

    for module in (luck, intervals):
        monkeypatch.setattr(module, "scores_of_confusions", accuracy)


def coverage(seeds, children, by_seed, repeats):
    generator = np.random.default_rng([seeds, children, int(1000 * by_seed)])
    truth = np.clip(
        0.6 + np.hypot(0.2, np.hypot(0.1, by_seed)) * np.random.default_rng(0).normal(size=10**6), 0, 1
    ).mean()
    found = [
        scores_over_seeds(counts_of(sampled(generator, seeds, children, by_seed=by_seed)))[
            "accuracy"
        ].interval
        for _ in range(repeats)
    ]
    return np.mean([each.low <= truth <= each.high for each in found])


@pytest.mark.usefixtures("accuracy_alone")
@pytest.mark.parametrize("by_seed", [0.0, 0.01, 0.02, 0.03])
@pytest.mark.parametrize(("seeds", "children"), [(3, 154), (5, 154), (5, 50)])
def test_the_true_mean_is_covered_whatever_the_seed_does(seeds, children, by_seed):
    assert 0.93 <= coverage(seeds, children, by_seed, 1000) <= 0.97


@pytest.mark.usefixtures("accuracy_alone")
@pytest.mark.parametrize(("by_seed", "most"), [(0.0, 0.995), (0.03, 0.975)])
def test_the_true_difference_of_two_copies_is_covered(by_seed, most):
    """Where seeds do not differ, single answers are all the luck, and so few seeds leave the interval on the wide side."""
    generator, held = np.random.default_rng([3, int(1000 * by_seed)]), 0
    for _ in range(500):
        common = sampled_chances(generator, 154, 8)
        first, second = (
            counts_of(generator.random((5, 154, 8)) < common + by_seed * generator.normal(size=(5, 1, 1)))
            for _ in range(2)
        )
        found = differences_over_seeds(first, second)["accuracy"].interval
        held += found.low <= 0 <= found.high
    assert 0.925 <= held / 500 <= most  # 93 to 97 %, half a point for so few repeats


def sampled_chances(generator, children, photographs):
    """Each photograph's chance of being read right, (1, children, photographs)."""
    by_child = 0.1 * generator.normal(size=(1, children, 1))
    return 0.6 + by_child + 0.05 * generator.normal(size=(1, children, photographs))


def test_a_difference_of_two_copies_is_the_mean_over_seeds():
    generator = np.random.default_rng(1)
    first, second = (counts_of(sampled(generator, 4, 60)) for _ in range(2))
    found = differences_over_seeds(first, second)["accuracy"]
    each = (first - second)[..., 0, 0].sum(axis=1) / (8 * 60)
    assert found.interval.estimate == pytest.approx(each.mean())
    assert found.by_seed == pytest.approx(each.std(ddof=1))
    assert found.interval.low < found.interval.estimate < found.interval.high


def test_one_training_tells_nothing_of_the_seed():
    with pytest.raises(ValueError, match="given 1 and 60: name further seeds"):
        scores_over_seeds(counts_of(sampled(np.random.default_rng(1), 1, 60)))


@pytest.mark.parametrize("parts", [(0.1, 0.2, 0.1), (0.0, 0.0, 0.2), (0.15, 0.0, 0.0)])
def test_shares_of_variance_are_those_put_in(parts):
    generator = np.random.default_rng(2)
    right = sampled(generator, 60, 300, 8, *parts)
    seed, child, photograph = np.indices(right.shape).reshape(3, -1)
    joined = pd.DataFrame(
        {
            "run_id": seed, "dataset": "made_up", "subject_id": child, "face_id": child * 8 + photograph,
            "expression": EXPRESSIONS[0], "predicted": np.where(right.ravel(), EXPRESSIONS[0], EXPRESSIONS[1]),
        }
    )  # fmt: skip
    shares = variance_shares(joined)
    assert shares.sum() == pytest.approx(1)
    assert shares[["seed", "child", "photograph"]].to_numpy() == pytest.approx(
        np.square(parts) / 0.24, abs=0.05
    )
