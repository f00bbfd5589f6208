"""Every set of the registry is ingested from a small copy of its owner's layout."""

import pandas as pd
import pytest
from made_up_sets import WRITERS

from face_sets.checking import problems
from face_sets.ingest import TOLERATED_SHARE, ingest
from face_sets.ingested import IngestedSet
from face_sets.readers.reading import SOURCES, source

SIZE = 48


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
def test_a_set_is_ingested_whole(reports, results, name):
    report, here = reports[name], IngestedSet(results, name)
    faces = here.faces()
    assert report.found == len(faces) > 0
    assert set(faces["dataset"]) == {name}
    assert faces["face_id"].str.fullmatch(rf"{name}-[0-9a-f]{{12}}").all()
    rejected = pd.read_csv(here.rejected_file)
    assert len(rejected) == report.failed + report.passed_over
    assert rejected["reason"].notna().all()


def test_the_share_of_failures_of_sets_with_oddities_is_noticed(reports):
    assert any(report.failed_share > TOLERATED_SHARE for report in reports.values())


def test_what_was_ingested_is_sound(reports, results):
    assert list(problems(results, 2023)) == []


@pytest.mark.parametrize("name", SOURCES)
def test_each_reader_answers_to_its_name(name):
    assert source(name).name == name
