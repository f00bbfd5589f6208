import pytest
from made_up import write_face
from made_up_children import write_nimh_chefs

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
    assert reasons["Afraid_averted/DSC_4644.JPG"] == "is a second copy of M2FA_4644"
    assert row(reading, "M2FA_4644.jpg")["subject_id"] == "nimh_chefs-M2"


def test_misnamed_pictures_go_to_their_model(reading):
    shown = reading.rows[reading.rows["path"].str.contains("5449")]
    assert shown["subject_id"].tolist() == ["nimh_chefs-M6"]
    assert shown["sex"].tolist() == ["male"]
    assert "second copy" in dict(reading.rejected.itertuples(index=False))["Afraid_averted/M6FA__5449.jpg"]


def test_the_underscored_name_alone(tmp_path):
    write_face(tmp_path / "Afraid_averted" / "M6FA__5449.jpg", 1)
    assert SOURCE.read(tmp_path).rows["subject_id"].tolist() == ["nimh_chefs-M6"]


@pytest.mark.parametrize(
    ("name", "subject"),
    [("M10_FA_6823", "M10"), ("M10_4FS_6817", "M10"), ("M6_1FA_5445", "M6"), ("M3-2SA_4764", "M3"), ("F1H2A_3338", "F1")],
)  # fmt: skip
def test_names_of_many_hands(reading, name, subject):
    assert row(reading, f"{name}.jpg")["subject_id"] == f"nimh_chefs-{subject}"


def test_a_name_against_its_folder_and_an_unknown_folder(reading):
    reasons = dict(reading.rejected.itertuples(index=False))
    assert "another by its folder" in reasons["Sad_direct/F2HS_3448.jpg"]
    assert reasons["Bored_direct/F2NS_3439.jpg"] == "unknown label code 'Bored'"
    assert "not named" in reasons["F2NS_3439.jpg"]
    assert len(reasons) == 6
