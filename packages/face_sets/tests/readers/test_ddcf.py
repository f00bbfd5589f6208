import pytest
from made_up_children import write_ddcf, write_faces

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
    assert "not named" in reasons["IMG_0001.jpg"]
    assert len(reading.rejected) == 2


def test_an_age_that_no_model_has_is_missing_and_counted(reading):
    row = reading.rows[reading.rows["path"].str.contains("31yoM")].iloc[0]
    assert (row["expression"], row["age_group"]) == ("sadness", "child")
    assert reading.unknown_values == {"age_years '31'": 1}
    assert reading.rows["age_years"].isna().sum() == 1


TRUE_NAMES = {
    "Afraid/S04/S04_13yoM_Afraid_far left 1.jpg": None,
    "Afraid/S102/S102_9yoF_Afraid_front_4047.JPG": "fear",
    "Afraid/S111/S111_13yoF_Afraid_front1.JPG": "fear",
    "Afraid/S111/S111_13yoF_Afraid_far right_12.JPG": None,
    "Disgusted/S66/S66_8yoM_Disgust_left 1.jpg": "disgust",
    "Disgusted/S87/S87_9yoM_Digust_far left 1.jpg": None,
    "Disgusted/S87/S87_9yoM_Digust_front 1.jpg": "disgust",
    "Surprised/S71/S71_9yoF_Surprise_left_3039.JPG": "surprise",
    "Happy/S27/S27_9yoM_HappyTeeth_front 1.jpg": "happiness",
    "Happy/S27/S27_9yoM_HappyTeeth_far right 2.jpg": None,
    "Happy/S10/S10_9yoM_HappyTeeth_leftg_2.jpg": "happiness",
    "Happy/S11/S11_10yoM_exp_right 1.jpg": "happiness",
    "Happy/S12/S12_10yoM_front.jpg": "happiness",
    "Sad/S12/S12_10yoM_front.jpg": "sadness",
    "Sad/S13/S13_10yof_right.JPG": "sadness",
    "Sad/S13/S13_10yoF_Sad_far right.JPG": None,
    "Neutral/S14/S14_10yoM Neutral-front 3.jpg": "neutral",
    "Angry/S15/S15_8yoF_Angry.jpg": "anger",
    "40females/S69/S69_7yoF_Disgust_right_2944.JPG": "disgust",
    "40males/S86/S86_7yoM_Surprise_Front 2.jpg": "surprise",
    "40males/S86/S86_7yoM_HappyTeeth_front 2.jpg": "happiness",
    "40males/S87/S87_9yoM_Digust_right 1.jpg": "disgust",
}
"""Forms of the label table of github.com/Xavi3398/fer_benchmark and of the issue; None is a full profile."""


def test_names_as_they_are_published(tmp_path):
    write_faces(tmp_path, *TRUE_NAMES)
    reading = SOURCE.read(tmp_path)
    assert reading.rejected.empty
    assert dict(zip(reading.rows["path"], reading.rows["expression"], strict=True)) == {
        name: expression for name, expression in TRUE_NAMES.items() if expression
    }
    assert set(reading.dropped_labels) == {"angle far left", "angle far right"}
    assert set(reading.rows["sex"]) == {"female", "male"}


def test_the_folder_counts_before_the_name(tmp_path):
    write_faces(tmp_path, "Pleased/S10/S10_9yoM_Happy_front 1.jpg", "Sad/S10/S10_9yoM_Happy_left 1.jpg")
    reading = SOURCE.read(tmp_path)
    assert reading.rows["expression"].tolist() == ["sadness"]
    assert reading.dropped_labels == {"Pleased": 1}
