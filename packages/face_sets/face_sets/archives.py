"""Archives unpacked safely: nothing lands outside the folder, and nothing unpacks to more than stated bounds.

The `data` filter of `tarfile` is not enough here: it turns an absolute path into a relative one and follows links within
the archive, both of which a data set has no reason to hold, and `zipfile` has no filter. One check serves all kinds.
"""

import bz2
import errno
import gzip
import io
import lzma
import os
import re
import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path, PurePosixPath
from typing import IO, Final

import charset_normalizer
import py7zr
from multivolumefile import MultiVolume

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

_ZIP_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_BY_HAND: Final = "unpack it by hand, with 7-Zip (`7z x`) say"
_OTHER_KINDS: Final = {
    b"Rar!": "RAR archive, or part of one: unpack it with unar, 7-Zip or WinRAR, all parts in one folder",
    b"\x28\xb5\x2f\xfd": "Zstandard archive: unpack it with `tar --zstd -xf`",
    b"\x04\x22\x4d\x18": "LZ4 archive: unpack it with `lz4 -d` and tar",
    b"LZIP": "lzip archive: unpack it with `tar --lzip -xf`",
    b"\x1f\x9d": "archive of `compress`: unpack it with `tar -xZf`",
    b"MSCF": f"cabinet: {_BY_HAND}",
    b"PK\x07\x08": f"part of a split zip archive: {_BY_HAND}, all parts in one folder",
}
"""How archives of other kinds begin, and what unpacks them: no free library reads RAR."""

_CODE_PAGES: Final = ("gb18030", "cp932", "big5", "cp949", "cp850", "cp866")
"""In which Windows' programs write names: simplified Chinese, Japanese, traditional Chinese, Korean, Western, Cyrillic."""

_DAMAGED: Final = "is a damaged archive: fetch it again"
_TWICE: Final = f"holds one path twice, of which one would be lost: {_BY_HAND}"
_ENCRYPTED: Final = "is encrypted: unpack it by hand with the owner's password"
_LINK: Final = (
    f"holds a link, a device or a file with holes, not unpacked here: if you trust its source, {_BY_HAND}"
)

Member = tuple[str, int, IO[bytes] | None]
"""Name and size of a file in an archive, and its bytes; None for a folder."""


class ArchiveError(ValueError):
    """An archive is damaged, hostile or of another kind; the message names the archive, not what is in it."""


