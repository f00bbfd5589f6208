"""Overconfidence is covered by its interval; the calibration error is zero when it should be, and sees damage."""

import numpy as np
import pandas as pd
import pytest

from expression_scores.calibration import BINS, bins, calibration_by, calibration_error, overconfidence
from face_sets.expressions import EXPRESSIONS


def _joined(confidence, right, subjects=40):
    truth = np.arange(len(confidence)) % 7
    return pd.DataFrame(
        {
            "dataset": "made_up",
            "subject_id": np.arange(len(confidence)) % subjects,
            "expression": np.array(EXPRESSIONS)[truth],
            "predicted": np.array(EXPRESSIONS)[np.where(right, truth, (truth + 1) % 7)],
            "confidence": confidence,
        }
    )


def _clustered(generator, confidence, subjects, over=0.0, spread=0.2):
    """Photographs of children who are read better or worse than the probabilities say, by chance of the child."""
    child = generator.normal(0, spread, subjects)[np.arange(len(confidence)) % subjects]
    return _joined(confidence, generator.random(len(confidence)) < confidence - over + child, subjects)


@pytest.fixture
def calibrated():
    generator = np.random.default_rng(1)
    confidence = generator.uniform(0.2, 1, 8000)
    return _joined(confidence, generator.random(8000) < confidence)


def test_true_probabilities_have_next_to_no_error(calibrated):
    assert calibration_error(calibrated) < 0.02


def test_an_error_of_known_size_is_found():
    generator = np.random.default_rng(2)
    joined = _joined(np.full(8000, 0.9), generator.random(8000) < 0.7)
    assert calibration_error(joined) == pytest.approx(0.2, abs=0.02)
    found = overconfidence(joined, 1000)
    assert found.low <= 0.2 <= found.high


def test_errors_of_both_signs_do_not_cancel():
    generator = np.random.default_rng(3)
    confidence = np.repeat([0.5, 0.9], 4000)
    joined = _joined(confidence, generator.random(8000) < np.repeat([0.6, 0.8], 4000))
    assert calibration_error(joined) == pytest.approx(0.1, abs=0.02)
    assert overconfidence(joined, 1000).estimate == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("over", [0.0, 0.15])
def test_the_square_of_the_error_is_not_biased_by_few_photographs_of_children_alike(over):
    generator = np.random.default_rng(4)
    confidence = np.full((500, 70), 0.6)
    found = np.array([calibration_error(_clustered(generator, each, 10, over)) for each in confidence])
    raw = [abs((j["predicted"] == j["expression"]).mean() - 0.6)
           for j in (_clustered(generator, each, 10, over) for each in confidence)]  # fmt: skip
    if over:
        assert np.sqrt((found**2).mean()) == pytest.approx(over, abs=0.03)
    else:
        assert np.median(found) < 0.02 < np.median(raw)  # what it replaces looks uncalibrated


@pytest.mark.parametrize(("subjects", "over"), [(10, 0.0), (40, 0.1)])
def test_overconfidence_is_covered(subjects, over):
    generator = np.random.default_rng(5)
    confidence = generator.uniform(0.4, 0.8, (400, 8 * subjects))
    found = [overconfidence(_clustered(generator, each, subjects, over), 200) for each in confidence]
    assert 0.925 <= np.mean([each.low <= over <= each.high for each in found]) <= 0.975


def test_ends_of_a_bin_belong_below():
    assert bins(np.array([1 / BINS, 1 / BINS + 1e-9, 1.0])).tolist() == [0, 1, BINS - 1]


def test_of_one_subject_nothing_is_said_about_others(calibrated):
    alone = calibrated.assign(subject_id="one")
    assert np.isnan(overconfidence(alone, 100).low)
    assert np.isnan(calibration_error(alone))


def test_each_group_is_judged_alone(calibrated):
    joined = calibrated.assign(ethnicity=np.where(calibrated.index < 4000, "A", "B"))
    doubted = joined.assign(confidence=np.where(joined["ethnicity"] == "B", 0.2, joined["confidence"]))
    table = calibration_by(doubted, "ethnicity", 200).set_index("ethnicity")
    assert table.loc["A", "error"] == calibration_error(joined.iloc[:4000])
    assert table.loc["B", "overconfidence"] == pytest.approx(0.2 - table.loc["B", "accuracy"])
