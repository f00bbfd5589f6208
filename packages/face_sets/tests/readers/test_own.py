import pandas as pd
import pytest
from made_up import write_face, write_table
from made_up_children import write_own, write_own_table

from face_sets.readers.own import read
from face_sets.readers.reading import LayoutError


def test_a_folder_for_each_expression(tmp_path):
    write_own(tmp_path)
    reading = read(tmp_path)
    assert reading.rows.set_index("path")["expression"].to_dict() == {
        "Happy/deep/b.PNG": "happiness", "happiness/a.jpg": "happiness", "sad/c.jpg": "sadness",
    }  # fmt: skip
    assert reading.rows["subject_id"].isna().all()
    assert set(reading.rows["age_group"]) == {"unknown"}
    reasons = dict(reading.rejected.itertuples(index=False))
    assert reasons == {
        "e.jpg": "is in no folder of an expression",
        "holidays/d.jpg": "unknown label code 'holidays'",
    }


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_as_a_spreadsheet_saves_it(tmp_path, separator):
    write_own_table(tmp_path, separator)
    rows = read(tmp_path).rows.set_index("path")
    assert rows.loc["pictures/0.jpg", ["expression", "subject_id", "sex", "ethnicity", "mouth"]].tolist() == [
        "happiness", "own-anna", "female", "Latino", "open",
    ]  # fmt: skip
    assert rows.loc["pictures/1.jpg", ["expression", "age_group", "mouth"]].tolist() == [
        "anger",
        "child",
        "closed",
    ]
    assert rows.loc["pictures/2.jpg", ["age_group", "sex"]].tolist() == ["adult", "male"]
    assert len(rows) == 4


def test_rows_that_cannot_be_used_have_their_reasons(tmp_path):
    write_own_table(tmp_path)
    reading = read(tmp_path)
    reasons = {path.split("/")[-1]: reason for path, reason in reading.rejected.itertuples(index=False)}
    assert "lacks one of" in reasons["(no file named)"]
    assert reasons["x.jpg"] == reasons["passwd"] == "leads out of the folder"
    assert "not there" in reasons["absent.jpg"]
    assert "age_years" in reasons["4.jpg"]
    assert "sex" in reasons["5.jpg"]
    assert "mouth" in reasons["6.jpg"]
    assert reasons["7.jpg"] == "unknown label code 'smug'"
    assert reasons["3.jpg"] == "is listed twice"
    assert reasons["8.jpg"] == "is listed with two expressions"


def test_a_table_of_two_columns(tmp_path):
    write_face(tmp_path / "a.jpg", 1)
    write_table(tmp_path / "labels.csv", [("a.jpg", "neutral")], ("file", "expression"))
    row = read(tmp_path).rows.iloc[0]
    assert (row["expression"], row["age_group"]) == ("neutral", "unknown")
    assert pd.isna(row["subject_id"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no column file"),
        (b"file;label\na.jpg;sad\n", "no column expression"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b'file,expression\n"a.jpg,sad\n', "cannot be read|no picture"),
        (b"file,expression\n", "no picture"),
        (b"file,File,expression\n", "more than one column file"),
        (b"file,expression\na.jpg,smug\n", "no label code is known"),
    ],
)
def test_tables_that_are_none(tmp_path, content, said):
    write_face(tmp_path / "a.jpg", 1)
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(LayoutError, match=said) as error:
        read(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("age", ["1_0", "ten", "-1", "123", "inf", "nan"])
def test_an_age_that_is_no_number_rejects_its_row(tmp_path, age):
    write_face(tmp_path / "a.jpg", 1)
    write_face(tmp_path / "b.jpg", 2)
    (tmp_path / "labels.csv").write_text(f"file,expression,age_years\na.jpg,happy,{age}\nb.jpg,sad,7\n")
    reading = read(tmp_path)
    assert reading.rows["path"].tolist() == ["b.jpg"]
    assert reading.rejected["reason"].tolist() == ["age_years is not a number from 0 to 122"]


def test_a_link_that_leads_out(tmp_path):
    write_face(tmp_path / "outside.jpg", 1)
    write_face(tmp_path / "set" / "sad" / "a.jpg", 2)
    (tmp_path / "set" / "sad" / "b.jpg").symlink_to(tmp_path / "outside.jpg")
    reading = read(tmp_path / "set")
    assert reading.rows["path"].tolist() == ["sad/a.jpg"]
    assert "leads out" in reading.rejected["reason"].iloc[0]
