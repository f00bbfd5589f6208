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
from typing import Final

import pandas as pd

from face_sets.readers.labels import SEXES, Unknown, codes_named, meanings, spellings
from face_sets.readers.layouts import Files, list_files, make_reading
from face_sets.readers.reading import LayoutError, Reading, Source, load_picture

DATASET: Final = "cafe"
GROUPS: Final = {
    "aa": "African American", "as": "Asian", "ea": "European American", "la": "Latino", "pi": "Pacific Islander",
    "sa": "South Asian",
}  # fmt: skip
"""Ethnicity by the group code of a name, in small letters. The owner publishes five groups but no list of codes: `EA` and
`AA` are in file names that public programs quote (10541-happy_F-EA-14.jpg, 9977-angry_F-AA-01.jpg), `PI` was met in copies
of the set, the others are unconfirmed; all meanings are read from the initials. Any other code leaves the group missing."""

OPEN_FOLDER: Final = "mouth_open"
OPEN_WORDS: Final = ("open", "tongue")
ALWAYS_OPEN: Final = "sur"  # how the code of surprise begins
SOUNDS: Final = frozenset({".wav", ".aif", ".aiff", ".flac", ".mp3"})

_CHILD: Final = re.compile(r"(?<![a-z0-9])([A-Z])-([A-Z]{2,})-(\d+)(?!\d)", re.I)
COLUMNS: Final = ("path", "code", "subject_id", "sex", "ethnicity", "mouth")


def read(folder: Path) -> Reading:
    """Return the photographs; `rejected` holds those whose names say no expression.

    Raises LayoutError, in one sentence, for a folder in another layout, the speech corpus of that name included.
    """
    files = list_files(folder)
    rejected, rows = list(files.rejected), []
    for path in files.pictures:
        name = PurePosixPath(path).stem
        if (code := _code(name)) is None:
            rejected.append((path, "is not named as the set's photographs are: 10541-happy_F-EA-14.jpg"))
        else:
            found = _CHILD.search(name)
            sex, group = found.group(1, 2) if found else (None, None)
            child = f"{DATASET}-{found[0].upper()}" if found else None
            rows.append((path, code, child, sex, group, _mouth(code, path)))
    if not rows:
        raise LayoutError(_refusal(folder, files))
    unknown: Unknown = Unknown()
    photographs = pd.DataFrame(rows, columns=list(COLUMNS), dtype="string").assign(
        age_group="child", domain="lab", owner_split="test"
    )
    for column, known in (("sex", SEXES), ("ethnicity", GROUPS)):
        photographs[column] = meanings(photographs[column], known, column, unknown)
    return make_reading(DATASET, photographs, rejected, unknown=unknown)


def _code(name: str) -> str | None:
    """Label code of a photograph: what its name spells out beside the child, else by the first word's three letters."""
    said = _CHILD.sub(" ", name)
    if named := codes_named(DATASET, said):
        return named[0]
    word = re.search(r"[a-z]{3,}", said.lower())
    code = next((c for c in spellings(DATASET).values() if word and c[:3] == word[0][:3]), None)
    return code or (word[0] if word and said != name else None)


def _mouth(code: str, path: str) -> str:
    place = PurePosixPath(path.lower())
    said = code.startswith(ALWAYS_OPEN) or any(word in place.stem for word in OPEN_WORDS)
    return "open" if said or OPEN_FOLDER in place.parts[:-1] else "closed"


def _refusal(folder: Path, files: Files) -> str:
    if any(PurePosixPath(path).suffix.lower() in SOUNDS for path in files.usable):
        return (
            f"{folder} holds sound, as the Canadian French Emotional speech corpus CaFE does: expected the photographs "
            "of Databrary volume 30"
        )
    return f"{folder} is not CAFE: expected photographs such as sessions/6401/10541-happy_F-EA-14.jpg of Databrary volume 30"


SOURCE: Final = Source(DATASET, read, load_picture)
