"""Reader of FER-2013 (Goodfellow et al. 2013, arXiv 1307.0414), with the votes of FER+ where they are there.

`fer2013.csv`: emotion (0 to 6), pixels (48 x 48 grey levels, space separated), Usage. `fer2013new.csv` of FER+
(Barsoum et al. 2016, arXiv 1608.01041): Usage, Image name, and ten people's votes over COLUMNS_OF_VOTES, in
the same row order (its readme). With it, the label is the votes' majority by the rule of FER+'s own code
(github.com/microsoft/FERPlus, `src/ferplus.py`, mode majority): single votes count as slips and are left out; then
more than half of the remaining votes must agree. Faces without such a majority, and those that it calls contempt,
unknown or NF (not a face), are dropped. Without `fer2013new.csv`, the label is FER-2013's own.

Copies without the table hold a picture a face, sorted into folders: `train/angry/Training_3908.jpg`, or, as FER+'s own code
writes them, `FER2013Train/fer0000000.png`. Pictures named so take the votes of the row with that image name.

The faces are crops that the owners centred and sized by an algorithm, so they go through untouched. Some are no
faces, or drawings: only FER+ marks them (NF). Ages and people are not known.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from face_sets.images import ImageError, Pixels, read_image
from face_sets.readers.label_tables import read_label_table
from face_sets.readers.labels import Unknown, meanings
from face_sets.readers.layouts import Files, check_size, list_files, make_reading
from face_sets.readers.reading import LayoutError, Reading, Row, Source
from face_sets.readers.sorted_folders import sorted_codes, sorted_pictures

DATASET: Final = "fer2013"
TABLE: Final = "fer2013.csv"
TABLES: Final = (TABLE, "icml_face_data.csv", "train.csv")
"""The table's names, in the first and in the later publication of the challenge, whose header has spaces, and in the
challenge itself, whose table holds no Usage."""

VOTES_TABLE: Final = "fer2013new.csv"
COLUMNS: Final = ("emotion", "pixels", "Usage")
IMAGE_NAME: Final = "Image name"
COLUMNS_OF_VOTES: Final = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF",
)  # fmt: skip
"""In FER+'s order, which is not FER-2013's; the manifest maps them as codes beside 0 to 6."""

SPLITS: Final = {"training": "train", "publictest": "validation", "privatetest": "test"}
"""By Usage in small letters, as FER+'s code names them: FER2013Train, FER2013Valid, FER2013Test."""

SIDE: Final = 48  # pixels
LONGEST_LINE: Final = 65_536  # bytes; a row of the published table has at most 9,300
EMPTY: Final = "is empty"
NO_MAJORITY: Final = "no majority of votes"

_PIXELS: Final = re.compile(rb"\s*(?:\d{1,3} ){%d}\d{1,3}\s*" % (SIDE * SIDE - 1))


def read(folder: Path) -> Reading:
    """Return one row per line of the table, `record` being its place after the header, from 0.

    `dropped_labels` counts, beside the manifest's dropped codes, the faces without a majority of votes.
    Raises LayoutError, in one sentence, for a folder in another layout, or votes of another table.
    """
    files = list_files(folder)
    path, votes = files.ending(*TABLES), files.ending(VOTES_TABLE)
    if path is None or (path.endswith(TABLES[-1]) and not _holds_pixels(folder / path)):
        return _of_pictures(folder, files, votes)
    rejected = list(files.rejected)
    table = _table(folder / path)
    dropped, unknown = Counter[str](), Unknown()
    table["owner_split"] = meanings(table["owner_split"], SPLITS, "Usage", unknown)
    if votes is not None:
        table["code"] = _majorities(_votes(folder / votes, table["owner_split"]), table, dropped)
    for record, problem in table["problem"].dropna().items():
        rejected.append((f"{path} row {record}", problem))
    rows = table[table["problem"].isna() & table["code"].notna()]
    named = rows.assign(path=path, record=rows.index, part=rows.index, domain="wild")
    named["source_key"] = [f"{path}#{record}" for record in rows.index]
    return make_reading(DATASET, named.drop(columns="problem"), rejected, dropped, unknown=unknown)


