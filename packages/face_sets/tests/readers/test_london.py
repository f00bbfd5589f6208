import cv2
import numpy as np
import pandas as pd
import pytest
from made_up_london import write_canada

from face_sets.images import encode_jpeg
from face_sets.readers.london import CANADA, SOURCES, UNDER_AGE, LayoutError, read

INFO = "face_id,face_age,face_sex,face_eth\nX001,24,female,white\nX036,21,male,east_asian/white\nX135,NA,female,west_asian\n"
EXTRACT = (
    "file,subject_id,expression,age_years,sex,ethnicity\n"
    "photos/001_neutral.jpg,london-001,neutral,24,female,white\n"
    "photos/001_happiness.jpg,london-001,happiness,24,female,white\n"
    "photos/135_neutral.jpg,london-135,neutral,NA,female,west_asian\n"
)


def photograph(path):
    image = np.full((60, 60, 3), 230, np.uint8)
    cv2.circle(image, (30, 30), 20, (180, 140, 120), -1)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(encode_jpeg(image, 90))


@pytest.fixture
def published(tmp_path):
    (tmp_path / "london_faces_info.csv").write_text(INFO)
    for number in ("001", "036", "135"):
        photograph(tmp_path / "neutral_front" / f"{number}_03.jpg")
        photograph(tmp_path / "smiling_front" / f"{number}_08.jpg")
        (tmp_path / "neutral_front" / f"{number}_03.tem").write_text("189\n")
    (tmp_path / "neutral_front" / ".DS_Store").write_bytes(b"\0")
    photograph(tmp_path / "neutral_front" / "001_08.jpg")  # a smile astray among the neutral faces
    return tmp_path


@pytest.fixture
def extract(tmp_path):
    (tmp_path / "faces.csv").write_text(EXTRACT)
    for name in ("001_neutral", "001_happiness", "135_neutral"):
        photograph(tmp_path / "photos" / f"{name}.jpg")
    return tmp_path


def rows_of(folder):
    """The rows by person and expression."""
    rows = read(folder).rows
    return rows.set_index(rows["subject_id"] + "-" + rows["expression"])


def test_the_published_layout(published):
    rows = rows_of(published)
    assert len(rows) == 6
    assert rows.loc["london-036-happiness", "path"] == "smiling_front/036_08.jpg"
    assert rows.loc["london-036-happiness", "ethnicity"] == "east_asian/white"
    assert rows["expression"].value_counts().to_dict() == {"neutral": 3, "happiness": 3}
    assert rows["subject_id"].nunique() == 3
    assert rows["face_id"].str.fullmatch("london-[0-9a-f]{12}").all()


def test_age_decides_the_age_group(published):
    rows = rows_of(published)
    assert rows.loc["london-001-neutral", "age_group"] == "adult"
    assert rows.loc["london-135-neutral", "age_group"] == "unknown"
    assert pd.isna(rows.loc["london-135-neutral", "age_years"])


def test_both_layouts_give_the_same_rows(published, tmp_path_factory):
    other = tmp_path_factory.mktemp("extract")
    (other / "faces.csv").write_text(EXTRACT)
    for name in ("001_neutral", "001_happiness", "135_neutral"):
        photograph(other / "photos" / f"{name}.jpg")
    one = rows_of(published).drop(columns=["face_id", "path", "source_key"])
    two = rows_of(other).drop(columns=["face_id", "path", "source_key"])
    pd.testing.assert_frame_equal(one.loc[two.index], two, check_dtype=False)


def test_the_later_names_of_the_table(published):
    later = INFO.replace("X", "").replace("face_sex", "face_gender")
    before = read(published).rows
    (published / "london_faces_info.csv").write_text(later, encoding="utf-8-sig")
    pd.testing.assert_frame_equal(read(published).rows, before)


def test_a_person_without_a_row_is_of_unknown_age(published):
    photograph(published / "neutral_front" / "999_03.jpg")
    row = rows_of(published).loc["london-999-neutral"]
    assert row["age_group"] == "unknown"
    assert row["subject_id"] == "london-999"


def refused(folder, said):
    with pytest.raises(LayoutError, match=said) as error:
        read(folder)
    assert "\n" not in str(error.value)


