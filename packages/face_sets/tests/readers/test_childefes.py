import pandas as pd
import pytest
from made_up import write_face
from made_up_children import write_childefes

from face_sets.readers.childefes import FRAMES_A_CLIP, SOURCE, read
from face_sets.readers.reading import LayoutError
from face_sets.videos import close_video


@pytest.fixture
def folder(tmp_path):
    write_childefes(tmp_path)
    yield tmp_path
    close_video()


def test_photographs_and_clips_posed_and_induced(folder):
    rows = read(folder).rows
    clips = rows[rows["frame_ms"].notna()]
    assert set(clips["expression"]) == {"disgust"}
    assert 1 < len(clips) <= FRAMES_A_CLIP
    assert clips["source_key"].nunique() == 1
    assert set(rows["expression"]) == {"happiness", "anger", "neutral", "fear", "disgust"}
    assert set(rows["domain"]) == {"lab"}
    assert set(rows["age_group"]) == {"child"}


def test_a_child_is_known_by_word_and_number_only(folder):
    rows = read(folder).rows.set_index("path")["subject_id"]
    assert rows["photos/induced/Happiness/child012_03.jpg"] == "childefes-012"
    assert rows["photos/posed/p7_anger_01.png"] == "childefes-007"
    assert rows["photos/fear/child9/fear_1.jpg"] == "childefes-009"
    assert pd.isna(rows["photos/induced/neutrality/0044.jpg"])  # a bare number may count anything


def test_contempt_is_dropped_and_misfits_are_rejected(folder):
    reading = read(folder)
    reasons = dict(reading.rejected.itertuples(index=False))
    assert reading.dropped_labels == {"contempt": 1}
    assert "no expression" in reasons["photos/posed/alegria/child012_05.jpg"]
    assert "more than one expression" in reasons["photos/posed/fear/child012_surprise.jpg"]
    assert "more than one child" in reasons["photos/posed/fear/child012_child013.jpg"]
    assert "holds no frame" in reasons["videos/induced/sadness/child012.mp4"]
    assert len(reasons) == 4


def test_both_kinds_load(folder):
    for row in read(folder).rows.to_dict("records"):
        assert SOURCE.load(row, folder).ndim == 3


def test_other_words_are_told_what_to_do(tmp_path):
    write_face(tmp_path / "alegria" / "1.jpg", 1)
    with pytest.raises(LayoutError, match="rename folders"):
        read(tmp_path)
