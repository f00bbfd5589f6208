import errno
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from face_sets.files import atomic_path, digest, read_plain, write_text


def test_a_failing_writer_leaves_the_old_file(tmp_path):
    path = tmp_path / "result.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["result.txt"]


def test_a_full_disk_ends_in_a_sentence_and_leaves_the_old_file(tmp_path):
    path = tmp_path / "result.txt"
    write_text(path, "old")
    with pytest.raises(OSError, match=r"could not write .*result.txt: No space.*free space and run again"):
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise OSError(errno.ENOSPC, "No space left on device")
    assert path.read_text() == "old"


def test_a_killed_writer_leaves_the_old_file(tmp_path):
    path = tmp_path / "result.txt"
    write_text(path, "old")
    code = f"""
        import os, signal, pathlib
        from face_sets.files import atomic_path
        with atomic_path(pathlib.Path({str(path)!r})) as temporary:
            temporary.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_text() == "old"


def test_digest_depends_on_content_and_on_boundaries(tmp_path):
    file = tmp_path / "a"
    file.write_bytes(b"ab")
    assert digest(file) == digest(b"ab") == digest("ab")
    assert digest("ab", "c") != digest("a", "bc")
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_users_mask_decides_who_may_read(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        write_text(tmp_path / "result.txt", "whole")
    finally:
        os.umask(before)
    assert (tmp_path / "result.txt").stat().st_mode & 0o777 == mode


def test_what_a_killed_writer_left_goes_with_the_next_a_day_later(tmp_path):
    old, new, other = (tmp_path / f".{name}-{'0' * 11}{k}.txt" for k, name in enumerate(("a", "a", "b")))
    for path in (old, new, other):
        path.write_text("half")
    for path in (old, other):
        os.utime(path, (0, 0))
    write_text(tmp_path / "a.txt", "whole")
    assert sorted(tmp_path.iterdir()) == sorted([new, other, tmp_path / "a.txt"])


def test_only_plain_files_of_a_stated_size_are_read(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    assert read_plain(tmp_path / "a", 5) == b"12345"
    with pytest.raises(OSError, match="it has more than 4 bytes"):
        read_plain(tmp_path / "a", 4)
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/zero", tmp_path / "pipe", tmp_path):
        with pytest.raises(OSError, match="it is no plain file|Is a directory"):
            read_plain(path, 5)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_plain_file_is_not_replaced(tmp_path, make):
    path = tmp_path / "there"
    make(path)
    before = path.lstat().st_mode
    with pytest.raises(OSError, match="could not write .*there: it is no plain file"):
        write_text(path, "new")
    assert path.lstat().st_mode == before
    assert os.listdir(tmp_path) == ["there"]


def test_a_link_is_followed_and_stays(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    for content in ("first", "second"):
        write_text(tmp_path / "link", content)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "file").read_text() == content


def test_only_a_full_disk_asks_to_free_space(tmp_path):
    with pytest.raises(OSError, match="Permission denied. Nothing was changed; correct this"):
        with atomic_path(tmp_path / "result.txt"):
            raise OSError(errno.EACCES, "Permission denied")
