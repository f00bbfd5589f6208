import pytest
from made_up_children import write_ddcf

from face_sets.readers.reading import source

SOURCE = source("ddcf")


@pytest.fixture
def reading(tmp_path):
    write_ddcf(tmp_path)
    return SOURCE.read(tmp_path)


def paths(reading):
    return "\n".join(reading.rows["path"])


def test_age_and_sex_of_the_name(reading):
    rows = reading.rows.set_index("subject_id")
    assert set(rows.loc["ddcf-S105", "age_years"]) == {9}
    assert set(rows.loc["ddcf-S004", "sex"]) == {"male"}
    assert set(rows["age_group"]) == {"child"}


def test_spaces_suffixes_and_capitals(reading):
    assert "S04_13yoM_Afraid_Front 1.jpg" in paths(reading)
    assert "S111_13yoF_Afraid_front1.JPG" in paths(reading)
    assert "S04_13yoM_happy_left 2.jpg" in paths(reading)


def test_pleased_is_dropped_and_all_seven_are_there(reading):
    assert reading.dropped_labels["Pleased"] == 1
    assert reading.rows["expression"].nunique() == 7
    assert "Pleased" not in paths(reading)


def test_far_angles_and_edited_folders_are_left_out(reading):
    assert reading.dropped_labels["angle far left"] == 2
    assert reading.dropped_labels["angle far right"] == 1
    assert reading.dropped_labels["edited"] == 2
    assert "far" not in paths(reading)
    assert "dited" not in paths(reading)


def test_what_is_rejected(reading):
    reasons = {path.split("/")[-1]: reason for path, reason in reading.rejected.itertuples(index=False)}
    assert "second copy" in reasons["S105_9yoF_Afraid_front_4160.JPG"]
    assert "not named" in reasons["S04_31yoM_Sad_front 1.jpg"]  # no model is 31
    assert "not named" in reasons["IMG_0001.jpg"]
    assert len(reading.rejected) == 3
