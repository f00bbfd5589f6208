"""Reader of RaFD, the Radboud Faces Database (Langner et al. 2010, doi 10.1080/02699930903485076).

`Rafd090_28_Caucasian_male_angry_frontal.jpg`: camera angle, model, group, sex, expression, gaze. **One folder holds
adults and children**: the group is Caucasian, Moroccan or Kid, and `Kid` stands where the ethnicity would, so that of
the ten children is not known. Names are read token by token.

Profiles are left out: detector and crop are made for faces that show both eyes. They are counted in
`dropped_labels` by ANGLE and the camera, not among the rejected, for nothing is wrong with them.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Final

import pandas as pd

from face_sets.readers.labels import spellings
from face_sets.readers.layouts import list_files, make_reading, named_pictures
from face_sets.readers.reading import LayoutError, Reading, Source, load_picture

DATASET: Final = "rafd"
ANGLES_READ: Final = ("045", "090", "135")
"""Cameras, degrees: the frontal one and the half profiles beside it; 000 and 180 are full profiles."""

ANGLE: Final = "angle "
GROUPS: Final = {
    "caucasian": ("adult", "Caucasian"), "moroccan": ("adult", "Moroccan"), "kid": ("child", None),
}  # fmt: skip
"""Age group and ethnicity of a name's group."""

_NAME: Final = re.compile(
    r"Rafd(000|045|090|135|180)_(\d+)_(Caucasian|Moroccan|Kid)_(female|male)_([a-z]+)_(frontal|left|right)",
    re.I,
)
MISNAMED: Final = "is not named as the set's pictures are: six tokens, Rafd090_..._frontal.jpg"
COLUMNS: Final = ("path", "code", "subject_id", "age_group", "ethnicity", "sex")


def read(folder: Path) -> Reading:
    """Return the pictures of ANGLES_READ, with all three gazes; `rejected` holds misnamed and doubled ones.

    Raises LayoutError, in one sentence, for a folder in another layout.
    """
    files = list_files(folder)
    rejected, rows = list(files.rejected), []
    codes, dropped = spellings(DATASET), Counter[str]()
    for path, match in named_pictures(files, _NAME, MISNAMED, rejected):
        if match[1] not in ANGLES_READ:
            dropped[ANGLE + match[1]] += 1
            continue
        age_group, ethnicity = GROUPS[match[3].lower()]
        code = codes.get(match[5].lower(), match[5])
        rows.append((path, code, f"{DATASET}-{int(match[2]):02}", age_group, ethnicity, match[4].lower()))
    if not rows:
        raise LayoutError(
            f"{folder} is not RaFD: expected pictures such as Rafd090_28_Caucasian_male_angry_frontal.jpg"
        )
    found = pd.DataFrame(rows, columns=list(COLUMNS), dtype="string")
    return make_reading(DATASET, found.assign(domain="lab"), rejected, dropped)


SOURCE: Final = Source(DATASET, read, load_picture)
