import pytest
from made_up import picture, write_face, write_table
from made_up_layouts import EXPW_LINES, write_expw

from face_sets.detection import FaceDetector
from face_sets.readers.expw import SOURCE, read
from face_sets.readers.reading import LayoutError

LIST = "data/label/label.lst"


@pytest.fixture
def expw(tmp_path):
    write_expw(tmp_path)
    return tmp_path


def test_top_comes_before_left(expw):
    row = read(expw).rows.set_index("path").loc["data/image/origin/angry_actor_1.jpg"]
    assert (row["left"], row["top"], row["right"], row["bottom"]) == (40, 5, 90, 60)


def test_the_box_holds_the_face(expw):
    """The made-up face stands in the middle of 160 x 72 pixels, where a box read as left, top would not be."""
    row = read(expw).rows.set_index("path").loc["data/image/origin/angry_actor_1.jpg"]
    found = FaceDetector().detect(picture(0, (160, 72)))[0]
    assert row["left"] < found.centre[0] < row["right"]
    assert row["top"] < found.centre[1] < row["bottom"]


def test_faces_of_one_picture_are_rows_of_their_own(expw):
    rows = read(expw).rows
    pair = rows[rows["path"].str.endswith("happy_pair_2.jpg")]
    assert list(pair["expression"]) == ["happiness", "neutral"]
    assert list(pair["left"]) == [20, 90]
    assert pair["source_key"].nunique() == 1
    assert rows["face_id"].is_unique


def test_a_name_with_a_space(expw):
    assert "data/image/origin/two words 3.jpg" in set(read(expw).rows["path"])


def test_each_unusable_row_has_its_reason(expw):
    place = "data/image/origin/"
    assert dict(read(expw).rejected.itertuples(index=False)) == {
        f"{place}happy_pair_2.jpg face 1": "is a repeated row of a face",
        f"{place}fear_4.jpg face 0": "has two rows for one face, which differ",
        f"{place}flat_5.jpg face 0": "has a face box without area: is the order top, left, right, bottom?",
        f"{place}absent_6.jpg face 0": "is listed, but not there",
        f"{place}../outside_7.jpg face 0": "leads out of the folder",
    }


def test_a_file_outside_is_never_a_row(expw):
    write_face(expw / "data" / "image" / "outside_7.jpg", 7)
    assert not read(expw).rows["path"].str.contains("outside").any()


def test_ages_and_people_are_unknown(expw):
    rows = read(expw).rows
    assert set(rows["age_group"]) == {"unknown"}
    assert rows["subject_id"].isna().all()
    assert set(rows["domain"]) == {"wild"}


def test_the_table_at_the_root(expw):
    expected = read(expw).rows["expression"]
    (expw / LIST).rename(expw / "label.lst")
    (expw / "data/image/origin").rename(expw / "origin")
    assert read(expw).rows["expression"].equals(expected)


@pytest.mark.parametrize(("newline", "encoding"), [("\r\n", "utf-8"), ("\n", "utf-8-sig")])
def test_line_ends_and_marks(expw, newline, encoding):
    expected = read(expw).rows
    write_table(expw / LIST, EXPW_LINES, separator=" ", newline=newline, encoding=encoding)
    assert read(expw).rows.equals(expected)


@pytest.mark.parametrize(
    "line", ["angry_actor_1.jpg 0 5 40 90 60 99.1", "angry_actor_1.jpg 0 a b c d 99.1 0", "x", "1 2 3"]
)
def test_lines_of_another_shape_are_rejected(expw, line):
    with (expw / LIST).open("a") as file:
        file.write(line + "\n")
    reading = read(expw)
    assert f"label.lst line {len(EXPW_LINES) + 1}" in set(reading.rejected["path"])
    assert len(reading.rows) == 4


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999"])
def test_boxes_that_are_no_numbers_are_rejected(expw, value):
    write_table(expw / LIST, [EXPW_LINES[1], ("angry_actor_1.jpg", 0, 5, value, 90, 60, 9, 0)], separator=" ")
    assert read(expw).rejected["reason"].str.startswith("has a face box without area").all()


def test_an_unknown_code_is_rejected(expw):
    write_table(expw / LIST, [EXPW_LINES[1], ("angry_actor_1.jpg", 0, 5, 40, 90, 60, 9, 7)], separator=" ")
    assert list(read(expw).rejected["reason"]) == ["unknown label code '7'"]


def test_other_folders_are_refused(expw, tmp_path_factory):
    with pytest.raises(LayoutError, match="is not ExpW"):
        read(tmp_path_factory.mktemp("empty"))
    (expw / "data/image/origin").rename(expw / "data/image/pictures")
    with pytest.raises(LayoutError, match="no pictures in a folder origin"):
        read(expw)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01", b"\x00" * 100, b"nothing here\n"])
def test_a_damaged_table_is_refused(expw, content):
    (expw / LIST).write_bytes(content)
    with pytest.raises(LayoutError) as error:
        read(expw)
    assert "\n" not in str(error.value)


def test_pictures_load(expw):
    row = read(expw).rows.iloc[0].to_dict()
    assert SOURCE.load(row, expw).shape == (72, 160, 3)


def test_a_header_that_some_copies_have_is_no_face(expw):
    path = expw / LIST
    header = "image_name face_id_in_image face_box_top face_box_left face_box_right face_box_bottom"
    before = read(expw)
    path.write_text(f"{header} face_box_confidence expression_label\n{path.read_text()}")
    after = read(expw)
    assert len(after.rows) == len(before.rows)
    assert len(after.rejected) == len(before.rejected)
