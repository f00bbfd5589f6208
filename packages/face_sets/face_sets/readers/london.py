"""Reader of the Face Research Lab London Set (DeBruine & Jones 2017, doi 10.6084/m9.figshare.5047666.v5).

Two layouts are known. As published: folders `neutral_front/` and `smiling_front/` of `001_03.jpg` and
`001_08.jpg`, and `london_faces_info.csv` with face_id (`X001`, or `001` in later copies), face_age, face_sex (or
face_gender), face_eth. As an extract: `faces.csv` with file, subject_id, expression, age_years, sex, ethnicity.
"""

import re
from pathlib import Path
from typing import Final

import pandas as pd

from face_sets.expressions import EXPRESSIONS
from face_sets.readers.reading import (
    CHILD_BELOW_YEARS,
    ROW_COLUMNS,
    LayoutError,
    Reading,
    Source,
    load_picture,
    name_of,
)

DATASET: Final = "london"
INFO_FILE: Final = "london_faces_info.csv"
EXTRACT_FILE: Final = "faces.csv"
FOLDERS: Final = {"neutral_front": ("neutral", "03"), "smiling_front": ("happiness", "08")}
"""Published folder: the expression, and the number by which its files end."""

PUBLISHED_NAMES: Final = {
    "face_age": "age_years", "face_sex": "sex", "face_gender": "sex", "face_eth": "ethnicity",
}  # fmt: skip
EXTRACT_COLUMNS: Final = ("file", "subject_id", "expression", "age_years", "sex", "ethnicity")


def read_london(folder: Path) -> pd.DataFrame:
    """Return one row an image, as `catalogue_faces` wants them; `path` is relative to `folder`.

    Age group is `adult` from 18 years on and `unknown` where no age is given. Sex and ethnicity are as people
    themselves reported them. Files that are not photographs of the two folders are passed over.

    Raises LayoutError, in one sentence, for a folder in another layout or a table without its columns.
    """
    if (folder / EXTRACT_FILE).is_file():
        rows = _extract(folder)
    elif any((folder / name).is_dir() for name in FOLDERS):
        rows = _published(folder)
    else:
        raise LayoutError(
            f"{folder} is not the London Set: expected {EXTRACT_FILE}, or {INFO_FILE} beside the folders "
            f"{' and '.join(FOLDERS)}"
        )
    if rows.empty:
        raise LayoutError(f"{folder} holds no photographs of the London Set: unpack its archives there")
    return _face_rows(rows)


def read(folder: Path) -> Reading:
    """Return the photographs as every reader does; names and splits are given by whoever ingests them."""
    rows = read_london(folder).drop(columns="split")
    named = rows.assign(
        face_id=[name_of(DATASET, path) for path in rows["path"]], source_key=rows["path"]
    ).reindex(columns=list(ROW_COLUMNS))
    nothing = pd.DataFrame({"path": [], "reason": []}, dtype="string")
    return Reading(named.astype(dict(ROW_COLUMNS)), nothing, {})


def _extract(folder: Path) -> pd.DataFrame:
    table = _table(folder / EXTRACT_FILE, EXTRACT_COLUMNS)
    if unknown := sorted(set(table["expression"].dropna()) - set(EXPRESSIONS)):
        raise LayoutError(
            f"{folder / EXTRACT_FILE}: expression {', '.join(unknown)} is not one of {', '.join(EXPRESSIONS)}"
        )
    if incomplete := int(table[["file", "subject_id", "expression"]].isna().any(axis=1).sum()):
        raise LayoutError(f"{folder / EXTRACT_FILE}: {incomplete} row(s) lack file, subject_id or expression")
    if outside := sum(not _is_inside(folder / file, folder) for file in table["file"]):
        raise LayoutError(f"{folder / EXTRACT_FILE}: {outside} row(s) name a file outside the folder")
    return table.rename(columns={"file": "path"})


def _published(folder: Path) -> pd.DataFrame:
    if absent := [name for name in FOLDERS if not (folder / name).is_dir()]:
        raise LayoutError(f"{folder} has no folder {' and '.join(absent)}: unpack its archive there")
    files = [row for name in FOLDERS for row in _photographs(folder, name)]
    people = _people(folder / INFO_FILE)
    photographs = pd.DataFrame(files, columns=["number", "expression", "path"], dtype="string")
    rows = photographs.merge(people, on="number", how="left", validate="many_to_one")
    return rows.assign(subject_id=f"{DATASET}-" + rows["number"])


def _photographs(folder: Path, name: str) -> list[tuple[str, str, str]]:
    expression, ending = FOLDERS[name]
    files = [path for path in (folder / name).iterdir() if path.is_file() and _is_inside(path, folder)]
    found = (re.fullmatch(rf"(\d+)_{ending}\.jpe?g", path.name, re.I) for path in files)
    return sorted((match[1], expression, f"{name}/{match[0]}") for match in found if match)


def _is_inside(path: Path, folder: Path) -> bool:
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):  # names that no system takes, links in a circle
        return False


def _people(path: Path) -> pd.DataFrame:
    table = _table(path, ("face_id", "face_age", "face_eth"))
    if not {"face_sex", "face_gender"} & set(table.columns):
        raise LayoutError(f"{path} has no column face_sex (nor face_gender): fetch the published file again")
    people = table.rename(columns=PUBLISHED_NAMES).assign(number=table["face_id"].str.lstrip("Xx"))
    if people["number"].duplicated().any():
        raise LayoutError(f"{path} names a person twice: fetch the published file again")
    return people[["number", "age_years", "sex", "ethnicity"]]


def _table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    if not path.is_file() or not _is_inside(path, path.parent):  # a link to a device has no end
        raise LayoutError(f"{path} is missing: fetch it from the owner's page")
    try:
        table = pd.read_csv(path, dtype="string", encoding="utf-8-sig")
    except (OSError, ValueError) as error:  # pandas' parser errors and bad encodings are ValueErrors
        raise LayoutError(f"{path} cannot be read as a CSV table: fetch it again") from error
    if absent := [column for column in columns if column not in table.columns]:
        raise LayoutError(f"{path} has no column {', '.join(absent)}: fetch the published file again")
    return table


def _face_rows(rows: pd.DataFrame) -> pd.DataFrame:
    ages = pd.to_numeric(rows["age_years"], errors="coerce").astype("Float64")
    subjects = rows["subject_id"]
    return pd.DataFrame(
        {
            "face_id": subjects + "-" + rows["expression"],
            "dataset": DATASET,
            "subject_id": subjects,
            "expression": rows["expression"],
            "age_group": (ages >= CHILD_BELOW_YEARS).map({True: "adult"}).astype("string").fillna("unknown"),
            "age_years": ages,
            "sex": rows["sex"].where(rows["sex"].isin(["female", "male"])),
            "ethnicity": rows["ethnicity"],
            "domain": "lab",
            "split": "external",
            "path": rows["path"],
        }
    )


SOURCE: Final = Source(DATASET, read, load_picture)
