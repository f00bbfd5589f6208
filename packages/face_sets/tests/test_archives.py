import bz2
import gzip
import io
import lzma
import os
import stat
import struct
import tarfile
import zipfile

import numpy as np
import pytest

from face_sets import archives
from face_sets.archives import ArchiveError, unpack

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
    ],
    ids=["deflate", "stored", "zip-bzip2", "tar", "tar.gz", "tar.bz2"],
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


def test_a_tar_of_a_folder_as_a_dot(tmp_path):
    """As `tar czf set.tar.gz .` makes it."""
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        add(archive, "./", type=tarfile.DIRTYPE)
        add(archive, "./happy", type=tarfile.DIRTYPE)
        add(archive, "./happy/a.jpg", b"1")
    assert unpack(tmp_path / "a.tar.gz", tmp_path / "out") == 1
    assert contents(tmp_path / "out") == {"happy/a.jpg": b"1"}


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
    refused(tmp_path / "a.zip", "a link or a device", tmp_path)


def test_one_path_twice(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        add(archive, "secret", b"1")
        add(archive, "./secret", b"2")
    refused(tmp_path / "a.tar", "twice", tmp_path)
    with tarfile.open(tmp_path / "b.tar", "w") as archive:
        add(archive, "secret", b"1")
        add(archive, "secret/below", b"2")
    refused(tmp_path / "b.tar", "could not be unpacked", tmp_path)


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


def test_other_ways_of_packing(tmp_path):
    refused(make_zip(tmp_path / "a.zip", method=zipfile.ZIP_LZMA), "not read here", tmp_path)
    for name, data, said in [
        ("a.rar", b"Rar!\x1a\x07\x01\0" * 80, "no zip, tar"),
        ("a.tar.xz", lzma.compress(make_tar(tmp_path / "a.tar").read_bytes()), "no zip, tar"),
        ("page.zip", b"<!DOCTYPE html><html><title>Sign in</title></html>", "web page"),
        ("b.jpg", b"\xff\xd8\xff" * 300, "damaged"),
        ("c.zip", b"", "damaged"),
    ]:
        (tmp_path / name).write_bytes(data)
        refused(tmp_path / name, said, tmp_path)
    refused(tmp_path / "absent.zip", "does not exist", tmp_path)


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
    wholes += [gzip.compress(wholes[1], mtime=0), bz2.compress(wholes[1])]
    (tmp_path / "room").mkdir()
    for trial in range(200):
        data = bytearray(wholes[trial % 4])
        for place in rng.integers(0, min(len(data), 3000), 3):
            data[place] = rng.integers(256)
        (tmp_path / "broken").write_bytes(data)
        try:
            unpack(tmp_path / "broken", tmp_path / "room" / str(trial))
        except ArchiveError:
            assert not (tmp_path / "room" / str(trial)).exists()
    assert not [name for name in os.listdir(tmp_path / "room") if name.startswith(".")]
    assert sorted(os.listdir(tmp_path)) == ["broken", "room", "t", "z"]
