"""Every set of the registry comes in from a made-up copy of its owner's layout, and a licensed study is made of all."""

import inspect

import made_up_children
import made_up_layouts
import made_up_london
import pandas as pd
import pytest

from face_sets import tables
from face_sets.checking import problems
from face_sets.ingest import TOLERATED_SHARE, ingest
from face_sets.ingested import IngestedSet
from face_sets.leaks import check_no_leak
from face_sets.readers.registry import SOURCES, source
from face_sets.set_names import LICENSED_SETS
from face_sets.splits import NEAR_TEST, NEAR_VALIDATION, OF_OWNERS_TEST
from fer_utils.analysis.metrics import coverage
from fer_utils.paths import Paths
from fer_utils.steps.faces import make_faces
from fer_utils.study import load_study

SIZE = 48
WRITERS = {
    name.removeprefix("write_"): writer
    for module in (made_up_layouts, made_up_children, made_up_london)
    for name, writer in inspect.getmembers(module, inspect.isfunction)
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return tmp_path_factory.mktemp("all-sets")


@pytest.fixture(scope="module")
def reports(results, tmp_path_factory):
    """All sets, each from its own folder."""
    found = {}
    for name in SOURCES:
        folder = tmp_path_factory.mktemp(name)
        WRITERS[name](folder)
        found[name] = ingest(name, folder, results, SIZE)
    return found


@pytest.mark.parametrize("name", SOURCES)
def test_a_set_comes_in_whole(reports, results, name):
    report, here = reports[name], IngestedSet(results, name)
    faces = here.faces()
    assert report.found == len(faces) > 0
    assert set(faces["dataset"]) == {name}
    assert faces["face_id"].str.fullmatch(rf"{name}-[0-9a-f]{{12}}").all()
    rejected = pd.read_csv(here.rejected_file)
    assert len(rejected) == report.failed
    assert rejected["reason"].notna().all()


def test_the_share_of_failures_of_made_up_sets_with_oddities_is_noticed(reports):
    assert any(report.failed_share > TOLERATED_SHARE for report in reports.values())


def test_what_came_in_is_sound(reports, results):
    assert list(problems(results, 2023)) == []


def test_a_licensed_study_is_made_of_all(reports, results):
    study = load_study("licensed", face_size=SIZE)
    paths = Paths.of(study, results)
    make_faces(study, paths)
    faces = tables.read("faces", paths.faces)
    check_no_leak(faces)
    # The made-up sets show the same few drawn people, so some of them are copies of CAFE's and must go
    dropped = pd.read_parquet(paths.dropped)
    copies = dropped[dropped["reason"].isin([NEAR_TEST, NEAR_VALIDATION, OF_OWNERS_TEST])]
    assert set(faces["dataset"]) | set(copies["dataset"]) == set(LICENSED_SETS)
    assert len(faces) + len(copies) == sum(reports[name].found for name in LICENSED_SETS)
    assert set(faces.loc[faces["dataset"] == "cafe", "split"]) == {"test"}
    assert not (set(faces.loc[faces["split"] != "test", "dataset"]) & {"cafe", "london", "own"})
    assert coverage(faces).to_numpy().sum() == len(faces)


@pytest.mark.parametrize("name", SOURCES)
def test_each_reader_answers_to_its_name(name):
    assert source(name).name == name