def unpack(archive: Path, folder: Path) -> int:
    """Unpack a zip, 7z or tar archive (plain, gzip, bzip2, xz) into a new or empty folder; return its number of files.

    Of one that is split into `.001`, `.002` ... give the first part. Names come out as their writer saw them, of
    older zip and tar programs by a guess of the code page. All or nothing: files are written to a hidden folder
    beside, which takes the folder's place at the end. Raises ArchiveError, in one sentence, for an archive that is
    absent, damaged, encrypted or of another kind; holds a link, a device, a path outside itself or one path twice;
    or goes beyond MAX_FILES, MAX_RATIO, MAX_BYTES or the free space of the disk. Raises FileExistsError if the folder
    holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is not an empty folder: give a new one to unpack into")
    folder = folder.resolve()  # a link to an empty folder stays one
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name[:40]}-"))
    try:
        number = _unpack_to(archive, temporary)
        if not number:
            raise ArchiveError("holds no file: fetch it again")
        _rename(temporary)
        temporary.chmod(0o755)  # mkdtemp's 0700 would hide the set from the owner's group
        os.replace(temporary, folder)
    except ArchiveError as error:
        raise ArchiveError(f"{archive} {error}") from error.__cause__
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise ArchiveError(f"{archive} {_TWICE}") from error
    except py7zr.PasswordRequired as error:
        raise ArchiveError(f"{archive} {_ENCRYPTED}") from error
    except OSError as error:
        if (
            error.errno == errno.EINVAL
        ):  # a place before the start: what precedes the list of files is missing
            raise ArchiveError(f"{archive} {_DAMAGED} with all its parts") from error
        raise ArchiveError(f"{archive} could not be unpacked: {error.strerror or 'it is damaged'}") from error
    except Exception as error:  # decoders let anything out, and it is always the archive's fault
        parts = " with all its parts" if archive.suffix.endswith("01") else ""
        raise ArchiveError(f"{archive} {_DAMAGED}{parts}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return number


def _unpack_to(archive: Path, folder: Path) -> int:
    """Unpack into a folder; the message of an ArchiveError raised here and below says what is wrong, not with which."""
    if not archive.is_file():
        raise ArchiveError(
            f"{'is no file' if archive.exists() else 'does not exist'}: check the archive's name"
        )
    parts = _parts(archive)
    packed, free = sum(part.stat().st_size for part in parts), shutil.disk_usage(folder).free
    allowed = min(MAX_BYTES, max(MIN_BYTES, MAX_RATIO * packed), free)
    with ExitStack() as stack:
        source = stack.enter_context(_opened(parts))
        _check_kind(head := source.read(512))
        source.seek(0)
        if head.startswith(b"7z\xbc\xaf\x27\x1c"):
            return _unpack_seven(source, folder, allowed)
        members = _zip_members if zipfile.is_zipfile(source) else _tar_members
        source.seek(0)
        return sum(_write(file, place) for place, file in _checked(members(source, stack), folder, allowed))


def _checked(
    members: Iterable[Member], folder: Path, allowed: int
) -> Iterator[tuple[Path, IO[bytes] | None]]:
    """Where each member belongs, and its bytes, as long as there are neither too many nor too large ones."""
    for number, (name, size, file) in enumerate(members):
        if number >= MAX_FILES:
            raise ArchiveError(f"holds more than {MAX_FILES:,} files: {_BY_HAND}")
        allowed -= max(0, size)  # neither zipfile nor tarfile gives out more than a member's size
        if allowed < 0:
            raise ArchiveError(
                f"unpacks to more than {MAX_RATIO} times its size, {MAX_BYTES // 10**9} GB or the free space: "
                f"if you trust its source, {_BY_HAND}"
            )
        yield _place(folder, name), file


def _parts(archive: Path) -> list[Path]:
    """The files that an archive was split into, as 7-Zip names them: `set.zip.001`, `set.zip.002` ..."""
    ending = re.fullmatch(r"\.(\d{3,4})", archive.suffix)
    if ending is None:
        return [archive]
    if int(ending[1]) != 1:
        raise ArchiveError("is a later part of a split archive: give its first part")
    named = (archive.with_suffix(f".{number:0{len(ending[1])}}") for number in count(1))
    parts = []
    while (part := next(named)).is_file():
        parts.append(part)
    if next(named).is_file():
        raise ArchiveError(f"lacks its part {part.suffix}: fetch that too")
    return parts


def _opened(parts: list[Path]) -> IO[bytes]:
    if len(parts) == 1:
        return parts[0].open("rb")
    with tempfile.TemporaryDirectory() as links:  # that folder holds the parts alone, as the library wants it
        for number, part in enumerate(parts, start=1):
            Path(links, f"part.{number:04}").symlink_to(part.absolute())
        return io.BufferedReader(MultiVolume(Path(links, "part"), mode="rb"))


def _check_kind(head: bytes) -> None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"<", b"\xff\xfe<", b"\xfe\xff\0<")):
        raise ArchiveError("is a web page, not an archive: sign in at its source and download it again")
    if kind := next((kind for sign, kind in _OTHER_KINDS.items() if head.startswith(sign)), None):
        raise ArchiveError(
            f"is no zip, tar, tar.gz, tar.bz2, tar.xz or 7z, which alone are read here, but a {kind}"
        )
    words = (
        start.decode().split() if len(start) > 8 and start.isascii() else []
    )  # fewer bytes are a cut archive's
    if words and all(word.isprintable() for word in words):
        raise ArchiveError(
            "is a text, not an archive, its source's answer perhaps: read it, and download it again"
        )


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
    # Windows' programs write either; in a name of an unknown code page it may be half of a sign
    path = PurePosixPath(name if _is_raw(name) else name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", name) or "\0" in name:
        raise ArchiveError("holds a path that leads out of it: do not trust its source")
    place = folder.joinpath(*path.parts)
    if place.is_file():
        raise ArchiveError(_TWICE)
    return place


def _rename(folder: Path) -> None:
    """Give files whose names are not UTF-8, as tar holds them, the names that their writer saw."""
    odd = [path for path in folder.rglob("*") if not path.name.isascii()]
    page = code_page(os.fsencode(path.name) for path in odd)
    if page == "utf-8":
        return
    for path in sorted(odd, reverse=True):  # what is in a folder before the folder
        new = path.with_name(os.fsencode(path.name).decode(page, "replace").replace("/", "_"))
        if new.exists():
            raise ArchiveError(f"holds names in an unknown code page: {_BY_HAND}")
        path.rename(new)


def _is_raw(name: str) -> bool:
    return any("\udc80" <= sign <= "\udcff" for sign in name)


def code_page(names: Iterable[bytes]) -> str:
    """Return the likeliest encoding of names: UTF-8 if all are, else another code page, guessed from all together.

    Where nothing is likely it is the Western or the Cyrillic one, in which more signs are letters.
    """
    raw = b"\n".join(names)
    if _decodes(raw, "utf-8"):
        return "utf-8"
    # All bytes in pairs, as names in Chinese and Korean are: no other of the pages is that regular
    likely = ("gb18030", "cp949") if _decodes(raw, "gb2312") else _CODE_PAGES
    # Repeated, since the guess rests on frequencies
    best = charset_normalizer.from_bytes(raw * (1 + 2000 // len(raw)), cp_isolation=list(likely)).best()
    if best is not None and _decodes(raw, best.encoding):
        return best.encoding
    by_letters = max(("cp850", "cp866"), key=lambda page: sum(map(str.isalpha, raw.decode(page))))
    return by_letters if likely is _CODE_PAGES else likely[0]


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _unpack_seven(source: IO[bytes], folder: Path, allowed: int) -> int:
    with py7zr.SevenZipFile(source, max_extract_size=allowed) as opened:
        if opened.needs_password():
            raise py7zr.PasswordRequired
        infos = opened.list()
        if any(info.is_symlink for info in infos):
            raise ArchiveError(_LINK)
        members = ((info.filename, info.uncompressed, None) for info in infos)
        places = [place for place, _ in _checked(members, folder, allowed)]
        if len(set(places)) < len(places):
            raise ArchiveError(_TWICE)
        opened.extractall(folder)
    return sum(info.is_file for info in infos)


def _zip_members(source: IO[bytes], stack: ExitStack) -> Iterator[Member]:
    opened = stack.enter_context(zipfile.ZipFile(source))
    # The names as stored: zipfile itself would turn backslashes and cut at a zero, and take them for code page 437
    infos = opened.infolist()
    raw = [info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437") for info in infos]
    page = code_page(name for info, name in zip(infos, raw, strict=True) if not info.flag_bits & 0x800)
    for info, stored in zip(infos, raw, strict=True):
        name = stored.decode("utf-8" if info.flag_bits & 0x800 else page)
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise ArchiveError(_LINK)
        if info.flag_bits & 0x1:  # APPNOTE 4.4.4, bit 0: encrypted
            raise ArchiveError(_ENCRYPTED)
        if info.compress_type not in _ZIP_METHODS:
            raise ArchiveError(f"is packed in a way that is not read here: {_BY_HAND}")
        is_folder = name.endswith(("/", "\\"))
        yield name, info.file_size, None if is_folder else opened.open(info)


def _tar_members(source: IO[bytes], stack: ExitStack) -> Iterator[Member]:
    forward = _Forward(stack.enter_context(_decompressed(source)))
    try:
        opened = stack.enter_context(tarfile.TarFile(fileobj=forward))
    except tarfile.ReadError as error:
        if forward.is_packed:
            raise ArchiveError(
                "holds one file, no archive: unpack it with gunzip, bunzip2 or unxz"
            ) from error
        raise ArchiveError(
            f"is of no kind that is read here, or damaged from its start: fetch it again, or {_BY_HAND}"
        ) from error
    while (info := opened.next()) is not None:
        opened.members = []  # type: ignore[attr-defined]  # tarfile keeps every header; none is asked for again
        if not info.isdir() and (not info.isreg() or info.issparse()):
            raise ArchiveError(_LINK)
        yield info.name, info.size, None if info.isdir() else opened.extractfile(info)
    # tarfile ends in silence where a header is damaged or cut off; what follows the end is gzip's check sum
    if any(forward.last) or not forward.last or any(forward.read(MAX_HEADER_BYTES)) or forward.read(1):
        raise ArchiveError(_DAMAGED)


def _decompressed(source: IO[bytes]) -> IO[bytes]:
    head = source.read(6)
    source.seek(0)
    if head.startswith(b"\x1f\x8b"):
        return gzip.open(source, "rb")  # type: ignore[return-value]
    if head.startswith(b"\xfd7zXZ"):
        return lzma.open(source, "rb")
    return bz2.open(source, "rb") if head.startswith(b"BZh") else source


class _Forward(io.RawIOBase):
    """A tar's bytes, only forward (backward, gzip starts anew) and in pieces of at most MAX_HEADER_BYTES."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.last = file, b""
        self.is_packed = isinstance(file, gzip.GzipFile | lzma.LZMAFile | bz2.BZ2File)
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
