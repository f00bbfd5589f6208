"""All data sets that can be read, by name, and what their readers return: rows of faces, files that cannot be used."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Final

import pandas as pd

from face_sets.images import Pixels, read_image
from face_sets.set_names import LICENSED_SETS, OWN_SET
from face_sets.tables import Row

SOURCES: Final = (*LICENSED_SETS, "london", "canada", OWN_SET)
"""The sets of the licensed study, the open photographs of adults, and a reader's own pictures."""

SHARED_MODULES: Final = {
    **dict.fromkeys(("kdef", "jaffe", "rafd", "ddcf", "nimh_chefs"), "file_names"),
    **dict.fromkeys(("london", "canada"), "london"),
}
"""Modules that read several sets: those whose labels stand in file names, say; any other set has a module of its name."""

ROW_COLUMNS: Final = {
    "face_id": "string",  # name_of(): says nothing about the person
    "dataset": "string",
    "subject_id": "string",  # missing where the owner gives none
    "expression": "string",
    "age_group": "string",  # child, adult or unknown, by the image's own age
    "age_years": "Float64",
    "sex": "string",
    "ethnicity": "string",
    "mouth": "string",
    "domain": "string",  # lab, wild or phone
    "path": "string",  # of the picture, table or video, relative to the set's folder
    "source_key": "string",  # the source image or video: faces of one source never part between splits
    "owner_split": "string",  # train, validation or test where the owner publishes one
    "frame_ms": "Int64",  # time in a video, milliseconds
    "record": "Int64",  # row in a table that holds pixels (FER-2013)
    "left": "Float64",  # the owner's face box in pixels, where a picture holds several faces
    "top": "Float64",
    "right": "Float64",
    "bottom": "Float64",
}
"""Columns of a reading's rows, all present, in this order; face_id, dataset, expression, age_group, path never missing."""

SENT_COLUMNS: Final = (
    "face_id", "dataset", "path", "frame_ms", "record", "left", "top", "right", "bottom",
)  # fmt: skip
"""Those that loading, finding and storing a face need: only they go to the processes that do it."""

CHILD_BELOW_YEARS: Final = 18
"""Below it a face is a child's: the age of majority, as data sets and consent forms draw the line."""


class LayoutError(ValueError):
    """A folder is not laid out as its data set's owner publishes it; the message says what was expected."""


@dataclass(frozen=True)
class Reading:
    """What a reader found in a folder: `rows` with ROW_COLUMNS; `rejected` with the columns path and reason.

    `rejected` lists files that belong to the set but cannot be used (misnamed, doubled, known to be damaged);
    images whose label the study drops (contempt, say) are counted in `dropped_labels`, by the owner's code.
    Values that no table of codes explains are missing in `rows` and counted in `unknown_values`, by column and value.
    `aligned`: this copy of the set holds cropped, upright faces (see Source), whatever the owner publishes.
    """

    rows: pd.DataFrame
    rejected: pd.DataFrame
    dropped_labels: Mapping[str, int]
    unknown_values: Mapping[str, int] = field(default_factory=dict)
    aligned: bool = False


@dataclass(frozen=True)
class Source:
    """One data set: its name, its reader, and how the picture of a row (SENT_COLUMNS of it) is loaded.

    `read` raises LayoutError, in one sentence, for a folder in another layout or a table without its columns.
    `aligned` sets ship cropped, upright faces, which go through untouched (no detection); of sets
    of video frames blurred faces are left out (`refuse_blurred`).
    """

    name: str
    read: Callable[[Path], Reading]
    load: Callable[[Row, Path], Pixels]
    aligned: bool = False
    refuse_blurred: bool = False


def source(name: str) -> Source:
    """Return the data set of a name.

    Raises LayoutError, in one sentence, for a name that no reader answers to.
    """
    if name not in SOURCES:
        raise LayoutError(f"unknown data set {name!r}: choose one of {', '.join(SOURCES)}")
    module = import_module(reader_module(name))
    found = module.SOURCES[name] if name in SHARED_MODULES else module.SOURCE
    assert isinstance(found, Source)  # imported only when it is asked for
    return found


def reader_module(name: str) -> str:
    """Return the module that reads a data set."""
    return f"face_sets.readers.{SHARED_MODULES.get(name, name)}"


def load_picture(row: Row, folder: Path) -> Pixels:
    """Load a row's picture from its own file: the way of every set but those of tables and videos."""
    return read_image(folder / row["path"])


def told(reasons: Iterable[str]) -> str:
    """Return the commonest reasons with their numbers, as the end of a sentence; nothing if there are none."""
    common = Counter(reasons).most_common(3)
    return " (" + "; ".join(f"{count:,} x {reason}" for reason, count in common) + ")" if common else ""


def name_of(dataset: str, path: str, part: int | str | None = None) -> str:
    """Return a face's name: the data set and twelve hexadecimal digits of its path and part (frame, face).

    Owners' file names may give a child's sex or ethnicity; this name says nothing.
    """
    key = path if part is None else f"{path}#{part}"
    return f"{dataset}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
