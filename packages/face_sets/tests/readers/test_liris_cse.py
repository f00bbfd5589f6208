import pandas as pd
import pytest
from made_up import write_table
from made_up_children import write_liris_cse
from made_up_videos import write_video

from face_sets.images import ImageError
from face_sets.readers.liris_cse import FRAMES_A_CLIP, SOURCE, TWO_LABELS, read
from face_sets.videos import close_video


@pytest.fixture
def folder(tmp_path):
    write_liris_cse(tmp_path)
    yield tmp_path
    close_video()


def frames(reading, name):
    return reading.rows[reading.rows["path"] == f"videos_208/{name}.mp4"]


def test_frames_are_inside_the_clip_and_few(folder):
    reading = read(folder)
    assert frames(reading, "S10_surprise_5")["frame_ms"].tolist() == [300, 900, 1500, 2100, 2700]
    assert len(frames(reading, "S11_Disgust_1")) == FRAMES_A_CLIP  # six seconds
    assert len(frames(reading, "S1_happy")) == 1  # a single frame
    assert reading.rows["face_id"].is_unique


def test_frames_of_a_clip_stay_together(folder):
    rows = read(folder).rows
    assert (rows.groupby("path")["source_key"].nunique() == 1).all()
    assert set(rows["source_key"]) == set(rows["path"])


def test_clips_of_two_labels_are_left_out_and_counted(folder):
    for name in ("S8_fear_surpsrise", "S8_fear_surprise_1_movingPerson"):
        write_video(folder / "videos_208" / f"{name}.mp4", frames=2)
    reading = read(folder)
    assert reading.dropped_labels == {TWO_LABELS: 4}
    assert not reading.rejected["path"].str.contains("fear_surp|Happy_surprise").any()


@pytest.mark.parametrize(
    ("name", "expression"),
    [
        ("S9_happy_5_aloud", "happiness"),
        ("S10_fear_4", "fear"),
        ("S11_anger", "anger"),
        ("S7_sad_1", "sadness"),
    ],
)
def test_names_as_they_are_published(folder, name, expression):
    write_video(folder / "videos_208" / f"{name}.mp4", frames=2)
    assert set(frames(read(folder), name)["expression"]) == {expression}


def test_suprise_is_surprise(folder):
    reading = read(folder)
    assert set(frames(reading, "S8_suprise")["expression"]) == {"surprise"}
    assert set(frames(reading, "S11_Disgust_1")["expression"]) == {"disgust"}


def test_other_clips_are_rejected_with_reasons(folder):
    reasons = dict(read(folder).rejected.itertuples(index=False))
    assert reasons["videos_208/S2_bored.mp4"] == "unknown label code 'bored'"
    assert "not named" in reasons["videos_208/clip 3.mp4"]
    assert "holds no frame" in reasons["videos_208/S4_sad.mp4"]
    assert "is empty" in reasons["videos_208/S4_anger.mp4"]
    assert len(reasons) == 4


def test_the_childrens_table(folder):
    rows = read(folder).rows.drop_duplicates("subject_id").set_index("subject_id")
    assert rows.loc["liris_cse-S08", ["sex", "age_years"]].tolist() == ["female", 9]
    (folder / "summaryParticipansts.csv").unlink()
    rows = read(folder).rows
    assert rows[["sex", "age_years"]].isna().all(axis=None)
    assert set(rows["age_group"]) == {"child"}


@pytest.mark.parametrize(
    ("people", "unknown"),
    [
        ([("S1", "M", 6), ("S1", "F", 9)], {"sr._no 'S1'": 2}),
        ([("S1", "M", "six")], {"age_years 'six' (first in row 2)": 1}),
        ([("one", "M", 6)], {"sr._no 'one'": 1}),
        ([("S1", "boy?", "NA")], {"sex 'boy?' (first in row 2)": 1}),
    ],
)
def test_what_the_childrens_table_does_not_say_is_missing_and_counted(folder, people, unknown):
    write_table(folder / "summaryParticipansts.csv", people, ("Sr. No", "Sex", "Age"))
    reading = read(folder)
    assert reading.unknown_values == unknown
    row = reading.rows[reading.rows["subject_id"] == "liris_cse-S01"].iloc[0]
    assert row[["sex", "age_years"]].isna().any()


def test_a_child_that_the_table_lacks_has_no_age(folder):
    write_table(folder / "summaryParticipansts.csv", [("S1", "M", 6)], ("Sr. No", "Sex", "Age"))
    rows = read(folder).rows.drop_duplicates("subject_id").set_index("subject_id")
    assert pd.isna(rows.loc["liris_cse-S10", "age_years"])


def test_frames_load(folder):
    for row in read(folder).rows.to_dict("records"):
        assert SOURCE.load(row, folder).shape == (96, 128, 3)
    with pytest.raises(ImageError, match="ends before"):
        SOURCE.load({"path": "videos_208/S1_happy.mp4", "frame_ms": 5000}, folder)
