import bz2
import gzip
import io
import lzma
import os
import stat
import struct
import tarfile
import zipfile
import zlib

import numpy as np
import py7zr
import pytest

from face_sets import archives
from face_sets.archives import ArchiveError, code_page, unpack

FILES = {
    "set/a.jpg": b"one",
    "set/deep/b c.JPG": b"two" * 200_000,
    "set/empty.txt": b"",
    "even.bin": b"x" * 1024,
}


def make_zip(path, files=FILES, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def make_tar(path, files=FILES, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            add(archive, name, data)
    return path


def make_seven(path, files=FILES, **options):
    with py7zr.SevenZipFile(path, "w", **options) as archive:
        for name, data in files.items():
            archive.writestr(data, name)
    return path


def make_raw(path, names, kind):
    """An archive with names as bytes, as programs write them that know nothing of UTF-8."""
    if kind == "tar":
        with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
            for name in names:
                add(archive, name.decode("utf-8", "surrogateescape"), b"1")
        return path
    stands = [f"{number:04}".encode().ljust(len(name), b"x") for number, name in enumerate(names)]
    with zipfile.ZipFile(path, "w") as archive:
        for stand in stands:
            archive.writestr(stand.decode(), b"1")
    data = path.read_bytes()
    for stand, name in zip(stands, names, strict=True):
        data = data.replace(stand, name)
    path.write_bytes(data)
    return path


def split(archive, size, digits=3):
    """Cut an archive into parts as 7-Zip does; return the first."""
    data = archive.read_bytes()
    for number, start in enumerate(range(0, len(data), size), start=1):
        archive.with_name(f"{archive.name}.{number:0{digits}}").write_bytes(data[start : start + size])
    archive.unlink()
    return archive.with_name(f"{archive.name}.{1:0{digits}}")


def add(archive, name, data=b"", **fields):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    archive.addfile(info, io.BytesIO(data))


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def refused(archive, said, root):
    """Refused in one sentence that names the archive alone, and nothing is left anywhere."""
    before = sorted(p for p in root.rglob("*"))
    with pytest.raises(ArchiveError, match=said) as error:
        unpack(archive, root / "out" / "set")
    assert str(archive) in str(error.value)
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)
    (root / "out").rmdir()  # empty, or this fails
    assert sorted(p for p in root.rglob("*")) == before


@pytest.mark.parametrize(
    "make",
    [
        lambda p: make_zip(p),
        lambda p: make_zip(p, method=zipfile.ZIP_STORED),
        lambda p: make_zip(p, method=zipfile.ZIP_BZIP2),
        lambda p: make_tar(p),
        lambda p: make_tar(p, mode="w:gz"),
        lambda p: make_tar(p, mode="w:bz2"),
        lambda p: make_tar(p, mode="w:xz"),
        lambda p: make_zip(p, method=zipfile.ZIP_LZMA),
        lambda p: make_seven(p),
        lambda p: make_seven(p, filters=[{"id": py7zr.FILTER_DEFLATE}]),
    ],
    ids=[
        "deflate",
        "stored",
        "zip-bzip2",
        "tar",
        "tar.gz",
        "tar.bz2",
        "tar.xz",
        "zip-lzma",
        "7z",
        "7z-deflate",
    ],
)
def test_archives_come_out_as_they_went_in(tmp_path, make):
    archive = make(tmp_path / "archive")
    (tmp_path / "out").mkdir()  # an empty folder may be there already
    assert unpack(archive, tmp_path / "out") == len(FILES)
    assert contents(tmp_path / "out") == FILES
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o755
    assert sorted(os.listdir(tmp_path)) == ["archive", "out"]


def test_long_names_and_folders(tmp_path):
    name = "/".join(["x" * 90] * 4) + "/é.jpg"
    for make in (make_zip, make_tar):
        archive = make(tmp_path / "archive", {name: b"1"})
        out = tmp_path / make.__name__
        assert unpack(archive, out) == 1
        assert contents(out) == {name: b"1"}


def test_a_folder_that_holds_something_stays_as_it_is(tmp_path):
    archive = make_zip(tmp_path / "a.zip")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="not an empty folder"):
        unpack(archive, tmp_path / "out")
    assert contents(tmp_path / "out") == {"mine.txt": b"mine"}


