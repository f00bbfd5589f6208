import unicodedata

import pandas as pd
import pytest
from made_up import write_face, write_table
from made_up_children import OWN_HEADER, write_own, write_own_table

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
    assert len(rows) == 7


def test_rows_that_cannot_be_used_have_their_reasons(tmp_path):
    write_own_table(tmp_path)
    reading = read(tmp_path)
    reasons = {path.split("/")[-1]: reason for path, reason in reading.rejected.itertuples(index=False)}
    assert "lacks one of file, expression in the table (row 15" in reasons["(no file named)"]
    assert reasons["x.jpg"] == "leads out of the folder (row 14 of the table)"
    assert "leads out" in reasons["passwd"]
    assert "not there" in reasons["absent.jpg"]
    assert reasons["7.jpg"] == "unknown label code 'smug'"
    assert reasons["3.jpg"] == "is listed twice (row 16 of the table)"
    assert "is listed with two expressions" in reasons["8.jpg"]


def test_values_that_are_not_known_are_missing_and_counted(tmp_path):
    write_own_table(tmp_path)
    reading = read(tmp_path)
    rows = reading.rows.set_index("path")
    assert reading.unknown_values == {
        "age_years 'old' (first in row 6)": 1,
        "mouth 'wide' (first in row 8)": 1,
        "sex 'x' (first in row 7)": 1,
    }
    assert (
        rows.loc[["pictures/4.jpg", "pictures/5.jpg", "pictures/6.jpg"], "expression"].tolist()
        == ["fear"] * 3
    )
    assert pd.isna(rows.loc["pictures/4.jpg", "age_years"])
    assert rows.loc["pictures/4.jpg", "age_group"] == "unknown"
    assert pd.isna(rows.loc["pictures/5.jpg", "sex"])
    assert pd.isna(rows.loc["pictures/6.jpg", "mouth"])


@pytest.mark.parametrize(
    "word", ["NA", "N/A", "nan", "None", "NULL", "-", ".", "", "#N/A", "<NA>", "unknown", "?"]
)
def test_words_for_nothing_make_no_person_and_no_group(tmp_path, word):
    write_face(tmp_path / "a.jpg", 1)
    write_face(tmp_path / "b.jpg", 2)
    lines = [f"{name}.jpg,happy,{word},{word},{word},{word},{word}" for name in "ab"]
    (tmp_path / "labels.csv").write_text("\n".join([",".join(OWN_HEADER), *lines]))
    reading = read(tmp_path)
    assert len(reading.rows) == 2
    columns = ["subject_id", "age_years", "sex", "ethnicity", "mouth"]
    assert reading.rows[columns].isna().all(axis=None)
    assert reading.unknown_values == {}


def row_of(folder, name, data):
    """The first row read from a table of that name and content, with two pictures beside it."""
    write_face(folder / "a.jpg", 1)
    write_face(folder / "Zoé" / "é b.jpg", 2)
    (folder / name).write_bytes(data)
    reading = read(folder)
    assert reading.rejected.empty
    return reading.rows.iloc[0]


TABLES = {
    "trailing commas": b"file,expression,,,\na.jpg,happy,,,\n",
    "trailing commas in rows": b"file,expression\na.jpg,happy,,,\n",
    "an index column": b",file,expression\n0,a.jpg,happy\n",
    "empty rows": b"\n,,\nfile,expression,\n\na.jpg,happy,\n,,\n",
    "dot slash": b"file,expression\n./a.jpg,happy\n",
    "backslash": b"file,expression\n.\\a.jpg,happy\n",
    "another case": b"FILE,Expression\nA.JPG,HAPPY\n",
    "semicolons": b"file;expression;age_years\r\na.jpg;happy;5,5\r\n",
    "tabs": b"file\texpression\na.jpg\thappy\n",
    "bars": b"file|expression\na.jpg|happy\n",
    "sep line": b"sep=;\r\nfile;expression\r\na.jpg;happy\r\n",
    "quoted": b'"file","expression"\n"a.jpg","happy"\n',
    "a mark": b"\xef\xbb\xbffile,expression\na.jpg,happy\n",
    "a mark and semicolons": b"\xef\xbb\xbffile;expression\na.jpg;happy\n",
    "UTF-16": "file\texpression\na.jpg\thappy\n".encode("utf-16"),
    "UTF-16, large end first": b"\xfe\xff" + "file,expression\na.jpg,happy\n".encode("utf-16-be"),
    "UTF-32": "file,expression\na.jpg,happy\n".encode("utf-32"),
    "UTF-16 without a mark": "file,expression\na.jpg,happy\n".encode("utf-16-le"),
    "Windows-1252": "file,expression,ethnicity\na.jpg,happy,Québécoise\n".encode("cp1252"),
    "old Mac lines": b"file,expression\ra.jpg,happy\r",
    "spaces around": b"file , expression\n a.jpg ,  happy \n",
    "marks that are not seen": "file,expression\n\u202aa.jpg,happy\u200b\n".encode(),
    "a note of two lines": b'file,expression,note\na.jpg,happy,"one\ntwo, three"\n',
    "no end of line": b"file,expression\na.jpg,happy",
    "columns in any order": b"note,expression,size,file\nx,happy,3,a.jpg\n",
}


@pytest.mark.parametrize("case", TABLES)
@pytest.mark.parametrize("name", ["labels.csv", "labels.tsv", "labels.txt"])
def test_tables_as_spreadsheets_write_them(tmp_path, case, name):
    row = row_of(tmp_path, name, TABLES[case])
    assert (row["path"], row["expression"]) == ("a.jpg", "happiness")
    if case == "semicolons":
        assert row["age_years"] == 5.5
    if case == "Windows-1252":
        assert row["ethnicity"] == "Québécoise"


