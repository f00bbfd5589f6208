"""Whole files or none: atomic writes, and digests of contents."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` which takes its place when the block ends without an error.

    A killed or failing writer leaves the old file, or none, and so does a power cut: what was written is on the disk
    before it takes the place. The parent folder is made.
    Raises OSError with the path and the remedy when the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem[:40]}-", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)  # mkstemp's 0600 would hide results from the owner's group
        _sync(temporary)
        os.replace(temporary, path)
        _sync(path.parent)
    except OSError as error:
        raise OSError(
            error.errno,
            f"could not write {path}: {error.strerror}. Nothing was changed; free space and run again",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


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
