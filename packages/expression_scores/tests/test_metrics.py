"""Metrics agree with scikit-learn, with hand counts, and with themselves by either road."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, f1_score

from expression_scores.metrics import (
    METRICS,
    chance_level,
    confusions_by_subject,
    coverage,
    holes,
    join,
    scores,
    scores_of_confusions,
)
from face_sets.expressions import CHANCE, EXPRESSIONS, PROBABILITY_COLUMNS

LABELS = st.lists(
    st.tuples(st.sampled_from(EXPRESSIONS), st.sampled_from(EXPRESSIONS), st.integers(0, 4)), min_size=1
)


def _frame(rows):
    truth, predicted, subject = zip(*rows, strict=True)
    return pd.DataFrame(
        {"expression": truth, "predicted": predicted, "subject_id": subject, "dataset": "made_up"}
    )


@settings(deadline=None)  # of values, not of time: a busy machine is no failure
@given(LABELS)
def test_counts_give_the_same_scores_as_scikit_learn(rows):
    frame = _frame(rows)
    _, counts = confusions_by_subject(frame)
    by_counts = scores_of_confusions(counts.sum(axis=0))
    by_library = scores(frame["expression"], frame["predicted"])
    for metric in METRICS:
        assert by_counts[metric] == pytest.approx(by_library[metric], abs=1e-12), metric


def test_all_seven_present_is_the_usual_definition():
    generator = np.random.default_rng(1)
    truth = pd.Series(list(EXPRESSIONS) * 20)
    predicted = pd.Series(generator.choice(EXPRESSIONS, size=140))
    ours = scores(truth, predicted)
    assert ours["macro_f1"] == pytest.approx(f1_score(truth, predicted, average="macro"))
    assert ours["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(truth, predicted))


def test_hand_counted_example():
    truth = pd.Series(["neutral", "neutral", "neutral", "happiness"])
    predicted = pd.Series(["neutral", "neutral", "happiness", "happiness"])
    ours = scores(truth, predicted)
    assert ours["accuracy"] == 0.75
    assert ours["balanced_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert ours["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)
    assert ours["weighted_f1"] == pytest.approx((3 * 0.8 + 2 / 3) / 4)


def test_expression_that_nobody_posed_costs_recall_only():
    truth = pd.Series(["neutral", "neutral", "happiness", "happiness"])
    predicted = pd.Series(["neutral", "fear", "happiness", "fear"])
    assert scores(truth, predicted)["macro_f1"] == pytest.approx(2 / 3)


@settings(deadline=None)
@given(LABELS, st.randoms())
def test_scores_do_not_depend_on_the_order_of_rows(rows, random):
    shuffled = random.sample(rows, len(rows))
    first, second = (scores(f["expression"], f["predicted"]) for f in (_frame(rows), _frame(shuffled)))
    pd.testing.assert_series_equal(first, second)


def test_scores_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="at least one"):
        scores(pd.Series([], dtype=str), pd.Series([], dtype=str))


def test_counts_of_nothing_are_not_a_number():
    assert all(np.isnan(value) for value in scores_of_confusions(np.zeros((7, 7))).values())


def test_chance_is_one_seventh_or_one_over_what_occurs():
    assert chance_level(np.ones((4, 7, 7))) == CHANCE
    two = np.zeros((1, 7, 7), dtype=int)
    two[0, :2, 3] = 1
    assert chance_level(two) == 0.5


def test_join_takes_the_most_probable_and_the_first_in_a_tie(faces_of):
    faces = faces_of(1, 2)
    probabilities = pd.DataFrame(0.0, index=range(2), columns=list(PROBABILITY_COLUMNS))
    probabilities.loc[0, "p_anger"] = 0.6
    probabilities.loc[1, ["p_fear", "p_disgust"]] = 0.5
    predictions = probabilities.assign(run_id="r", face_id=faces["face_id"])
    joined = join(predictions, faces)
    assert joined["predicted"].tolist() == ["anger", "fear"]
    assert {"run_id", "face_id", "expression", "subject_id", "dataset", "age_group", "ethnicity"} <= set(
        joined
    )


def test_join_names_a_face_that_is_missing(faces_of, predictions_of):
    faces = faces_of(2, 2)
    with pytest.raises(ValueError, match=r"1 predicted face.*'made_up-0-0'"):
        join(predictions_of(faces, 0.5), faces.iloc[1:])


def test_join_refuses_missing_probabilities(faces_of, predictions_of):
    faces = faces_of(2, 2)
    predictions = predictions_of(faces, 0.5)
    predictions.loc[0, "p_fear"] = np.nan
    with pytest.raises(ValueError, match="no probability"):
        join(predictions, faces)


def test_subjects_of_two_sets_with_one_number_are_two_subjects(joined_of):
    both = pd.concat([joined_of(3, 2, dataset="one"), joined_of(3, 2, dataset="two")])
    names, counts = confusions_by_subject(both)
    assert len(names) == 6
    assert counts.sum() == 12


def test_unknown_expression_is_an_error(joined_of):
    with pytest.raises(ValueError, match="seven expressions"):
        confusions_by_subject(joined_of(2, 2).assign(expression="contempt"))


@pytest.fixture
def learned(faces_of):
    """Adults of one set with all expressions, and children of another without two of them."""
    both = [faces_of(3, 7, dataset="kdef", age_group="adult"), faces_of(4, 7, dataset="nimh_chefs")]
    faces = pd.concat(both, ignore_index=True)
    lacking = (faces["dataset"] == "nimh_chefs") & faces["expression"].isin(["disgust", "surprise"])
    return faces[~lacking]


def test_holes_are_zeros_not_absent_rows(learned):
    table = coverage(learned)
    assert list(table.columns) == list(EXPRESSIONS)
    assert table.index.tolist() == [("kdef", "adult"), ("nimh_chefs", "child")]
    assert table.loc[("nimh_chefs", "child"), "disgust"] == 0
    assert table.to_numpy().sum() == len(learned)


def test_holes_are_given_in_words(learned):
    assert holes(learned) == ["no surprise, disgust in nimh_chefs (child)"]


def test_no_faces(learned):
    assert coverage(learned.iloc[:0]).empty
    assert holes(learned.iloc[:0]) == []
