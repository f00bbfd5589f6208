"""Archives unpacked safely: nothing lands outside the folder, and nothing unpacks to more than stated bounds.

The `data` filter of `tarfile` is not enough here: it turns an absolute path into a relative one and follows links within
the archive, both of which a data set has no reason to hold, and `zipfile` has no filter. One check serves both.
"""

import bz2
import gzip
import io
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import IO, Final

MAX_FILES: Final = 2_000_000
"""Most files and folders in an archive: twice the million photographs of AffectNet, the largest set here."""

MAX_RATIO: Final = 100
"""Most bytes unpacked for one packed, beyond MIN_BYTES: pictures hardly shrink and tables of pixels to a fifth,
while a bomb needs the thousand that deflate can give."""

MIN_BYTES: Final = 64 * 2**20
"""Bytes that an archive may always unpack to: a small one of plain tables or flat pictures shrinks further."""

MAX_BYTES: Final = 500 * 10**9
"""Most bytes unpacked in all: a million photographs of half a megabyte."""

MAX_HEADER_BYTES: Final = 2**20
"""Largest piece of a tar that is read at once; longer ones are headers made to fill the memory."""

_ZIP_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)  # of bounded memory
_OTHER_KINDS: Final = (b"Rar!", b"7z\xbc\xaf", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")
"""How archives of other kinds begin: RAR, 7z, xz, Zstandard, LZ4."""

_DAMAGED: Final = "is a damaged archive: fetch it again"
_DAMAGE: Final = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, ValueError, RuntimeError,
    OverflowError,
)  # fmt: skip

Member = tuple[str, int, IO[bytes] | None]
"""Name and size of a file in an archive, and its bytes; None for a folder."""


class ArchiveError(ValueError):
    """An archive is damaged, hostile or of another kind; the message names the archive, not what is in it."""


def unpack(archive: Path, folder: Path) -> int:
    """Unpack a zip or tar archive (plain, gzip, bzip2) into a folder that is new or empty; return its number of files.

    All or nothing: files are written to a hidden folder beside, which takes the folder's place at the end.
    Raises ArchiveError, in one sentence, for an archive that is absent, damaged, encrypted or of another kind; holds
    a link, a device, a path outside itself or one path twice; or goes beyond MAX_FILES, MAX_RATIO, MAX_BYTES
    or the free space of the disk. Raises FileExistsError if the folder holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is not an empty folder: give a new one to unpack into")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name[:40]}-"))
    try:
        count = _unpack_to(archive, temporary)
        temporary.chmod(0o755)  # mkdtemp's 0700 would hide the set from the owner's group
        os.replace(temporary, folder)
    except ArchiveError as error:
        raise ArchiveError(f"{archive} {error}") from error.__cause__
    except _DAMAGE as error:
        raise ArchiveError(f"{archive} {_DAMAGED}") from error
    except OSError as error:
        raise ArchiveError(f"{archive} could not be unpacked: {error.strerror or 'it is damaged'}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return count


def _unpack_to(archive: Path, folder: Path) -> int:
    """Unpack into a folder; the message of an ArchiveError raised here and below says what is wrong, not with which."""
    if not archive.is_file():
        raise ArchiveError("does not exist: check the archive's name")
    packed, free = archive.stat().st_size, shutil.disk_usage(folder).free
    allowed = min(MAX_BYTES, max(MIN_BYTES, MAX_RATIO * packed), free)
    count = 0
    with ExitStack() as stack:
        for number, (name, size, file) in enumerate(_members(archive, stack)):
            if number >= MAX_FILES:
                raise ArchiveError(f"holds more than {MAX_FILES:,} files: unpack it by hand")
            allowed -= max(0, size)  # neither zipfile nor tarfile gives out more than a member's size
            if allowed < 0:
                raise ArchiveError(
                    f"unpacks to more than {MAX_RATIO} times its size, {MAX_BYTES // 10**9} GB or the free space: "
                    "if you trust its source, unpack it by hand"
                )
            count += _write(file, _place(folder, name))
    return count


def _write(file: IO[bytes] | None, place: Path) -> bool:
    """Make the folder, or write the file; return whether it was a file."""
    (place if file is None else place.parent).mkdir(parents=True, exist_ok=True)
    if file is None:
        return False
    with file, place.open("xb") as target:
        shutil.copyfileobj(file, target)
    return True


def _place(folder: Path, name: str) -> Path:
    """Where a member belongs; its name must stay within the archive on any system, and be new."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or any(sign in name for sign in "\\:\0"):
        raise ArchiveError("holds a path that leads out of it: do not trust its source")
    place = folder.joinpath(*path.parts)
    if place.is_file():
        raise ArchiveError("holds one path twice: do not trust its source")
    return place


