"""What was planted in rendered faces, found in simulated predictions of them."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from expression_scores.groups import clustering
from expression_scores.metrics import confusions_by_subject, is_right, join
from expression_scores.run_scores import differences_by_run
from fer_utils.simulation.planted import gap_by_twins, shift_between_copies, tone_or_group
from rendered_faces.design import Design, plan_faces


@pytest.fixture(scope="module")
def tested():
    plan = plan_faces(Design(difficulty=0.0))
    return plan[plan["split"] == "test"].reset_index(drop=True)


@pytest.fixture
def answers_of(tested, predictions_of):
    def answers(right, run_id="net.all", seed=0):
        return join(predictions_of(tested, right, seed, run_id), tested)

    return answers


def _with_same_answers_about_same_pictures(joined):
    """The planted set's faces outside group E are the same pictures, so any network answers as before."""
    twin = joined["face_id"].str.replace("synthetic-gap", "synthetic", n=1)
    before = joined[joined["dataset"] == "synthetic"].set_index("face_id")["predicted"]
    same = (joined["dataset"] == "synthetic-gap") & (joined["ethnicity"] != "E")
    predicted = joined["predicted"].astype(str).where(~same, twin.map(before.astype(str)))
    return joined.assign(predicted=predicted)


def test_the_planted_gap_is_found_where_it_is_and_nowhere_else(tested, answers_of):
    harder = ((tested["dataset"] == "synthetic-gap") & (tested["ethnicity"] == "E")).to_numpy()
    joined = _with_same_answers_about_same_pictures(answers_of(np.where(harder, 0.3, 0.8)))
    found = gap_by_twins(joined[joined["age_group"] == "child"], 500).set_index("faces")
    assert found.loc["unchanged", "difference"] == 0
    assert -0.15 < found.loc["unchanged", "low"] < 0 < found.loc["unchanged", "high"] < 0.15
    assert found.loc["changed", "low"] <= -0.5 <= found.loc["changed", "high"] < 0


def test_pictures_that_were_mixed_up_would_show(answers_of):
    found = gap_by_twins(answers_of(0.6), 300).set_index("faces")
    assert found.loc["unchanged", "low"] < found.loc["unchanged", "high"]


def test_a_face_without_a_twin_is_an_error(answers_of):
    joined = answers_of(0.6)
    twin = joined.loc[joined["dataset"] == "synthetic-gap", "face_id"].iloc[0].replace("-gap", "", 1)
    first = joined.index[joined["face_id"] == twin][0]
    with pytest.raises(ValueError, match="same faces"):
        gap_by_twins(joined[joined["age_group"] == "child"].drop(first), 100)


def test_adults_above_children(tested, answers_of):
    right = np.where(tested["age_group"] == "adult", 0.8, 0.6)
    plain, ages = tested["dataset"].to_numpy() == "synthetic", ("adult", "child")
    row = differences_by_run(answers_of(right)[plain], "age_group", ages, 1000).iloc[0]
    assert 0 < row["low"] <= 0.2 <= row["high"]
    level = differences_by_run(answers_of(0.6, seed=3)[plain], "age_group", ages, 1000).iloc[0]
    assert level["low"] <= 0 <= level["high"]


def test_each_copy_ahead_on_its_own_age(tested, answers_of):
    child = (tested["age_group"] == "child").to_numpy()
    copies = [
        answers_of(np.where(child, 0.7, 0.5), "net.children", 1),
        answers_of(np.where(child, 0.5, 0.7), "net.adults", 2),
    ]
    row = shift_between_copies(pd.concat(copies), ["net"]).iloc[0]
    assert 0 < row["low"] <= 0.4 <= row["high"]
    same = pd.concat([answers_of(0.6, "net.children", 1), answers_of(0.6, "net.adults", 2)])
    level = shift_between_copies(same, ["net"]).iloc[0]
    assert level["low"] <= 0 <= level["high"]


@pytest.fixture
def two_copies(tested, answers_of):
    """Function of the accuracy of a network's two copies on all faces: their predictions with the faces."""

    def predicted(children, adults):
        return pd.concat([answers_of(children, "net.children", 1), answers_of(adults, "net.adults", 2)])

    return predicted


def test_the_shift_between_copies_has_welchs_interval(two_copies):
    joined = two_copies(0.7, 0.4)
    plain = joined[joined["dataset"] == "synthetic"]
    right = plain.assign(right=is_right(plain).astype(float))
    means = right.pivot_table("right", ["age_group", "subject_id"], "run_id", observed=True)
    ahead = means["net.children"] - means["net.adults"]
    expected = ttest_ind(ahead["child"], ahead["adult"], equal_var=False).confidence_interval(0.95)
    row = shift_between_copies(joined, ["net"]).iloc[0]
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("accuracies", [(1.0, 1.0), (0.0, 0.0), (1.0, 0.0)])
def test_copies_that_err_alike_on_all_subjects_leave_room_for_others(two_copies, accuracies):
    row = shift_between_copies(two_copies(*accuracies), ["net"]).iloc[0]
    assert row["difference"] == 0
    assert -0.5 < row["low"] < 0 < row["high"] < 0.5


def test_one_subject_of_an_age_gives_no_interval(two_copies):
    joined = two_copies(0.7, 0.4)
    child = joined["age_group"] == "child"
    first = joined.loc[child, "subject_id"].iloc[0]
    row = shift_between_copies(joined[~child | (joined["subject_id"] == first)], ["net"]).iloc[0]
    assert np.isnan([row["low"], row["high"]]).all()
    assert np.isfinite(row["difference"])


@pytest.mark.parametrize("cause", ["tone", "group"])
def test_tone_and_group_are_distinguished(tested, answers_of, cause):
    by_tone = 0.9 - 0.07 * (tested["skin_tone"].astype(float) - 1)
    by_group = np.where(tested["ethnicity"] == "E", 0.4, 0.8)
    joined = answers_of(np.asarray(by_tone if cause == "tone" else by_group, dtype=float))
    row = tone_or_group(
        joined[(joined["age_group"] == "child") & (joined["dataset"] == "synthetic")], 499
    ).iloc[0]
    other = "group" if cause == "tone" else "tone"
    assert row[f"{cause}_p_value"] <= 0.01
    assert row[f"{other}_p_value"] > 0.05


@pytest.mark.parametrize(
    "known", [{"ethnicity": "A"}, {"skin_tone": 3}, {"ethnicity": pd.NA, "skin_tone": pd.NA}]
)
def test_one_group_or_one_tone_gives_no_row(tested, answers_of, known):
    joined = answers_of(0.6)
    alike = joined[joined["age_group"] == "child"].assign(**known)
    assert tone_or_group(alike, 99).empty


SHOWN, READ = (0.15, 0.3, 1.0, 1.4), (0.18, 0.27, 0.56, 0.63)
"""Intensities, and how often a MobileNetV3-Small of the profile quick read test children who showed so much (pilots)."""


def test_photographs_of_one_child_are_read_alike_as_those_of_real_children(tested, answers_of):
    right = np.where(tested["expression"] == "neutral", 0.25, np.interp(tested["intensity"], SHOWN, READ))
    children = (tested["dataset"] == "synthetic").to_numpy() & (tested["age_group"] == "child").to_numpy()
    found = [
        clustering(confusions_by_subject(answers_of(right, seed=seed)[children])[1]).correlation
        for seed in range(20)
    ]
    assert 0.08 < np.mean(found) < 0.25
    adults = (tested["age_group"] == "adult").to_numpy()
    alike = clustering(confusions_by_subject(answers_of(right)[adults])[1]).correlation
    assert alike < 0.08
