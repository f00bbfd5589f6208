"""Whole files or none: atomic writes, and digests of contents."""

import errno
import hashlib
import json
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

_ABANDONED: Final = 24 * 3600  # seconds; no file here takes a day to write
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` which takes its place when the block ends without an error.

    A killed or failing writer leaves the old file, or none, and so does a power cut: what was written is on the disk
    before it takes the place. The parent folder is made. A link is followed.
    Raises OSError with the path and the remedy when the disk is full, or where a folder, a pipe or a device stands.
    """
    path = path.resolve() if path.is_symlink() else path
    if path.exists() and not path.is_file():
        raise OSError(
            errno.EINVAL, f"could not write {path}: it is no plain file. Nothing was changed; name another"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    start = f".{path.stem[:40]}-"
    _remove_leftovers(path.parent, start, path.suffix)
    temporary = path.parent / f"{start}{secrets.token_hex(6)}{path.suffix}"
    try:
        # Not mkstemp, whose 0600 would hide results from the owner's group: the user's umask decides who may read
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
        _sync(path.parent)
    except OSError as error:
        remedy = "free space" if error.errno in _FULL else "correct this"
        said = f"could not write {path}: {error.strerror}. Nothing was changed; {remedy} and run again"
        raise OSError(error.errno, said) from error
    finally:
        temporary.unlink(missing_ok=True)


def _remove_leftovers(folder: Path, start: str, end: str) -> None:
    """Delete what writers of one file left that were killed."""
    for name in os.listdir(folder):
        if name.startswith(start) and name.endswith(end) and len(name) == len(start) + 12 + len(end):
            left = folder / name
            if time.time() - left.stat().st_mtime > _ABANDONED:
                left.unlink(missing_ok=True)


def read_plain(path: Path, most_bytes: int) -> bytes:
    """Return the content of a file that a user names.

    Raises OSError for one with more bytes than `most_bytes`, and for a pipe or device, which may have no end.
    """
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # a pipe would wait for a writer
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no plain file", str(path))
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"it has more than {most_bytes:,} bytes", str(path))
    return content


def printable(text: str) -> str:
    """Return a text as one line for a terminal: what would steer it, in a file's name say, is written out.

    >>> printable("a\x1b[2J\n.jpg")
    'a\\x1b[2J\\n.jpg'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _sync(path: Path) -> None:
    """Wait until a file's content, or a folder's names, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def digest(*parts: bytes | str | Path | dict[str, Any] | list[Any]) -> str:
    """Return 16 hexadecimal digits of SHA-256 over the parts: bytes, text, JSON values, contents of files."""
    total = hashlib.sha256()
    for part in parts:
        data = _as_bytes(part)
        total.update(len(data).to_bytes(8, "big"))
        total.update(data)
    return total.hexdigest()[:16]


def _as_bytes(part: bytes | str | Path | dict[str, Any] | list[Any]) -> bytes:
    if isinstance(part, bytes):
        return part
    if isinstance(part, str):
        return part.encode()
    if isinstance(part, Path):
        return part.read_bytes()
    return json.dumps(part, sort_keys=True, default=str).encode()
