"""What readers share: the files below a folder, tables that may be hostile, and rows of faces from owners' codes.

A path is relative to the set's folder and written with `/`. Nothing outside the folder is ever named, followed or
opened: a table's path with `..`, or a link that leads out, becomes a rejected file with its reason.
"""

import codecs
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final

import pandas as pd

from face_sets.images import ImageError, first_bytes, is_picture
from face_sets.manifests import load_manifest
from face_sets.readers.reading import ROW_COLUMNS, LayoutError, Reading, name_of, told
from face_sets.tables import Row

PICTURES: Final = frozenset((
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".heic", ".heif", ".avif", ".jp2",
    ".j2k", ".jxl", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".psd", ".svg", ".eps", ".ico", ".dng", ".cr2", ".cr3", ".nef",
    ".arw", ".orf", ".rw2",
))  # fmt: skip
"""Suffixes, in small letters, by which a file is taken for a picture of the set, be it one that can be read or not."""

NOTES: Final = frozenset((
    ".txt", ".csv", ".tsv", ".lst", ".json", ".xml", ".yml", ".html", ".htm", ".md", ".pdf", ".rtf", ".doc", ".docx", ".odt",
    ".xls", ".xlsx", ".ods", ".sav", ".mat", ".pts", ".r", ".rds", ".rda", ".m", ".py", ".ini", ".db", ".log",
    ".tem",
))  # fmt: skip
"""Suffixes of what is passed over without a word: documents, tables and code, and what systems leave in folders."""

MAX_TABLE_BYTES: Final = 2**30
"""Largest table that is read: three times FER-2013's or AffectNet's, the largest there are (about 300 MB)."""

OUTSIDE: Final = "leads out of the folder"
ABSENT: Final = "is listed, but not there"

Rejected = list[tuple[str, str]]
"""Path and reason of each file that belongs to the set but cannot be used."""


@dataclass(frozen=True)
class Files:
    """The files below a folder: usable ones in sorted order, and those that no reader may touch, with reasons."""

    usable: tuple[str, ...]
    rejected: tuple[tuple[str, str], ...]
    folder: Path
    named: Path

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.usable)

    @cached_property
    def _refused(self) -> dict[str, str]:
        return dict(self.rejected)

    @cached_property
    def pictures(self) -> tuple[str, ...]:
        """The usable files that are pictures, by their suffix or, whatever it is, by their content."""
        return tuple(path for path in self.usable if self._is_picture(path))

    def _is_picture(self, path: str) -> bool:
        return PurePosixPath(path).suffix.lower() in PICTURES or is_picture(first_bytes(self.folder / path))

    @property
    def others(self) -> list[str]:
        """The usable files that are neither pictures nor, by their suffix, notes."""
        pictures = set(self.pictures)
        rest = (path for path in self.usable if path not in pictures)
        return [path for path in rest if PurePosixPath(path).suffix.lower() not in NOTES]

    @cached_property
    def _spellings(self) -> dict[str, str | None]:
        """The usable files by their names without case and composition of accents; None where two differ only so."""
        found: dict[str, str | None] = {}
        for path in self.usable:
            found[_spelt(path)] = None if _spelt(path) in found else path
        return found

    def listed(self, path: str) -> str:
        """Return a path that a table names as the folder spells it, where there is such a file.

        Backslashes, `./`, case and the composition of accents (macOS takes letters apart) make no difference, nor does
        the folder's own place before it.
        """
        plain = PurePosixPath(path.replace("\\", "/")).as_posix()
        before = (f"{self.folder}/", f"{self.named.absolute()}/", f"{self.named.name}/")
        if plain not in self._known and (start := next(filter(plain.startswith, before), None)):
            plain = plain.removeprefix(start)
        return plain if plain in self._known else self._spellings.get(_spelt(plain)) or plain

    def problem(self, path: str) -> str | None:
        """Return why a path that a table names cannot be used, None if it can."""
        if path in self._known:
            return None
        parts = PurePosixPath(path).parts
        if not parts or ".." in parts or path.startswith("/") or ":" in parts[0]:
            return OUTSIDE
        above = ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
        return next((self._refused[part] for part in above if part in self._refused), ABSENT)

    def ending(self, *names: str) -> str | None:
        """Return the usable file whose path ends by one of `names`, the least deep; the first name first."""
        for name in names:
            found = [path for path in self.usable if path == name or path.endswith("/" + name)]
            if found:
                return min(found, key=lambda path: (path.count("/"), path))
        return None


