"""Every run keeps a row; those not distinguishable from guessing are flagged."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expression_scores.metrics import METRICS, join, scores
from expression_scores.run_scores import on_frontier, run_scores
from fer_utils.tables import conform


@pytest.fixture
def runs():
    rows = [
        {"run_id": name, "architecture": "mobilenet_v2", "cohort": "all", "technique": technique,
         "precision": "float32", "status": status, "reason": reason}
        for name, technique, status, reason in (
            ("good", "none", "done", None), ("guessing", "pruning", "done", None),
            ("absent", "clustering", "not attempted", "too costly"),
        )
    ]  # fmt: skip
    return conform(pd.DataFrame(rows), "runs")


@pytest.fixture
def joined(faces_of, predictions_of):
    faces = faces_of(60, 14)
    made = [predictions_of(faces, 0.8, run_id="good"), predictions_of(faces, 1 / 7, run_id="guessing")]
    return join(pd.concat(made), faces)


def test_a_row_for_every_run_with_its_scores(joined, runs):
    table = run_scores(joined, runs, draws=500).set_index("run_id")
    assert table.index.tolist() == ["good", "guessing", "absent"]
    rows = joined[joined["run_id"] == "good"]
    alone = scores(rows["expression"], rows["predicted"])
    assert {m: table.loc["good", m] for m in METRICS} == pytest.approx(alone.to_dict())
    assert (table.loc["good", "subjects"], table.loc["good", "images"]) == (60, 840)
    assert table["has_learned"].tolist()[:2] == [True, False]


def test_a_run_without_predictions_keeps_its_reason(joined, runs):
    row = run_scores(joined, runs, draws=200).set_index("run_id").loc["absent"]
    assert row["reason"] == "too costly"
    assert pd.isna(row["accuracy"])
    assert pd.isna(row["has_learned"])


def test_naming_one_of_two_expressions_is_not_learning(joined, runs):
    two = joined[joined["expression"].isin(["neutral", "happiness"])].assign(predicted="neutral")
    table = run_scores(two, runs, draws=500).set_index("run_id")
    assert table.loc["good", "balanced_accuracy"] == 0.5
    assert not table.loc["good", "has_learned"]


def test_no_predictions_at_all_leave_all_scores_missing(joined, runs):
    table = run_scores(joined.iloc[:0], runs, draws=200)
    assert len(table) == 3
    assert table["accuracy"].isna().all()


def test_predictions_of_an_unknown_run_are_an_error(joined, runs):
    with pytest.raises(ValueError, match="'guessing', which is not in the table of runs"):
        run_scores(joined, runs[runs["run_id"] != "guessing"])


points = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 6)), min_size=1, max_size=12)


@settings(deadline=None)
@given(points)
def test_every_point_off_the_frontier_is_beaten_by_one_on_it_and_none_on_it_is(
    rows: list[tuple[int, int]],
) -> None:
    frame = pd.DataFrame(rows, columns=["cost", "score"])
    found = on_frontier(frame["cost"], frame["score"])
    best = frame[found]
    assert found.any()
    for cost, score, on_it in zip(frame["cost"], frame["score"], found, strict=True):
        beats = best[(best["cost"] <= cost) & (best["score"] >= score)]
        assert (beats[["cost", "score"]] != (cost, score)).any(axis=1).any() != on_it


def test_a_known_frontier_and_missing_numbers() -> None:
    frame = pd.DataFrame({"cost": [1, 2, 3, 3, None], "score": [0.5, 0.4, 0.9, 0.8, 1.0]})
    assert on_frontier(frame["cost"], frame["score"]).to_list() == [True, False, True, False, False]
