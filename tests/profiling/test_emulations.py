import pandas as pd
import pytest

from face_sets.files import digest
from fer_utils import tables
from fer_utils.paths import Paths
from fer_utils.profiling.emulations import current_emulations
from fer_utils.study import load_study

NETWORK = "mobilenet_v3_small"


@pytest.fixture
def study():
    return load_study("quick", architectures=[NETWORK])


@pytest.fixture
def paths(study, tmp_path):
    """A study with two exported files, both emulated."""
    here = Paths.of(study, tmp_path)
    folder = here.compressed("runs", NETWORK).parent
    folder.mkdir(parents=True)
    names = {precision: f"{NETWORK}.all.none.{precision}" for precision in ("float32", "int8")}
    for precision, run_id in names.items():
        (folder / f"{run_id}.tflite").write_text(precision)
    runs = [
        {"run_id": run_id, "architecture": NETWORK, "cohort": "all", "technique": "none", "precision": precision,
         "status": "done", "artefact": f"{run_id}.tflite"}
        for precision, run_id in names.items()
    ]  # fmt: skip
    tables.write(pd.DataFrame(runs), "runs", here.compressed("runs", NETWORK))
    rows = [
        {"run_id": run_id, "device": "emulated", "image_size": 224, "faces": 7, "largest_difference": 0.0,
         "same_class": 1.0, "instructions": 5, "file_digest": digest(folder / f"{run_id}.tflite")}
        for run_id in names.values()
    ]  # fmt: skip
    tables.write(pd.DataFrame(rows), "emulations", here.emulations)
    return here


def test_rows_of_the_files_that_are_here_are_told(study, paths):
    assert len(current_emulations(study, paths)) == 2
    assert paths.emulations not in paths.all_measurements(), "counts are no measurements of time"


def test_rows_of_files_that_were_made_anew_or_are_gone_are_left_out(study, paths):
    folder = paths.compressed("runs", NETWORK).parent
    (folder / f"{NETWORK}.all.none.int8.tflite").write_text("made anew")
    assert list(current_emulations(study, paths)["run_id"]) == [f"{NETWORK}.all.none.float32"]
    runs = tables.read("runs", folder / "runs.parquet")
    tables.write(runs[runs["precision"] == "int8"], "runs", folder / "runs.parquet")
    assert current_emulations(study, paths).empty


def test_where_nothing_was_emulated_the_table_is_empty_and_typed(study, paths):
    paths.emulations.unlink()
    found = current_emulations(study, paths)
    assert found.empty
    assert list(found.columns) == list(tables.COLUMNS["emulations"])
