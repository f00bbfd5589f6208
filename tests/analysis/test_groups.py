"""A planted gap is found, and where none was planted none is found too often."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fer_utils.analysis.groups import by_group, largest_gap
from fer_utils.analysis.metrics import METRICS, join, scores

FIVE = ("A", "B", "C", "D", "E")


def _p_values(joined_of, repetitions, draws):
    """p-values without a gap; macro F1 takes so many values that ties do not make them conservative."""
    return [
        largest_gap(
            joined_of(40, 7, seed=s, groups=FIVE), "ethnicity", "macro_f1", draws, seed=100_000 + s
        ).p_value
        for s in range(repetitions)
    ]


@pytest.fixture
def planted(faces_of, predictions_of):
    faces = faces_of(200, 14, groups=FIVE)
    right = np.where(faces["ethnicity"] == "E", 0.5, 0.7)
    return join(predictions_of(faces, right), faces)


def test_points_are_those_of_each_group_alone(planted):
    table = by_group(planted, "ethnicity", draws=300).set_index("ethnicity")
    for group, rows in planted.groupby("ethnicity"):
        alone = scores(rows["expression"], rows["predicted"])
        assert table.loc[group, list(METRICS)].astype(float).to_dict() == pytest.approx(alone.to_dict())
    assert (table["subjects"] == 40).all()
    assert (table["images"] == 560).all()
    assert (table["accuracy_low"] < table["accuracy"]).all()
    assert (table["accuracy"] < table["accuracy_high"]).all()


def test_planted_gap_is_recovered(planted):
    gap = largest_gap(planted, "ethnicity", "accuracy", draws=2000)
    assert gap.worst == "E"
    assert gap.low <= 0.2 <= gap.high
    assert gap.p_value < 0.01


def test_groups_survive_renaming_and_reordering(planted):
    names = dict(zip(FIVE, ("v", "w", "x", "y", "z"), strict=True))
    renamed = planted.assign(ethnicity=planted["ethnicity"].map(names)).sample(frac=1, random_state=1)
    first, second = largest_gap(planted, "ethnicity", draws=500), largest_gap(renamed, "ethnicity", draws=500)
    assert (second.best, second.worst) == (names[first.best], names[first.worst])
    assert second.difference == pytest.approx(first.difference)
    assert (second.low, second.high, second.p_value) == (first.low, first.high, first.p_value)


def test_nothing_planted_is_seldom_called_a_gap(joined_of):
    p_values = _p_values(joined_of, repetitions=150, draws=200)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.10
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


@pytest.mark.slow
def test_false_alarms_in_full(joined_of):
    p_values = np.array(_p_values(joined_of, repetitions=2000, draws=1000))
    assert 0.04 <= np.mean(p_values <= 0.05) <= 0.06
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_range_of_the_points_alone_would_mislead(joined_of):
    ranges = [
        largest_gap(joined_of(40, 4, seed=s, groups=FIVE), "ethnicity", "accuracy", 100).difference
        for s in range(20)
    ]
    assert min(ranges) > 0  # above zero although no group differs: why a p-value stands beside it


def test_a_group_of_one_subject_has_a_point_and_no_interval(joined_of):
    joined = joined_of(21, 7)
    joined.loc[joined["subject_id"] == "s0020", "ethnicity"] = "alone"
    row = by_group(joined, "ethnicity", draws=200).set_index("ethnicity").loc["alone"]
    assert row["subjects"] == 1
    assert np.isnan(row["accuracy_low"])
    assert not np.isnan(row["accuracy"])


def test_faces_without_a_group_are_shown_but_not_compared(joined_of):
    joined = joined_of(30, 7)
    joined.loc[joined["subject_id"] < "s0005", "ethnicity"] = pd.NA
    assert "not given" in by_group(joined, "ethnicity", draws=200)["ethnicity"].tolist()
    assert set(largest_gap(joined, "ethnicity", draws=200).subjects) == {"A", "B"}


def test_one_group_has_no_gap(joined_of):
    with pytest.raises(ValueError, match="two groups"):
        largest_gap(joined_of(10, 7, groups=("A",)), "ethnicity")


def test_a_subject_in_two_groups_is_an_error(joined_of):
    joined = joined_of(10, 7)
    joined["mouth"] = np.where(np.arange(len(joined)) % 2, "open", "closed")
    with pytest.raises(ValueError, match="in two groups"):
        largest_gap(joined, "mouth")


def test_unknown_columns_and_several_runs_are_errors(joined_of):
    joined = joined_of(10, 7)
    with pytest.raises(ValueError, match="no column 'race'"):
        by_group(joined, "race")
    with pytest.raises(ValueError, match="given predictions of 2"):
        by_group(pd.concat([joined, joined.assign(run_id="other")]), "ethnicity")
