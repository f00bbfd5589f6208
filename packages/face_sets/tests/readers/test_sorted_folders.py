"""Copies of sets as others sorted them into folders by expression, in the layouts that are passed on."""

import pytest
from made_up import write_face, write_text
from made_up_layouts import FER_CODES, FER_USAGES, FER_VOTES, write_ckplus, write_fer2013

from face_sets.images import ImageError
from face_sets.readers.fer2013 import NO_MAJORITY
from face_sets.readers.layouts import list_files
from face_sets.readers.reading import LayoutError, source
from face_sets.readers.sorted_folders import sorted_pictures

WORDS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
MEANT = ["anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"]


def read(name, folder):
    return source(name).read(folder)


@pytest.mark.parametrize("name", ["fer2013", "affectnet", "expw", "raf_db", "ckplus", "own"])
@pytest.mark.parametrize("place", ["{}/1.png", "data/train/{}/1.jpg", "Copy (3)/{} faces/deep/x.jpeg"])
@pytest.mark.parametrize("spelling", [str, str.upper, str.title])
def test_words_in_folders_are_labels_in_every_set(tmp_path, name, place, spelling):
    for seed, word in enumerate(WORDS):
        write_face(tmp_path / place.format(spelling(word)), seed, 48, grey=True)
    reading = read(name, tmp_path)
    assert sorted(reading.rows["expression"]) == MEANT
    assert reading.rejected.empty
    for row in reading.rows.to_dict("records"):
        assert source(name).load(row, tmp_path).shape == (48, 48, 3)


@pytest.mark.parametrize("name", ["fer2013", "affectnet", "ckplus", "expw", "own"])
@pytest.mark.parametrize("folder", ["contempt", "Contempt", "contemptuous"])
def test_contempt_is_counted_not_refused(tmp_path, name, folder):
    write_face(tmp_path / "test" / folder / "1.png", 1)
    write_face(tmp_path / "train" / "sadness" / "2.png", 2)
    reading = read(name, tmp_path)
    assert list(reading.rows["expression"]) == ["sadness"]
    assert sum(reading.dropped_labels.values()) == 1
    assert reading.rejected.empty


@pytest.mark.parametrize("name", ["fer2013", "affectnet", "ckplus", "expw"])
def test_numbers_mean_nothing(tmp_path, name):
    """In alphabetical order 4 is neutral, by FER-2013's codes it is sad."""
    for number in range(7):
        write_face(tmp_path / "train" / str(number) / "a.jpg", number)
    assert sorted_pictures(list_files(tmp_path)).empty
    with pytest.raises(LayoutError, match="is not"):
        read(name, tmp_path)


@pytest.mark.parametrize(
    ("place", "split"),
    [
        ("train/angry/PublicTest_77.jpg", "validation"), ("test/angry/PrivateTest_7.jpg", "test"),
        ("test/angry/im0.png", "test"), ("Training/angry/a.png", "train"), ("FER2013Valid/angry/a.png", "validation"),
        ("val/angry/a.png", "validation"), ("faces/angry/a.png", None),
    ],
)  # fmt: skip
def test_splits_stand_in_names_of_files_before_those_of_folders(tmp_path, place, split):
    write_face(tmp_path / place, 1)
    (found,) = read("fer2013", tmp_path).rows["owner_split"]
    assert (found == split) if split else found is not found or str(found) == "<NA>"


def test_a_folder_of_two_expressions_or_none_is_no_label(tmp_path):
    for seed, name in enumerate(
        (
            "happy/a.jpg",
            "happy_or_sad/b.jpg",
            "holidays/c.jpg",
            "holidays/fear/d.jpg",
            "not happy/e.jpg",
            "happy/no_hat/f.jpg",
        )
    ):
        write_face(tmp_path / name, seed)
    reading = read("fer2013", tmp_path)
    assert sorted(reading.rows["expression"]) == ["fear", "happiness", "happiness"]
    assert set(reading.rejected["reason"]) == {
        "unknown label code 'happy_or_sad'",
        "unknown label code 'holidays'",
        "unknown label code 'not happy'",
    }


@pytest.mark.parametrize(
    "folder", ["not happy", "Not_Sad", "non-neutral", "never_happy", "unsurprised", "fearless"]
)
def test_a_folder_that_denies_an_expression_does_not_name_it(tmp_path, folder):
    write_face(tmp_path / folder / "a.jpg", 0)
    write_face(tmp_path / "happy_no_3" / "b.jpg", 1)
    write_face(tmp_path / "Sad No 12" / "c.jpg", 2)
    reading = read("own", tmp_path)
    assert sorted(reading.rows["expression"]) == ["happiness", "sadness"]
    assert set(reading.rejected["reason"]) == {f"unknown label code {folder!r}"}


