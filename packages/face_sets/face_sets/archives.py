"""Archives unpacked without harm: nothing lands outside the folder, and nothing swells beyond stated bounds."""

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

_CHUNK: Final = 2**18
_ZIP_METHODS: Final = (
    zipfile.ZIP_STORED,
    zipfile.ZIP_DEFLATED,
    zipfile.ZIP_BZIP2,
)  # each with bounded memory
_DAMAGE: Final = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, ValueError, RuntimeError,
    OverflowError,
)  # fmt: skip

Member = tuple[str, int, IO[bytes] | None]
"""Name and declared size of a file in an archive, and its bytes; None for a folder."""


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
    except _DAMAGE as error:
        if isinstance(error, ArchiveError):
            raise
        raise ArchiveError(f"{archive} is a damaged archive: fetch it again") from error
    except OSError as error:
        raise ArchiveError(f"{archive} could not be unpacked: {error.strerror or 'it is damaged'}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return count


def _unpack_to(archive: Path, folder: Path) -> int:
    if not archive.is_file():
        raise ArchiveError(f"{archive} does not exist: check the archive's name")
    allowed = min(
        MAX_BYTES, max(MIN_BYTES, MAX_RATIO * archive.stat().st_size), shutil.disk_usage(folder).free
    )
    count = 0
    with ExitStack() as stack:
        for number, (name, size, file) in enumerate(_members(archive, stack)):
            if number >= MAX_FILES:
                raise ArchiveError(f"{archive} holds more than {MAX_FILES:,} files: unpack it by hand")
            place = _place(archive, folder, name)
            if file is None:
                place.mkdir(parents=True, exist_ok=True)
                continue
            if size > allowed:
                raise ArchiveError(_too_large(archive))
            allowed -= _copy(archive, file, place, allowed)
            count += 1
    return count


def _copy(archive: Path, file: IO[bytes], place: Path, allowed: int) -> int:
    """Write a file's bytes; return how many. Sizes in headers are claims: what comes out is counted."""
    place.parent.mkdir(parents=True, exist_ok=True)
    total = 0
    with file, place.open("xb") as target:
        while chunk := file.read(_CHUNK):
            total += len(chunk)
            if total > allowed:
                raise ArchiveError(_too_large(archive))
            target.write(chunk)
    return total


def _too_large(archive: Path) -> str:
    return (
        f"{archive} unpacks to more than {MAX_RATIO} times its size, {MAX_BYTES // 10**9} GB or the free space: "
        "if its source is to be trusted, unpack it by hand"
    )


def _place(archive: Path, folder: Path, name: str) -> Path:
    """Where a member belongs; its name must stay within the archive on any system, and be new."""
    path = PurePosixPath(name)
    outside = path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name
    if outside or not path.parts:
        raise ArchiveError(f"{archive} holds a path that leads out of it: do not trust its source")
    place = folder.joinpath(*path.parts)
    if place.is_file():
        raise ArchiveError(f"{archive} holds one path twice: do not trust its source")
    return place


def _members(archive: Path, stack: ExitStack) -> Iterator[Member]:
    if zipfile.is_zipfile(archive):
        yield from _zip_members(archive, stack.enter_context(zipfile.ZipFile(archive)))
    else:
        yield from _tar_members(archive, stack)


def _zip_members(archive: Path, opened: zipfile.ZipFile) -> Iterator[Member]:
    for info in opened.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise ArchiveError(f"{archive} holds a link or a device: do not trust its source")
        if info.flag_bits & 0x1:  # APPNOTE 4.4.4, bit 0: encrypted
            raise ArchiveError(f"{archive} is encrypted: unpack it by hand with the owner's password")
        if info.compress_type not in _ZIP_METHODS:
            raise ArchiveError(f"{archive} is packed in a way that is not read here: unpack it by hand")
        # The name as stored: zipfile itself would turn backslashes and cut at a zero
        name = info.orig_filename
        yield name, info.file_size, None if info.is_dir() else opened.open(info)


def _tar_members(archive: Path, stack: ExitStack) -> Iterator[Member]:
    source = _Forward(archive, stack.enter_context(_decompressed(archive)))
    opened = stack.enter_context(tarfile.TarFile(fileobj=source))
    while (info := opened.next()) is not None:
        opened.members = []  # type: ignore[attr-defined]  # tarfile keeps every header; none is asked for again
        if info.isdir():
            yield info.name, 0, None
        elif info.isreg() and not info.issparse():
            yield info.name, info.size, opened.extractfile(info)
        else:
            raise ArchiveError(
                f"{archive} holds a link, a device or a file with holes: do not trust its source"
            )
    # tarfile ends in silence where a header is damaged or cut off; what follows the end is gzip's check sum
    if any(source.last) or not source.last or any(source.read(MAX_HEADER_BYTES)) or source.read(1):
        raise ArchiveError(f"{archive} is a damaged archive: fetch it again")


def _decompressed(archive: Path) -> IO[bytes]:
    with archive.open("rb") as file:
        head = file.read(3)
    if head[:2] == b"\x1f\x8b":
        return gzip.open(archive, "rb")  # type: ignore[return-value]
    return bz2.open(archive, "rb") if head == b"BZh" else archive.open("rb")


class _Forward(io.RawIOBase):
    """A tar's bytes, only forward (backward, gzip starts anew) and in pieces of at most MAX_HEADER_BYTES."""

    def __init__(self, archive: Path, file: IO[bytes]) -> None:
        self._archive, self._file = archive, file
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        """Read as a file does; tarfile would read a long header whole."""
        if not 0 <= size <= MAX_HEADER_BYTES:
            raise ArchiveError(f"{self._archive} holds a header of absurd length: do not trust its source")
        self.last = self._file.read(size)
        return self.last

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Skip forward to a place."""
        if whence != io.SEEK_SET or offset < self._file.tell():
            raise ArchiveError(f"{self._archive} is a damaged archive: fetch it again")
        return self._file.seek(offset)

    def tell(self) -> int:
        """Where the next byte stands."""
        return self._file.tell()