def test_other_layouts_are_refused(tmp_path, published):
    refused(tmp_path / "nowhere", "is not a folder")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "is not the London Set")
    (published / "smiling_front").rename(published / "smiling")
    refused(published, "no photographs in a folder smiling_front")


def test_empty_folders_are_refused(tmp_path):
    (tmp_path / "london_faces_info.csv").write_text(INFO)
    for name in ("neutral_front", "smiling_front"):
        (tmp_path / name).mkdir()
    refused(tmp_path, "no photographs")


@pytest.mark.parametrize("column", ["face_id", "face_age", "face_sex"])
def test_a_missing_column_is_named(published, column):
    (published / "london_faces_info.csv").write_text(INFO.replace(column, "other"))
    refused(published, column)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01\xff", b'face_id,face_age\n"a,b\n1,2\n'])
def test_a_damaged_table_is_refused(published, content):
    (published / "london_faces_info.csv").write_bytes(content)
    refused(published, "london_faces_info.csv")


def test_a_missing_table_is_refused(published):
    (published / "london_faces_info.csv").unlink()
    refused(published, "is missing")


def test_a_person_named_twice_and_a_sex_that_is_neither_are_missing_and_counted(published):
    info = INFO.replace("X036,21,male", "X036,21,x") + "X001,25,male,white\n"
    (published / "london_faces_info.csv").write_text(info)
    reading = read(published)
    rows = reading.rows.drop_duplicates("subject_id").set_index("subject_id")
    assert rows.loc["london-001", ["age_years", "sex"]].isna().all()
    assert pd.isna(rows.loc["london-036", "sex"])
    assert rows.loc["london-036", "age_years"] == 21
    assert reading.unknown_values == {"face_id '001'": 2, "sex 'x'": 2}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",neutral,24", ",calm,24", "unknown label code 'calm'"),
        (",neutral,24", ",,24", "lacks one of file, subject_id, expression (row 2 of the table)"),
        ("photos/001_neutral.jpg", "../secret.jpg", "leads out of the folder (row 2 of the table)"),
        ("photos/001_neutral.jpg", "/etc/secret.jpg", "leads out of the folder (row 2 of the table)"),
        ("photos/001_neutral.jpg", "photos/absent.jpg", "is listed, but not there (row 2 of the table)"),
    ],
)
def test_a_wrong_row_of_an_extract_is_rejected_with_its_reason(extract, old, new, said):
    (extract / "faces.csv").write_text(EXTRACT.replace(old, new))
    reading = read(extract)
    assert reading.rejected["reason"].tolist() == [said]
    assert len(reading.rows) == 2


def test_an_extract_without_a_column_is_refused(extract):
    (extract / "faces.csv").write_text(EXTRACT.replace("age_years", "age"))
    refused(extract, "age_years")


def test_a_clone_of_the_repository_holds_both_sets(tmp_path):
    write_canada(tmp_path)
    rows = rows_of(tmp_path)
    assert len(rows) == 6
    assert rows.loc["london-001-happiness", "path"] == "inst/smiling_front/001_08.jpg"
    assert rows.loc["london-036-neutral", ["age_years", "sex", "ethnicity"]].tolist() == [
        21,
        "male",
        "east_asian",
    ]
    sister = SOURCES["canada"].read(tmp_path)
    assert sister.rows["subject_id"].tolist() == ["canada-003f", "canada-095m"]
    assert set(sister.rows["expression"]) == {"neutral"}
    assert sister.rows["sex"].tolist() == ["female", "male"]
    assert sister.rows["age_years"].tolist() == [19, 21]


def test_people_under_18_are_left_out_and_counted(tmp_path):
    write_canada(tmp_path)
    sister = read(tmp_path, CANADA)
    assert sister.dropped_labels == {UNDER_AGE: 1}
    assert not sister.rows["path"].str.contains("044f").any()


def test_an_extract_of_the_sister_set_says_no_expression(tmp_path):
    photograph(tmp_path / "canada" / "003f.jpg")
    (tmp_path / "canada.csv").write_text(
        "file,subject_id,age_years,sex\ncanada/003f.jpg,canada-003f,19,female\n"
    )
    row = read(tmp_path, CANADA).rows.iloc[0]
    assert (row["subject_id"], row["expression"], row["age_group"]) == ("canada-003f", "neutral", "adult")
