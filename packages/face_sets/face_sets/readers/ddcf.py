"""Reader of the Dartmouth Database of Children's Faces (Dalrymple, Gomez & Duchaine 2013, doi 10.1371/journal.pone.0079131).

`S105_9yoF_Afraid_far left_4176.JPG`: model, age and sex, expression, angle, shot; below folders by expression or by sex
(`40males`, `40females`), which are not relied on. Names were kept by hand: spaces or underscores between tokens, `.jpg`
and `.JPG`, `front`, `Front` and `front1`. Folders of edited pictures are left out, so that no picture counts twice.
All models are said to be Caucasian. Pleased, a second smile, is dropped by its code in the manifest.

The far angles, which Gaya-Morey et al. (github.com/Xavi3398/fer_benchmark) class as full profiles, are left out: detector
and crop are made for faces that show both eyes. Both are counted in `dropped_labels`, by EDITED and by ANGLE
and their name.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Final

import pandas as pd

from face_sets.readers.labels import spellings
from face_sets.readers.layouts import Files, list_files, make_reading, named_pictures
from face_sets.readers.reading import LayoutError, Reading, Source, load_picture

DATASET: Final = "ddcf"
ANGLES_READ: Final = ("front", "left", "right")
ANGLE: Final = "angle "
EDITED: Final = "edited"  # part of the name of folders that hold second versions
SEXES: Final = {"f": "female", "m": "male"}
AGES_YEARS: Final = range(6, 17)  # of the models, as the article gives them

_NAME: Final = re.compile(
    r"S(\d+)[ _]+(\d{1,2})yo([FM])[ _]+([A-Za-z]+)[ _]+((?:far[ _]*)?(?:left|right)|front)[ _]*(\d*)", re.I
)
MISNAMED: Final = "is not named as the set's pictures are: S105_9yoF_Afraid_front_4176.JPG"
COLUMNS: Final = ("path", "code", "subject_id", "age_years", "sex")


def read(folder: Path) -> Reading:
    """Return the pictures at ANGLES_READ, under both lights; `rejected` holds misnamed and doubled ones.

    Raises LayoutError, in one sentence, for a folder in another layout.
    """
    files = list_files(folder)
    edited = [path for path in files.pictures if EDITED in path.lower()]
    files = Files(tuple(path for path in files.usable if EDITED not in path.lower()), files.rejected)
    rejected, rows = list(files.rejected), []
    codes, dropped = spellings(DATASET), Counter({EDITED: len(edited)})
    for path, match in named_pictures(files, _NAME, MISNAMED, rejected):
        angle = re.sub(r"[ _]+", " ", match[5].lower())
        if int(match[2]) not in AGES_YEARS:
            rejected.append((path, MISNAMED))
        elif angle not in ANGLES_READ:
            dropped[ANGLE + angle] += 1
        else:
            person = f"{DATASET}-S{int(match[1]):03}"
            code = codes.get(match[4].lower(), match[4])
            rows.append((path, code, person, int(match[2]), SEXES[match[3].lower()]))
    if not rows:
        raise LayoutError(
            f"{folder} is not the Dartmouth set: expected pictures such as S105_9yoF_Afraid_front_4176.JPG"
        )
    found = pd.DataFrame(rows, columns=list(COLUMNS))
    return make_reading(
        DATASET, found.assign(age_group="child", ethnicity="Caucasian", domain="lab"), rejected, dropped
    )


SOURCE: Final = Source(DATASET, read, load_picture)
