import pandas as pd
import pytest

from expression_scores.metrics import join
from expression_scores.run_scores import rounding_losses, time_outside_fast_kernels
from face_sets.expressions import PROBABILITY_COLUMNS

FILES = pd.DataFrame(
    [
        {"run_id": name, "parent_run_id": "network", "architecture": "mobilenet_v2", "technique": "none"}
        for name in ("same", "worse")
    ]
)


@pytest.fixture
def joined(faces_of, predictions_of):
    """A network, a file that answers as it does, and one that answers a tenth of its faces wrongly at least."""
    faces = faces_of(200, 14)
    network = predictions_of(faces, 0.8, run_id="network")
    worse = network.assign(run_id="worse")
    worse.loc[::10, list(PROBABILITY_COLUMNS)] = 0.0
    worse.loc[::10, "p_neutral"] = 1.0
    return join(pd.concat([network, network.assign(run_id="same"), worse]), faces)


def test_a_file_that_answers_alike_is_within_a_point_and_one_that_does_not_is_not(joined):
    table = rounding_losses(joined, FILES, draws=300).set_index("run_id")
    assert list(table["within_a_point"]) == ["yes", "no"]
    room = 1 - 0.025 ** (1 / 2800)  # as many other faces may differ
    expected = [0, -room, room, 1]
    assert table.loc["same", ["difference", "low", "high", "same_answer"]].to_list() == pytest.approx(
        expected
    )
    assert table.loc["worse", "difference"] == pytest.approx(-0.1 * (0.8 - 1 / 7), abs=0.02)
    assert 0.9 <= table.loc["worse", "same_answer"] < 0.93
    assert (table[["faces", "subjects"]].to_numpy() == [2800, 200]).all()
    assert table["float_accuracy"].to_list() == pytest.approx([0.8, 0.8], abs=0.03)


def test_few_faces_cannot_tell(joined):
    few = joined[joined["subject_id"].isin(["s0000", "s0001", "s0002", "s0003"])]
    assert rounding_losses(few, FILES[1:], draws=100)["within_a_point"].to_list() == ["cannot tell"]


def test_no_files_give_a_table_without_rows(joined):
    table = rounding_losses(joined, FILES[:0])
    assert table.empty
    assert {"difference", "same_answer", "within_a_point"} <= set(table.columns)


def test_a_file_without_predictions_is_an_error(joined):
    with pytest.raises(ValueError, match="run 'worse' has no predictions"):
        rounding_losses(joined[joined["run_id"] != "worse"], FILES)


def test_time_outside_the_fast_kernels_is_given_with_the_slowest_kind():
    rows = [
        ("slow", "Delegate/Add", 1.0), ("slow", "HARD_SWISH", 2.0), ("slow", "HARD_SWISH", 4.0), ("slow", "SOFTMAX", 1.0),
        ("fast", "Delegate/Add", 3.0), ("fast", "SOFTMAX", 1.0),
    ]  # fmt: skip
    table = time_outside_fast_kernels(pd.DataFrame(rows, columns=["run_id", "operator", "mean_ms"]))
    assert table.to_dict("records") == [
        {"run_id": "slow", "outside": 7 / 8, "slowest": "HARD_SWISH", "slowest_share": 6 / 8, "slowest_outside": True},
        {"run_id": "fast", "outside": 1 / 4, "slowest": "Add", "slowest_share": 3 / 4, "slowest_outside": False},
    ]  # fmt: skip
    assert time_outside_fast_kernels(pd.DataFrame(columns=["run_id", "operator", "mean_ms"])).empty
