import pytest
from made_up_children import write_faces, write_nimh_chefs

from face_sets.readers.reading import source

SOURCE = source("nimh_chefs")


@pytest.fixture
def reading(tmp_path):
    write_nimh_chefs(tmp_path)
    return SOURCE.read(tmp_path)


def row(reading, name):
    return reading.rows[reading.rows["path"].str.endswith(name)].iloc[0]


def test_letters_that_mean_two_things(reading):
    afraid, angry = row(reading, "F10FA_4434.jpg"), row(reading, "F10AA_4464.jpg")
    assert (afraid["expression"], afraid["sex"]) == ("fear", "female")
    assert (angry["expression"], angry["sex"]) == ("anger", "female")
    assert row(reading, "M2FA_4644.jpg")["sex"] == "male"


def test_five_expressions_and_both_gazes(reading):
    assert set(reading.rows["expression"]) == {"fear", "anger", "happiness", "neutral", "sadness"}
    assert set(reading.rows["path"].str.extract("_(direct|averted)/")[0]) == {"direct", "averted"}
    assert set(reading.rows["age_group"]) == {"child"}


def test_the_picture_that_is_there_twice(reading):
    reasons = dict(reading.rejected.itertuples(index=False))
    assert reasons["Afraid_averted/DSC_4644.JPG"] == "is a second copy of a picture"
    assert row(reading, "M2FA_4644.jpg")["subject_id"] == "nimh_chefs-M2"


def test_misnamed_pictures_go_to_their_model(reading):
    shown = reading.rows[reading.rows["path"].str.contains("5449")]
    assert shown["subject_id"].tolist() == ["nimh_chefs-M6", "nimh_chefs-M6"]
    assert set(shown["sex"]) == {"male"}


@pytest.mark.parametrize(
    ("name", "subject"),
    [("M10_FA_6823", "M10"), ("M10_4FS_6817", "M10"), ("M6_1FA_5445", "M6"), ("M3-2SA_4764", "M3"), ("F1H2A_3338", "F1")],
)  # fmt: skip
def test_names_of_many_hands(reading, name, subject):
    assert row(reading, f"{name}.jpg")["subject_id"] == f"nimh_chefs-{subject}"


def test_the_folder_counts_before_the_letter_and_the_letter_alone(reading):
    assert row(reading, "Sad_direct/F2HS_3448.jpg")["expression"] == "sadness"
    assert row(reading, "Bored_direct/F2NS_3439.jpg")["expression"] == "neutral"
    assert len(reading.rejected) == 2  # and a second copy of that


TRUE_NAMES = {
    "Afraid_averted/F38FA_9386.jpg": "F38", "Angry_direct/F6_1_AS_3929.jpg": "F6", "Happy_averted/F38HA_1_9330.jpg": "F38",
    "Happy_averted/F38HA_2_9329.jpg": "F38", "Happy_averted/F1H1A_3424.jpg": "F1", "Happy_averted/F1HA_3424.jpg": "F1",
    "Angry_averted/M10_AA_6847.jpg": "M10", "Sad_averted/M3-2SA_4764.jpg": "M3", "Sad_averted/M3SA_4764.jpg": "M3",
    "Afraid_averted/F6_2FA_5449.jpg": "M6", "Afraid_averted/M6FA__5449.jpg": "M6", "Afraid_averted/DSC_4644.JPG": "M2",
    "Neutral_direct/M13NS_6118.jpg": "M13", "Happy_direct/F9HS_4187.jpg": "F9",
}  # fmt: skip
"""From the list of github.com/Xavi3398/fer_benchmark and, before its corrections, its first notebook."""


def test_names_as_they_are_published(tmp_path):
    write_faces(tmp_path, *TRUE_NAMES)
    reading = SOURCE.read(tmp_path)
    assert reading.rejected.empty
    said = dict(zip(reading.rows["path"], reading.rows["subject_id"], strict=True))
    assert said == {path: f"nimh_chefs-{subject}" for path, subject in TRUE_NAMES.items()}
    folders = reading.rows["path"].str.split("_").str[0]
    assert reading.rows["expression"].groupby(folders).unique().map(list).to_dict() == {
        "Afraid": ["fear"], "Angry": ["anger"], "Happy": ["happiness"], "Neutral": ["neutral"], "Sad": ["sadness"],
    }  # fmt: skip
