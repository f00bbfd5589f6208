import os
import random
from contextlib import suppress

import pandas as pd
import pytest
from made_up import write_face, write_text
from made_up_layouts import LAYOUTS

from face_sets.expressions import EXPRESSIONS
from face_sets.images import ImageError
from face_sets.readers.label_tables import read_label_table
from face_sets.readers.layouts import (
    check_size,
    list_files,
    make_reading,
    read_lines,
    whole_code,
)
from face_sets.readers.reading import ROW_COLUMNS, LayoutError, source


@pytest.fixture(scope="module", params=sorted(LAYOUTS))
def made(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    LAYOUTS[request.param](folder)
    return source(request.param), folder


def test_every_reading_keeps_the_contract(made):
    source, folder = made
    reading = source.read(folder)
    rows = reading.rows
    assert {name: str(kind) for name, kind in rows.dtypes.items()} == ROW_COLUMNS
    assert list(reading.rejected.columns) == ["path", "reason"]
    assert set(rows["dataset"]) == {source.name}
    assert set(rows["expression"]) <= set(EXPRESSIONS)
    assert set(rows["age_group"]) <= {"child", "adult", "unknown"}
    assert set(rows["sex"].dropna()) <= {"female", "male"}
    assert set(rows["owner_split"].dropna()) <= {"train", "validation", "test"}
    assert rows["face_id"].is_unique
    assert rows["face_id"].str.fullmatch(rf"{source.name}-[0-9a-f]{{12}}").all()
    assert rows[["face_id", "path", "source_key"]].notna().all(axis=None)
    assert reading.rejected["reason"].notna().all()
    assert all(count > 0 for count in reading.dropped_labels.values())


def test_every_row_loads_and_lies_in_the_folder(made):
    source, folder = made
    for row in source.read(folder).rows.to_dict("records"):
        assert (folder / row["path"]).resolve().is_relative_to(folder.resolve())
        assert source.load(row, folder).shape[2] == 3


def test_reading_twice_gives_the_same(made):
    source, folder = made
    one, two = source.read(folder), source.read(folder)
    pd.testing.assert_frame_equal(one.rows, two.rows)
    pd.testing.assert_frame_equal(one.rejected, two.rejected)


def test_nothing_in_the_folder_is_changed(made):
    source, folder = made
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    source.read(folder)
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == before


def damaged(data, chance):
    """Bytes of a table, hurt in one of the ways that downloads, editors and enemies have."""
    place = chance.randrange(len(data) + 1)
    other = chance.randrange(len(data) + 1)
    return chance.choice(
        [
            data[:place],
            data[:place] + chance.randbytes(chance.randrange(1, 9)) + data[place:],
            data[:place] + data[max(place, other) :],
            data[:place] + b"../" * chance.randrange(1, 5) + data[place:],
            data[:place]
            + chance.choice([b'"', b"\0", b",", b"\r", b"\n", b" ", b"nan", b"1e999"])
            + data[place:],
            data * chance.randrange(2, 4),
            data.replace(chance.choice([b",", b" ", b"\n"]), chance.choice([b";", b"", b"\t", b"\n\n"])),
            chance.randbytes(place % 200),
        ]
    )


def is_table(path):
    return path.suffix in {".csv", ".txt", ".lst", ".npy"}


def sentence_or_rows(source, folder):
    try:
        return source.read(folder).rows
    except LayoutError as error:
        return str(error)


@pytest.mark.timeout(120)
def test_damaged_tables_give_a_reading_or_one_sentence(made, tmp_path):
    source = made[0]
    LAYOUTS[source.name](tmp_path)
    tables = sorted(path for path in tmp_path.rglob("*") if is_table(path))
    chance = random.Random(source.name)
    for _ in range(60 if tables else 5):  # where a set has no table, whatever is in one is not read
        path = chance.choice(tables or [tmp_path / "new.csv"])
        kept = path.read_bytes() if path.exists() else b"a,b\n1,2\n"
        path.write_bytes(damaged(kept, chance))
        outcome = sentence_or_rows(source, tmp_path)
        if isinstance(outcome, str):
            assert "\n" not in outcome
        else:
            assert not outcome["path"].str.contains(r"\.\.").any()
            for row in outcome.head(3).to_dict("records"):
                with suppress(ImageError):  # a record may now stand elsewhere
                    source.load(row, tmp_path)
        path.write_bytes(kept)


def test_files_in_order_hidden_ones_left_out(tmp_path):
    for name in ("b/two.JPG", "a/one.png", "b/notes.txt", ".hidden/x.jpg", "b/._two.JPG"):
        write_text(tmp_path / name, "x")
    files = list_files(tmp_path)
    assert files.usable == ("a/one.png", "b/notes.txt", "b/two.JPG")
    assert files.pictures == ("a/one.png", "b/two.JPG")
    assert files.ending("two.JPG") == "b/two.JPG"
    assert files.ending("wo.JPG") is None


def test_links_pipes_and_odd_names_are_rejected(tmp_path, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    write_face(outside / "secret.jpg", 1)
    good = write_face(tmp_path / "good.jpg", 1)
    (tmp_path / "file.jpg").symlink_to(outside / "secret.jpg")
    (tmp_path / "folder").symlink_to(outside)
    (tmp_path / "up").symlink_to("..")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "nowhere.jpg").symlink_to(tmp_path / "gone.jpg")
    (tmp_path / "inside.jpg").symlink_to(good)
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / os.fsdecode(b"odd\xff.jpg")).write_bytes(b"x")
    files = list_files(tmp_path)
    assert files.usable == ("good.jpg", "inside.jpg")
    leads, plain = "is a link that leads out of the folder", "is not a plain file"
    assert dict(files.rejected) == {
        "file.jpg": leads, "folder": leads, "up": leads, "loop": plain, "nowhere.jpg": plain, "pipe.csv": plain,
        "odd?.jpg": "has a name that is not UTF-8: rename it",
    }  # fmt: skip
    assert files.problem("folder/secret.jpg") == leads