def list_files(folder: Path) -> Files:
    """Return the files below a folder, hidden ones left out; links to other folders are not followed.

    A link that leads out of the folder, and a name that is not UTF-8, is rejected. Raises LayoutError if the
    folder is not there or cannot be read.
    """
    root = os.path.realpath(folder)
    if not os.path.isdir(root):
        raise LayoutError(f"{folder} is not a folder: give the one that the data set was unpacked into")
    usable: list[str] = []
    rejected: Rejected = []
    for where, folders, files in os.walk(root, onerror=_unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = PurePosixPath(os.path.relpath(where, root).replace(os.sep, "/"))
        for name in [*folders, *(name for name in files if not name.startswith("."))]:
            path = (below / name).as_posix()
            if problem := _problem(os.path.join(where, name), path, root):
                rejected.append((_printable(path), problem))
            elif name in files:
                usable.append(path)
    return Files(tuple(sorted(usable)), tuple(sorted(rejected)), Path(root), folder)


def _spelt(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _problem(place: str, path: str, root: str) -> str | None:
    if path != _printable(path):
        return "has a name that is not UTF-8: rename it"
    if os.path.islink(place) and not Path(os.path.realpath(place)).is_relative_to(root):
        return f"is a link that {OUTSIDE}"
    if not os.path.isfile(place) and not os.path.isdir(place):
        return "is not a plain file"  # a pipe would wait for ever, a broken link leads nowhere
    return None


def _printable(path: str) -> str:
    return path.encode("utf-8", "replace").decode()


def _unreadable(error: OSError) -> None:
    raise LayoutError(
        f"a folder of the data set cannot be read ({error.strerror}): change its permissions"
    ) from error


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text table that are not empty. Raises LayoutError in one sentence, as `check_size` does."""
    check_size(path)
    try:
        text = path.read_text(encoding=text_encoding(path))
    except (OSError, ValueError) as error:
        raise LayoutError(f"{path} cannot be read as text: fetch it again") from error
    return [line.strip() for line in text.split("\n") if line.strip()]


_MARKS: Final = {  # the longer first, which begins as the shorter does
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip


_OTHER_SCRIPT: Final = re.compile(rb"[\xa1-\xff]{3}")
"""Three letters beyond ASCII on end: common in Russian and Chinese code pages, unknown in Western European words."""


def text_encoding(path: Path) -> str:
    """Return the encoding of a text file: by its mark or its zero bytes UTF-16, else UTF-8, else Windows-1252.

    Raises LayoutError if the file cannot be read, or is plainly in the code page of another script.
    """
    try:
        with path.open("rb") as file:
            head = file.read(2**12)
        for mark, name in _MARKS.items():
            if head.startswith(mark):
                return name
        if 3 * head.count(0) > len(head):  # of ASCII in UTF-16, every second byte is zero
            return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
        with path.open(encoding="utf-8-sig") as text:
            while text.read(2**20):
                pass
    except UnicodeDecodeError:
        if _OTHER_SCRIPT.search(path.read_bytes()):
            raise LayoutError(f"{path} is neither UTF-8 nor Windows-1252: save it in UTF-8") from None
        return "cp1252"  # what Excel writes in Western Europe and the Americas
    except OSError as error:
        raise LayoutError(f"{path} cannot be read ({error.strerror}): change its permissions") from error
    return "utf-8-sig"


def check_size(path: Path) -> None:
    """Raise LayoutError if a table is absent or larger than MAX_TABLE_BYTES."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise LayoutError(f"{path} is missing: fetch it from the owner's page") from error
    if size > MAX_TABLE_BYTES:
        raise LayoutError(f"{path} has more than {MAX_TABLE_BYTES:,} bytes: fetch the published file again")


def whole_code(text: str) -> str:
    """Return a label code as the manifests write it: `3` for `3`, `3.0` and ` 3.0000000e+00`; other text stripped."""
    try:
        number = float(text)
    except ValueError:
        return text.strip()
    return str(int(number)) if number.is_integer() else text.strip()


def codes_of(dataset: str) -> Mapping[str, str | None]:
    """Return a set's label codes, from its manifest: the owner's code to an expression, None drops it."""
    return load_manifest(dataset).study.codes


def make_reading(
    dataset: str,
    found: pd.DataFrame,
    rejected: Rejected,
    dropped: Mapping[str, int] | None = None,
    codes: Mapping[str, str | None] | None = None,
    unknown: Mapping[str, int] | None = None,
) -> Reading:
    """Return the reading of rows found: the owner's label `code` and `path`, and any of ROW_COLUMNS.

    A column `part` names a face within its file (a record, a number, a time). Codes are the manifest's unless
    given. Rows of a code that it does not know are rejected, those of one that it drops are counted, beside
    those in `dropped`; `unknown` counts values that no code explains. Where `found` has no age_group it is
    unknown; where it has no source_key it is the path. Raises LayoutError if no code is known, nothing was
    found, or an age_group is not one that the manifest declares.
    """
    codes = codes_of(dataset) if codes is None else codes
    known = found["code"].isin(list(codes)).to_numpy(bool)
    strange = found[~known]
    if len(strange) == len(found):
        said = f"no label code is known: expected {', '.join(codes)}" if len(found) else "no labelled picture"
        raise LayoutError(
            f"{dataset}: {said}{told(reason for _, reason in rejected)}; "
            "check that the folder holds the set as its owner publishes it"
        )
    if "frame_ms" in strange:
        strange = strange.drop_duplicates(["path", "code"])  # the frames of one clip are one file
    reasons = [f"unknown label code {str(code)[:20]!r}" for code in strange["code"]]
    places = strange["path"].astype(str)
    if "record" in strange:
        places = places + " row " + strange["record"].astype(str)
    everything = [*rejected, *zip(places, reasons, strict=True)]
    expressions = found["code"].map(dict(codes)).where(known)
    kept = known & expressions.notna().to_numpy(bool)
    left_out = Counter(dropped or {}) + Counter(found.loc[known & ~kept, "code"].astype(str))
    rows = found[kept].assign(expression=expressions[kept], dataset=dataset)
    parts = rows["part"] if "part" in rows else [None] * len(rows)
    rows = rows.assign(face_id=[name_of(dataset, p, n) for p, n in zip(rows["path"], parts, strict=True)])
    typed = _typed(rows)
    _check_age_groups(dataset, typed["age_group"])
    return Reading(
        typed,
        rejected_table(everything),
        dict(sorted(left_out.items())),
        dict(sorted((unknown or {}).items())),
    )


def gathered(paths: Iterable[str], rows_of: Callable[[str], list[Row]], rejected: Rejected) -> list[Row]:
    """Return the rows of all paths in their order; a path for which `rows_of` raises ImageError joins `rejected`."""
    rows: list[Row] = []
    for path in paths:
        try:
            rows += rows_of(path)
        except ImageError as error:
            rejected.append((path, error.reason))
    return rows


def _check_age_groups(dataset: str, age_groups: pd.Series) -> None:
    declared = load_manifest(dataset).study.age_groups
    if other := sorted(set(age_groups) - {*declared, "unknown"}):
        raise LayoutError(
            f"{dataset}: faces of age_group {', '.join(other)} were read, but its manifest declares "
            f"{', '.join(declared)}: fix the reader, or `age_groups` in data_manifests/cards/{dataset}.yml"
        )


def _typed(rows: pd.DataFrame) -> pd.DataFrame:
    filled = rows.reindex(columns=list(ROW_COLUMNS)).astype(ROW_COLUMNS).reset_index(drop=True)
    filled["age_group"] = filled["age_group"].fillna("unknown")
    filled["source_key"] = filled["source_key"].fillna(filled["path"])
    return filled


def rejected_table(rejected: Rejected) -> pd.DataFrame:
    """Return rejected files, or rows of tables, as a table with the columns path and reason, sorted by path."""
    return pd.DataFrame(sorted(rejected), columns=["path", "reason"], dtype="string")