@pytest.mark.parametrize("root", [".", "./"])
def test_a_tar_of_a_folder_as_a_dot(tmp_path, root):
    """As `tar czf set.tar.gz .` makes it."""
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        add(archive, root, type=tarfile.DIRTYPE)
        add(archive, "./happy", type=tarfile.DIRTYPE)
        add(archive, "./happy/a.jpg", b"1")
    assert unpack(tmp_path / "a.tar.gz", tmp_path / "out") == 1
    assert contents(tmp_path / "out") == {"happy/a.jpg": b"1"}


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_windows_separators_and_colons_are_no_harm(tmp_path, kind):
    names = [b"set\\happy\\a.jpg", b"set\\happy\\b.jpg", b"set/12:30:00.jpg"]
    assert unpack(make_raw(tmp_path / "archive", names, kind), tmp_path / "out") == 3
    expected = {"set/happy/a.jpg", "set/happy/b.jpg", "set/12:30:00.jpg"}
    assert set(contents(tmp_path / "out")) == expected


NAMES = {
    "gb18030": ["开心/图1.jpg", "惊讶/张伟_01.jpg", "图.jpg"],
    "cp932": ["喜び/写真表1.jpg", "テスト/データ.jpg"],
    "big5": ["快樂/圖片1.jpg", "驚訝/照片.jpg"],
    "euc_kr": ["행복/사진1.jpg", "놀람/사진2.jpg"],
    "cp850": ["fröhlich/Mädchen.jpg", "überrascht/größe.jpg"],
    "cp437": ["José/niño.jpg"],
    "cp866": ["Радость/фото1.jpg", "Грусть/фото2.jpg"],
    "utf-8": ["Zoé ☺/a.jpg", "开心/图1.jpg"],
}


@pytest.mark.parametrize("encoding", NAMES)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_in_other_code_pages_come_out_as_their_writer_saw_them(tmp_path, kind, encoding):
    names = NAMES[encoding]
    archive = make_raw(tmp_path / "archive", [name.encode(encoding) for name in names], kind)
    assert unpack(archive, tmp_path / "out") == len(names)
    assert set(contents(tmp_path / "out")) == set(names)


@pytest.mark.parametrize("name", ["惊讶", "照片", "张伟", "高兴", "数据集"])
def test_short_chinese_names_are_known(name):
    assert code_page([f"{name}.jpg".encode("gbk")]) == "gb18030"


@pytest.mark.parametrize("digits", [3, 4])
@pytest.mark.parametrize(
    "make", [make_seven, make_zip, lambda p: make_tar(p, mode="w:xz")], ids=["7z", "zip", "tar.xz"]
)
def test_an_archive_in_parts(tmp_path, make, digits):
    first = split(make(tmp_path / "set"), 150, digits)
    (tmp_path / "set.sha256").write_text("lies beside")
    second = first.with_suffix("." + "2".zfill(digits))
    assert second.is_file()
    assert unpack(first, tmp_path / "whole") == len(FILES)
    assert contents(tmp_path / "whole") == FILES
    refused(second, "give its first part", tmp_path)
    second.unlink()
    refused(first, f"lacks its part {second.suffix}|damaged.*all its parts", tmp_path)


