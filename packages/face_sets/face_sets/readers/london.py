"""Readers of the Face Research Lab London Set (DeBruine & Jones 2017, doi 10.6084/m9.figshare.5047666.v5) and its sister
set Young Adult White Faces (DeBruine & Jones 2017, doi 10.6084/m9.figshare.4220517.v1), called `canada`: adults.

Three layouts are known. London as published: folders `neutral_front/` and `smiling_front/` of `001_03.jpg` and
`001_08.jpg`, and `london_faces_info.csv` with face_id (`X001`, or `001` in later copies), face_age, face_sex (or
face_gender), face_eth. Either as in a clone of github.com/debruine/webmorphR.stim: those folders, or `canada/` of
`003f.jpg`, below `inst/`, and `data-raw/london_info.csv` or `canada_info.csv`. As an extract: `faces.csv` (or `canada.csv`)
with file, subject_id, expression, age_years, sex, ethnicity.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import pandas as pd

from face_sets.expressions import EXPRESSIONS
from face_sets.readers.label_tables import read_label_table, refused, rows_of
from face_sets.readers.labels import Unknown, person_columns
from face_sets.readers.layouts import Files, Rejected, list_files, make_reading
from face_sets.readers.reading import CHILD_BELOW_YEARS, LayoutError, Reading, Source, load_picture


@dataclass(frozen=True)
class _Photographs:
    """One of the two sets: its folders, each a label code with the pattern of its files, and the names of its tables."""

    dataset: str
    title: str
    folders: Mapping[str, str]
    info: tuple[str, ...]
    extract: str


LONDON: Final = _Photographs(
    "london",
    "the London Set",
    {"neutral_front": r"(\d+)_03\.jpe?g", "smiling_front": r"(\d+)_08\.jpe?g"},
    ("london_faces_info.csv", "london_info.csv"),
    "faces.csv",
)
CANADA: Final = _Photographs(
    "canada", "the set of young adults", {"canada": r"(\d+[fm])\.jpe?g"}, ("canada_info.csv",), "canada.csv"
)
EXTRACT_COLUMNS: Final = ("file", "subject_id", "age_years", "sex")
UNDER_AGE: Final = f"younger than {CHILD_BELOW_YEARS} years"


def read(folder: Path, photographs: _Photographs = LONDON) -> Reading:
    """Return one row per photograph of an adult; those of people under 18 are left out and counted.

    The age group is `unknown` where no age is given. Sex and ethnicity are as people themselves reported them.
    Files that are not photographs of the set's folders are passed over.
    """
    files, unknown = list_files(folder), Unknown()
    rejected: Rejected = list(files.rejected)
    if photographs.extract in files.usable:
        codes: Mapping[str, str] | None = dict(zip(EXPRESSIONS, EXPRESSIONS, strict=True))
        rows = _extract(folder / photographs.extract, files, photographs, rejected)
    else:
        codes, rows = None, _published(folder, files, photographs, unknown)
    if rows.empty:
        raise LayoutError(f"{folder} holds no photographs of {photographs.title}: unpack its archives there")
    found = rows.assign(**person_columns(rows.reindex(columns=[*rows, "mouth"]), unknown), domain="lab")
    young = (found["age_group"] == "child").to_numpy(bool)
    dropped = {UNDER_AGE: int(young.sum())} if young.any() else {}
    return make_reading(photographs.dataset, found[~young], rejected, dropped, codes, unknown)


def _extract(path: Path, files: Files, photographs: _Photographs, rejected: Rejected) -> pd.DataFrame:
    table = read_label_table(path, EXTRACT_COLUMNS, ("expression", "ethnicity"))
    if len(photographs.folders) == 1:
        table["expression"] = table["expression"].fillna("neutral")
    table["file"] = table["file"].map(files.listed, na_action="ignore")
    needed = ["file", "subject_id", "expression"]
    problems = [
        f"lacks one of {', '.join(needed)}"
        if any(pd.isna(row[name]) for name in needed)
        else files.problem(row["file"])
        for row in rows_of(table)
    ]
    rejected += refused(table, problems)
    usable = table[[problem is None for problem in problems]]
    return usable.rename(columns={"file": "path", "expression": "code"})


def _published(folder: Path, files: Files, photographs: _Photographs, unknown: Unknown) -> pd.DataFrame:
    found = [
        (match[1], name, path)
        for name, pattern in photographs.folders.items()
        for path in files.usable
        if (match := re.fullmatch(rf"(?:.*/)?{name}/{pattern}", path, re.I))
    ]
    table = files.ending(*photographs.info)
    if not found and table is None:
        raise LayoutError(
            f"{folder} is not {photographs.title}: expected {photographs.extract}, or {photographs.info[0]} beside "
            f"the folders {' and '.join(photographs.folders)}"
        )
    if absent := sorted(set(photographs.folders) - {name for _, name, _ in found}):
        raise LayoutError(
            f"{folder} has no photographs in a folder {' and '.join(absent)}: unpack its archive there"
        )
    if table is None:
        raise LayoutError(f"{folder / photographs.info[0]} is missing: fetch it from the owner's page")
    rows = pd.DataFrame(found, columns=["number", "code", "path"], dtype="string")
    rows["number"] = rows["number"].str.lower()
    people = _people(folder / table, unknown)
    rows = rows.drop_duplicates(["number", "code"]).merge(
        people, on="number", how="left", validate="many_to_one"
    )
    return rows.assign(subject_id=f"{photographs.dataset}-" + rows["number"])


def _people(path: Path, unknown: Unknown) -> pd.DataFrame:
    """Age, sex and ethnicity by number; a person that stands twice is not known."""
    table = read_label_table(path, ("face_id", "face_age"), ("face_sex", "face_gender", "face_eth"))
    if len(table) and table["face_sex"].isna().all() and table["face_gender"].isna().all():
        raise LayoutError(f"{path} has no column face_sex (nor face_gender): fetch the published file again")
    number = table["face_id"].str.lower().str.lstrip("x")
    people = table.rename(columns={"face_age": "age_years", "face_eth": "ethnicity"}).assign(
        number=number, sex=table["face_sex"].fillna(table["face_gender"])
    )
    unknown.update(f"face_id {each!r}" for each in number[number.duplicated(keep=False)].dropna())
    known = people.dropna(subset="number").drop_duplicates("number", keep=False)
    return known[["number", "age_years", "sex", "ethnicity"]]


SOURCES: Final = {
    each.dataset: Source(each.dataset, partial(read, photographs=each), load_picture)
    for each in (LONDON, CANADA)
}
