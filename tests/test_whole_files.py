"""Files beside tables that are there: deleted, cut or changed, their jobs are due again, and only theirs."""

import dataclasses
import json
import os
import shutil
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from tiny_networks import tiny_file  # noqa: F401

from face_sets.files import digest
from fer_utils import graph, tables
from fer_utils.classify import own_model
from fer_utils.compression.exported_files import exported_files
from fer_utils.graph import find_job, jobs, jobs_for
from fer_utils.paths import Paths
from fer_utils.snakemake_process import forced
from fer_utils.steps.export import export
from fer_utils.steps.measure import measure
from fer_utils.study import load_study
from fer_utils.whole_files import absent_jobs, broken_jobs, changed_jobs, overlooked_jobs, record_job
from fer_utils.workflow import due_jobs

NETWORK = "mobilenet_v2"
FILE, VARIANT, WEIGHTS = "exported.tflite", "variant.tflite", f"{NETWORK}.all.h5"


@pytest.fixture(scope="module", autouse=True)
def digests_of_code_kept():
    """Find what jobs depend on in the project's code once: it does not change here, and searching it takes a second."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("code_digest", "notebook_file_digest"):
            patch.setattr(graph, name, cache(getattr(graph, name)))
        yield


@pytest.fixture(scope="module")
def study():
    return load_study("quick", architectures=[NETWORK], techniques=["none"])


@pytest.fixture(scope="module")
def made(study, tmp_path_factory, tiny_file):  # noqa: F811
    """Results of a study with weights, an exported file (its digest noted) and a variant (without one)."""
    results = tmp_path_factory.mktemp("made")
    paths = Paths.of(study, results)
    model = tiny_file("float32").read_bytes()
    trained, exported, variants = (
        paths.trained("runs", NETWORK), paths.compressed("runs", NETWORK), paths.compressed("variant_runs", NETWORK),
    )  # fmt: skip
    for table, name in ((trained, WEIGHTS), (exported, FILE), (variants, VARIANT)):
        table.parent.mkdir(parents=True, exist_ok=True)
        (table.parent / name).write_bytes(model)
        rows = pd.DataFrame(
            {"run_id": [name, "failed"], "status": ["done", "failed"], "artefact": [name, None],
             "file_digest": [digest(table.parent / name), None]}
        )  # fmt: skip
        about = {"architecture": NETWORK, "cohort": "all", "technique": "none", "precision": "float32"}
        tables.write(rows.assign(**about), "runs", table)
    return results


@pytest.fixture
def paths(study, made, monkeypatch, tmp_path):
    """A copy of the made results, where the project looks for them."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("FER_RESULTS", str(tmp_path))
    return Paths.of(study)


def place(paths, name):
    table = paths.trained("runs", NETWORK) if name == WEIGHTS else paths.compressed("runs", NETWORK)
    return table.parent / name


def test_nothing_is_broken_where_nothing_was_touched_or_made(paths, study):
    assert broken_jobs(jobs(study, paths)) == []
    assert broken_jobs(jobs(study, Paths.of(study, paths.root / "elsewhere"))) == []


@pytest.mark.parametrize("cut", [None, 0, 100, 0.5, 0.999])
@pytest.mark.parametrize("name", [FILE, VARIANT, WEIGHTS])
def test_a_missing_or_cut_file_breaks_its_job(paths, study, name, cut):
    path = place(paths, name)
    content = path.read_bytes()
    if cut is None:
        path.unlink()
    else:
        path.write_bytes(content[: int(cut * len(content)) if cut < 1 else cut])
    (broken,) = broken_jobs(jobs(study, paths))
    assert broken == (f"train-{NETWORK}" if name == WEIGHTS else f"compress-{NETWORK}-plain")


@pytest.mark.parametrize("name", [FILE, VARIANT, WEIGHTS])
@pytest.mark.parametrize("where", [0.01, 0.3, 0.7, 0.99])
def test_a_flipped_bit_breaks_its_job(paths, study, where, name):
    path = place(paths, name)
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] ^= 4
    path.write_bytes(content)
    assert len(broken_jobs(jobs(study, paths))) == 1


def test_a_damaged_table_breaks_its_job_too(paths, study):
    path = place(paths, "runs.parquet")
    path.write_bytes(path.read_bytes()[:50])
    assert broken_jobs(jobs(study, paths)) == [f"compress-{NETWORK}-plain"]


@pytest.mark.parametrize("where", [0.1, 0.5, 0.99])
def test_a_damaged_table_that_names_no_file_breaks_its_job_too(paths, study, where):
    table = paths.trained("curves", NETWORK)
    tables.write(tables.empty("curves"), "curves", table)
    assert broken_jobs(jobs(study, paths)) == []
    content = bytearray(table.read_bytes())
    content[int(where * len(content))] ^= 4
    table.write_bytes(content)
    assert broken_jobs(jobs(study, paths)) == [f"train-{NETWORK}"]


