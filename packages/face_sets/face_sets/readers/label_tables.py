"""Tables of labels as spreadsheets, R and people save them: any separator and encoding, empty rows, odd paths."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Final, TextIO

import pandas as pd

from face_sets.readers.labels import MISSING_WORDS, ROW
from face_sets.readers.layouts import Files, Rejected, check_size, text_encoding
from face_sets.readers.reading import LayoutError, Row

SEPARATORS: Final = (",", ";", "\t", "|")
"""What spreadsheets put between columns; the semicolon where the comma marks decimals."""

TABLES: Final = (".csv", ".tsv", ".tab")
"""How the names of tables end that are saved as text; `.txt` counts where the first line names the columns."""

_LONGEST_HEADER: Final = 2**16  # characters; a table of labels has a dozen short names
_AROUND: Final = "\ufeff\u200b\u200e\u200f\u202a\u202c\0"
"""Marks that are not seen and that copying from other programs leaves around a cell's text."""


def read_label_table(
    path: Path, needed: Sequence[str], optional: Sequence[str] = (), names: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return the `needed` and `optional` columns of a table as text (dtype string); the index is the row's number.

    The first row is number 1, as spreadsheets count. Cells are stripped; empty ones and MISSING_WORDS are missing,
    empty rows and columns left out. Columns are separated by any of SEPARATORS; their names are matched in any case,
    a space standing for an underscore; an optional column that is not there is all missing. `names` names all
    columns of a table without a header. The text may be UTF-8, UTF-16 or Windows-1252. Raises LayoutError, in one
    sentence, if the table is absent, too large, no text, lacks a needed column or names one twice, or, with its
    number, for a row that cannot be read.
    """
    check_size(path)
    wanted = {_plain(name): name for name in (*needed, *optional)}
    with path.open(encoding=text_encoding(path), newline="") as file:
        rows = _rows(file, path, list(wanted), names)
        header = list(names) if names else next(rows, (0, []))[1]
        found = [wanted.get(_plain(name), "") for name in header]
        if absent := [name for name in needed if name not in found]:
            raise LayoutError(
                f"{path} has no column {', '.join(absent)}: its first line must name {', '.join(needed)}"
            )
        if twice := [name for name in wanted.values() if found.count(name) > 1]:
            raise LayoutError(f"{path} has more than one column {', '.join(twice)}: keep one")
        places = [place for place, name in enumerate(found) if name]
        kept = [(number, _cells(path, number, row, len(header), places)) for number, row in rows]
    table = pd.DataFrame(
        [cells for _, cells in kept],
        index=pd.Index([number for number, _ in kept], name=ROW),
        columns=[found[place] for place in places],
        dtype="string",
    )
    known = table.apply(lambda column: column.mask(column.str.lower().isin(MISSING_WORDS)))
    return known.reindex(columns=list(wanted.values())).astype("string")


def _rows(
    file: TextIO, path: Path, wanted: Sequence[str], names: Sequence[str] | None
) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, with their numbers; the first is the header unless `names` are given."""
    number, separator = 0, ","
    try:
        lines: Iterable[str] = file
        if not names:
            number, first, separator = _first_line(file, wanted)
            lines = chain([first], file)
        for row in csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True):
            number += 1
            if any(cell.strip() for cell in row):
                yield number, row
    except UnicodeError as error:
        raise LayoutError(
            f"{path} cannot be read as text: fetch it again, or save it as CSV in UTF-8"
        ) from error
    except csv.Error as error:
        raise LayoutError(f"{path}, row {number + 1}: {_what_is_wrong(str(error))}") from error


def _what_is_wrong(error: str) -> str:
    if "field limit" in error:
        return "a cell is longer than any label: is a quotation mark missing?"
    return "a quotation mark opens and does not close at the end of its cell: correct it"


def _first_line(file: TextIO, wanted: Sequence[str]) -> tuple[int, str, str]:
    """How many lines stand before the header, the header, and its separator; `sep=;` of Excel and remarks after `#` too."""
    before, line = 0, file.readline(_LONGEST_HEADER)
    nothing = _AROUND + '" \r\n' + "".join(SEPARATORS)
    while line and (not line.strip(nothing) or line.strip(nothing).lower().startswith(("sep=", "#"))):
        before, line = before + 1, file.readline(_LONGEST_HEADER)
    return before, line, max(SEPARATORS, key=lambda each: len(_header(line, each) & set(wanted)))


def _header(line: str, separator: str) -> set[str]:
    with suppress(csv.Error):
        return {_plain(name) for name in next(csv.reader([line], delimiter=separator), [])}
    return set()


def _plain(name: str) -> str:
    return "_".join(name.strip(_AROUND).strip().lower().split())


def _cells(path: Path, number: int, row: list[str], width: int, places: Sequence[int]) -> list[str | None]:
    if any(cell.strip() for cell in row[width:]):
        raise LayoutError(
            f"{path}, row {number}: it has {len(row)} cells and the first line names {width} columns: put text "
            "or a number that holds the separator into quotation marks"
        )
    return [row[place].strip(_AROUND).strip() if place < len(row) else None for place in places]


def only_table(
    folder: Path, files: Files, needed: Sequence[str], optional: Sequence[str]
) -> pd.DataFrame | None:
    """Return the one table at the top of a folder as `read_label_table` does, None if there is none.

    Of several, the one whose first line names the needed columns. Its column `file` is as the folder spells it
    (Files.listed). Raises LayoutError also if several tables do.
    """
    top = [path for path in files.usable if "/" not in path]
    found = [path for path in top if path.lower().endswith(TABLES)]
    if len(found) != 1:
        able = [p for p in top if p.lower().endswith((*TABLES, ".txt")) and _names_all(folder / p, needed)]
        found = able or found
    if len(found) > 1:
        raise LayoutError(f"{folder} holds {len(found)} CSV tables: leave the one with the labels")
    if not found:
        return None
    table = read_label_table(folder / found[0], needed, optional)
    return table.assign(file=table["file"].map(files.listed, na_action="ignore").astype("string"))


def _names_all(path: Path, needed: Sequence[str]) -> bool:
    with suppress(LayoutError, UnicodeError), path.open(encoding=text_encoding(path), newline="") as file:
        _, line, separator = _first_line(file, needed)
        return set(map(_plain, needed)) <= _header(line, separator)
    return False


def rows_of(table: pd.DataFrame) -> list[Row]:
    """Return a table's rows as dictionaries by column."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def no_row_error(folder: Path, wrong: Rejected) -> LayoutError:
    """Return the error of a table of which no row can be used: what is wrong with the first, its file not named."""
    why = f"the first {wrong[0][1]}" if wrong else "it has none"
    return LayoutError(f"no row of the table in {folder} names a picture or clip that can be used: {why}")


def refused(table: pd.DataFrame, problems: Sequence[str | None]) -> Rejected:
    """Return the rows of a table that have a problem: the file that each names, what is wrong, and the row's number."""
    files = table["file"].fillna("(no file named)")
    return [
        (file, f"{problem} (row {number} of the table)")
        for number, file, problem in zip(table.index, files, problems, strict=True)
        if problem
    ]
