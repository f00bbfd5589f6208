"""Reader of your own pictures: a folder for each expression, or one CSV table at the top of the folder.

The folders are named for the expressions (`happiness/anything/at_all.jpg`, `2024/Happy faces/1.png`), of which the innermost
counts. The table has
the columns file and expression, and, where you know them, subject, age_years, sex (female, male), ethnicity and mouth (open,
closed). Give `subject` if you can: without it, pictures of one person may fall into training and test alike. A value that
is none of these is left missing, and counted.
"""

from pathlib import Path
from typing import Final

import pandas as pd

from face_sets.readers.label_tables import no_row_error, only_table, refused, rows_of
from face_sets.readers.labels import Unknown, person_columns, spellings
from face_sets.readers.layouts import Files, Rejected, list_files, make_reading
from face_sets.readers.reading import LayoutError, Reading, Row, Source, load_picture
from face_sets.readers.sorted_folders import sorted_pictures

DATASET: Final = "own"
NEEDED: Final = ("file", "expression")
OPTIONAL: Final = ("subject", "age_years", "sex", "ethnicity", "mouth")


def read(folder: Path) -> Reading:
    """Return the pictures of the table, or of the folders of expressions; `rejected` holds all others."""
    files = list_files(folder)
    rejected: Rejected = list(files.rejected)
    table = only_table(folder, files, NEEDED, OPTIONAL)
    unknown: Unknown = Unknown()
    found = _of_folders(files, rejected) if table is None else _of_table(table, files, rejected, unknown)
    if found.empty and table is not None:
        raise no_row_error(folder, rejected[len(files.rejected) :])
    if found.empty:
        raise LayoutError(
            f"{folder} holds no picture that can be used: expected a folder for each expression, or one CSV table with "
            f"the columns {', '.join(NEEDED)}"
        )
    known = spellings(DATASET)
    codes = [known.get(code.strip().lower(), code) for code in found["code"]]
    return make_reading(DATASET, found.assign(code=codes), rejected, unknown=unknown)


def _of_folders(files: Files, rejected: Rejected) -> pd.DataFrame:
    rejected += [(path, "is in no folder of an expression") for path in files.pictures if "/" not in path]
    return sorted_pictures(files)[["path", "code"]]


def _of_table(table: pd.DataFrame, files: Files, rejected: Rejected, unknown: Unknown) -> pd.DataFrame:
    labels = table["expression"].str.lower().groupby(table["file"]).transform("nunique")
    repeated = table["file"].duplicated()
    problems = [
        _problem(row, files)
        or ("is listed with two expressions" if many > 1 else "is listed twice" if again else None)
        for row, many, again in zip(rows_of(table), labels, repeated, strict=True)
    ]
    rejected += refused(table, problems)
    kept = table.loc[[problem is None for problem in problems]]
    return person_columns(kept, unknown).assign(
        path=kept["file"], code=kept["expression"], subject_id=f"{DATASET}-" + kept["subject"]
    )


def _problem(row: Row, files: Files) -> str | None:
    if any(pd.isna(row[name]) for name in NEEDED):
        return f"lacks one of {', '.join(NEEDED)} in the table"
    return files.problem(row["file"])


SOURCE: Final = Source(DATASET, read, load_picture)