@pytest.mark.parametrize("content", [None, b"", b"cut", b"\0" * 5000, 0.3, 0.9])
def test_no_command_uses_such_a_file(paths, study, content):
    table = paths.compressed("runs", NETWORK)
    path, run_id = table.parent / "plain.tflite", f"{NETWORK}.all.none.float32"
    path.write_bytes((table.parent / FILE).read_bytes())
    run = {"run_id": run_id, "status": "done", "artefact": path.name, "file_digest": digest(path)}
    about = {"architecture": NETWORK, "cohort": "all", "technique": "none", "precision": "float32"}
    tables.write(pd.DataFrame([{**run, **about}]), "runs", table)
    assert own_model(paths).path == path
    if content is None:
        path.unlink()
    elif isinstance(content, float):
        flipped = bytearray(path.read_bytes())
        flipped[int(content * len(flipped))] ^= 1
        path.write_bytes(flipped)
    else:
        path.write_bytes(content)
    uses = (
        lambda: own_model(paths),
        lambda: export(study, paths, [run_id], paths.packs),
        lambda: measure(study, paths),
        lambda: exported_files([NETWORK], paths),
    )
    for use in uses:
        with pytest.raises(tables.TableError, match=r"plain\.tflite is missing, cut or changed: `fer run`"):
            use()
    assert not paths.packs.exists()
    assert not paths.measurements.exists()


@pytest.mark.system
def test_the_workflow_makes_it_again(paths, study):
    """Its table is up to date for Snakemake, whose records of this study's tables are none."""
    for step, cell in (("faces", ()), ("train", (NETWORK,)), ("compress", (NETWORK, "plain"))):
        for output in map(Path, find_job(step, cell, study, paths).outputs):
            if not output.exists():
                output.parent.mkdir(parents=True, exist_ok=True)
                tables.write_sealed(pd.DataFrame({"made": [1]}), output)
    asked = "quick", json.dumps(study.changes), [os.path.relpath(paths.compressed("runs", NETWORK))]
    assert forced(*asked) == []
    place(paths, FILE).unlink()
    assert forced(*asked) == ["--forcerun", f"compress-{NETWORK}-plain"]
    assert due_jobs("quick", study.changes)["compress"] == 1


TRAINING = f"train-{NETWORK}"


def recorded(study, paths, **changes):
    """The study's training, recorded as made under some changes; all its tables are there."""
    for table in ("predictions", "curves", "features"):
        tables.write(tables.empty(table), table, paths.trained(table, NETWORK))
    job = find_job("train", (NETWORK,), study, paths)
    record_job(dataclasses.replace(job, watched={**job.watched, **changes}), paths)


def test_results_made_by_this_code_and_settings_are_not_due(paths, study):
    recorded(study, paths)
    assert changed_jobs(jobs(study, paths), paths) == []


@pytest.mark.parametrize("changes", [{"code": "another"}, {"settings": {}}, {"watched": "other data"}])
def test_results_that_another_clone_made_differently_are_due(paths, study, changes):
    recorded(study, paths, **changes)
    assert changed_jobs(jobs(study, paths), paths) == [TRAINING]


def test_results_without_a_record_and_records_without_results_are_left_to_the_workflow(paths, study):
    recorded(study, paths, code="another")
    paths.trained("curves", NETWORK).unlink()
    assert changed_jobs(jobs(study, paths), paths) == []
    recorded(study, paths)
    paths.record(TRAINING).unlink()
    assert changed_jobs(jobs(study, paths), paths) == []


def test_a_damaged_record_makes_its_job_due(paths, study):
    recorded(study, paths)
    paths.record(TRAINING).write_bytes(b"\xff\x00")
    assert changed_jobs(jobs(study, paths), paths) == [TRAINING]


def test_a_job_whose_results_are_absent_is_due_though_the_book_is_there(study, paths):
    """Without Snakemake's own records, for it: it does not miss what lies between a source and the book."""
    assert {"faces", f"train-{NETWORK}", "measure"} <= set(absent_jobs(jobs(study, paths)))
    for output in map(type(paths.root), find_job("faces", (), study, paths).outputs):
        output.parent.mkdir(parents=True, exist_ok=True)
        tables.write_sealed(pd.DataFrame({"made": [1]}), output)
    assert "faces" not in absent_jobs(jobs(study, paths))
    declared = list(jobs(study, paths))
    assert {"faces", "measure"} & set(overlooked_jobs(declared, paths)) == {"measure"}
    assert overlooked_jobs(jobs_for(declared, os.path.relpath(paths.faces)), paths) == []
