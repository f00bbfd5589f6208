import numpy as np
import pandas as pd
import pytest

from face_sets.expressions import EXPRESSIONS, PROBABILITY_COLUMNS
from fer_utils import tables


def runs(**changes):
    row = {
        "run_id": ["mobilenet_v2.all"],
        "architecture": ["mobilenet_v2"],
        "cohort": ["all"],
        "technique": ["none"],
        "precision": ["float32"],
        "status": ["done"],
    }
    return pd.DataFrame({**row, **changes})


def predictions(rows=3):
    values = np.full((rows, 7), 1 / 7)
    return pd.DataFrame(values, columns=list(PROBABILITY_COLUMNS)).assign(
        run_id="a", face_id=[f"face-{i}" for i in range(rows)]
    )


def test_round_trip_keeps_types_order_and_missing_values(tmp_path):
    path = tmp_path / "runs.parquet"
    written = tables.write(runs(epochs=[3]), "runs", path)
    read = tables.read("runs", path)
    pd.testing.assert_frame_equal(read, written)
    assert list(read.columns) == list(tables.COLUMNS["runs"])
    assert read["epochs"].dtype == "Int64"
    assert read["seed"].isna().all()
    assert list(read["technique"].cat.categories) == list(tables.TECHNIQUES)


def test_parts_are_read_as_one_table(tmp_path):
    tables.write(predictions(2), "predictions", tmp_path / "a.parquet")
    tables.write(predictions(2).assign(run_id="b"), "predictions", tmp_path / "b.parquet")
    assert len(tables.read("predictions", tmp_path / "a.parquet", tmp_path / "b.parquet")) == 4
    with pytest.raises(tables.TableError, match=r"2 repeated key\(s\)"):
        tables.read("predictions", tmp_path / "a.parquet", tmp_path / "a.parquet")


def test_an_empty_table_has_its_columns(tmp_path):
    empty = pd.DataFrame({name: [] for name in tables.COLUMNS["faces"]})
    tables.write(empty, "faces", tmp_path / "faces.parquet")
    read = tables.read("faces", tmp_path / "faces.parquet")
    assert len(read) == 0
    assert list(read["expression"].cat.categories) == list(EXPRESSIONS)


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (runs().drop(columns="cohort"), r"'runs': column\(s\) cohort are missing; make the stage"),
        (runs(colour=["red"]), r"unknown column\(s\) colour; known are run_id"),
        (runs(technique=["magic"]), r"column technique: magic not among none, pruning"),
        (runs(run_id=[None]), r"1 row\(s\) have no run_id"),
        (runs(epochs=["three"]), r"column epochs: expected Int64"),
    ],
)
def test_a_bad_table_is_refused_and_nothing_is_written(tmp_path, frame, sentence):
    with pytest.raises(tables.TableError, match=sentence):
        tables.write(frame, "runs", tmp_path / "runs.parquet")
    assert list(tmp_path.iterdir()) == []


def test_an_absent_table_says_what_to_run(tmp_path):
    with pytest.raises(FileNotFoundError, match="run the stage that writes it"):
        tables.read("faces", tmp_path / "faces.parquet")


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"not parquet"])
def test_a_damaged_table_says_to_delete_it(tmp_path, damage):
    path = tmp_path / "runs.parquet"
    tables.write(runs(), "runs", path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(tables.TableError, match="damaged.*delete it, and run again what wrote it"):
        tables.read("runs", path)


def test_a_foreign_parquet_is_refused(tmp_path):
    path = tmp_path / "runs.parquet"
    pd.DataFrame({"x": [1]}).to_parquet(path)
    with pytest.raises(tables.TableError, match="not as this project wrote it"):
        tables.read("runs", path)


def test_zeros_in_the_footer_never_give_other_values(tmp_path):
    """A zero ends a list of fields: at two places of this footer eight hide all rows and the seal with them.

    So it is with a table of many columns as well, whose footer has four times the places.
    """
    path = tmp_path / "few_shot.parquet"
    row = {"run_id": ["a"], "children": [1], "repeat": [0], "face_id": ["face-0"], "predicted": ["fear"]}
    tables.write(pd.DataFrame(row), "few_shot", path)
    whole, data = tables.read("few_shot", path), path.read_bytes()
    footer = range(len(data) - 8 - int.from_bytes(data[-8:-4], "little"), len(data) - 16)
    for start in footer:
        path.write_bytes(data[:start] + bytes(8) + data[start + 8 :])
        try:
            found = tables.read("few_shot", path)
        except tables.TableError:
            continue
        pd.testing.assert_frame_equal(found, whole)


def test_a_time_that_was_emulated_is_refused():
    row = {"run_id": ["a"], "device": ["Cortex-A53"], "device_kind": ["emulated"], "image_size": [224]}
    with pytest.raises(tables.TableError, match="emulated not among phone, host, predicted, browser"):
        tables.conform(pd.DataFrame(row), "measurements")
