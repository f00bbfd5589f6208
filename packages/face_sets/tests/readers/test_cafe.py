import pandas as pd
import pytest
from made_up import write_face
from made_up_children import CAFE_WORDS, write_cafe, write_cafe_older

from face_sets.readers.cafe import GROUPS, read
from face_sets.readers.reading import LayoutError


@pytest.fixture
def databrary(tmp_path):
    write_cafe(tmp_path)
    return read(tmp_path)


@pytest.fixture
def older(tmp_path):
    write_cafe_older(tmp_path)
    return read(tmp_path)


def test_every_word_of_databrary(databrary):
    rows = databrary.rows[databrary.rows["subject_id"] == "cafe-F-EA-14"]
    assert len(rows) == len(CAFE_WORDS)
    assert rows["expression"].value_counts().to_dict() == {
        "disgust": 3, "anger": 2, "fear": 2, "happiness": 2, "neutral": 2, "sadness": 2, "surprise": 1,
    }  # fmt: skip


def test_the_mouth(databrary):
    said = dict(
        zip(databrary.rows["path"].str.extract(r"-([a-z]+)_F")[0], databrary.rows["mouth"], strict=True)
    )
    shut = {word for word in CAFE_WORDS if said[word] == "closed"}
    assert shut == {"angry", "disgust", "fearful", "happy", "neutral", "sad"}


def test_the_child_is_the_whole_token(databrary):
    rows = databrary.rows[databrary.rows["subject_id"].str.endswith("-14")]
    assert rows["subject_id"].nunique() == 7  # number 14 of six groups of boys, and of one of girls
    assert set(rows.loc[rows["subject_id"] == "cafe-M-SA-14", "sex"]) == {"male"}


def test_ethnicities_by_group_code(databrary):
    boys = databrary.rows[databrary.rows["sex"] == "male"]
    by_code = boys.set_index(boys["subject_id"].str.slice(7, 9).str.lower())["ethnicity"].to_dict()
    assert by_code == GROUPS
    assert set(GROUPS.values()) == {
        "South Asian", "African American", "Asian", "European American", "Latino", "Pacific Islander",
    }  # fmt: skip


def test_every_row_is_for_testing_and_of_a_child(databrary, older):
    for reading in (databrary, older):
        assert set(reading.rows["owner_split"]) == {"test"}
        assert set(reading.rows["age_group"]) == {"child"}


def test_misfits_are_rejected(databrary):
    reasons = {path.split("/")[-1]: reason for path, reason in databrary.rejected.itertuples(index=False)}
    assert reasons["10600-bored_F-EA-14.jpg"] == "unknown label code 'bored'"
    assert "not named" in reasons["poster.jpg"]
    assert len(reasons) == 2


def test_a_name_that_says_only_the_expression_is_read(databrary):
    row = databrary.rows[databrary.rows["path"].str.endswith("10602-happy.jpg")].iloc[0]
    assert row["expression"] == "happiness"
    assert row[["subject_id", "sex", "ethnicity"]].isna().all()


def test_a_group_or_sex_that_is_not_known_is_missing_and_counted(tmp_path):
    for seed, name in enumerate(("10601-happy_F-XX-03", "10602-sad_F-XX-03", "10603-happy_X-EA-03")):
        write_face(tmp_path / f"{name}.jpg", seed)
    reading = read(tmp_path)
    assert reading.rows["ethnicity"].isna().tolist() == [True, True, False]
    assert reading.rows["sex"].isna().tolist() == [False, False, True]
    assert reading.rows["subject_id"].tolist() == ["cafe-F-XX-03", "cafe-F-XX-03", "cafe-X-EA-03"]
    assert reading.unknown_values == {"ethnicity 'XX'": 2, "sex 'X'": 1}


def test_older_copies_tell_the_expression_by_three_letters(older):
    rows = older.rows.set_index("path")
    assert rows["expression"].to_dict() == {
        "Happiness_M-SA-02.JPG": "happiness", "angry_F-AA-01.jpg": "anger", "disgusted F-AA-01.jpg": "disgust",
        "fear1.jpg": "fear", "mouth_open/angry_F-AA-01.jpg": "anger", "mouth_open/sad2.jpg": "sadness",
        "neutral_M-SA-02_2.jpg": "neutral", "sadness-F-LA-03.jpg": "sadness", "surprised_F-LA-03.jpg": "surprise",
    }  # fmt: skip
    assert rows.loc["neutral_M-SA-02_2.jpg", "subject_id"] == "cafe-M-SA-02"
    assert pd.isna(rows.loc["fear1.jpg", "subject_id"])


def test_older_copies_keep_open_mouths_in_a_folder(older):
    rows = older.rows.set_index("path")["mouth"]
    assert set(rows[rows == "open"].index) == {
        "mouth_open/angry_F-AA-01.jpg", "mouth_open/sad2.jpg", "surprised_F-LA-03.jpg",
    }  # fmt: skip


def test_a_child_is_found_wherever_the_name_tells_it(tmp_path):
    write_face(tmp_path / "angry_copy_F-AA-01.jpg", 1)
    write_face(tmp_path / "angryopen_F-AA-02 b.jpg", 2)
    write_face(tmp_path / "f-aa-03_Surprised.jpg", 3)
    write_face(tmp_path / "happy-open_M-AS-04.jpg", 4)
    rows = read(tmp_path).rows
    assert rows["subject_id"].tolist() == ["cafe-F-AA-01", "cafe-F-AA-02", "cafe-F-AA-03", "cafe-M-AS-04"]
    assert rows["expression"].tolist() == ["anger", "anger", "surprise", "happiness"]
    assert rows["mouth"].tolist() == ["closed", "open", "open", "open"]


def test_the_speech_corpus_of_that_name(tmp_path):
    (tmp_path / "Anger").mkdir()
    (tmp_path / "Anger" / "01-C-1-1.wav").write_bytes(b"RIFF")
    with pytest.raises(LayoutError, match="Canadian French Emotional speech"):
        read(tmp_path)


def test_another_set_of_that_name(tmp_path):
    write_face(tmp_path / "025an3.jpg", 1)
    with pytest.raises(LayoutError, match="is not CAFE"):
        read(tmp_path)
