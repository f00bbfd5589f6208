"""Tidy tables with declared columns and types: reading, checking, writing; the tables of faces are declared here.

A table is a Parquet file. Categorical columns hold their categories in a fixed order; units stand in the
column's name. Reading checks what writing promised, so a damaged or foreign file never becomes a result.

Parquet's own checksums are of pages alone: of single bits flipped in the footer one in thirty gave other values without
a word. So the footer holds a SHA-256 of the whole file, counted with zeros in its own place.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow
from pyarrow import parquet

from face_sets.expressions import EXPRESSIONS
from face_sets.files import write_bytes

AGE_GROUPS: Final = ("child", "adult", "unknown")
SPLITS: Final = ("train", "validation", "test", "external")

Row = dict[str, Any]
"""One row of a table, by column."""

Column = str | tuple[str, ...]
"""A pandas dtype, or the categories of a categorical column."""

_SEAL: Final = b"sha256 of this file with zeros here"
_ZEROS: Final = b"0" * 64

_WHO: Final[Mapping[str, Column]] = {
    "face_id": "string",
    "dataset": "string",
    "subject_id": "string",  # missing in `ingested` where the owner gives none
    "expression": EXPRESSIONS,
    "age_group": AGE_GROUPS,
    "age_years": "Float64",
    "sex": ("female", "male"),
    "ethnicity": "string",
}
_STORED: Final[Mapping[str, Column]] = {
    "path": "string",  # relative to the folder that holds the table
    "sha256": "string",
    "perceptual_hash": "string",  # face_sets.duplicates, of the face as it is stored
    "picture_hash": "string",  # of the whole picture that it was cut from, without bars
}

COLUMNS: Final[dict[str, Mapping[str, Column]]] = {
    "faces": {  # one row per face image
        **_WHO,
        "skin_tone": "Int8",  # Monk scale, 1 to 10; a factor of its own, known for synthetic faces only
        "mouth": ("open", "closed"),
        "domain": "string",
        "split": SPLITS,
        **_STORED,
        "may_publish": "bool",
    },
    "ingested": {  # one row per face of one data set, before any study splits it
        **_WHO,
        "mouth": ("open", "closed"),
        "domain": "string",
        "source_key": "string",  # the picture or video that it was cut from
        "owner_split": ("train", "validation", "test"),
        **_STORED,
    },
}

KEYS: Final[dict[str, tuple[str, ...]]] = {"faces": ("face_id",), "ingested": ("face_id",)}

RANGES: Final[dict[str, tuple[float, float]]] = {"age_years": (0, 120), "skin_tone": (1, 10)}
"""By column, whatever its table: the least and the greatest value, both allowed."""

SUMS: Final[dict[str, tuple[tuple[str, ...], float, float]]] = {}
"""By table: columns whose sum is the same in every row, that sum, and how far it may be off."""

NEVER_MISSING: Final[dict[str, tuple[str, ...]]] = {
    "faces": ("face_id", "dataset", "subject_id", "expression", "age_group", "split", "path", "sha256"),
    "ingested": (
        "face_id", "dataset", "expression", "age_group", "source_key", "path", "sha256", "perceptual_hash",
        "picture_hash",
    ),
}  # fmt: skip


class TableError(ValueError):
    """A table is not what its declaration says; the message names table, column and remedy."""


def conform(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """Return `frame` with the declared columns, in the declared order and types, keys checked.

    Columns that may be missing are filled with missing values if `frame` lacks them.
    Raises TableError for an unknown or missing column, a value outside its categories or range, a repeated key.
    """
    declared = COLUMNS[table]
    if unknown := sorted(set(frame.columns) - set(declared)):
        raise TableError(
            f"table {table!r}: unknown column(s) {', '.join(unknown)}; known are {', '.join(declared)}"
        )
    needed = [c for c in NEVER_MISSING[table] if c not in frame.columns]
    if needed:
        raise TableError(
            f"table {table!r}: column(s) {', '.join(needed)} are missing; make the stage that writes it again"
        )
    columns = {name: _typed(frame, table, name, kind) for name, kind in declared.items()}
    result = pd.DataFrame(columns).reset_index(drop=True)
    _check_ranges(result, table)
    for name in NEVER_MISSING[table]:
        if (count := int(result[name].isna().sum())) > 0:
            raise TableError(f"table {table!r}: {count} row(s) have no {name}")
    if (repeated := result.duplicated(list(KEYS[table]))).any():
        first = result.loc[repeated, list(KEYS[table])].iloc[0].to_dict()
        raise TableError(f"table {table!r}: {int(repeated.sum())} repeated key(s), the first is {first}")
    return result


def _typed(frame: pd.DataFrame, table: str, name: str, kind: Column) -> pd.Series:
    values = frame[name] if name in frame.columns else pd.Series(pd.NA, index=frame.index, dtype="object")
    if isinstance(kind, tuple):
        if foreign := sorted(set(values.dropna().astype(str)) - set(kind)):
            raise TableError(
                f"table {table!r}, column {name}: {', '.join(foreign)} not among {', '.join(kind)}"
            )
        return pd.Series(pd.Categorical(values, categories=list(kind)), index=frame.index)
    try:
        return values.astype(kind)  # type: ignore[call-overload]
    except (TypeError, ValueError) as error:
        raise TableError(f"table {table!r}, column {name}: expected {kind}, {error}") from error


def _check_ranges(frame: pd.DataFrame, table: str) -> None:
    for name in [name for name in frame if name in RANGES]:
        least, greatest = RANGES[name]
        if not (fits := frame[name].between(least, greatest) | frame[name].isna()).all():
            first = frame.loc[~fits, name].iloc[0]
            raise TableError(
                f"table {table!r}, column {name}: {first} is not from {least:g} to {greatest:g}; make its stage again"
            )
    columns, expected, tolerance = SUMS.get(table, ((), 0.0, 0.0))
    sums = frame[list(columns)].sum(axis=1)
    if not (fits := (sums - expected).abs() <= tolerance).all():
        raise TableError(
            f"table {table!r}: {columns[0]} to {columns[-1]} add up to {sums[~fits].iloc[0]:.4g} instead of "
            f"{expected:g}; make its stage again"
        )


def empty(table: str) -> pd.DataFrame:
    """Return a table without rows, in its declared types."""
    return conform(pd.DataFrame({name: [] for name in COLUMNS[table]}), table)


def write(frame: pd.DataFrame, table: str, path: Path) -> pd.DataFrame:
    """Check `frame` and write it atomically, sealed; return what was written."""
    checked = conform(frame, table)
    write_sealed(checked, path)
    return checked


def read(table: str, *paths: Path) -> pd.DataFrame:
    """Read a table from one or more Parquet files (a table written in parts) and check it as a whole.

    Raises FileNotFoundError naming the first absent file, TableError for a damaged or foreign one.
    """
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(
                f"table {table!r} is not at {path}: run the stage that writes it (`fer status` says which)"
            )
    return conform(concatenated(map(read_sealed, paths)), table)


def concatenated(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Concatenate frames row-wise; none gives an empty frame."""
    frames = list(parts)
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def write_sealed(frame: pd.DataFrame, path: Path) -> None:
    """Write rows of any columns as Parquet, atomically, with a SHA-256 of the file in its footer."""
    rows = pyarrow.Table.from_pandas(frame, preserve_index=False)
    buffer = pyarrow.BufferOutputStream()
    with parquet.ParquetWriter(buffer, rows.schema) as writer:
        writer.write_table(rows)
        writer.add_key_value_metadata({_SEAL: _ZEROS})
    data = buffer.getvalue().to_pybytes()
    head, _, tail = data.rpartition(_ZEROS)
    write_bytes(path, head + sha256(data).hexdigest().encode() + tail)


def read_sealed(path: Path) -> pd.DataFrame:
    """Return the rows of a Parquet file. Raises TableError if it is damaged, or not as it was written."""
    try:
        data = path.read_bytes()
        file = parquet.ParquetFile(pyarrow.BufferReader(data))
        seal = (file.metadata.metadata or {}).get(_SEAL)  # a flipped bit of the footer can hide it
        if seal is None or sha256(_ZEROS.join(data.rsplit(seal, 1))).hexdigest().encode() != seal:
            raise ValueError("it is not as this project wrote it")
        return file.read().to_pandas()
    except Exception as error:  # the library lets anything out, and it is always the file's fault
        why = " ".join(str(error).split())[:200]
        raise TableError(f"{path} is damaged ({why}); delete it, and run again what wrote it") from error
