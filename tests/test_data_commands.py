"""The `fer data` commands, as a reader types them."""

import os
import shutil
import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from made_up import write_noise
from made_up_sets import NAME, SECRET, SOURCE, put_set, write_set
from typer.testing import CliRunner

from face_sets import commands, folders
from face_sets import ingest as ingest_module
from face_sets.folders import RESULTS_VARIABLE
from face_sets.ingested import IngestedSet, ingested_sets
from face_sets.manifests import load_manifest
from face_sets.packed_faces import NAME as NAME_OF_PACKED
from face_sets.packed_faces import write_packed
from face_sets.processes import BusyError, one_at_a_time
from face_sets.readers.reading import SOURCES
from fer_utils import cli, forgetting, tables
from fer_utils.paths import BOOKS, Paths
from fer_utils.steps.faces import make_faces
from fer_utils.study import Study, load_study


@pytest.fixture
def results(tmp_path, monkeypatch):
    folder = tmp_path / "results of\nmine"
    monkeypatch.setenv(RESULTS_VARIABLE, str(folder))
    monkeypatch.setattr(forgetting, "PROJECT_FOLDER", tmp_path)
    monkeypatch.setattr(commands, "PROJECT_FOLDER", tmp_path)
    monkeypatch.setattr(forgetting, "LOCK", tmp_path / "run.lock")
    monkeypatch.setattr(ingest_module, "source", lambda name: SOURCE)
    return folder


def fer(*arguments, answer=None):
    return CliRunner().invoke(cli.app, ["data", *map(str, arguments)], input=answer)


# status, sheet


def test_status_says_what_is_here_and_how_to_ask_for_the_rest(results):
    put_set(results, "jaffe", 3)
    (results / "data" / "kdef" / "journal-0").mkdir(parents=True)
    answer = fer("status")
    assert answer.exit_code == 0
    lines = {line.split()[0]: line for line in answer.stdout.splitlines() if line.split()[0] in SOURCES}
    assert set(lines) == set(SOURCES)
    assert "here" in lines["jaffe"]
    assert "21 faces of 213 images published" in lines["jaffe"]
    assert "interrupted" in lines["kdef"]
    assert "missing" in lines["cafe"]
    flat = " ".join(answer.stdout.split())
    for name in set(SOURCES) - {"jaffe"}:
        assert " ".join(load_manifest(name).study.how_to_get.split()) in flat


@pytest.mark.parametrize("name", SOURCES)
def test_the_sheet_of_every_set_tells_terms_and_access(results, name):
    answer = fer("sheet", name)
    flat = " ".join(answer.stdout.split())
    manifest = load_manifest(name)
    for text in (manifest.name, manifest.study.terms, manifest.study.how_to_get, manifest.citation):
        assert " ".join(text.split()) in flat
    assert f"may its pictures be shown: {'yes' if manifest.study.may_publish else 'no'}" in flat


# ingest


def test_ingest_reports_what_was_ingested(results, tmp_path):
    write_set(tmp_path / "owner")
    answer = fer("ingest", NAME, "--from", tmp_path / "owner", "--processes", 1, "--face-size", 64)
    assert answer.exit_code == 0, answer.output
    assert "kdef: 28 faces; 0 not found by the detector, 0 file(s) failed" in answer.output
    assert "by expression: anger 4" in answer.output
    assert "not used, by the owner's label: contempt 3" in answer.output


def test_more_failures_than_tolerated_end_with_1_and_are_listed_elsewhere(results, tmp_path):
    write_set(tmp_path / "owner")
    write_noise(tmp_path / "owner" / f"{SECRET}-90_fear.jpg", 1)
    command = ("ingest", NAME, "--from", tmp_path / "owner", "--processes", 1, "--face-size", 64)
    answer = fer(*command)
    assert answer.exit_code == 1
    assert "3.4%, more than the 2.0% that is tolerated" in answer.output
    assert "rejected.csv" in answer.output
    assert SECRET not in answer.output
    assert IngestedSet(results, NAME).is_whole
    assert fer(*command, "--tolerated", 0.1).exit_code == 0


def test_a_wrong_folder_is_one_sentence(results, tmp_path, monkeypatch, capsys):
    (tmp_path / "owner").mkdir()
    monkeypatch.setattr(sys, "argv", ["fer", "data", "ingest", NAME, "--from", str(tmp_path / "owner")])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert str(stop.value).startswith("fer: no usable picture of kdef")
    assert "\n" not in str(stop.value)


def test_an_archive_is_unpacked_and_read(results, tmp_path):
    write_set(tmp_path / "owner", people=1)
    shutil.make_archive(str(tmp_path / "kdef"), "zip", tmp_path / "owner")
    assert "7 files" in fer("unpack", tmp_path / "kdef.zip", "--to", tmp_path / "new").output
    answer = fer("ingest", NAME, "--from", tmp_path / "new", "--processes", 1, "--face-size", 64)
    assert "kdef: 7 faces" in answer.output


# check


