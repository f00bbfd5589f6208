import pytest
from made_up import write_face, write_noise, write_text
from made_up_layouts import write_ckplus

from face_sets.readers.ckplus import NO_LABEL, SOURCE, read
from face_sets.readers.reading import LayoutError

IMAGES, EMOTIONS = "cohn-kanade-images", "Emotion"


@pytest.fixture
def ckplus(tmp_path):
    write_ckplus(tmp_path)
    return tmp_path


def told(folder):
    rows = read(folder).rows
    return {path.split("/")[-1][:-4]: e for path, e in zip(rows["path"], rows["expression"], strict=True)}


def label(folder, name):
    return folder / EMOTIONS / name[:4] / name[5:8] / f"{name}_emotion.txt"


def test_the_label_is_the_last_frames(ckplus):
    peaks = {name: e for name, e in told(ckplus).items() if e != "neutral"}
    assert peaks == {
        "S005_001_00000004": "disgust", "S010_001_00000003": "surprise", "S010_003_00000003": "happiness",
        "S011_001_00000003": "anger", "S011_002_00000003": "fear", "S011_003_00000003": "sadness",
    }  # fmt: skip


def test_one_neutral_face_a_person_the_first_frame(ckplus):
    neutral = {name for name, e in told(ckplus).items() if e == "neutral"}
    assert neutral == {"S005_001_00000001", "S010_001_00000001", "S011_001_00000001"}


def test_contempt_and_sequences_without_label_are_counted(ckplus):
    assert read(ckplus).dropped_labels == {"2": 1, NO_LABEL: 1}


def test_people_are_subjects_and_adults(ckplus):
    rows = read(ckplus).rows
    assert set(rows["subject_id"]) == {"ckplus-S005", "ckplus-S010", "ckplus-S011"}
    assert set(rows["age_group"]) == {"adult"}
    assert rows["age_years"].isna().all()
    assert rows.loc[rows["subject_id"] == "ckplus-S005", "source_key"].unique() == ["S005/001"]


@pytest.mark.parametrize(
    ("images", "emotions", "suffix"),
    [
        ("extended-cohn-kanade-images/cohn-kanade-images", "Emotion_labels/Emotion", "png"),
        ("CK+/cohn-kanade-images", "CK+/Emotion_labels", "PNG"),
        ("images", "labels", "tiff"),
    ],
)
def test_folders_by_other_names(ckplus, tmp_path_factory, images, emotions, suffix):
    other = tmp_path_factory.mktemp("other")
    write_ckplus(other, images, emotions, suffix)
    names = {name.removesuffix("."): e for name, e in told(other).items()}
    assert names == told(ckplus)


def test_grey_and_colour_frames_load(ckplus):
    for row in read(ckplus).rows.to_dict("records"):
        assert SOURCE.load(row, ckplus).shape == (60, 80, 3)


def test_a_sequence_cut_short_gives_no_weak_label(ckplus):
    (ckplus / IMAGES / "S005/001/S005_001_00000004.png").unlink()
    reading = read(ckplus)
    assert not (reading.rows["subject_id"] == "ckplus-S005").any()
    assert reading.rejected["reason"].str.contains("not the last").sum() == 1


def test_a_label_of_a_middle_frame_is_rejected(ckplus):
    label(ckplus, "S005_001_00000004").rename(label(ckplus, "S005_001_00000002"))
    assert "S005_001_00000002" not in told(ckplus)


def test_without_frame_one_another_sequence_gives_the_neutral_face(ckplus):
    (ckplus / IMAGES / "S010/001/S010_001_00000001.png").unlink()
    names = told(ckplus)
    assert names["S010_002_00000001"] == "neutral"
    assert names["S010_001_00000003"] == "surprise"
    assert "S010_001_00000002" not in names


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "does not hold one number"),
        ("1.0\n2.0\n", "does not hold one number"),
        ("9.0000000e+00", "unknown label code '9'"),
        ("3.5", "unknown label code '3.5'"),
        ("nan", "unknown label code 'nan'"),
        ("inf", "unknown label code 'inf'"),
        ("disgust", "unknown label code 'disgust'"),
    ],
)
def test_labels_that_are_none_are_rejected(ckplus, content, reason):
    write_text(label(ckplus, "S005_001_00000004"), content)
    reading = read(ckplus)
    assert list(reading.rejected["reason"]) == [reason]
    assert "S005_001_00000004" not in told(ckplus)


def test_a_label_with_dos_line_ends(ckplus):
    label(ckplus, "S005_001_00000004").write_bytes(b"   3.0000000e+00\r\n")
    assert told(ckplus)["S005_001_00000004"] == "disgust"


def test_a_label_that_is_noise_is_rejected(ckplus):
    write_noise(label(ckplus, "S005_001_00000004"), 1)
    assert len(read(ckplus).rejected) == 1


def test_a_linked_frame_outside_is_rejected(ckplus, tmp_path_factory):
    target = ckplus / IMAGES / "S005/001/S005_001_00000004.png"
    target.unlink()
    target.symlink_to(write_face(tmp_path_factory.mktemp("other") / "secret.png", 1))
    reading = read(ckplus)
    assert target.name not in {path.split("/")[-1] for path in reading.rows["path"]}
    assert "is a link that leads out of the folder" in set(reading.rejected["reason"])


@pytest.mark.parametrize("folder", [IMAGES, EMOTIONS])
def test_one_archive_alone_is_refused(ckplus, tmp_path_factory, folder):
    (ckplus / folder).rename(tmp_path_factory.mktemp("away") / folder)
    with pytest.raises(LayoutError, match=r"is not CK\+"):
        read(ckplus)
