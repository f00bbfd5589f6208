"""Reader of JAFFE (Lyons, Kamachi & Gyoba 1998, doi 10.5281/zenodo.3451524): ten Japanese women.

`KA.AN1.39.tiff`: the person's initials, the expression and which time she posed it, a serial number; 256 x 256 grey.
Some copies have underscores for dots, or PNG for TIFF; serial numbers go to 219 for 213 pictures, and one repeat
number stands twice (`MK.FE2.131` and `MK.FE2.132`), so that a picture is told by its whole name. The owners publish
no ages (a table of 16 to 32 years circulates without a source), so the age_group is unknown.
"""

import re
from pathlib import Path, PurePosixPath
from typing import Final

import pandas as pd

from face_sets.readers.layouts import list_files, make_reading
from face_sets.readers.reading import LayoutError, Reading, Source, load_picture

DATASET: Final = "jaffe"
PEOPLE: Final = ("KA", "KL", "KM", "KR", "MK", "NA", "NM", "TM", "UY", "YM")
_NAME: Final = re.compile(rf"({'|'.join(PEOPLE)})[._]([A-Z]{{2}})(\d)[._](\d{{1,3}})")


def read(folder: Path) -> Reading:
    """Return one row a picture; other names, and a second copy of a picture, are rejected.

    Raises LayoutError, in one sentence, for a folder in another layout.
    """
    files = list_files(folder)
    rejected = list(files.rejected)
    rows = []
    seen: set[tuple[str, ...]] = set()
    for path in files.pictures:
        match = _NAME.fullmatch(PurePosixPath(path).stem.upper())
        if match is None:
            rejected.append((path, "is not named as the set's pictures are: KA.AN1.39.tiff"))
        elif match.groups() in seen:
            rejected.append((path, "is a second copy of a picture"))
        else:
            seen.add(match.groups())
            rows.append((match[2], path, f"{DATASET}-{match[1]}"))
    if not rows:
        raise LayoutError(f"{folder} is not JAFFE: expected pictures such as KA.AN1.39.tiff")
    found = pd.DataFrame(rows, columns=["code", "path", "subject_id"], dtype="string")
    found = found.assign(sex="female", ethnicity="Japanese", domain="lab")
    return make_reading(DATASET, found, rejected)


SOURCE: Final = Source(DATASET, read, load_picture)
