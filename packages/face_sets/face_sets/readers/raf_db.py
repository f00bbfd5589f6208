"""Reader of RAF-DB, basic expressions (Li, Deng & Du 2017, doi 10.1109/CVPR.2017.277): faces from the web.

As its readme lays it out (version 1.1): `EmoLabel/list_patition_label.txt`, the owners' spelling, with a picture's
name and a code from 1 to 7 a line; `Image/aligned/<name>_aligned.jpg`, 100 x 100 pixels, which go through untouched;
`Annotation/manual/<name>_manu_attri.txt`: five lines of landmarks, then gender, race and age range as numbers. Those
three were judged by annotators, not reported by the people. `train_` and `test_` names give the owners' split; they
name no people. Copies without the list are sorted into folders: `DATASET/train/1/train_00001_aligned.jpg`.
"""

import re
from pathlib import Path, PurePosixPath
from typing import Final

import pandas as pd

from face_sets.readers.labels import Unknown, meanings
from face_sets.readers.layouts import Files, codes_of, list_files, make_reading, read_lines
from face_sets.readers.reading import LayoutError, Reading, Source, load_picture
from face_sets.readers.sorted_folders import sorted_codes, sorted_pictures

DATASET: Final = "raf_db"
LISTS: Final = ("list_patition_label.txt", "list_partition_label.txt")
ALIGNED: Final = "aligned"
LANDMARKS: Final = 5  # lines before the attributes

SEXES: Final = {"0": "male", "1": "female", "2": None}  # 2: unsure
RACES: Final = {"0": "Caucasian", "1": "African-American", "2": "Asian"}
AGE_GROUP_OF_RANGE: Final = {"0": "child", "1": "child", "2": "adult", "3": "adult", "4": "adult"}
"""By age range: 0 to 3, 4 to 19, 20 to 39, 40 to 69, 70 and more years. The range 4 to 19 crosses our border of 18;
it counts as child, since fourteen of its sixteen years are below and adults' copies must not learn from children."""


_NAME: Final = re.compile(r"((train|test)_\d+)(_aligned)?\.(?:jpg|jpeg|png)", re.I)


def read(folder: Path) -> Reading:
    """Return the aligned faces, with sex, race and age_group where the manual annotations are there."""
    files = list_files(folder)
    path = files.ending(*LISTS)
    if path is None:
        return _sorted(folder, files)
    listed = [line.split() for line in read_lines(folder / path)]
    images = {PurePosixPath(p).stem: p for p in files.pictures if ALIGNED in p.split("/")[:-1]}
    if not images:
        raise LayoutError(f"{folder} has no aligned pictures: unpack Image/aligned.zip there")
    annotations = {PurePosixPath(p).name: p for p in files.usable if p.endswith("_manu_attri.txt")}
    rejected = list(files.rejected)
    rows = []
    seen: set[str] = set()
    for name, *codes in listed:
        match = _NAME.fullmatch(name)
        if match is None or len(codes) != 1:
            rejected.append((name[:60], "is not `train_ or test_ and a number .jpg`, then one code"))
        elif match[1] in seen:
            rejected.append((name, "is listed twice"))
        elif (image := images.get(f"{match[1]}_aligned")) is None:
            rejected.append((name, _missing(files, path, match[1])))
        else:
            annotated = _attributes(folder, annotations.get(f"{match[1]}_manu_attri.txt"))
            rows.append((codes[0], image, match[2].lower(), *annotated))
        if match is not None:
            seen.add(match[1])
    unknown: Unknown = Unknown()
    columns = ["code", "path", "owner_split", "sex", "ethnicity", "age_group"]
    found = pd.DataFrame(rows, columns=columns, dtype="string").assign(domain="wild")
    for column, known in (("sex", SEXES), ("ethnicity", RACES), ("age_group", AGE_GROUP_OF_RANGE)):
        found[column] = meanings(found[column], known, column, unknown)
    return make_reading(DATASET, found, rejected, unknown=unknown)


def _sorted(folder: Path, files: Files) -> Reading:
    """A copy without the list."""
    found = sorted_pictures(files, codes_of(DATASET)).assign(domain="wild")
    if found.empty:
        raise LayoutError(f"{folder} is not RAF-DB: expected EmoLabel/{LISTS[0]} beside Image/aligned")
    return make_reading(DATASET, found, list(files.rejected), codes=sorted_codes(DATASET))


def _missing(files: Files, table: str, name: str) -> str:
    """Why a listed picture cannot be used: it leads out, or is not there."""
    above = PurePosixPath(table).parents[1]
    return files.problem((above / "Image" / ALIGNED / f"{name}_aligned.jpg").as_posix()) or "is not aligned"


def _attributes(folder: Path, path: str | None) -> tuple[str | None, str | None, str | None]:
    """Codes of sex, race and age as annotated; missing where the file is not there or not one."""
    try:
        lines = read_lines(folder / path) if path else []
    except LayoutError:
        lines = []
    if len(lines) != LANDMARKS + 3:
        return None, None, None
    sex, race, age = lines[LANDMARKS:]
    return sex, race, age


SOURCE: Final = Source(DATASET, read, load_picture, aligned=True)
