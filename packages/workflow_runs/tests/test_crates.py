import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from workflow_runs.crates import Software, write_run


@pytest.fixture
def given(tmp_path):
    table, lock = tmp_path / "a.csv", tmp_path / "requirements.lock"
    table.write_text("x\n1\n")
    lock.write_text("")
    packages = pd.DataFrame({"package": ["pandas"], "version": ["2.0"]})
    return {"name": "A run", "about": "Of a test.", "authors": "The authors", "command": "run it",
            "software": Software("it", "1.0", "abc1234", "https://example.org/it", packages),
            "inputs": {Path("inputs", lock.name): lock}, "outputs": {Path("results", "a.csv"): table}}  # fmt: skip


def test_a_run_names_its_files_software_and_commit(given, tmp_path):
    write_run(tmp_path / "run.zip", **given)
    with zipfile.ZipFile(tmp_path / "run.zip") as crate:
        graph = {each["@id"]: each for each in json.loads(crate.read("ro-crate-metadata.json"))["@graph"]}
        assert crate.read("results/a.csv") == b"x\n1\n"
    run = graph["#run"]
    assert (run["object"], run["result"]) == (
        [{"@id": "inputs/requirements.lock"}],
        [{"@id": "results/a.csv"}],
    )
    software = graph[run["instrument"]["@id"]]
    assert (software["identifier"], software["url"]) == ("abc1234", "https://example.org/it")
    assert graph["#pandas"]["version"] == "2.0"


def test_a_file_of_an_unknown_kind_is_refused_and_nothing_is_written(given, tmp_path):
    odd = tmp_path / "weights.h5"
    odd.touch()
    with pytest.raises(KeyError, match="h5"):
        write_run(tmp_path / "run.zip", **given | {"outputs": {Path("weights.h5"): odd}})
    assert not (tmp_path / "run.zip").exists()
