"""Labels as people write them: codes in any case, and tables that a spreadsheet saved."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from face_sets.readers.layouts import Files, check_size, codes_of
from face_sets.readers.reading import CHILD_BELOW_YEARS, LayoutError, Row

SEPARATORS: Final = (",", ";", "\t")
"""What spreadsheets put between columns; the semicolon where the comma marks decimals."""

SEXES: Final = {"f": "female", "female": "female", "m": "male", "male": "male"}
OLDEST_YEARS: Final = 122
"""Age beyond which a number is a slip of the pen: nobody is known to have grown older (Jeanne Calment, 1997)."""

_LONGEST_HEADER: Final = 2**16  # bytes; a table of labels has a dozen short names


def spellings(dataset: str) -> dict[str, str]:
    """Return a set's label codes in small letters, each with the spelling of the manifest."""
    return {code.lower(): code for code in codes_of(dataset)}


def read_label_table(
    path: Path, needed: Sequence[str], optional: Sequence[str] = (), names: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return the `needed` and `optional` columns of a table as text (dtype string), stripped; empty cells are missing.

    Columns are separated by any of SEPARATORS; their names are matched in any case, a space standing for an
    underscore; an optional column that is not there is all missing. `names` names all columns of a table without
    a header. Raises LayoutError, in one sentence, if the table is absent, too large, not a table, or lacks a
    needed column or names one twice.
    """
    check_size(path)
    wanted = {_plain(name): name for name in (*needed, *optional)}
    try:
        separator, header = (",", names) if names else _header(path)
        found = [wanted.get(_plain(name), name) for name in header]
        if absent := [name for name in needed if name not in found]:
            raise LayoutError(
                f"{path} has no column {', '.join(absent)}: its first line must name {', '.join(needed)}"
            )
        if twice := [name for name in wanted.values() if found.count(name) > 1]:
            raise LayoutError(f"{path} has more than one column {', '.join(twice)}: keep one")
        table = pd.read_csv(
            path, sep=separator, dtype="string", encoding="utf-8-sig", skipinitialspace=True, index_col=False,
            keep_default_na=False, na_values=[""], skip_blank_lines=True, names=found, header=None if names else 0,
            usecols=[name for name in wanted.values() if name in found],
        )  # fmt: skip
    except LayoutError:
        raise
    except (OSError, ValueError, OverflowError, LookupError, csv.Error) as error:
        # pandas' parser errors and bad encodings are ValueErrors; ragged rows let an IndexError out
        raise LayoutError(
            f"{path} cannot be read as a CSV table: fetch it again, or save it as CSV in UTF-8"
        ) from error
    stripped = table.apply(lambda column: column.str.strip()).replace("", pd.NA)
    return stripped.reindex(columns=[*needed, *optional]).astype("string")


def _header(path: Path) -> tuple[str, list[str]]:
    """The separator of a table's columns, and their names."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        line = file.readline(_LONGEST_HEADER)
    separator = max(SEPARATORS, key=line.count)
    return separator, next(csv.reader([line], delimiter=separator), [])


def _plain(name: str) -> str:
    return "_".join(name.strip().lower().split())


def only_table(
    folder: Path, files: Files, needed: Sequence[str], optional: Sequence[str]
) -> pd.DataFrame | None:
    """Return the one CSV table at the top of a folder as `read_label_table` does, None if there is none.

    Its column `file` is given with `/` between folders. Raises LayoutError also if there are several tables.
    """
    found = [path for path in files.usable if "/" not in path and path.lower().endswith(".csv")]
    if len(found) > 1:
        raise LayoutError(f"{folder} holds {len(found)} CSV tables: leave the one with the labels")
    if not found:
        return None
    table = read_label_table(folder / found[0], needed, optional)
    return table.assign(file=table["file"].str.replace("\\", "/", regex=False))


def rows_of(table: pd.DataFrame) -> list[Row]:
    """Return a table's rows as dictionaries by column."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def person_problem(row: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a row's age_years, sex or mouth as written (text or missing), None if nothing."""
    age, sex, mouth = (row.get(name) for name in ("age_years", "sex", "mouth"))
    if not pd.isna(age) and not 0 <= pd.to_numeric(age, errors="coerce") <= OLDEST_YEARS:
        return f"age_years is not a number from 0 to {OLDEST_YEARS}"
    if not pd.isna(sex) and str(sex).lower() not in SEXES:
        return "sex is neither female nor male: leave it empty if it is another"
    if not pd.isna(mouth) and str(mouth).lower() not in ("open", "closed"):
        return "mouth is neither open nor closed"
    return None


def person_columns(table: pd.DataFrame, unknown_age: str = "unknown") -> pd.DataFrame:
    """Return age_group, age_years, sex, ethnicity and mouth of a table's rows, each without a `person_problem`.

    The age group is `unknown_age` where no age is given.
    """
    ages = pd.to_numeric(table["age_years"]).astype("Float64")
    groups = (ages < CHILD_BELOW_YEARS).map({True: "child", False: "adult"})
    return pd.DataFrame(
        {
            "age_group": groups.astype("string").fillna(unknown_age),
            "age_years": ages,
            "sex": table["sex"].str.lower().map(SEXES),
            "ethnicity": table["ethnicity"],
            "mouth": table["mouth"].str.lower(),
        }
    )
