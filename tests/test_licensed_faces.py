"""The licensed study's faces: from sets that were ingested to the study's table."""

import os
import shutil
from functools import partial

import pandas as pd
import pytest
from made_up_sets import WRITERS, ingested_rows, put_set

from expression_scores.metrics import coverage
from face_sets.face_images import load_pixels
from face_sets.ingest import ingest
from face_sets.ingested import IngestedSet, IngestError
from face_sets.leaks import LeakError, check_no_leak
from face_sets.set_names import LICENSED_SETS
from face_sets.splits import NEAR_TEST, NEAR_VALIDATION, OF_OWNERS_TEST, OF_WHOM, assign_splits
from fer_utils import tables
from fer_utils.paths import Paths
from fer_utils.steps.faces import ingested_digest, make_faces
from fer_utils.study import load_study

SIZE = 48
STUDY = load_study("licensed", face_size=SIZE)


@pytest.fixture(scope="module")
def some_sets(tmp_path_factory):
    """Results with some sets, to be copied: their pictures are drawn once."""
    results = tmp_path_factory.mktemp("sets")
    put_set(results, "cafe", 3)
    put_set(results, "kdef", 20, age_group="adult")
    put_set(results, "raf_db", 4, age_group="unknown", subject_id=pd.NA)
    put_set(results, "london", 2, age_group="adult")
    return results


@pytest.fixture
def paths(some_sets, tmp_path):
    shutil.copytree(some_sets, tmp_path, dirs_exist_ok=True)
    paths = Paths.of(STUDY, tmp_path)
    tables.write(tables.empty("faces"), "faces", paths.external_faces)
    return paths


def test_the_table_leads_to_the_pictures(paths):
    make_faces(STUDY, paths)
    faces = tables.read("faces", paths.faces)
    assert set(faces["dataset"]) == {"cafe", "kdef", "raf_db"}  # London is the external test's
    assert set(faces.loc[faces["dataset"] == "cafe", "split"]) == {"test"}
    assert not faces["may_publish"].any()
    assert faces["path"].str.startswith("../../data/").all()
    assert load_pixels(faces, paths.faces.parent, 48).shape == (len(faces), 48, 48, 3)


def test_a_test_set_of_which_no_face_was_found_is_told_before_anything_is_trained(paths):
    put_set(paths.results, "cafe", 0)
    with pytest.raises(IngestError, match="no face of cafe is left to test on"):
        make_faces(STUDY, paths)
    assert not paths.faces.exists()


def test_the_table_is_found_from_any_folder(paths, monkeypatch):
    monkeypatch.chdir(paths.results)
    here = Paths.of(STUDY, paths.results.relative_to(paths.results))
    make_faces(STUDY, here)
    faces = tables.read("faces", here.faces)
    assert len(load_pixels(faces, here.faces.parent, 48)) == len(faces)
    assert os.listdir(here.faces.parent) == ["faces.parquet", "dropped.parquet"] or len(faces)


@pytest.mark.parametrize("column", ["perceptual_hash", "picture_hash"])
def test_a_photograph_of_the_external_test_is_not_learned_from(paths, column):
    """It lies in another set, found there by its face or by the whole picture; so does another of that person."""
    rows = IngestedSet(paths.results, "kdef").faces()
    external = tables.conform(
        rows.iloc[[20]].drop(columns=["source_key", "owner_split"]).assign(
            face_id="london-001-neutral", dataset="london", subject_id="london-001", split="external", sha256="0",
            **{other: "7f" + "00" * 63 for other in {"perceptual_hash", "picture_hash"} - {column}}, may_publish=True,
        ),
        "faces",
    )  # fmt: skip
    tables.write(external, "faces", paths.external_faces)
    make_faces(STUDY, paths)
    faces, dropped = tables.read("faces", paths.faces), pd.read_parquet(paths.dropped)
    subject = rows["subject_id"][20]
    assert subject not in set(faces["subject_id"])
    assert "london" not in set(faces["dataset"])
    reasons = dropped.set_index("face_id")["reason"]
    assert reasons[rows["face_id"][20]] == NEAR_TEST
    others = rows.loc[(rows["subject_id"] == subject) & (rows.index != 20), "face_id"]
    assert set(reasons[others]) == {OF_WHOM.format(NEAR_TEST)}


