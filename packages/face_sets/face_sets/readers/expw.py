"""Reader of ExpW, Expression in-the-Wild (Zhang, Luo, Loy & Tang 2018, doi 10.1007/s11263-017-1055-1).

`label.lst`, without a header, one face per line: image_name, face_id_in_image, face_box_top, face_box_left,
face_box_right, face_box_bottom, face_box_confidence, expression_label. **Top comes before left**: the order of the
owners' readme, as several public loaders state it. Pictures lie in a folder `origin/`. A picture may show several
labelled faces: a face is its picture and its number in it, and the row carries its box.

Ages and people are not known; faces of one picture share its `source_key`. Copies without the list are sorted into
folders by expression, one face a picture.
"""

import math
from pathlib import Path, PurePosixPath
from typing import Final

import pandas as pd

from face_sets.readers.layouts import Files, Rejected, list_files, make_reading, read_lines
from face_sets.readers.reading import LayoutError, Reading, Source, load_picture
from face_sets.readers.sorted_folders import sorted_codes, sorted_pictures

DATASET: Final = "expw"
TABLE: Final = "label.lst"
PICTURES_FOLDER: Final = "origin"
COLUMNS: Final = ("name", "part", "top", "left", "right", "bottom", "confidence", "code")
BOX: Final = ("left", "top", "right", "bottom")


def read(folder: Path) -> Reading:
    """Return one row per labelled face. Repeated lines count once; faces with two labels are rejected."""
    files = list_files(folder)
    path = files.ending(TABLE)
    if path is None:
        found = sorted_pictures(files).assign(domain="wild")
        if found.empty:
            raise LayoutError(
                f"{folder} is not ExpW: expected {TABLE} and a folder {PICTURES_FOLDER} of pictures, or folders by "
                "expression"
            )
        return make_reading(DATASET, found, list(files.rejected), codes=sorted_codes(DATASET))
    root = _pictures_folder(files)
    if root is None:
        raise LayoutError(
            f"{folder} has no pictures in a folder {PICTURES_FOLDER}: unpack its archives there"
        )
    rejected = list(files.rejected)
    table = _table(folder / path, rejected)
    table["path"] = f"{root}/" + table["name"]
    table["source_key"] = table["path"]
    reasons = _problems(table, files)
    bad = reasons.notna()
    places = table["path"] + " face " + table["part"]
    rejected.extend(zip(places[bad], reasons[bad], strict=True))
    found = table[~bad].drop(columns=["name", "confidence"]).assign(domain="wild")
    return make_reading(DATASET, found, rejected)


def _pictures_folder(files: Files) -> str | None:
    folders = {PurePosixPath(path).parent for path in files.pictures}
    named = sorted(f.as_posix() for f in folders if f.name == PICTURES_FOLDER)
    return min(named, key=len, default=None)


def _table(path: Path, rejected: Rejected) -> pd.DataFrame:
    rows = []
    for number, line in enumerate(read_lines(path), start=1):
        fields = line.rsplit(maxsplit=len(COLUMNS) - 1)  # from the right: a name may hold a space
        if number == 1 and fields[-1] == "expression_label":
            continue  # some copies have a header
        try:
            box = [float(value) for value in fields[2:6]]
        except ValueError:
            box = []
        if len(fields) == len(COLUMNS) and len(box) == len(BOX):
            rows.append((fields[0], fields[1], *box, fields[6], fields[7]))
        else:
            rejected.append((f"{TABLE} line {number}", f"does not hold {', '.join(COLUMNS)}"))
    kinds = {name: "float64" if name in BOX else "string" for name in COLUMNS}
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(kinds)


def _problems(table: pd.DataFrame, files: Files) -> pd.Series:
    """Why each row cannot be used, missing where it can."""
    repeated = table.duplicated()
    labels = table[~repeated].groupby(["name", "part"])["code"].transform("size").reindex(table.index)
    reasons = pd.Series([files.problem(path) for path in table["path"]], index=table.index, dtype="string")
    finite = table[list(BOX)].map(math.isfinite).all(axis=1)
    sound = finite & (table["right"] > table["left"]) & (table["bottom"] > table["top"])
    reasons = reasons.mask(
        reasons.isna() & ~sound, "has a face box without area: is the order top, left, right, bottom?"
    )
    reasons = reasons.mask(reasons.isna() & labels.gt(1), "has two rows for one face, which differ")
    return reasons.mask(repeated, "is a repeated row of a face")


SOURCE: Final = Source(DATASET, read, load_picture)