@pytest.mark.parametrize(
    ("word", "page"), [("汉族儿童", "gbk"), ("русская", "cp1251"), ("ελληνική", "cp1253")]
)
def test_the_code_page_of_another_script_is_not_read_as_western(tmp_path, word, page):
    with pytest.raises(LayoutError, match=r"labels\.csv is neither UTF-8 nor Windows-1252: save it in UTF-8"):
        row_of(tmp_path, "labels.csv", f"file,expression,ethnicity\na.jpg,happy,{word}\n".encode(page))


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("file_form", ["NFC", "NFD"])
def test_accents_taken_apart_or_not(tmp_path, form, file_form):
    name = unicodedata.normalize(file_form, "Zoé/Å b.jpg")
    write_face(tmp_path / name, 1)
    listed = unicodedata.normalize(form, "Zoé\\å b.jpg")
    (tmp_path / "labels.csv").write_text(f"file,expression\n{listed},sad\n", encoding="utf-8")
    assert read(tmp_path).rows["path"].tolist() == [name]


def test_the_table_is_found_beside_other_text(tmp_path):
    write_face(tmp_path / "a.jpg", 1)
    (tmp_path / "labels.csv").write_text("file,expression\na.jpg,happy\n")
    (tmp_path / "README.txt").write_text("my pictures, and what I know of them\n")
    (tmp_path / "norms.csv").write_bytes(b"\xff\xfe\x00")
    assert len(read(tmp_path).rows) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("file,expression,age_years,sex\na.jpg,happy,7,f\nb.jpg,sad,5,5,f\n", "row 3: it has 5 cells"),
        ('file,expression\na.jpg,happy\n"b.jpg,sad\n', "row 3: a quotation mark"),
        ('file,expression\n"a.jpg" x,happy\n', "row 2: a quotation mark"),
        (f'file,expression\na.jpg,"{"x" * 200_000}"\n', "row 2: a cell is longer"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_in_one_sentence(tmp_path, content, said):
    write_face(tmp_path / "a.jpg", 1)
    (tmp_path / "labels.csv").write_text(content)
    with pytest.raises(LayoutError, match=said) as error:
        read(tmp_path)
    assert "\n" not in str(error.value)
    assert "UTF-8" not in str(error.value)


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
        (b"file,expression\n", "no row of the table .*: it has none"),
        (b"file,expression\nb.jpg,sad\n", r"the first is listed, but not there \(row 2 of the table\)"),
        (b"file,expression\nNA,sad\n", r"the first lacks one of file, expression in the table \(row 2"),
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


@pytest.mark.parametrize(
    "age", ["1_0", "ten", "-1", "123", "inf", "5-6", "5;6", "1e1", "12.05.2020", "5 6", "5²", "5½"]
)
def test_an_age_that_is_no_number_is_missing_and_counted(tmp_path, age):
    write_face(tmp_path / "a.jpg", 1)
    write_face(tmp_path / "b.jpg", 2)
    (tmp_path / "labels.csv").write_text(
        f"file,expression,age_years\na.jpg,happy,{age}\nb.jpg,sad,7\n", encoding="utf-8"
    )
    reading = read(tmp_path)
    assert reading.rows["age_years"].isna().tolist() == [True, False]
    assert reading.unknown_values == {f"age_years {age!r} (first in row 2)": 1}


@pytest.mark.parametrize(
    ("age", "years"),
    [('"5,5"', 5.5), ("5.5", 5.5), ("٥٫٥", 5.5), ("٥", 5), ("５", 5), ("５．５", 5.5), ("５，５", 5.5),
     ("५", 5), ("5 years", 5), ("5y", 5), ("6 yrs", 6),
     ("07", 7), ("7.", 7), (".5", 0.5), ("122", 122), ("5 Years old", 5)],
)  # fmt: skip
def test_ages_as_people_write_them(tmp_path, age, years):
    write_face(tmp_path / "a.jpg", 1)
    (tmp_path / "labels.csv").write_text(f"file,expression,age_years\na.jpg,happy,{age}\n", encoding="utf-8")
    reading = read(tmp_path)
    assert reading.rows["age_years"].tolist() == [years]
    assert reading.unknown_values == {}


def test_a_link_that_leads_out(tmp_path):
    write_face(tmp_path / "outside.jpg", 1)
    write_face(tmp_path / "set" / "sad" / "a.jpg", 2)
    (tmp_path / "set" / "sad" / "b.jpg").symlink_to(tmp_path / "outside.jpg")
    reading = read(tmp_path / "set")
    assert reading.rows["path"].tolist() == ["sad/a.jpg"]
    assert "leads out" in reading.rejected["reason"].iloc[0]


@pytest.mark.parametrize("start", ["{folder}/", "{name}/", "./{name}/", "{name}\\"])
def test_paths_with_the_folders_own_place_before_them_are_found(tmp_path, start):
    """As `list.files(folder, full.names = TRUE)` of R writes them."""
    folder = tmp_path / "my faces"
    write_face(folder / "deep" / "a.jpg", 1)
    before = start.format(folder=folder, name=folder.name)
    (folder / "labels.csv").write_text(f"# made by hand\nfile,expression\n{before}deep/a.jpg,happy\n")
    assert read(folder).rows["path"].tolist() == ["deep/a.jpg"]


@pytest.mark.parametrize("word", ["(null)", "Nil", "n/d", "not applicable", "undefined", "N.A"])
def test_more_words_for_nothing(tmp_path, word):
    write_face(tmp_path / "a.jpg", 1)
    (tmp_path / "labels.csv").write_text(f"file,expression,subject,sex\na.jpg,happy,{word},{word}\n")
    reading = read(tmp_path)
    assert reading.rows[["subject_id", "sex"]].isna().all(axis=None)
    assert reading.unknown_values == {}
