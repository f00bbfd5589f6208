import pytest
from made_up_children import RAFD_EXPRESSIONS, write_faces, write_rafd

from face_sets.readers.reading import LayoutError, source

SOURCE = source("rafd")


@pytest.fixture
def reading(tmp_path):
    write_rafd(tmp_path)
    return SOURCE.read(tmp_path)


def test_adults_and_children_of_one_folder_are_told_by_the_kid_token(reading):
    by_group = reading.rows.assign(group=reading.rows["path"].str.split("_").str[2])
    assert by_group.groupby("group")["age_group"].unique().map(list).to_dict() == {
        "Caucasian": ["adult"], "Moroccan": ["adult"], "Kid": ["child"],
    }  # fmt: skip


def test_kid_stands_where_the_ethnicity_would(reading):
    rows = reading.rows
    assert rows.loc[rows["age_group"] == "child", "ethnicity"].isna().all()
    assert set(rows.loc[rows["age_group"] == "adult", "ethnicity"]) == {"Caucasian", "Moroccan"}
    assert set(rows.loc[rows["age_group"] == "child", "sex"]) == {"female"}


def test_all_expressions_and_contempt_dropped(reading):
    adults = reading.rows[reading.rows["subject_id"] == "rafd-28"]
    assert len(adults) == len(RAFD_EXPRESSIONS) - 1
    assert adults["expression"].nunique() == 7
    assert reading.dropped_labels["contemptuous"] == 2


def test_cameras(reading):
    read_angles = reading.rows["path"].str.slice(4, 7)
    assert set(read_angles) == {"045", "090", "135"}
    assert {reading.dropped_labels[f"angle {angle}"] for angle in ("000", "180")} == {1}


def test_every_gaze_is_read(reading):
    assert reading.rows["path"].str.contains("_left").any()
    assert reading.rows["path"].str.contains("_right").any()


def test_what_is_rejected(reading):
    reasons = dict(reading.rejected.itertuples(index=False))
    assert "not named" in reasons["Rafd090_28_Caucasian_male_angry.jpg"]
    assert "unknown label code 'bored'" in reasons["Rafd090_28_Caucasian_male_bored_frontal.jpg"]
    assert "second copy" in reasons["copy/rafd090_28_caucasian_male_angry_frontal.JPG"]
    assert len(reasons) == 3


def test_a_group_and_a_sex_that_are_not_known_are_missing_and_counted(tmp_path):
    write_rafd(tmp_path)
    write_faces(
        tmp_path, "Rafd090_70_Asian_female_sad_frontal.jpg", "Rafd090_70_Asian_other_happy_frontal.jpg"
    )
    reading = SOURCE.read(tmp_path)
    rows = reading.rows[reading.rows["subject_id"] == "rafd-70"]
    assert rows["ethnicity"].isna().all()
    assert set(rows["age_group"]) == {"unknown"}
    assert rows["sex"].isna().sum() == 1
    assert reading.unknown_values == {"group 'asian'": 2, "sex 'other'": 1}


def test_only_profiles_is_no_set(tmp_path):
    write_rafd(tmp_path)
    for path in tmp_path.rglob("*.[jJ]*"):
        if "d000" not in path.name:
            path.unlink()
    with pytest.raises(LayoutError, match="is not RaFD"):
        SOURCE.read(tmp_path)
