"""Reader of KDEF, Karolinska Directed Emotional Faces (Lundqvist, Flykt & Öhman 1998, ISBN 91-630-7164-9).

`AF01/AF01ANFL.JPG`, by position (the set's readme): series A or B; sex F or M; number 01 to 35; expression AF (afraid),
AN, DI, HA, NE, SA, SU; angle FL and FR (full profiles), HL and HR (half profiles), S (straight). **AF is also how
series A of the women begins**, so nothing but the position tells. Series A and B show the same 70 people, 20 to 30
years old. Damaged and misnamed files are those that Gaya-Morey et al. list (github.com/Xavi3398/fer_benchmark).

Full profiles are left out: detector and crop are made for faces that show both eyes. They are counted in
`dropped_labels` by ANGLE and their code, not among the rejected, for nothing is wrong with them.
"""

import re
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Final

import pandas as pd

from face_sets.readers.layouts import list_files, make_reading
from face_sets.readers.reading import LayoutError, Reading, Source, load_picture

DATASET: Final = "kdef"
ANGLES_READ: Final = ("S", "HL", "HR")
"""Straight and both half profiles; FL and FR are left out (see above)."""

ANGLE: Final = "angle "
SEXES: Final = {"F": "female", "M": "male"}
BLACK: Final = (
    "AF01SUFR", "AF10AFFR", "AF11NEHL", "AF20DIHL", "AM25DIFL", "AM34DIFR", "BF13NEHR", "BM21DIFL", "BM22DIHL",
    "BM24DIFL",
)  # fmt: skip
UNUSABLE: Final = {
    **dict.fromkeys(BLACK, "is known to be black"),
    **dict.fromkeys(("AM17DIHR", "BM17NES"), "is known to be washed out"),
    "AM02HAFR": "is known to be damaged",
    "AF31V": "is misnamed: it is AF31SAHL",
    "AM31H": "is misnamed: it is AM31SUHR",
}
"""By name, without the suffix."""

_NAME: Final = re.compile(r"[AB]([FM])(\d{2})([A-Z]{2})(FL|HL|S|HR|FR)")


def read(folder: Path) -> Reading:
    """Return the pictures at ANGLES_READ; `rejected` holds damaged, misnamed and doubled ones.

    Raises LayoutError, in one sentence, for a folder in another layout.
    """
    files = list_files(folder)
    rejected = list(files.rejected)
    dropped = Counter[str]()
    rows = []
    seen: set[str] = set()
    for path in files.pictures:
        name = PurePosixPath(path).stem.upper()
        match = _NAME.fullmatch(name)
        if name in UNUSABLE:
            rejected.append((path, UNUSABLE[name]))
        elif match is None or not 1 <= int(match[2]) <= 35:
            rejected.append((path, "is not named as the set's pictures are: AF01ANS.JPG"))
        elif name in seen:
            rejected.append((path, "is a second copy of a picture"))
        elif match[4] not in ANGLES_READ:
            dropped[ANGLE + match[4]] += 1
        else:
            rows.append((match[3], path, f"{DATASET}-{match[1]}{match[2]}", SEXES[match[1]]))
        seen.add(name)
    if not rows:
        raise LayoutError(f"{folder} is not KDEF: expected pictures such as AF01/AF01ANS.JPG")
    found = pd.DataFrame(rows, columns=["code", "path", "subject_id", "sex"], dtype="string")
    return make_reading(DATASET, found.assign(age_group="adult", domain="lab"), rejected, dropped)


SOURCE: Final = Source(DATASET, read, load_picture)
