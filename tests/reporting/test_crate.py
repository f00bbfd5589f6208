"""A run as an RO-Crate."""

import json
import zipfile

import pandas as pd
import pytest
from typer.testing import CliRunner

from fer_utils import tables
from fer_utils.cli import app
from fer_utils.paths import Paths
from fer_utils.reporting.crate import CrateError, write_crate
from fer_utils.study import load_study
from workflow_runs.crates import PROFILE


@pytest.fixture
def paths(tmp_path):
    paths = Paths.of(load_study("quick", seed=5), tmp_path / "results")
    tables.write(tables.empty("faces"), "faces", paths.faces)
    (paths.faces.parent / "face.png").write_bytes(b"a face")
    paths.notebook("01_data").parent.mkdir()
    paths.notebook("01_data").write_text("{}")
    paths.figures("01_data").mkdir(parents=True)
    pd.DataFrame({"x": [1]}).to_csv(paths.figures("01_data") / "dots.csv", index=False)
    return paths


def test_it_names_inputs_outputs_software_and_commit_and_holds_no_face(paths, tmp_path):
    archive = tmp_path / "crate.zip"
    assert write_crate(paths.study, paths, archive) == 3
    with zipfile.ZipFile(archive) as crate:
        names = set(crate.namelist())
        graph = {each["@id"]: each for each in json.loads(crate.read("ro-crate-metadata.json"))["@graph"]}
    outputs = {
        "results/faces/faces.parquet",
        "results/notebooks/01_data.ipynb",
        "results/figures/01_data/dots.csv",
    }
    assert outputs <= names
    assert not [name for name in names if name.endswith(".png")]
    run = graph["#run"]
    assert {each["@id"] for each in run["result"]} == outputs
    assert {"inputs/quick.yml", "inputs/requirements.lock", "inputs/claims.yml"} <= {
        each["@id"] for each in run["object"]
    }
    assert {each["@id"] for each in run["result"] + run["object"]} <= names
    assert "'seed': 5" in run["description"]
    software = graph[run["instrument"]["@id"]]
    assert software["identifier"]
    assert graph["#tensorflow"]["version"] == "2.21.0"
    assert graph["./"]["conformsTo"] == {"@id": PROFILE}


def test_licensed_faces_leave_in_no_crate(paths, tmp_path):
    with pytest.raises(CrateError, match="do not allow the release"):
        write_crate(load_study("licensed"), paths, tmp_path / "crate.zip")
    assert not (tmp_path / "crate.zip").exists()


def test_a_run_without_results_says_how_to_make_them(tmp_path):
    study = load_study("quick")
    with pytest.raises(CrateError, match="fer run --profile quick"):
        write_crate(study, Paths.of(study, tmp_path), tmp_path / "crate.zip")


def test_a_damaged_table_leaves_in_no_crate(paths, tmp_path):
    paths.faces.write_bytes(paths.faces.read_bytes()[:500])
    with pytest.raises(tables.TableError, match="is damaged"):
        write_crate(paths.study, paths, tmp_path / "crate.zip")
    assert not (tmp_path / "crate.zip").exists()


def test_a_run_that_is_half_done_leaves_in_no_crate(paths, tmp_path, monkeypatch):
    monkeypatch.setenv("FER_RESULTS", str(paths.root.parent))
    archive = tmp_path / "crate.zip"
    answer = CliRunner().invoke(app, ["crate", "--overrides", '{"seed": 5}', "--to", str(archive)])
    assert "of this run are due" in str(answer.exception)
    assert not archive.exists()