def test_faces_that_were_not_found_are_told(paths):
    make_faces(STUDY, paths)
    dropped = pd.read_parquet(paths.dropped)
    assert sorted(dropped["face_id"]) == ["cafe-missed", "kdef-missed", "raf_db-missed"]


@pytest.mark.parametrize(
    ("sets", "sentence"),
    [
        (("kdef", "raf_db"), "needs CAFE among its sets"),
        (("jaffe", "cafe"), "needs one data set to learn from: run `fer data ingest"),
    ],
)
def test_without_cafe_or_anything_to_learn_from_it_stops(paths, sets, sentence):
    with pytest.raises(IngestError, match=sentence):
        make_faces(load_study("licensed", face_size=48, sets=sets), paths)
    assert not paths.faces.exists()


def test_a_missing_cafe_is_named(tmp_path):
    put_set(tmp_path, "kdef", 4)
    with pytest.raises(IngestError, match=r"needs CAFE \(cafe\): run `fer data ingest"):
        make_faces(STUDY, Paths.of(STUDY, tmp_path))


def test_another_face_size_is_refused(paths):
    with pytest.raises(IngestError, match="another face size than the study's 80.*--face-size 80"):
        make_faces(load_study("licensed", face_size=80), paths)


def test_the_workflow_sees_a_further_set_and_a_new_ingest(paths):
    before = ingested_digest(STUDY, paths)
    assert ingested_digest(STUDY, paths) == before
    put_set(paths.results, "jaffe", 2)
    assert ingested_digest(STUDY, paths) != before


@pytest.mark.system
def test_a_licensed_study_is_made_of_all_sets(tmp_path, tmp_path_factory):
    reports = {}
    for name in LICENSED_SETS:
        folder = tmp_path_factory.mktemp(name)
        WRITERS[name](folder)
        reports[name] = ingest(name, folder, tmp_path, SIZE)
    study = load_study("licensed", face_size=SIZE)
    paths = Paths.of(study, tmp_path)
    tables.write(tables.empty("faces"), "faces", paths.external_faces)
    make_faces(study, paths)
    faces = tables.read("faces", paths.faces)
    check_no_leak(faces)
    # The small sets show the same few synthetic people, so some of them are copies of CAFE's and must go
    dropped = pd.read_parquet(paths.dropped)
    said = [NEAR_TEST, NEAR_VALIDATION]
    copies = dropped[dropped["reason"].isin([OF_OWNERS_TEST, *said, *map(OF_WHOM.format, said)])]
    assert set(faces["dataset"]) | set(copies["dataset"]) == set(LICENSED_SETS)
    assert len(faces) + len(copies) == sum(reports[name].found for name in LICENSED_SETS)
    assert set(faces.loc[faces["dataset"] == "cafe", "split"]) == {"test"}
    assert not (set(faces.loc[faces["split"] != "test", "dataset"]) & {"cafe", "london", "own"})
    assert coverage(faces).to_numpy().sum() == len(faces)


@pytest.mark.parametrize("step", ["train", "compress_network"])
def test_the_leak_check_runs_before_anything_is_learned(tmp_path, monkeypatch, step):
    from fer_utils.steps import compress, train

    work = {
        "train": partial(train.train, "mobilenet_v2"),
        "compress_network": partial(compress.compress_network, "mobilenet_v2", "plain"),
    }

    study = load_study("quick")
    paths = Paths.of(study, tmp_path)
    rows, _ = assign_splits(pd.concat([ingested_rows("cafe", 6), ingested_rows("kdef", 40)]), 2023)
    faces = rows.assign(may_publish=False).reindex(columns=list(tables.COLUMNS["faces"]))
    copied = faces.index[(faces["dataset"] == "kdef") & (faces["split"] == "train")][0]
    faces.loc[copied, "sha256"] = faces.loc[faces["dataset"] == "cafe", "sha256"].iloc[0]
    tables.write(faces, "faces", paths.faces)
    monkeypatch.setattr(train.FaceImages, "stored", lambda *_: pytest.fail("pictures were loaded"))
    with pytest.raises(LeakError):
        work[step](study, paths)
