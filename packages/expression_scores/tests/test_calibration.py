"""The calibration error agrees with scikit-learn's calibration curve, is small when it should be, and sees damage."""

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import calibration_curve

from expression_scores.calibration import BINS, bins, calibration_by, calibration_error, error_by_chance
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


@pytest.fixture
def calibrated():
    generator = np.random.default_rng(1)
    confidence = generator.uniform(0.2, 1, 8000)
    return _joined(confidence, generator.random(8000) < confidence)


def test_error_is_that_of_scikit_learns_curve(calibrated):
    right = (calibrated["expression"] == calibrated["predicted"]).to_numpy()
    share, confidence = calibration_curve(right, calibrated["confidence"], n_bins=BINS, strategy="uniform")
    images, _ = np.histogram(calibrated["confidence"], bins=BINS, range=(0, 1))
    expected = np.average(np.abs(share - confidence), weights=images[images > 0])
    assert calibration_error(calibrated, 100).estimate == pytest.approx(expected)


def test_true_probabilities_err_by_what_chance_explains(calibrated):
    assert calibration_error(calibrated, 100).estimate < 2 * error_by_chance(calibrated)


def test_overconfidence_of_known_size_is_found():
    generator = np.random.default_rng(2)
    confidence = np.full(8000, 0.9)
    joined = _joined(confidence, generator.random(8000) < 0.7)
    found = calibration_error(joined, 1000)
    assert found.low <= 0.2 <= found.high
    assert found.estimate > 5 * error_by_chance(joined)


def test_few_photographs_look_uncalibrated_and_chance_says_so():
    generator = np.random.default_rng(3)
    confidence = generator.uniform(0.2, 1, (200, 60))
    errors = [calibration_error(_joined(c, generator.random(60) < c), 100).estimate for c in confidence]
    chance = [error_by_chance(_joined(c, c > 0), 300) for c in confidence[:20]]
    assert np.mean(errors) > 0.08
    assert np.mean(errors) == pytest.approx(np.mean(chance), rel=0.1)


def test_ends_of_a_bin_belong_below():
    assert bins(np.array([1 / BINS, 1 / BINS + 1e-9, 1.0])).tolist() == [0, 1, BINS - 1]


def test_one_subject_has_no_interval(calibrated):
    assert np.isnan(calibration_error(calibrated.assign(subject_id="one"), 100).low)


def test_each_group_is_judged_alone(calibrated):
    joined = calibrated.assign(ethnicity=np.where(calibrated.index < 4000, "A", "B"))
    doubted = joined.assign(confidence=np.where(joined["ethnicity"] == "B", 0.2, joined["confidence"]))
    table = calibration_by(doubted, "ethnicity", 200).set_index("ethnicity")
    assert table.loc["A", "error"] == calibration_error(joined.iloc[:4000], 200).estimate
    assert table.loc["B", "error"] == pytest.approx(abs(table.loc["B", "accuracy"] - 0.2))