def test_pictures_of_fer_plus_take_the_votes_for_their_names(tmp_path):
    write_fer2013(tmp_path)
    by_table = read("fer2013", tmp_path)
    (tmp_path / "fer2013.csv").unlink()
    for number, usage in enumerate(FER_USAGES):
        folder = {"Training": "FER2013Train", "PublicTest": "FER2013Valid", "PrivateTest": "FER2013Test"}[
            usage
        ]
        if FER_VOTES[number][-1] < 10:  # FER+ names no picture of what is no face
            write_face(tmp_path / folder / f"fer{number:07d}.png", number, 48, grey=True)
    reading = read("fer2013", tmp_path)
    assert sorted(reading.rows["expression"]) == sorted(by_table.rows["expression"])
    assert reading.dropped_labels == {"contempt": 1, "unknown": 1, NO_MAJORITY: 2}
    assert len(reading.rows) + sum(reading.dropped_labels.values()) == len(FER_CODES) - 1
    assert set(reading.rows["owner_split"]) == {"train"}


def test_votes_decide_over_folders_and_pictures_without_votes_keep_theirs(tmp_path):
    write_fer2013(tmp_path)
    (tmp_path / "fer2013.csv").unlink()
    write_face(tmp_path / "train/sad/fer0000004.png", 4, 48)  # the votes say neutral
    write_face(tmp_path / "train/sad/other.png", 5, 48)
    rows = read("fer2013", tmp_path).rows.set_index("path")["expression"]
    assert rows.to_dict() == {"train/sad/fer0000004.png": "neutral", "train/sad/other.png": "sadness"}


def test_the_challenges_own_table_without_usage(tmp_path):
    write_fer2013(tmp_path, votes=False)
    before = read("fer2013", tmp_path).rows
    lines = (tmp_path / "fer2013.csv").read_text().splitlines()
    (tmp_path / "fer2013.csv").unlink()
    (tmp_path / "train.csv").write_text("\n".join(line.rsplit(",", 1)[0] for line in lines))
    (tmp_path / "test.csv").write_text("pixels\n" + lines[1].split(",")[1])
    rows = read("fer2013", tmp_path).rows
    assert list(rows["expression"]) == list(before["expression"])
    assert rows["owner_split"].isna().all()
    assert source("fer2013").load(rows.iloc[0].to_dict(), tmp_path).shape == (48, 48, 3)


def test_ck_plus_48_keeps_people_and_sequences_together(tmp_path):
    for number in (17, 18, 19):
        write_face(tmp_path / "CK+48" / "anger" / f"S010_004_{number:08}.png", number, 48, grey=True)
    write_face(tmp_path / "CK+48" / "contempt" / "S138_008_00000007.png", 5, 48, grey=True)
    reading = read("ckplus", tmp_path)
    assert list(reading.rows["expression"]) == ["anger"] * 3
    assert set(reading.rows["subject_id"]) == {"ckplus-S010"}
    assert set(reading.rows["source_key"]) == {"S010/004"}
    assert set(reading.rows["age_group"]) == {"adult"}
    assert reading.dropped_labels == {"contempt": 1}
    assert reading.aligned  # cropped: no detector runs


def test_whole_frames_of_ck_plus_in_folders_are_still_searched_for_faces(tmp_path):
    write_face(tmp_path / "train" / "fear" / "S010_004_00000017.png", 1, (640, 490))
    write_face(tmp_path / "test" / "fear" / "S010_004_00000018.png", 1, (640, 490))
    reading = read("ckplus", tmp_path)
    assert not reading.aligned
    assert reading.rows["owner_split"].isna().all()  # whoever sorted them cut a sequence apart


def test_owners_labels_count_over_folders(tmp_path):
    write_ckplus(tmp_path)
    before = read("ckplus", tmp_path)
    write_face(tmp_path / "happy" / "a.png", 1)
    assert read("ckplus", tmp_path).rows["path"].tolist() == before.rows["path"].tolist()


def test_a_table_that_is_no_picture_is_an_error_of_that_row(tmp_path):
    write_text(tmp_path / "train/angry/a.jpg", "no picture")
    row = read("fer2013", tmp_path).rows.iloc[0].to_dict()
    with pytest.raises(ImageError):
        source("fer2013").load(row, tmp_path)