def test_a_folder_that_is_itself_a_link_is_read(tmp_path):
    write_face(tmp_path / "real" / "a.jpg", 1)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert list_files(tmp_path / "link").usable == ("a.jpg",)


@pytest.mark.parametrize("path", ["../a.jpg", "b/../../a.jpg", "/a.jpg", "C:/a.jpg", "", "/", ".."])
def test_paths_that_lead_out(tmp_path, path):
    write_text(tmp_path / "a.jpg", "x")
    assert list_files(tmp_path).problem(path) == "leads out of the folder"


def test_paths_that_stay(tmp_path):
    write_text(tmp_path / "b/a.jpg", "x")
    files = list_files(tmp_path)
    assert files.problem("b/a.jpg") is None
    assert files.problem("b/c.jpg") == "is listed, but not there"


def test_tables_are_text(tmp_path):
    write_text(tmp_path / "t.csv", " a , b,c\n01,NA,x\n,2,y\n")
    table = read_label_table(tmp_path / "t.csv", ("b", "a"))
    assert table.values.tolist() == [[pd.NA, "01"], ["2", pd.NA]]
    assert table.index.tolist() == [2, 3]  # the rows' numbers
    assert list(map(str, table.dtypes)) == ["string", "string"]


def test_rows_longer_than_the_header_do_not_shift(tmp_path):
    write_text(tmp_path / "t.csv", "a,b\n1,2,,\n4,5,6\n")
    with pytest.raises(LayoutError, match="row 3: it has 3 cells and the first line names 2 columns"):
        read_label_table(tmp_path / "t.csv", ("a", "b"))


def test_tables_that_are_too_large_are_not_opened(tmp_path):
    path = tmp_path / "t.csv"
    with path.open("wb") as file:
        file.truncate(2**30 + 1)  # a hole: it takes no room on the disk
    for reader in (check_size, read_lines, lambda p: read_label_table(p, ("a",))):
        with pytest.raises(LayoutError, match="more than 1,073,741,824 bytes"):
            reader(path)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("3", "3"),
        (" 3.0", "3"),
        ("3.0000000e+00", "3"),
        ("3.5", "3.5"),
        ("-2", "-2"),
        ("x ", "x"),
        ("nan", "nan"),
    ],
)
def test_codes_as_manifests_write_them(text, code):
    assert whole_code(text) == code


def test_unknown_codes_are_rejected_and_dropped_ones_counted():
    found = pd.DataFrame({"code": ["a", "b", "c", pd.NA], "path": ["1", "2", "3", "4"]}, dtype="string")
    found["age_group"] = "adult"
    reading = make_reading("jaffe", found, [("9", "bad")], {"side": 2}, {"a": "fear", "b": None})
    assert list(reading.rows["expression"]) == ["fear"]
    assert reading.dropped_labels == {"b": 1, "side": 2}
    assert list(reading.rejected["path"]) == ["3", "4", "9"]


def test_a_age_group_that_the_manifest_does_not_declare_is_refused():
    found = pd.DataFrame({"path": ["1"], "code": ["AN"], "age_group": ["child"]})
    with pytest.raises(LayoutError, match="age_group child were read, but its manifest declares adult"):
        make_reading("jaffe", found, [])


def test_nothing_known_is_refused():
    found = pd.DataFrame({"code": ["x"], "path": ["1"]}, dtype="string")
    with pytest.raises(LayoutError, match="no label code is known"):
        make_reading("jaffe", found, [])
    with pytest.raises(LayoutError, match="no labelled picture"):
        make_reading("jaffe", found[:0], [])


@pytest.mark.parametrize(
    ("name", "pictures", "expressions"),
    [
        ("kdef", ["AF01ANS - Copy.JPG", "AF02HAS (1).JPG", "AF03SAS copy 2.JPG", "AF04SUS(3).JPG"], "ahss"),
        ("jaffe", ["KA.AN1.39 (1).tiff", "KA-HA3-42.tiff", "KA_SA1_33 copy.png"], "ahs"),
        ("nimh_chefs", ["Happy_direct/F10HS_44(1).jpg", "Happy_direct/F11HS_45 copy.jpg"], "hh"),
        (
            "ddcf",
            [
                "S07_8yoM_Fear_front_1.jpg",
                "S08_8yoM_Happiness_front_1.jpg",
                "S09_8yoM_Sadness_left_1 - Copy.jpg",
            ],
            "fhs",
        ),
        (
            "rafd",
            ["Rafd090_01_Caucasian_female_anger_frontal.jpg", "Rafd090_02_Kid_male_happiness_left (2).jpg"],
            "ah",
        ),
    ],
)
def test_copies_and_other_words_for_expressions_are_read(tmp_path, name, pictures, expressions):
    for seed, picture in enumerate(pictures):
        write_face(tmp_path / picture, seed, 64)
    reading = source(name).read(tmp_path)
    assert reading.rejected.empty
    assert "".join(sorted(e[0] for e in reading.rows["expression"])) == expressions
