"""Labels that mean something are learned; permuted ones score like guessing, and a leak of them would show."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

from expression_scores.label_permutations import (
    PERMUTED,
    SIDE,
    TRUE,
    against_chance,
    learned_from_labels,
    scored_against_permuted,
)
from face_sets.expressions import CHANCE, EXPRESSIONS
from fer_utils.simulation.simulated_predictions import like_cafe, sample_predictions


def _faces(subjects, split):
    rows = [
        {
            "face_id": f"{split}-{s}-{i}",
            "dataset": "d",
            "subject_id": f"{split}-{s}",
            "expression": expression,
        }
        for s in range(subjects)
        for i, expression in enumerate(EXPRESSIONS)
    ]
    faces = pd.DataFrame(rows)
    return faces.assign(expression=pd.Categorical(faces["expression"], categories=list(EXPRESSIONS)))


def _pixels(faces, seed):
    """Noise, with a stripe whose place is the expression's."""
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 200, (len(faces), SIDE, SIDE, 3)).astype(np.uint8)
    for row, code in enumerate(faces["expression"].cat.codes):
        pixels[row, :, 2 * code] //= 2
    return pixels


@pytest.fixture(scope="module")
def sets():
    training, tested = _faces(60, "train"), _faces(30, "test")
    return (training, _pixels(training, 1)), (tested, _pixels(tested, 2))


@pytest.fixture(scope="module")
def learned(sets):
    return learned_from_labels(*sets, permutations=40, draws=200)


def test_true_labels_are_learned(learned):
    true = learned[learned["labels"] == TRUE]
    assert len(true) == 1
    assert true["has_learned"].all()
    assert true["balanced_accuracy"].iloc[0] > 0.5


def test_permuted_labels_are_not(learned):
    permuted = learned.loc[learned["labels"] == PERMUTED, "balanced_accuracy"]
    assert len(permuted) == 40
    assert permuted.mean() == pytest.approx(CHANCE, abs=4 * permuted.std() / 40**0.5)
    assert permuted.max() < 0.35


def test_learning_from_the_tested_faces_would_show():
    training, tested = _faces(60, "train"), _faces(30, "test")
    noise = (
        np.random.default_rng(3)
        .integers(0, 200, (len(training) + len(tested), SIDE, SIDE, 3))
        .astype(np.uint8)
    )
    learning, testing = (training, noise[: len(training)]), (tested, noise[len(training) :])
    apart = learned_from_labels(learning, testing, permutations=1, draws=200)
    leak = learned_from_labels(testing, testing, permutations=1, draws=200)
    assert not apart["has_learned"].iloc[0]
    assert leak["has_learned"].iloc[0]


def test_scoring_against_permuted_labels_is_guessing():
    joined = sample_predictions(like_cafe(accuracy=0.8), 1).assign(confidence=1.0)
    scores = scored_against_permuted(joined, permutations=60, draws=200)
    assert scores.loc[scores["labels"] == TRUE, "accuracy"].iloc[0] > 0.7
    permuted = scores.loc[scores["labels"] == PERMUTED, "balanced_accuracy"]
    assert permuted.mean() == pytest.approx(CHANCE, abs=4 * permuted.std() / 60**0.5)
    assert against_chance(scores)["holds_chance"]


def test_permutations_above_chance_are_counted_and_their_mean_has_students_interval():
    scores = pd.DataFrame({"labels": [TRUE] + 10 * [PERMUTED], "has_learned": 4 * [True] + 7 * [False]})
    values = [0.9, *(0.14 + 0.001 * np.arange(10))]
    scores = scores.assign(balanced_accuracy=values, balanced_accuracy_low=0.8, balanced_accuracy_high=1.0)
    found = against_chance(scores)
    assert (found["true"], found["true_low"], found["true_high"]) == (0.9, 0.8, 1.0)
    assert (found["permutations"], found["above_chance"]) == (10, 3)
    interval = ttest_1samp(values[1:], 0).confidence_interval(0.95)
    assert (found["permuted_low"], found["permuted_high"]) == pytest.approx(tuple(interval))
    assert found["holds_chance"]
    assert not against_chance(scores.assign(balanced_accuracy=[0.9, *(0.2 + 0.001 * np.arange(10))]))[
        "holds_chance"
    ]


def test_one_seed_gives_one_answer(sets, learned):
    assert learned_from_labels(*sets, permutations=40, draws=200).equals(learned)
    assert not learned_from_labels(*sets, permutations=40, draws=200, seed=1).equals(learned)
