"""Reader of NIMH-ChEFS, the NIMH Child Emotional Faces Picture Set (Egger et al. 2011, doi 10.1002/mpr.343).

Folders `<Afraid|Angry|Happy|Neutral|Sad>_<direct|averted>` of names such as `F10FA_4434.jpg`: sex, model, letter of the
expression, gaze S (straight) or A (averted), number of the shot. So **FA is afraid and averted, not female**, and AA angry
and averted. There is no disgust and no surprise. All models are 10 to 17 years old; a picture's own age is not told.

Names were kept by hand, and vary (list of github.com/Xavi3398/fer_benchmark): `M10_FA_6823`, `M6_1FA_5445`, `M3-2SA_4764`,
`F1H2A_3338` are read as what they mean. Two are mended: `DSC_4644` is a second copy of M2FA_4644, and `F6_2FA_5449` shows
model M6. A model's shot of one number is one picture, whatever the copies are called (`M6FA__5449`).
"""

import re
from pathlib import Path, PurePosixPath
from typing import Final

import pandas as pd

from face_sets.readers.labels import spellings
from face_sets.readers.layouts import codes_of, list_files, make_reading
from face_sets.readers.reading import LayoutError, Reading, Source, load_picture

DATASET: Final = "nimh_chefs"
SEXES: Final = {"F": "female", "M": "male"}
GAZES: Final = {"S": "direct", "A": "averted"}
SECOND_COPIES: Final = {"DSC_4644": "M2FA_4644"}
"""Pictures that are there twice: the name that tells nothing, and the good one."""

MISNAMED: Final = {"F6_2FA_5449": "M6_2FA_5449"}
"""Names that tell another model: as found, and as meant."""

_FOLDER: Final = re.compile(r"([A-Za-z]+)_(direct|averted)", re.I)
_NAME: Final = re.compile(r"([FM])(\d{1,2})(?:[_-]\d?)?([FAHNS])\d?([SA])_+(\d+)")
"""Sex, model, a try's number perhaps, expression, a try's number perhaps, gaze, shot."""

COLUMNS: Final = ("path", "code", "subject_id", "sex")


def read(folder: Path) -> Reading:
    """Return the pictures with either gaze; `rejected` holds misnamed, misplaced and doubled ones.

    Raises LayoutError, in one sentence, for a folder in another layout.
    """
    files = list_files(folder)
    rejected, rows, seen = list(files.rejected), [], set()
    for path in files.pictures:
        found = _parsed(path)
        if isinstance(found, str):
            rejected.append((path, found))
        elif found in seen:
            rejected.append((path, "is a second copy of a picture"))
        else:
            seen.add(found)
            sex, model, code, _, _ = found
            rows.append((path, code, f"{DATASET}-{sex}{model}", SEXES[sex]))
    if not rows:
        raise LayoutError(
            f"{folder} is not NIMH-ChEFS: expected pictures such as Afraid_averted/F10FA_4434.jpg"
        )
    table = pd.DataFrame(rows, columns=list(COLUMNS), dtype="string")
    return make_reading(DATASET, table.assign(age_group="child", domain="lab"), rejected)


def _parsed(path: str) -> tuple[str, int, str, str, str] | str:
    """Sex, model, label code, gaze and shot of a picture; or why it cannot be used."""
    name = PurePosixPath(path).stem.upper()
    if name in SECOND_COPIES:
        return f"is a second copy of {SECOND_COPIES[name]}"
    place = _FOLDER.fullmatch(PurePosixPath(path).parent.name)
    match = _NAME.fullmatch(MISNAMED.get(name, name))
    if place is None or match is None:
        return "is not named as the set's pictures are: Afraid_averted/F10FA_4434.jpg"
    word = spellings(DATASET).get(place[1].lower(), place[1])
    codes = codes_of(DATASET)
    if word in codes and (codes[word] != codes[match[3]] or place[2].lower() != GAZES[match[4]]):
        return "says one expression or gaze by its name, another by its folder"
    return match[1], int(match[2]), word, match[4], match[5]


SOURCE: Final = Source(DATASET, read, load_picture)
