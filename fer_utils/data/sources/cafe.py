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

from fer_utils.data.sources.labels import spellings
from fer_utils.data.sources.layouts import Files, list_files, make_reading
from fer_utils.data.sources.reading import LayoutError, Reading, Source, load_picture

DATASET: Final = "cafe"
SEXES: Final = {"F": "female", "M": "male"}
GROUPS: Final = {
    "AA": "African American", "AS": "Asian", "EA": "European American", "LA": "Latino", "SA": "South Asian",
}  # fmt: skip
"""Ethnicity by the group code of a name."""

OPEN_FOLDER: Final = "mouth_open"
OPEN_WORDS: Final = ("open", "tongue")
ALWAYS_OPEN: Final = "sur"  # how the code of surprise begins
SOUNDS: Final = frozenset({".wav", ".aif", ".aiff", ".flac", ".mp3"})

_CHILD: Final = r"([FM])-([A-Z]{2})-(\d+)"
_DATABRARY: Final = re.compile(rf"\d+-([a-z]+)_{_CHILD}", re.I)
_OLDER: Final = re.compile(rf"([a-z]+)(?:[^a-z].*?)?(?:{_CHILD})?(?:[^a-z0-9].*)?", re.I)
COLUMNS: Final = ("path", "code", "subject_id", "sex", "ethnicity", "mouth")


def read(folder: Path) -> Reading:
    """Return the photographs; `rejected` holds those with names of neither way or of an unknown group.

    Raises LayoutError, in one sentence, for a folder in another layout, the speech corpus of that name included.
    """
    files = list_files(folder)
    rejected, rows = list(files.rejected), []
    for path in files.pictures:
        match = _match(path)
        if match is None:
            rejected.append((path, "is not named as the set's photographs are: 10541-happy_F-EA-14.jpg"))
            continue
        word, sex, group, model = match.groups()
        if group is not None and group.upper() not in GROUPS:
            rejected.append((path, f"unknown group code {group!r}: known are {', '.join(GROUPS)}"))
            continue
        code = _code(word.lower(), is_older=_DATABRARY.fullmatch(PurePosixPath(path).stem) is None)
        child = f"{DATASET}-{sex}-{group}-{model}".upper().replace(DATASET.upper(), DATASET) if sex else pd.NA
        who = (SEXES[sex.upper()], GROUPS[group.upper()]) if sex else (pd.NA, pd.NA)
        rows.append((path, code, child, *who, _mouth(code, path)))
    if not rows:
        raise LayoutError(_refusal(folder, files))
    found = pd.DataFrame(rows, columns=list(COLUMNS), dtype="string")
    return make_reading(DATASET, found.assign(cohort="child", domain="lab", owner_split="test"), rejected)


def _match(path: str) -> re.Match[str] | None:
    stem = PurePosixPath(path).stem
    if (match := _DATABRARY.fullmatch(stem)) is not None:
        return match
    match = _OLDER.fullmatch(stem)
    is_known = match is not None and _code(match[1].lower(), is_older=True) in spellings(DATASET)
    return match if is_known else None


def _code(word: str, is_older: bool) -> str:
    """A label code of the manifest, or the word itself if none fits."""
    known = spellings(DATASET)
    if word in known or not is_older:
        return known.get(word, word)
    return next((code for short, code in known.items() if len(word) >= 3 and short[:3] == word[:3]), word)


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
