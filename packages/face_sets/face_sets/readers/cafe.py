"""Reader of CAFE, the Child Affective Facial Expression set (LoBue & Thrasher 2015, doi 10.3389/fpsyg.2014.01532).

Two ways of naming are read. Databrary volume 30: `sessions/<number>/<asset>-<expression>_<sex>-<group>-<model>.jpg`, such as
`sessions/6401/10541-happy_F-EA-14.jpg`. Older copies: names that begin with the expression, of which the first three letters
tell which it is, pictures with an open mouth in a folder `mouth_open`.

The child is the whole `F-EA-14`: numbers start anew in each sex and group. The mouth is open where the expression says
`open` or `tongue` (disgust with the tongue out), always in surprise, and in `mouth_open`; else closed. Every row is
the owner's test split: no CAFE child is ever trained on.

CaFE, Canadian French Emotional speech, and an adult set of California Facial Expressions share the name.
"""

import re
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pandas as pd

from face_sets.readers.labels import spellings
from face_sets.readers.layouts import Files, list_files, make_reading
from face_sets.readers.reading import LayoutError, Reading, Source, load_picture

DATASET: Final = "cafe"
SEXES: Final = {"F": "female", "M": "male"}
GROUPS: Final = {
    "AA": "African American", "AS": "Asian", "EA": "European American", "LA": "Latino", "SA": "South Asian",
}  # fmt: skip
"""Ethnicity by the group code of a name. The owner publishes the five groups but no list of codes: `EA` and `AA` are in
file names that public programs quote (10541-happy_F-EA-14.jpg, 9977-angry_F-AA-01.jpg), the others are unconfirmed,
and all five meanings are read from the initials."""

OPEN_FOLDER: Final = "mouth_open"
OPEN_WORDS: Final = ("open", "tongue")
ALWAYS_OPEN: Final = "sur"  # how the code of surprise begins
SOUNDS: Final = frozenset({".wav", ".aif", ".aiff", ".flac", ".mp3"})

_CHILD: Final = r"([FM])-([A-Z]{2})-(\d+)"
_DATABRARY: Final = re.compile(rf"\d+-([a-z]+)_{_CHILD}", re.I)
_CHILD_ANYWHERE: Final = re.compile(rf"(?<![a-z0-9]){_CHILD}(?!\d)", re.I)
COLUMNS: Final = ("path", "code", "subject_id", "sex", "ethnicity", "mouth")


def read(folder: Path) -> Reading:
    """Return the photographs; `rejected` holds those with names of neither way.

    Raises LayoutError, in one sentence, for a folder in another layout, the speech corpus of that name included, and
    for a group code that is not in GROUPS: the study's groups must not be guessed.
    """
    files = list_files(folder)
    rejected, rows = list(files.rejected), []
    for path in files.pictures:
        code, child = _parsed(PurePosixPath(path).stem)
        if code is None:
            rejected.append((path, "is not named as the set's photographs are: 10541-happy_F-EA-14.jpg"))
        elif child is not None and child[1] not in GROUPS:
            raise LayoutError(
                f"{folder}: unknown group code {child[1]!r}: known are {', '.join(GROUPS)}; look it up in the owner's "
                "table of demographics and add it to packages/face_sets/face_sets/readers/cafe.py"
            )
        else:
            who: tuple[Any, Any, Any] = (pd.NA, pd.NA, pd.NA)
            if child is not None:
                who = (f"{DATASET}-{'-'.join(child)}", SEXES[child[0]], GROUPS[child[1]])
            rows.append((path, code, *who, _mouth(code, path)))
    if not rows:
        raise LayoutError(_refusal(folder, files))
    found = pd.DataFrame(rows, columns=list(COLUMNS), dtype="string")
    return make_reading(DATASET, found.assign(age_group="child", domain="lab", owner_split="test"), rejected)


def _parsed(name: str) -> tuple[str | None, tuple[str, str, str] | None]:
    """Label code of a photograph, None if its name is of neither way, and sex, group and model where it has them."""
    known = spellings(DATASET)
    if (match := _DATABRARY.fullmatch(name)) is not None:
        return known.get(match[1].lower(), match[1]), (match[2].upper(), match[3].upper(), match[4])
    found = _CHILD_ANYWHERE.search(name)
    return _older_code(name), (found[1].upper(), found[2].upper(), found[3]) if found else None


def _older_code(name: str) -> str | None:
    known = spellings(DATASET)
    if (match := re.match(r"[a-z]{3,}", name.lower())) is None:
        return None
    return known.get(match[0]) or next((code for code in known.values() if code[:3] == match[0][:3]), None)


def _mouth(code: str, path: str) -> str:
    said = code.endswith(OPEN_WORDS) or code.startswith(ALWAYS_OPEN)
    return "open" if said or OPEN_FOLDER in PurePosixPath(path.lower()).parts[:-1] else "closed"


def _refusal(folder: Path, files: Files) -> str:
    if any(PurePosixPath(path).suffix.lower() in SOUNDS for path in files.usable):
        return (
            f"{folder} holds sound, as the Canadian French Emotional speech corpus CaFE does: expected the photographs "
            "of Databrary volume 30"
        )
    return f"{folder} is not CAFE: expected photographs such as sessions/6401/10541-happy_F-EA-14.jpg of Databrary volume 30"


SOURCE: Final = Source(DATASET, read, load_picture)