def test_check_finds_nothing_where_all_is_well(results):
    put_set(results, "jaffe", 3)
    answer = fer("check")
    assert answer.exit_code == 0, answer.output
    assert answer.output.strip() == "checked the manifests and jaffe: no problems"


def test_check_splits_by_the_seed_of_a_study():
    assert Study.model_fields["faces_seed"].default == commands.STUDY_SEED


def test_check_finds_each_kind_of_damage(results):
    rows = {name: put_set(results, name, 3) for name in ("jaffe", "kdef", "rafd", "ckplus")}
    path = IngestedSet(results, "jaffe").folder / rows["jaffe"]["path"][0]
    path.write_bytes(path.read_bytes()[:-20])
    IngestedSet(results, "kdef").faces_file.write_bytes(b"no table")
    (IngestedSet(results, "ckplus").folder / rows["ckplus"]["path"][1]).unlink()
    table = IngestedSet(results, "rafd")
    tables.write_sealed(pd.read_parquet(table.faces_file).iloc[:-1], table.faces_file)
    answer = fer("check")
    assert answer.exit_code == 1
    lines = answer.output.splitlines()
    assert len(lines) == 5
    assert "ckplus: 1 of 21 stored faces are missing or damaged" in lines[0]
    assert "jaffe: 1 of 21 stored faces are missing or damaged" in lines[1]
    assert "kdef/faces.parquet is damaged" in lines[2]
    assert "rafd: 20 faces are in its table, 21 were found" in lines[3]
    assert "4 problems" in lines[4]
    assert str(rows["jaffe"]["face_id"][0]) not in answer.output


@pytest.mark.parametrize("damage", [lambda data: data[:300], lambda data: data[:-3000] + b"x" * 3000])
def test_check_finds_damage_of_what_is_read_in_place_of_the_pictures(results, damage):
    rows = put_set(results, "jaffe", 3)
    target = IngestedSet(results, "jaffe")
    top, name = zip(*rows["path"].str.split("/", n=1), strict=True)
    write_packed(target.folder / top[0], name)
    assert fer("check").exit_code == 0
    packed = target.folder / top[0] / NAME_OF_PACKED
    packed.write_bytes(damage(packed.read_bytes()))
    answer = fer("check")
    assert answer.exit_code == 1
    assert "jaffe: faces.arrow, which holds all its faces, is damaged" in answer.output


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"no table"), Path.unlink])
def test_check_finds_that_the_table_of_dropped_faces_is_damaged_or_missing(results, damage):
    put_set(results, "jaffe", 3)
    damage(IngestedSet(results, "jaffe").dropped_file)
    answer = fer("check")
    assert answer.exit_code == 1
    assert "dropped.parquet" in answer.output


# forget


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Results with three sets; a licensed study of all, one of two of them, a synthetic one."""
    results = tmp_path_factory.mktemp("made") / "results"
    for name in ("cafe", "kdef", "jaffe"):
        put_set(results, name, 5)
    for sets in (("cafe", "kdef", "jaffe"), ("cafe", "jaffe")):
        study = load_study("licensed", face_size=48, sets=sets)
        paths = Paths.of(study, results)
        tables.write(tables.empty("faces"), "faces", paths.external_faces)
        make_faces(study, paths)
        for kind in ("train", "compress", "notebooks", "figures"):
            (paths.root / kind).mkdir()
            (paths.root / kind / "network.weights.h5").write_bytes(b"learned")
    other = Paths.of(load_study("quick"), results)
    put = pd.read_parquet(paths.faces).assign(dataset="synthetic", split="train")
    other.faces.parent.mkdir(parents=True)
    tables.write_sealed(put, other.faces)
    return results


@pytest.fixture
def studies(results, made, tmp_path):
    """The made results, copied, and a rendered book; the names of the licensed studies' folders."""
    shutil.copytree(made, results)
    for page in ("_build/html/index.html", "book/stages/01_data.ipynb", ".cache/book-x/page.html"):
        (tmp_path / page).parent.mkdir(parents=True)
        (tmp_path / page).write_text("faces")
    return sorted(path.name for path in results.iterdir() if path.name.startswith("licensed"))


def names(results):
    return sorted(path.name for path in results.iterdir() if path.name != "data")


def test_forgetting_deletes_the_set_what_learned_from_it_and_the_book(results, studies, tmp_path):
    kept = Paths.of(load_study("licensed", face_size=48, sets=("cafe", "jaffe")), results).root.name
    (gone,) = set(studies) - {kept}
    assert (tmp_path / "_build").exists()
    (results / f"{gone}.crate.zip").write_bytes(b"kdef-")
    (tmp_path / "release").mkdir()
    (tmp_path / "release" / "book.pdf").write_bytes(b"kdef-")
    answer = fer("forget", "kdef", "--yes")
    assert answer.exit_code == 0, answer.output
    assert names(results) == sorted([kept, "quick"])
    assert [each.name for each in ingested_sets(results)] == ["cafe", "jaffe"]
    assert not (results / "data" / "kdef").exists()
    assert not any(
        (tmp_path / page).exists() for page in ("_build", "release", "book/stages", ".cache/book-x")
    )
    assert answer.output.count("to be made again") == 1
    assert f"to be made again without it: {gone} (`fer run --profile licensed`)" in answer.output
    assert "to be rendered again: the book" in answer.output
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    for path in left:
        assert b"kdef-" not in path.read_bytes(), path