def _of_pictures(folder: Path, files: Files, votes: str | None) -> Reading:
    """A copy without the table: labels by the votes for a picture's name, where there are any, else by its folders."""
    found = sorted_pictures(files)
    dropped, rejected = Counter[str](), list(files.rejected)
    if votes is not None:
        table = read_label_table(folder / votes, (IMAGE_NAME, "Usage", *COLUMNS_OF_VOTES))
        table = table.dropna(subset=IMAGE_NAME).drop_duplicates(IMAGE_NAME)
        voted = table.set_index(IMAGE_NAME).reindex([PurePosixPath(path).name for path in files.pictures])
        voted = voted.assign(path=files.pictures).reset_index(drop=True).dropna(subset="Usage")
        voted["owner_split"] = meanings(voted["Usage"], SPLITS, "Usage", Unknown())
        voted["problem"] = pd.Series(pd.NA, voted.index, dtype="string")
        voted["code"] = _majorities(_numbers(voted), voted, dropped)
        rejected += voted.loc[voted["problem"].notna(), ["path", "problem"]].itertuples(
            index=False, name=None
        )
        others = found[~found["path"].isin(voted["path"])]
        found = pd.concat(
            [voted.dropna(subset="code")[["path", "code", "owner_split"]], others], ignore_index=True
        )
    if found.empty:
        raise LayoutError(
            f"{folder} is not FER-2013: expected {TABLE}, and {VOTES_TABLE} of FER+ if you have it, or folders by "
            "expression such as train/angry"
        )
    return make_reading(DATASET, found.assign(domain="wild"), rejected, dropped, sorted_codes(DATASET))


def load(row: Row, folder: Path) -> Pixels:
    """Return the picture of a row: its own file, or its record as RGB, uint8 (48, 48, 3), from its place in the table.

    Each process keeps one index of places a table (8 bytes a row, 0.3 MB in all), made by one pass over the file.
    Raises ImageError if the table changed or the row holds no picture.
    """
    path = folder / row["path"]
    if pd.isna(row["record"]) and path.suffix.lower() != ".csv":
        return read_image(path)
    try:
        state = path.stat()
        columns, places = _index(path, state.st_mtime_ns, state.st_size)
        with path.open("rb") as file:
            file.seek(int(places[int(row["record"])]))
            fields = _fields(file.readline(LONGEST_LINE))
        grey = np.array(fields[columns["pixels"]].split(), dtype=np.int64).reshape(SIDE, SIDE)
    except (OSError, ValueError, TypeError, IndexError) as error:
        raise ImageError(None, f"is not {SIDE} x {SIDE} grey levels: fetch {TABLE} again") from error
    if grey.min() < 0 or grey.max() > 255:
        raise ImageError(None, f"has grey levels outside 0 to 255: fetch {TABLE} again")
    return np.repeat(grey[:, :, None].astype(np.uint8), 3, axis=2)


@lru_cache(maxsize=2)
def _index(path: Path, _modified: int, _size: int) -> tuple[dict[str, int], NDArray[np.int64]]:
    """Which field of a table holds what, and where its rows begin, in bytes."""
    with path.open("rb") as file:
        columns = _columns(file.readline(LONGEST_LINE), path)
        lengths = [file.tell(), *map(len, _lines(file, path))]
    return columns, np.cumsum(lengths, dtype=np.int64)[:-1]


def _lines(file: BinaryIO, path: Path) -> Iterator[bytes]:
    for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b"")):
        if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            raise LayoutError(f"{path}: row {number} is longer than any picture's: fetch the table again")
        yield line


