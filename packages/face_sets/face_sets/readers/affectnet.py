"""Reader of AffectNet (Mollahosseini, Hasani & Mahoor 2017, doi 10.1109/TAFFC.2017.2740923): faces from the web.

Two releases are known. The older: `training.csv` and `validation.csv` with subDirectory_filePath, face_x, face_y,
face_width, face_height, facial_landmarks, expression, valence, arousal, and the pictures below
`Manually_Annotated_Images/`; some copies lack the header (columns as in public loaders of the lists, and in
`Manually_Annotated_file_lists/`). The newer, reduced: `train_set/` and `val_set/` with `images/<id>.jpg` and
`annotations/<id>_exp.npy`, one text or number each (public loaders cast it). Copies without either are sorted into folders
by expression.

Ages are not known, so no face has a age_group. Automatically labelled lists are not read. The owner gives no subjects.
"""

import tokenize
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
import pandas as pd

from face_sets.readers.label_tables import read_label_table
from face_sets.readers.layouts import Files, Rejected, codes_of, list_files, make_reading, whole_code
from face_sets.readers.reading import LayoutError, Reading, Source, load_picture
from face_sets.readers.sorted_folders import sorted_codes, sorted_pictures

DATASET: Final = "affectnet"
TABLES: Final = {"training.csv": "train", "validation.csv": "validation"}
PICTURES_FOLDER: Final = "Manually_Annotated_Images"
COLUMNS: Final = (
    "subDirectory_filePath", "face_x", "face_y", "face_width", "face_height", "facial_landmarks", "expression",
    "valence", "arousal",
)  # fmt: skip
READ_COLUMNS: Final = (*COLUMNS[:5], "expression")
_LONGEST_LINE: Final = 2**16  # bytes; landmarks take most of a line, some 2,000
SETS: Final = {"train_set": "train", "val_set": "validation", "test_set": "test"}


def read(folder: Path) -> Reading:
    """Return the faces of either release; `rejected` holds pictures without a readable label, and absent ones."""
    files = list_files(folder)
    rejected = list(files.rejected)
    if any(files.ending(name) for name in TABLES):
        found = _older(folder, files, rejected)
    elif any(path.split("/")[-3:-1] == [name, "images"] for path in files.pictures for name in SETS):
        found = _newer(folder, files, rejected)
    elif len(found := sorted_pictures(files)):
        return make_reading(DATASET, found.assign(domain="wild"), rejected, codes=sorted_codes(DATASET))
    else:
        raise LayoutError(
            f"{folder} is not AffectNet: expected {' and '.join(TABLES)} beside {PICTURES_FOLDER}, the folders train_set "
            "and val_set, or folders by expression"
        )
    return make_reading(DATASET, found.assign(domain="wild"), rejected)


def _older(folder: Path, files: Files, rejected: Rejected) -> pd.DataFrame:
    root = next(
        (p.split(PICTURES_FOLDER)[0] for p in files.pictures if PICTURES_FOLDER in p.split("/")), None
    )
    if root is None:
        raise LayoutError(f"{folder} has no pictures below {PICTURES_FOLDER}: unpack its archives there")
    parts = [_list(folder / path, split) for name, split in TABLES.items() if (path := files.ending(name))]
    table = pd.concat(parts, ignore_index=True)
    names = table["subDirectory_filePath"].fillna("").str.replace("\\", "/", regex=False)
    table["path"] = f"{root}{PICTURES_FOLDER}/" + names
    twice = table.duplicated("path").to_numpy(bool)
    problems = [
        "is listed twice" if t else files.problem(p) for p, t in zip(table["path"], twice, strict=True)
    ]
    table["expression"] = table["expression"].fillna("").map(whole_code).astype("string")
    # The codes 8 to 10 (none, uncertain, no face) are often listed without a picture: they are dropped, not missed
    needed = ~table["expression"].isin([c for c, e in codes_of(DATASET).items() if e is None])
    bad = pd.Series(problems).notna() & (needed | twice)
    rejected.extend((p, str(r)) for p, r, b in zip(table["path"], problems, bad, strict=True) if b)
    return _with_boxes(table[~bad]).rename(columns={"expression": "code"})


def _list(path: Path, split: str) -> pd.DataFrame:
    """A list of faces; one without a header begins with a picture's path, in its own folder: `689/737db2.jpg`."""
    with path.open("rb") as file:
        first = file.readline(_LONGEST_LINE).decode("utf-8", "replace").split(",")
    has_header = PurePosixPath(first[0]).suffix.lower() not in {".jpg", ".jpeg", ".png"}
    if not has_header and len(first) != len(COLUMNS):
        raise LayoutError(f"{path} has {len(first)} columns and no header: fetch the published file again")
    table = read_label_table(path, READ_COLUMNS, names=None if has_header else COLUMNS)
    return table.assign(owner_split=split)


def _with_boxes(table: pd.DataFrame) -> pd.DataFrame:
    """The owner's face box, in pixels of the released picture, where all four numbers make one."""
    x, y, width, height = (pd.to_numeric(table[c], errors="coerce").astype("Float64") for c in COLUMNS[1:5])
    sound = ((width > 0) & (height > 0) & x.notna() & y.notna()).fillna(False)
    edges = {"left": x, "top": y, "right": x + width, "bottom": y + height}
    return table.assign(**{name: edge.where(sound) for name, edge in edges.items()})


def _newer(folder: Path, files: Files, rejected: Rejected) -> pd.DataFrame:
    rows = []
    for path in files.pictures:
        parts = PurePosixPath(path).parts
        if len(parts) < 3 or parts[-3] not in SETS or parts[-2] != "images":
            continue
        label = "/".join([*parts[:-2], "annotations", f"{PurePosixPath(path).stem}_exp.npy"])
        code = None if files.problem(label) else _label(folder / label)
        if code is None:
            rejected.append((path, "has no readable label in annotations"))
        else:
            rows.append((path, code, SETS[parts[-3]]))
    return pd.DataFrame(rows, columns=["path", "code", "owner_split"], dtype="string")


def _label(path: Path) -> str | None:
    """The one text or number in a NumPy file; nothing is unpickled, and a header cannot claim more than the file holds."""
    try:
        array = np.lib.format.open_memmap(path, mode="r")
        data, kind = array.tobytes(), array.dtype
    except (OSError, *_DAMAGE):
        return None
    return whole_code(_text(data, kind)) if array.size == 1 and kind.kind in "USiuf" else None


_DAMAGE: Final = (
    ValueError, TypeError, SyntaxError, OverflowError, RecursionError, MemoryError, tokenize.TokenError,
)  # fmt: skip
"""What NumPy's parser of headers lets out on files that are none."""


def _text(data: bytes, kind: np.dtype[Any]) -> str:
    """One value as text, decoded here: NumPy fails hard on text of no alphabet."""
    if kind.kind == "U":
        return data.decode("utf-32-be" if kind.str[0] == ">" else "utf-32-le", "replace").rstrip("\0")
    if kind.kind == "S":
        return data.decode("ascii", "replace").rstrip("\0")
    return str(np.frombuffer(data, kind, count=1)[0])


SOURCE: Final = Source(DATASET, read, load_picture)
