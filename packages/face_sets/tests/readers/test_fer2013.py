import numpy as np
import pandas as pd
import pytest
from made_up import write_text
from made_up_layouts import FER_CODES, FER_USAGES, fer_pixels, write_fer2013

from face_sets.images import ImageError
from face_sets.manifests import load_manifest
from face_sets.readers import fer2013
from face_sets.readers.fer2013 import NO_MAJORITY, SOURCE, load, read
from face_sets.readers.reading import LayoutError


@pytest.fixture
def plain(tmp_path):
    write_fer2013(tmp_path, votes=False)
    return tmp_path


@pytest.fixture
def voted(tmp_path):
    write_fer2013(tmp_path)
    return tmp_path


def expressions(folder):
    return read(folder).rows.set_index("record")["expression"].to_dict()


def refused(folder, said):
    with pytest.raises(LayoutError, match=said) as error:
        read(folder)
    assert "\n" not in str(error.value)


def test_without_votes_the_label_is_the_owners(plain):
    codes = load_manifest("fer2013").study.codes
    assert expressions(plain) == {record: codes[str(code)] for record, code in enumerate(FER_CODES)}


def test_with_votes_the_label_is_their_majority(voted):
    assert expressions(voted) == {
        0: "anger", 1: "disgust", 2: "fear", 3: "happiness", 4: "neutral", 5: "surprise", 6: "neutral",
    }  # fmt: skip


def test_what_the_votes_leave_out_is_counted(voted):
    assert read(voted).dropped_labels == {"NF": 1, "contempt": 1, "unknown": 1, NO_MAJORITY: 2}


def test_no_face_is_counted_twice_or_lost(voted):
    reading = read(voted)
    assert len(reading.rows) + sum(reading.dropped_labels.values()) + len(reading.rejected) == len(FER_CODES)


def test_splits_names_and_unknowns(plain):
    rows = read(plain).rows
    names = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}
    assert list(rows["owner_split"]) == [names[usage] for usage in FER_USAGES]
    assert rows["face_id"].is_unique
    assert rows["source_key"].is_unique
    assert set(rows["age_group"]) == {"unknown"}
    assert rows["subject_id"].isna().all()
    assert SOURCE.aligned


@pytest.mark.parametrize(("newline", "encoding"), [("\n", "utf-8"), ("\r\n", "utf-8"), ("\n", "utf-8-sig")])
def test_pictures_load_by_their_record(tmp_path, newline, encoding):
    write_fer2013(tmp_path, newline=newline, encoding=encoding)
    for row in read(tmp_path).rows.to_dict("records"):
        pixels = load(row, tmp_path)
        assert pixels.dtype == np.uint8
        assert np.array_equal(pixels, np.repeat(fer_pixels(row["record"])[:, :, None], 3, axis=2))


def test_columns_in_another_order_and_quoted(plain):
    lines = [line.split(",") for line in (plain / "fer2013.csv").read_text().splitlines()]
    text = "".join(f' {usage}, {code}, "{pixels}"\n'.replace(', "', ',"') for code, pixels, usage in lines)
    expected = read(plain).rows
    (plain / "fer2013.csv").write_text(text.replace(' Usage, emotion,"pixels"', "Usage, emotion, pixels"))
    assert read(plain).rows.equals(expected)
    assert np.array_equal(load(expected.iloc[3].to_dict(), plain)[:, :, 0], fer_pixels(3))


def test_the_table_in_its_archives_folder(tmp_path):
    write_fer2013(tmp_path / "fer2013")
    assert set(read(tmp_path).rows["path"]) == {"fer2013/fer2013.csv"}


def test_a_table_that_grew_is_indexed_again(plain):
    row = read(plain).rows.iloc[-1].to_dict()
    load(row, plain)
    lines = (plain / "fer2013.csv").read_text().splitlines()
    (plain / "fer2013.csv").write_text("\n".join([lines[0], lines[1], *lines[1:]]) + "\n")
    assert np.array_equal(load({**row, "record": 12}, plain)[:, :, 0], fer_pixels(11))


def test_one_pass_serves_many_faces(plain, monkeypatch):
    rows = read(plain).rows.to_dict("records")
    fer2013._index.cache_clear()
    for row in rows:
        load(row, plain)
    assert fer2013._index.cache_info().misses == 1


@pytest.mark.parametrize("column", ["emotion", "pixels", "Usage"])
def test_a_missing_column_is_named(plain, column):
    path = plain / "fer2013.csv"
    path.write_text(path.read_text().replace(column, "other", 1))
    refused(plain, column)