def test_a_seven_zip_obeys_the_same_rules(tmp_path, monkeypatch):
    refused(make_seven(tmp_path / "a.7z", {"secret": b"1"}, password="x"), "owner's password", tmp_path)
    with py7zr.SevenZipFile(tmp_path / "b.7z", "w", password="x", header_encryption=True) as archive:
        archive.writestr(b"1", "secret")
    refused(tmp_path / "b.7z", "owner's password", tmp_path)
    (tmp_path / "target").write_text("x")
    (tmp_path / "secret").symlink_to("target")
    with py7zr.SevenZipFile(tmp_path / "c.7z", "w") as archive:
        archive.write(tmp_path / "secret", "secret")
    refused(tmp_path / "c.7z", "a link", tmp_path)
    whole = make_seven(tmp_path / "d.7z").read_bytes()
    for share in (0.01, 0.3, 0.6, 0.9, 0.999):
        (tmp_path / "d.7z").write_bytes(whole[: int(share * len(whole))])
        refused(tmp_path / "d.7z", "damaged", tmp_path)
    monkeypatch.setattr(archives, "MIN_BYTES", 10_000)
    refused(make_seven(tmp_path / "e.7z", {"secret.bmp": b"\0" * 20_000_000}), "100 times its size", tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr(archives, "MAX_FILES", 3)
    refused(make_seven(tmp_path / "f.7z"), "more than 3 files", tmp_path)


@pytest.mark.parametrize("name", ["../secret", "/secret", "a/../../secret"])
def test_a_seven_zip_whose_paths_lead_out(tmp_path, name):
    """The writer refuses such names, so a sound one is overwritten in the header."""
    make_seven(tmp_path / "a.7z", {"good.jpg": b"1"})
    with py7zr.SevenZipFile(tmp_path / "b.7z", "w") as archive:
        archive.set_encoded_header_mode(False)
        archive.writestr(b"1", "x" * len(name))
    data = (
        (tmp_path / "b.7z")
        .read_bytes()
        .replace(("x" * len(name)).encode("utf-16-le"), name.encode("utf-16-le"))
    )
    header = data[32 + struct.unpack("<Q", data[12:20])[0] :]
    start = data[12:28] + struct.pack("<I", zlib.crc32(header))
    (tmp_path / "b.7z").write_bytes(data[:8] + struct.pack("<I", zlib.crc32(start)) + start + data[32:])
    refused(tmp_path / "b.7z", "leads out", tmp_path)


OUTSIDE = ["../secret", "set/../../secret", "/secret", "C:/secret", "set\\..\\secret", "..", "a/..\\secret"]


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_paths_that_lead_out(tmp_path, make, name):
    refused(make(tmp_path / "archive", {"good.jpg": b"1", name: b"2"}), "leads out", tmp_path)


@pytest.mark.parametrize(
    "fields",
    [
        {"type": tarfile.SYMTYPE, "linkname": "/etc"},
        {"type": tarfile.LNKTYPE, "linkname": "/etc/passwd"},
        {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 5},
        {"type": tarfile.BLKTYPE},
        {"type": tarfile.FIFOTYPE},
    ],
)
def test_links_and_devices_of_a_tar(tmp_path, fields):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        add(archive, "good.jpg", b"1")
        add(archive, "secret", **fields)
        add(archive, "secret/below", b"2")
    refused(tmp_path / "a.tar", "a link, a device", tmp_path)


def test_links_of_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        link = zipfile.ZipInfo("secret")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc")
        archive.writestr("secret/passwd", b"1")
    refused(tmp_path / "a.zip", "a link", tmp_path)


def test_one_path_twice(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        add(archive, "secret", b"1")
        add(archive, "./secret", b"2")
    refused(tmp_path / "a.tar", "twice", tmp_path)
    with tarfile.open(tmp_path / "b.tar", "w") as archive:
        add(archive, "secret", b"1")
        add(archive, "secret/below", b"2")
    refused(tmp_path / "b.tar", "one path twice", tmp_path)


@pytest.mark.parametrize(
    "make", [make_zip, lambda p, f: make_tar(p, f, "w:gz"), lambda p, f: make_tar(p, f, "w:bz2")]
)
def test_bombs(tmp_path, monkeypatch, make):
    monkeypatch.setattr(archives, "MIN_BYTES", 10_000)
    archive = make(tmp_path / "bomb", {"secret.bmp": b"\0" * 20_000_000})
    refused(archive, "100 times its size", tmp_path)


def test_a_small_archive_may_shrink_much(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {"black.bmp": b"\0" * 3_000_000})
    assert archive.stat().st_size * 100 < 3_000_000
    assert unpack(archive, tmp_path / "out") == 1


def test_many_files_that_are_a_bomb_together(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MIN_BYTES", 10_000)
    monkeypatch.setattr(archives, "MAX_RATIO", 10)
    refused(
        make_zip(tmp_path / "a.zip", {f"{n}.bmp": b"\0" * 9_000 for n in range(100)}), "10 times", tmp_path
    )


def test_a_size_that_is_a_lie(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MIN_BYTES", 10_000)
    archive = make_zip(tmp_path / "a.zip", {"secret.bmp": b"\0" * 5_000_000})
    data = archive.read_bytes().replace(struct.pack("<I", 5_000_000), struct.pack("<I", 100))
    archive.write_bytes(data)
    refused(archive, "damaged|100 times", tmp_path)


def test_too_many_files(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_FILES", 3)
    refused(make_tar(tmp_path / "a.tar"), "more than 3 files", tmp_path)


def test_a_disk_that_is_too_small(tmp_path, monkeypatch):
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    refused(make_zip(tmp_path / "a.zip"), "free space", tmp_path)


def test_a_header_made_to_fill_the_memory(tmp_path):
    pax = b"\0" * 30_000_000
    with gzip.open(tmp_path / "a.tar.gz", "wb") as file:
        info = tarfile.TarInfo("secret")
        info.type, info.size = tarfile.XHDTYPE, len(pax)
        file.write(info.tobuf(tarfile.USTAR_FORMAT) + pax)
    refused(tmp_path / "a.tar.gz", "absurd length", tmp_path)


def test_a_file_with_holes(tmp_path):
    info = tarfile.TarInfo("secret")
    info.type = tarfile.GNUTYPE_SPARSE
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[386:398], block[398:410] = b"00000000000\0", b"00000000000\0"
    block[483:495] = b"77777777777\0"  # says eight gigabytes
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    (tmp_path / "a.tar").write_bytes(bytes(block) + b"\0" * 1024)
    refused(tmp_path / "a.tar", "holes|damaged", tmp_path)


def test_an_encrypted_zip(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {"secret": b"1"})
    data = bytearray(archive.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(data)
    refused(archive, "owner's password", tmp_path)


def test_a_zip_packed_in_a_way_that_is_not_read_names_the_tool(tmp_path):
    """Windows packs large sets by Deflate64, number 9."""
    archive = make_zip(tmp_path / "a.zip", {"secret": b"1" * 99})
    data = archive.read_bytes().replace(b"\x14\0\0\0\x08\0", b"\x14\0\0\0\x09\0")
    archive.write_bytes(data)
    refused(archive, "not read here: unpack it by hand, with 7-Zip", tmp_path)


PAGE = b"<!DOCTYPE html><html><title>Sign in</title></html>"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.rar", b"Rar!\x1a\x07\x01\0" * 80, "RAR archive.*unar"),
        ("a.part01.rar", b"Rar!\x1a\x07\0" + bytes(99), "RAR archive.*all parts in one folder"),
        ("a.tar.zst", b"\x28\xb5\x2f\xfd" + bytes(99), "Zstandard archive.*tar --zstd"),
        ("a.zip", b"PK\x07\x08PK\x03\x04" + bytes(99), "part of a split zip"),
        ("page.zip", PAGE, "web page"),
        ("page.zip", b"\xef\xbb\xbf\n<!-- saved --><HTML>", "web page"),
        ("page.7z", b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "web page"),
        ("page.zip", PAGE.decode().encode("utf-16"), "web page"),
        ("page.zip", b'{"error": "the link has expired"}\n', "is a text"),
        ("page.zip", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is a text"),
        ("b.jpg", b"\xff\xd8\xff" * 300, "damaged"),
        ("c.zip", b"", "damaged"),
        ("fer2013.csv.gz", gzip.compress(b"a,b\n1,2\n" * 99, mtime=0), "holds one file, no archive"),
        ("fer2013.csv.xz", lzma.compress(b"a,b\n1,2\n" * 99), "holds one file, no archive"),
    ],
)  # fmt: skip
def test_what_is_no_archive_that_is_read_is_called_what_it_is(tmp_path, name, data, said):
    (tmp_path / name).write_bytes(data)
    refused(tmp_path / name, said, tmp_path)


def test_an_archive_that_is_not_there_or_a_folder(tmp_path):
    refused(tmp_path / "absent.zip", "does not exist", tmp_path)
    (tmp_path / "folder").mkdir()
    refused(tmp_path / "folder", "is no file", tmp_path)


@pytest.mark.parametrize(
    "data",
    [b"xar!" + b"\1" * 600, b"\x60\xea" + b"\2" * 600, b"..-lh5-" + b"\3" * 600, b"hsqs" + b"\4" * 600],
)
def test_an_archive_of_a_kind_that_nobody_named_is_not_only_called_damaged(tmp_path, data):
    (tmp_path / "set").write_bytes(data)
    refused(tmp_path / "set", "of no kind that is read here, or damaged .* 7-Zip", tmp_path)


def test_an_archive_without_a_file_is_no_success(tmp_path):
    """A download that failed may be all zeros, which is an empty tar."""
    (tmp_path / "zeros.tar").write_bytes(bytes(3000))
    refused(tmp_path / "zeros.tar", "holds no file", tmp_path)


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a")])
def test_a_path_that_is_a_file_and_a_folder_is_named_as_such(tmp_path, names):
    with tarfile.open(tmp_path / "t.tar", "w") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    refused(tmp_path / "t.tar", "one path twice", tmp_path)


def test_the_last_part_of_a_split_zip_alone_asks_for_the_others(tmp_path):
    whole = make_zip(tmp_path / "whole.zip").read_bytes()
    (tmp_path / "set.zip").write_bytes(whole[60:])
    refused(tmp_path / "set.zip", "damaged archive.*with all its parts", tmp_path)


@pytest.mark.parametrize(
    "make", [make_zip, make_tar, lambda p: make_tar(p, mode="w:gz"), lambda p: make_tar(p, mode="w:bz2")]
)
def test_cut_off_anywhere(tmp_path, make):
    whole = make(tmp_path / "whole").read_bytes()
    end = len(whole.rstrip(b"\0")) if make is make_tar else len(whole)
    for share in (0.01, 0.3, 0.6, 0.9, 0.999):
        (tmp_path / "cut").write_bytes(whole[: int(share * end)])
        refused(tmp_path / "cut", "damaged", tmp_path)


def test_damage_anywhere_is_reported_or_harmless(tmp_path):
    rng = np.random.default_rng(3)
    wholes = [make_zip(tmp_path / "z").read_bytes(), make_tar(tmp_path / "t").read_bytes()]
    wholes += [gzip.compress(wholes[1], mtime=0), bz2.compress(wholes[1]), lzma.compress(wholes[1])]
    wholes += [make_seven(tmp_path / "s").read_bytes()]
    (tmp_path / "room").mkdir()
    for trial in range(300):
        data = bytearray(wholes[trial % len(wholes)])
        for place in rng.integers(0, min(len(data), 3000), 3):
            data[place] = rng.integers(256)
        (tmp_path / "broken").write_bytes(data)
        try:
            unpack(tmp_path / "broken", tmp_path / "room" / str(trial))
        except ArchiveError:
            assert not (tmp_path / "room" / str(trial)).exists()
    assert not [name for name in os.listdir(tmp_path / "room") if name.startswith(".")]
    assert sorted(os.listdir(tmp_path)) == ["broken", "room", "s", "t", "z"]


def test_a_link_to_an_empty_folder_is_followed(tmp_path):
    archive, folder = tmp_path / "a.zip", tmp_path / "disk"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.txt", "a")
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    assert unpack(archive, tmp_path / "link") == 1
    assert (tmp_path / "link").is_symlink()
    assert (folder / "a.txt").read_text() == "a"
