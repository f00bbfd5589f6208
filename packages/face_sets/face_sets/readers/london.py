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
from face_sets.readers.labels import read_label_table
from face_sets.readers.layouts import OUTSIDE, Files, list_files, make_reading
from face_sets.readers.reading import CHILD_BELOW_YEARS, LayoutError, Reading, Source, load_picture

DATASET: Final = "london"
INFO_FILE: Final = "london_faces_info.csv"
EXTRACT_FILE: Final = "faces.csv"
FOLDERS: Final = {"neutral_front": "03", "smiling_front": "08"}
"""Published folder, which is its label code, and the number by which its files end."""

EXTRACT_COLUMNS: Final = ("file", "subject_id", "expression", "age_years", "sex", "ethnicity")


def read(folder: Path) -> Reading:
    """Return one row per photograph.

    The age group is `adult` from 18 years on and `unknown` where no age is given. Sex and ethnicity are as people
    themselves reported them. Files that are not photographs of the two folders are passed over.
    """
    files = list_files(folder)
    if EXTRACT_FILE in files.usable:
        rows, codes = _extract(folder / EXTRACT_FILE, files), dict(zip(EXPRESSIONS, EXPRESSIONS, strict=True))
    elif any((folder / name).is_dir() for name in FOLDERS):
        rows, codes = _published(folder, files), None
    else:
        raise LayoutError(
            f"{folder} is not the London Set: expected {EXTRACT_FILE}, or {INFO_FILE} beside the folders "
            f"{' and '.join(FOLDERS)}"
        )
    if rows.empty:
        raise LayoutError(f"{folder} holds no photographs of the London Set: unpack its archives there")
    ages = pd.to_numeric(rows["age_years"], errors="coerce").astype("Float64")
    adult = (ages >= CHILD_BELOW_YEARS).fillna(False)
    found = rows.assign(
        age_years=ages,
        age_group=adult.map({True: "adult", False: "unknown"}),
        sex=rows["sex"].where(rows["sex"].isin(["female", "male"])),
        ethnicity=rows["ethnicity"].replace("NA", pd.NA),
        domain="lab",
    )
    return make_reading(DATASET, found, list(files.rejected), codes=codes)


def _extract(path: Path, files: Files) -> pd.DataFrame:
    table = read_label_table(path, EXTRACT_COLUMNS)
    if unknown := sorted(set(table["expression"].dropna()) - set(EXPRESSIONS)):
        raise LayoutError(f"{path}: expression {', '.join(unknown)} is not one of {', '.join(EXPRESSIONS)}")
    if incomplete := int(table[["file", "subject_id", "expression"]].isna().any(axis=1).sum()):
        raise LayoutError(f"{path}: {incomplete} row(s) lack file, subject_id or expression")
    if outside := sum(OUTSIDE in (files.problem(file) or "") for file in table["file"]):
        raise LayoutError(f"{path}: {outside} row(s) name a file outside the folder")
    return table.rename(columns={"file": "path", "expression": "code"})


def _published(folder: Path, files: Files) -> pd.DataFrame:
    if absent := [name for name in FOLDERS if not (folder / name).is_dir()]:
        raise LayoutError(f"{folder} has no folder {' and '.join(absent)}: unpack its archive there")
    found = [
        (match[1], name, path)
        for name, ending in FOLDERS.items()
        for path in files.usable
        if (match := re.fullmatch(rf"{name}/(\d+)_{ending}\.jpe?g", path, re.I))
    ]
    if INFO_FILE not in files.usable:
        raise LayoutError(f"{folder / INFO_FILE} is missing: fetch it from the owner's page")
    photographs = pd.DataFrame(found, columns=["number", "code", "path"], dtype="string")
    rows = photographs.merge(_people(folder / INFO_FILE), on="number", how="left", validate="many_to_one")
    return rows.assign(subject_id=f"{DATASET}-" + rows["number"])


def _people(path: Path) -> pd.DataFrame:
    table = read_label_table(path, ("face_id", "face_age", "face_eth"), ("face_sex", "face_gender"))
    number, sex = table["face_id"].str.lstrip("Xx"), table["face_sex"].fillna(table["face_gender"])
    if len(table) and sex.isna().all():
        raise LayoutError(f"{path} has no column face_sex (nor face_gender): fetch the published file again")
    if number.duplicated().any():
        raise LayoutError(f"{path} names a person twice: fetch the published file again")
    people = table.rename(columns={"face_age": "age_years", "face_eth": "ethnicity"}).assign(
        number=number, sex=sex
    )
    return people[["number", "age_years", "sex", "ethnicity"]]


SOURCE: Final = Source(DATASET, read, load_picture)
