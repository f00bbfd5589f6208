import pytest
from made_up import write_face, write_text
from made_up_layouts import write_kdef

from face_sets.readers.file_names import KDEF, KDEF_UNUSABLE
from face_sets.readers.reading import LayoutError, source

SOURCE = source("kdef")


@pytest.fixture
def kdef(tmp_path):
    write_kdef(tmp_path)
    return tmp_path


def by_name(folder):
    rows = SOURCE.read(folder).rows
    return rows.assign(name=rows["path"].str.split("/").str[-1].str[:-4]).set_index("name")


def test_af_is_read_by_its_place(kdef):
    rows = by_name(kdef)
    assert rows.loc["AF01AFS", "expression"] == "fear"
    assert rows.loc["AF01ANS", "expression"] == "anger"
    assert rows.loc["AM01AFS", "expression"] == "fear"
    assert rows.loc["BF01SUS", "expression"] == "surprise"
    assert (rows["expression"] == "fear").sum() == 5


def test_both_series_show_one_person_and_numbers_restart_by_sex(kdef):
    rows = by_name(kdef)
    assert rows.loc["AF01ANS", "subject_id"] == rows.loc["BF01ANS", "subject_id"] == "kdef-F01"
    assert rows.loc["AM01ANS", "subject_id"] == "kdef-M01"
    assert rows.loc["AM01ANS", "sex"] == "male"
    assert set(rows["subject_id"]) == {"kdef-F01", "kdef-M01", "kdef-F31"}


def test_half_profiles_are_read_and_full_ones_counted(kdef):
    reading = SOURCE.read(kdef)
    assert {"AF01AFHL", "AF01AFHR"} <= set(by_name(kdef).index)
    assert reading.dropped_labels == {"angle FL": 1, "angle FR": 1}
    assert set(KDEF.angles) == {"S", "HL", "HR"}


def test_known_bad_files_are_rejected_each_with_its_reason(kdef):
    said = {p.split("/")[-1]: r for p, r in SOURCE.read(kdef).rejected.itertuples(index=False)}
    assert said == {
        "BM17NES.JPG": "is known to be washed out",
        "AM02HAFR.JPG": "is known to be damaged",
        "AF11NEHL.JPG": "is known to be black",
        "AF40ANS.JPG": "is not named as the set's pictures are: AF01ANS.JPG",
        "af01ans.jpg": "is a second copy of a picture",
    }


def test_the_list_of_bad_files_is_whole():
    assert len(KDEF_UNUSABLE) == 13


def test_the_two_misnamed_pictures_are_read_by_their_right_names(kdef):
    write_face(kdef / "AM31" / "AM31H.JPG", 31)
    rows = by_name(kdef)
    assert rows.loc["AF31V", ["expression", "subject_id"]].tolist() == ["sadness", "kdef-F31"]
    assert rows.loc["AM31H", ["expression", "subject_id"]].tolist() == ["surprise", "kdef-M31"]
    write_face(kdef / "AM31" / "AM31SUHR.JPG", 31)
    assert "AM31H" not in by_name(kdef).index
    assert dict(SOURCE.read(kdef).rejected.itertuples(index=False))["AM31/AM31H.JPG"].startswith(
        "is a second"
    )


@pytest.mark.parametrize("name", sorted(KDEF_UNUSABLE))
def test_each_bad_file_is_rejected(kdef, name):
    write_face(kdef / "more" / f"{name}.JPG", 3)
    assert f"more/{name}.JPG" in set(SOURCE.read(kdef).rejected["path"])


def test_adults_of_the_laboratory(kdef):
    rows = SOURCE.read(kdef).rows
    assert set(rows["age_group"]) == {"adult"}
    assert set(rows["domain"]) == {"lab"}
    assert rows["age_years"].isna().all()
    assert rows["face_id"].is_unique
    assert not rows["face_id"].str.contains("AF").any()


@pytest.mark.parametrize("name", ["CF01ANS", "AX01ANS", "AF00ANS", "AF1ANS", "AF01ANV", "AF01AN", "notes"])
def test_other_names_are_rejected(kdef, name):
    write_face(kdef / f"{name}.jpg", 3)
    assert f"{name}.jpg" in set(SOURCE.read(kdef).rejected["path"])


def test_an_unknown_expression_is_rejected(kdef):
    write_face(kdef / "AF02XXS.jpg", 3)
    said = dict(SOURCE.read(kdef).rejected.itertuples(index=False))
    assert said["AF02XXS.jpg"] == "unknown label code 'XX'"


def test_what_is_no_picture_is_passed_over(kdef):
    before = SOURCE.read(kdef)
    write_text(kdef / "AF01" / "Thumbs.db", "x")
    write_text(kdef / "AF01" / ".DS_Store", "x")
    write_text(kdef / "AF01" / "._AF01ANS.JPG", "x")
    assert SOURCE.read(kdef).rejected.equals(before.rejected)


def test_pictures_load(kdef):
    assert SOURCE.load(SOURCE.read(kdef).rows.iloc[0].to_dict(), kdef).shape == (76, 56, 3)


def test_other_folders_are_refused(tmp_path):
    write_face(tmp_path / "holiday.jpg", 1)
    with pytest.raises(LayoutError, match="is not KDEF"):
        SOURCE.read(tmp_path)
