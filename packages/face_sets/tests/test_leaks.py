"""Damage on purpose: each way in which a test face could be learned from must be refused."""

import pandas as pd
import pytest
from made_up_sets import ingested_rows, moved_hash

from face_sets import tables
from face_sets.leaks import LeakError, check_no_leak
from face_sets.splits import assign_splits


@pytest.fixture
def faces():
    rows = pd.concat(
        [
            ingested_rows("cafe", 6),
            ingested_rows("kdef", 40),
            ingested_rows("raf_db", 40, owner_split="test"),
        ],
        ignore_index=True,
    )
    rows.loc[rows["dataset"] == "raf_db", "subject_id"] = pd.NA
    split, _ = assign_splits(tables.conform(rows, "ingested"), 2023)
    split = split.assign(may_publish=False)
    return tables.conform(split[[c for c in tables.COLUMNS["faces"] if c in split]], "faces")


def learned(faces, split="train"):
    return faces.index[(faces["dataset"] == "kdef") & (faces["split"] == split)][0]


def refused(faces, sentence):
    with pytest.raises(LeakError, match=sentence) as error:
        check_no_leak(faces)
    assert "\n" not in str(error.value)
    for name in [*faces["face_id"][:50], *faces["subject_id"][:50]]:
        assert name not in str(error.value)


def test_sound_faces_pass(faces):
    check_no_leak(faces)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_picture_of_cafe_is_refused(faces, split):
    faces.loc[faces["dataset"] == "cafe", "split"] = split
    refused(faces, "42 picture")


def test_one_picture_of_cafe_is_refused(faces):
    faces.loc[0, "split"] = "train"
    refused(faces, "1 subject")


def test_a_child_of_cafe_under_another_sets_name_is_refused(faces):
    faces.loc[learned(faces), "subject_id"] = faces.loc[0, "subject_id"]
    refused(faces, "1 face.*child of CAFE")


def test_a_test_subject_in_training_is_refused(faces):
    place = faces.index[faces["dataset"] == "raf_db"][0]
    person = faces.loc[learned(faces), "subject_id"]
    faces.loc[place, ["dataset", "subject_id"]] = ["kdef", person]
    refused(faces, "1 subject")


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_copy_of_a_test_file_is_refused(faces, split):
    place = faces.index[faces["dataset"] == "raf_db"][0]
    faces.loc[learned(faces, split), "sha256"] = faces.loc[place, "sha256"]
    refused(faces, "1 face.*copies")


@pytest.mark.parametrize("distance", [0.0, 0.1, 0.22])
@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_near_duplicate_of_cafe_is_refused(faces, split, distance):
    faces.loc[learned(faces, split), "perceptual_hash"] = moved_hash(
        faces.loc[3, "perceptual_hash"], distance
    )
    refused(faces, "1 face.*near-duplicate")


@pytest.mark.parametrize("distance", [0.0, 0.05, 0.07])
def test_a_picture_whose_face_is_another_but_that_is_cafes_as_a_whole_is_refused(faces, distance):
    faces.loc[learned(faces), "picture_hash"] = moved_hash(faces.loc[3, "picture_hash"], distance)
    refused(faces, "1 face.*near-duplicate")


def test_photographs_of_the_external_test_are_kept_apart_too(faces):
    photograph = faces.iloc[[learned(faces)]].assign(face_id="london-1", dataset="london", split="test")
    refused(pd.concat([faces, photograph], ignore_index=True), "7 face.*show")
    stranger = photograph.assign(subject_id="london-1", sha256="0")
    refused(pd.concat([faces, stranger], ignore_index=True), "1 face.*near-duplicate")


@pytest.mark.parametrize("column", ["perceptual_hash", "picture_hash"])
def test_faces_of_unknown_hash_are_refused_beside_cafe(faces, column):
    faces.loc[learned(faces), column] = pd.NA
    refused(faces, "1 face.*no perceptual hash")


def test_without_cafe_hashes_are_not_asked_for(faces):
    check_no_leak(faces[faces["dataset"] != "cafe"].assign(perceptual_hash=pd.NA))
