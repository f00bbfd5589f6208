import numpy as np
import pytest
from made_up import write_face, write_table
from made_up_children import GUESSWHAT_HEADER, write_guesswhat
from made_up_videos import write_video

from face_sets import videos
from face_sets.ingest import ingest
from face_sets.ingested import IngestedSet
from face_sets.readers.guesswhat import FRAMES_A_STRETCH, SOURCE, read
from face_sets.readers.reading import LayoutError
from face_sets.videos import close_video


@pytest.fixture
def folder(tmp_path):
    write_guesswhat(tmp_path)
    yield tmp_path
    close_video()


def times(rows, path, expression):
    return rows.loc[(rows["path"] == path) & (rows["expression"] == expression), "frame_ms"].tolist()


def test_frames_of_a_stretch_carry_its_label(folder):
    rows = read(folder).rows
    assert times(rows, "clips/a.mp4", "happiness") == [250, 750, 1250, 1750]
    assert times(rows, "clips/a.mp4", "fear") == [2250, 2750]
    assert set(rows["domain"]) == {"phone"}
    assert set(rows["age_group"]) == {"child"}
    assert rows["face_id"].is_unique


def test_a_long_clip_gives_no_more_than_others(folder):
    found = times(read(folder).rows, "clips/long.mp4", "neutral")
    assert len(found) == FRAMES_A_STRETCH
    assert np.ptp(np.diff(found)) <= 1  # spread evenly


def test_people(folder):
    rows = read(folder).rows.drop_duplicates("subject_id").set_index("subject_id")
    assert rows.loc["guesswhat-c1", ["sex", "age_years"]].tolist() == ["female", 5]
    assert rows.loc["guesswhat-c3", "age_years"] == 7.5


def test_blurred_faces_are_left_out_and_sharp_ones_are_not(folder, tmp_path):
    report = ingest(SOURCE.name, folder, tmp_path / "results")
    assert report.blurred == 2  # the frames of b.mp4 below 900 ms
    faces = IngestedSet(tmp_path / "results", SOURCE.name).faces()
    rows = read(folder).rows
    clip = rows[rows["path"] == "clips/b.mp4"].set_index("face_id")["frame_ms"]
    assert (clip[clip.index.isin(faces["face_id"])] > 900).all()
    assert clip.index.isin(faces["face_id"]).sum() == 2


def test_each_misfit_has_its_reason(folder):
    reasons = sorted(read(folder).rejected["reason"])
    for said in (
        "ends before 9000 ms", "has no stretch", "holds no frame", "is listed, but not there", "is neither a clip",
        "lacks one of", "leads out of the folder", "unknown label code 'bored'",
    ):  # fmt: skip
        assert any(said in reason for reason in reasons), said


def test_two_labels_at_one_time_contradict_and_two_words_for_one_do_not(tmp_path):
    write_video(tmp_path / "a.mp4", frames=40, rate=10)
    rows = [("a.mp4", "happy", 1, 0, 1000), ("a.mp4", "sad", 1, 900, 1500), ("a.mp4", "fear", 1, 1500, 2000)]
    rows += [
        ("a.mp4", "happy", 1, 2000, 3000),
        ("a.mp4", "happiness", 1, 2500, 3500),
        ("a.mp4", "", 1, 0, 4000),
    ]
    write_table(tmp_path / "labels.csv", rows, GUESSWHAT_HEADER[:5])
    reading = read(tmp_path)
    assert set(reading.rows["expression"]) == {"fear", "happiness"}
    assert reading.rows["frame_ms"].min() > 1500
    assert reading.rejected["reason"].str.startswith("has two labels at one time (row ").sum() == 2


def test_an_adult_in_the_game_and_values_that_are_not_known(tmp_path):
    write_face(tmp_path / "a.jpg", 1)
    write_face(tmp_path / "b.jpg", 2)
    rows = [("a.jpg", "sad", "c1", "", "", "35", "F"), ("b.jpg", "sad", "NA", "", "", "5", "F")]
    rows += [("./B.jpg", "sad", "c2", "", "", "300", "x")]
    write_table(tmp_path / "labels.csv", rows, GUESSWHAT_HEADER)
    reading = read(tmp_path)
    assert reading.rows.set_index("path")["age_group"].to_dict() == {"a.jpg": "adult", "b.jpg": "child"}
    assert "lacks one of" in reading.rejected["reason"].item()  # a child called NA is nobody
    assert reading.unknown_values == {
        "age_years '300' (first in row 4)": 1,
        "sex 'x' (first in row 4)": 1,
    }


def test_many_rows_of_one_clip_open_it_once(tmp_path, monkeypatch):
    opened, video = [], videos._Video
    monkeypatch.setattr(videos, "_Video", lambda path: opened.append(path) or video(path))
    write_video(tmp_path / "a.mp4", frames=10)
    write_table(
        tmp_path / "labels.csv",
        [("a.mp4", "sad", k, k % 900, 990) for k in range(300)],
        GUESSWHAT_HEADER[:5],
    )
    assert len(read(tmp_path).rows) > 1
    assert opened == [tmp_path / "a.mp4"]


@pytest.mark.parametrize("content", ["", "file,label\na.mp4,sad\n", "file,label,child_id,file\n", "\x00\x01"])
def test_other_tables_are_refused(tmp_path, content):
    (tmp_path / "labels.csv").write_text(content)
    write_face(tmp_path / "a.jpg", 1)
    with pytest.raises(LayoutError) as error:
        read(tmp_path)
    assert "\n" not in str(error.value)


def test_no_table_and_two_tables(tmp_path):
    write_face(tmp_path / "a.jpg", 1)
    with pytest.raises(LayoutError, match="no table of labels"):
        read(tmp_path)
    for name in ("a.csv", "b.CSV"):
        (tmp_path / name).write_text("file,label,child_id\n")
    with pytest.raises(LayoutError, match="holds 2 CSV tables"):
        read(tmp_path)