def _holds_pixels(path: Path) -> bool:
    with path.open("rb") as file:
        return set(COLUMNS[:2]) <= set(_names(file.readline(LONGEST_LINE)))


def _names(header: bytes) -> list[str]:
    return [name.strip() for name in _fields(header.removeprefix(b"\xef\xbb\xbf"))]


def _columns(header: bytes, path: Path) -> dict[str, int]:
    names = _names(header)
    needed = COLUMNS[: 2 if path.name == TABLES[-1] else 3]
    if absent := [column for column in needed if column not in names]:
        raise LayoutError(f"{path} has no column {', '.join(absent)}: fetch the published file again")
    return {column: names.index(column) for column in COLUMNS if column in names}


def _fields(line: bytes) -> list[str]:
    """The fields of one line; none if it is no row of a CSV table."""
    try:
        return next(csv.reader([line.decode("utf-8", "replace").rstrip("\r\n").replace("\0", "?")]), [])
    except csv.Error:
        return []


def _table(path: Path) -> pd.DataFrame:
    """Code, Usage and problem of each row; the index is the record. Pixels are looked at, not kept."""
    check_size(path)
    with path.open("rb") as file:
        columns = _columns(file.readline(LONGEST_LINE), path)
        rows = [_row(line, columns) for line in _lines(file, path)]
    while rows and rows[-1][2] == EMPTY:
        rows.pop()
    return pd.DataFrame(rows, columns=["code", "owner_split", "problem"], dtype="string")


def _row(line: bytes, columns: dict[str, int]) -> tuple[str | None, str | None, str | None]:
    if not line.strip():
        return None, None, EMPTY
    fields = _fields(line)
    if len(fields) <= max(columns.values()):
        return None, None, "has too few fields"
    split = fields[columns["Usage"]].strip() if "Usage" in columns else None
    if not _PIXELS.fullmatch(fields[columns["pixels"]].encode()):
        return None, split, f"does not hold {SIDE} x {SIDE} grey levels"
    return fields[columns["emotion"]].strip(), split, None


def _majorities(votes: NDArray[np.float64], table: pd.DataFrame, dropped: Counter[str]) -> pd.Series:
    """The votes' majority of each row, missing where there is none; counts those in `dropped`."""
    sound = pd.Series((np.isfinite(votes) & (votes >= 0)).all(axis=1), index=table.index)
    table["problem"] = table["problem"].mask(
        table["problem"].isna() & ~sound, "has votes that are no numbers"
    )
    counted = np.where(votes > 1, votes, 0)
    agreed = counted.max(axis=1) > counted.sum(axis=1) / 2
    codes = pd.Series(np.array(COLUMNS_OF_VOTES)[counted.argmax(axis=1)], index=table.index, dtype="string")
    usable = table["problem"].isna()
    if undecided := int((usable & ~agreed).sum()):
        dropped[NO_MAJORITY] = undecided
    return codes.where(usable & agreed)


def _votes(path: Path, splits: pd.Series) -> NDArray[np.float64]:
    """The votes, (rows, 10), not a number where there is none. Rows are taken as the same by number and Usage."""
    votes = read_label_table(path, ("Usage", *COLUMNS_OF_VOTES))
    given = meanings(votes["Usage"], SPLITS, "Usage", Unknown()).fillna("")
    known = splits.fillna("")
    if len(given) != len(known) or any(own and own != other for own, other in zip(known, given, strict=True)):
        raise LayoutError(
            f"{path} does not go with {TABLE}: expected the same {len(splits)} rows in the same order; fetch both again"
        )
    return _numbers(votes)


def _numbers(votes: pd.DataFrame) -> NDArray[np.float64]:
    numbers = votes[list(COLUMNS_OF_VOTES)].apply(pd.to_numeric, errors="coerce")
    return numbers.to_numpy(np.float64, na_value=np.nan)


SOURCE: Final = Source(DATASET, read, load, aligned=True)