def test_a_set_that_no_study_used_leaves_studies_and_book(results, studies, tmp_path):
    put_set(results, "rafd", 2)
    before = names(results)
    answer = fer("forget", "rafd", "--yes")
    assert names(results) == before
    assert (tmp_path / "_build").exists()
    assert "made again" not in answer.output


def test_forgetting_asks_first(results, studies):
    before = sorted(results.rglob("*"))
    answer = fer("forget", "kdef", answer="n\n")
    assert answer.exit_code == 1
    assert "nothing was deleted" in answer.output
    assert sorted(results.rglob("*")) == before
    assert fer("forget", "kdef", answer="y\n").exit_code == 0


def test_a_study_without_its_table_goes(results, studies):
    """It cannot show that it did not learn from the set."""
    folder = Paths.of(load_study("licensed", face_size=48, sets=("cafe", "kdef", "jaffe")), results)
    folder.faces.unlink()
    fer("forget", "kdef", "--yes")
    assert not folder.root.exists()


@pytest.mark.parametrize("order", [sorted, partial(sorted, reverse=True)])
@pytest.mark.parametrize("after", [1, 2, 5, 9, 20])
def test_forgetting_that_was_killed_is_ended_by_the_next_from_anywhere(
    results, studies, tmp_path, monkeypatch, after, order
):
    """Killed after some deletions, in any order of a folder's names; asked again with other results."""
    left, delete = [after], os.unlink

    def die(path, *arguments, **options):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return delete(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", _ordered(os.scandir, order))
        patch.setattr(os, "unlink", die)
        assert fer("forget", "kdef", "--yes").exit_code != 0
    monkeypatch.setenv(RESULTS_VARIABLE, str(tmp_path / "elsewhere"))
    answer = fer("forget", "kdef", "--yes")
    assert answer.exit_code == 0, answer.output
    kept = Paths.of(load_study("licensed", face_size=48, sets=("cafe", "jaffe")), results).root.name
    assert names(results) == sorted([kept, "quick"])
    assert not (results / "data" / "kdef").exists()
    assert not any((tmp_path / page).exists() for page in ("_build", "book/stages", ".cache/book-x"))
    assert "nothing here was made from kdef" in fer("forget", "kdef", "--yes").output


def _ordered(scan, order):
    @contextmanager
    def scandir(path="."):
        with scan(path) as entries:
            yield iter(order(entries, key=lambda entry: entry.name))

    return scandir


def test_forgetting_finds_other_folders_of_results_and_a_book_whose_study_is_gone(
    results, studies, tmp_path, monkeypatch
):
    folders.remember(results, tmp_path / folders.KNOWN_RESULTS)
    monkeypatch.setenv(RESULTS_VARIABLE, str(tmp_path / "elsewhere"))
    assert fer("forget", "kdef", "--yes").exit_code == 0
    assert not (results / "data" / "kdef").exists()
    (tmp_path / "_build").mkdir()
    folders.remember(results / "licensed-gone", tmp_path / BOOKS)
    assert fer("forget", "jaffe", "--yes").exit_code == 0
    assert not (tmp_path / "_build").exists()
    assert not (tmp_path / BOOKS).exists()


def test_a_set_is_not_forgotten_while_a_run_reads_it(results, studies, tmp_path):
    before = sorted(results.rglob("*"))
    with one_at_a_time(forgetting.LOCK):
        answer = fer("forget", "kdef", "--yes")
    assert isinstance(answer.exception, BusyError)
    assert set(results.rglob("*")) >= set(before)


def test_forgetting_nothing_says_so(results):
    results.mkdir()
    answer = fer("forget", "kdef", "--yes")
    assert answer.exit_code == 0
    assert "nothing here was made from kdef" in answer.output


def test_a_half_ingested_set_can_be_forgotten(results):
    (results / "data" / "kdef" / "journal-0").mkdir(parents=True)
    assert fer("forget", "kdef", "--yes").exit_code == 0
    assert not (results / "data" / "kdef").exists()


@pytest.mark.parametrize("command", ["status", "check"])
@pytest.mark.parametrize("kind", ["file", "below a file", "link to nowhere", "link to itself"])
def test_a_variable_that_names_no_folder_of_results_is_told(tmp_path, monkeypatch, command, kind):
    named = tmp_path / "named"
    if "file" in kind:
        named.write_text("mine")
    else:
        named.symlink_to(named if kind == "link to itself" else tmp_path / "nowhere")
    monkeypatch.setenv(RESULTS_VARIABLE, str(named / "deep" if kind == "below a file" else named))
    answer = fer(command)
    assert isinstance(answer.exception, NotADirectoryError)
    assert "correct FER_RESULTS" in str(answer.exception)