def test_bad_rows_are_rejected_and_the_others_keep_their_place(voted):
    path = voted / "fer2013.csv"
    lines = path.read_text().splitlines()
    lines[1] = "0,1 2 3,Training"
    lines[2] = lines[2].replace(",Training", ",Somewhere")
    lines[3] = lines[3].replace(" ", " x", 1)
    lines[4] = ""
    lines[5] = "0"
    path.write_text("\n".join(lines) + "\n\n\n")
    reading = read(voted)
    assert dict(zip(reading.rejected["path"], reading.rejected["reason"], strict=True)) == {
        "fer2013.csv row 0": "does not hold 48 x 48 grey levels",
        "fer2013.csv row 2": "does not hold 48 x 48 grey levels",
        "fer2013.csv row 3": "is empty",
        "fer2013.csv row 4": "has too few fields",
    }
    assert list(reading.rows["record"]) == [1, 5, 6]
    assert pd.isna(reading.rows["owner_split"].iloc[0])
    assert reading.unknown_values == {"Usage 'Somewhere'": 1}
    assert np.array_equal(load(reading.rows.iloc[1].to_dict(), voted)[:, :, 0], fer_pixels(5))


def test_the_table_of_the_later_publication(plain):
    before = read(plain).rows
    text = (plain / "fer2013.csv").read_text()
    (plain / "fer2013.csv").unlink()
    (plain / "icml_face_data.csv").write_text(text.replace("emotion,pixels,Usage", "emotion, pixels, Usage"))
    told = ["expression", "owner_split", "record"]
    pd.testing.assert_frame_equal(read(plain).rows[told], before[told])


def test_an_unknown_code_is_rejected(plain):
    path = plain / "fer2013.csv"
    path.write_text(path.read_text().replace("\n6,", "\n7,"))
    assert list(read(plain).rejected["reason"]) == ["unknown label code '7'"]


def test_votes_of_another_table_are_refused(voted):
    path = voted / "fer2013new.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-1]) + "\n")
    refused(voted, "same 12 rows")
    path.write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    refused(voted, "same order")
    path.write_text("\n".join([*lines[:-1], lines[-1].replace("PrivateTest", "Private")]) + "\n")
    refused(voted, "same order")
    path.write_text("\n".join([*lines[:-1], lines[-1].replace("PrivateTest", "")]) + "\n")
    refused(voted, "same order")
    path.write_text(lines[0].replace("contempt", "scorn") + "\n")
    refused(voted, "contempt")


def test_votes_that_are_no_numbers_are_rejected(voted):
    path = voted / "fer2013new.csv"
    path.write_text(
        path.read_text().replace("png,0,10,0", "png,0,ten,0").replace("png,1,0,0,0,1,8", "png,1,0,0,0,-1,8")
    )
    reading = read(voted)
    assert list(reading.rejected["path"]) == ["fer2013.csv row 1", "fer2013.csv row 3"]
    assert set(reading.rejected["reason"]) == {"has votes that are no numbers"}


def test_a_line_without_end_is_refused(plain):
    with (plain / "fer2013.csv").open("a") as file:
        file.write("0," + "1 " * 100_000)
    refused(plain, "longer than any picture")


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"emotion,pixels,Usage\n", b'"emotion,pixels,Usage\n1']
)
def test_a_table_of_nothing_is_refused(tmp_path, content):
    (tmp_path / "fer2013.csv").write_bytes(content)
    refused(tmp_path, ".")


def test_other_folders_are_refused(tmp_path):
    write_text(tmp_path / "train.csv", "emotion,picture\n")
    refused(tmp_path, "is not FER-2013")


@pytest.mark.parametrize("levels", ["256", "999", "-1", "x", ""])
def test_a_picture_changed_after_reading_is_an_error(plain, levels):
    row = read(plain).rows.iloc[0].to_dict()
    path = plain / "fer2013.csv"
    lines = path.read_text().splitlines()
    first = lines[1].split(",")
    lines[1] = ",".join([first[0], f"{levels} " + first[1].split(" ", 1)[1], first[2]])
    path.write_text("\n".join(lines))
    with pytest.raises(ImageError):
        load(row, plain)
    path.unlink()
    with pytest.raises(ImageError):
        load(row, plain)


def test_a_record_beyond_the_table_is_an_error(plain):
    row = read(plain).rows.iloc[0].to_dict()
    with pytest.raises(ImageError):
        load({**row, "record": 99}, plain)
    with pytest.raises(ImageError):
        load({**row, "record": pd.NA}, plain)