def _members(archive: Path, stack: ExitStack) -> Iterator[Member]:
    with archive.open("rb") as file:
        head = file.read(512)
    if head.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise ArchiveError("is a web page, not an archive: sign in at its source and download it again")
    if head.startswith(_OTHER_KINDS):
        raise ArchiveError("is no zip, tar, tar.gz or tar.bz2, which alone are read here: unpack it by hand")
    if zipfile.is_zipfile(archive):
        return _zip_members(stack.enter_context(zipfile.ZipFile(archive)))
    return _tar_members(stack, stack.enter_context(_decompressed(archive, head)))


def _decompressed(archive: Path, head: bytes) -> IO[bytes]:
    if head.startswith(b"\x1f\x8b"):
        return gzip.open(archive, "rb")  # type: ignore[return-value]
    return bz2.open(archive, "rb") if head.startswith(b"BZh") else archive.open("rb")


def _zip_members(opened: zipfile.ZipFile) -> Iterator[Member]:
    for info in opened.infolist():
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise ArchiveError("holds a link or a device: do not trust its source")
        if info.flag_bits & 0x1:  # APPNOTE 4.4.4, bit 0: encrypted
            raise ArchiveError("is encrypted: unpack it by hand with the owner's password")
        if info.compress_type not in _ZIP_METHODS:
            raise ArchiveError("is packed in a way that is not read here: unpack it by hand")
        # The name as stored: zipfile itself would turn backslashes and cut at a zero
        yield info.orig_filename, info.file_size, None if info.is_dir() else opened.open(info)


def _tar_members(stack: ExitStack, file: IO[bytes]) -> Iterator[Member]:
    source = _Forward(file)
    opened = stack.enter_context(tarfile.TarFile(fileobj=source))
    while (info := opened.next()) is not None:
        opened.members = []  # type: ignore[attr-defined]  # tarfile keeps every header; none is asked for again
        if not info.isdir() and (not info.isreg() or info.issparse()):
            raise ArchiveError("holds a link, a device or a file with holes: do not trust its source")
        yield info.name, info.size, None if info.isdir() else opened.extractfile(info)
    # tarfile ends in silence where a header is damaged or cut off; what follows the end is gzip's check sum
    if any(source.last) or not source.last or any(source.read(MAX_HEADER_BYTES)) or source.read(1):
        raise ArchiveError(_DAMAGED)


class _Forward(io.RawIOBase):
    """A tar's bytes, only forward (backward, gzip starts anew) and in pieces of at most MAX_HEADER_BYTES."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.last = file, b""
        self.tell = file.tell  # type: ignore[method-assign]

    def read(self, size: int = -1) -> bytes:
        """Read as a file does; tarfile would read a long header whole."""
        if not 0 <= size <= MAX_HEADER_BYTES:
            raise ArchiveError("holds a header of absurd length: do not trust its source")
        self.last = self._file.read(size)
        return self.last

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Skip forward to a place."""
        if whence != io.SEEK_SET or offset < self._file.tell():
            raise ArchiveError(_DAMAGED)
        return self._file.seek(offset)
