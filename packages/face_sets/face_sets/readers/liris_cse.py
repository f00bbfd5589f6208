"""Reader of LIRIS-CSE, Children's Spontaneous facial Expressions (Khan et al. 2019, arXiv 1812.01555).

Clips `S<child>_<emotion>[_<number>].mp4`, such as `videos_208/S10_surprise_5.mp4`, and who the children are in
`summaryParticipansts.xlsx` (the owner's spelling), which is read once it is saved as CSV; without it sex and age are
missing, and all are children of 6 to 12 years. A label holds for a clip. Names were kept by hand: `S8_suprise`,
`S9_happy_5_aloud` (list of github.com/Xavi3398/fer_benchmark). Clips with two labels, 17 of them (`S11_fear_surprise`,
`S8_fear_surpsrise`, `S8_fear_surprise_1_movingPerson`), are left out and counted in `dropped_labels`, for nothing says
which frame shows which.

Frames lie at the middles of equal parts of a clip, so that the first ones, still neutral, and the last are not taken.
"""

import re
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pandas as pd

from face_sets.images import ImageError
from face_sets.readers.label_tables import read_label_table
from face_sets.readers.labels import SEXES, Unknown, ages, codes_named, meanings
from face_sets.readers.layouts import Files, codes_of, gathered, list_files, make_reading
from face_sets.readers.reading import LayoutError, Reading, Row, Source
from face_sets.videos import frame_rows, is_clip, load_frame

DATASET: Final = "liris_cse"
FRAMES_A_CLIP: Final = 5
"""Most frames of a clip, as in the 24-set benchmark of Gaya-Morey et al.: those of one clip are alike."""

PEOPLE_FILES: Final = ("summaryParticipansts.csv", "summaryParticipants.csv")
TWO_LABELS: Final = "two labels"
_NAME: Final = re.compile(r"S0*(\d+)[ _-]+([a-z].*)", re.I)


def read(folder: Path) -> Reading:
    """Return frames of the clips with one label; `rejected` holds misnamed and damaged clips."""
    files = list_files(folder)
    rejected, dropped, unknown = list(files.rejected), Counter[str](), Unknown()
    people = _people(folder, files, unknown)

    def rows_of(path: str) -> list[Row]:
        child, codes = _parsed(path)
        if len({codes_of(DATASET).get(code) for code in codes}) > 1:
            dropped[TWO_LABELS] += 1
            return []
        row = {
            "path": path,
            "code": codes[0],
            "subject_id": f"{DATASET}-S{child:02}",
            **people.get(child, {}),
        }
        return frame_rows(folder, row, FRAMES_A_CLIP)

    rows = gathered(filter(is_clip, files.usable), rows_of, rejected)
    if not rows:
        raise LayoutError(f"{folder} is not LIRIS-CSE: expected clips such as S10_surprise_5.mp4")
    found = pd.DataFrame(rows).assign(age_group="child", domain="lab")
    return make_reading(DATASET, found, rejected, dropped, unknown=unknown)


def _parsed(path: str) -> tuple[int, list[str]]:
    """A clip's child and its label codes, the rest of its name if that holds none; ImageError for another name."""
    match = _NAME.fullmatch(PurePosixPath(path).stem)
    if match is None:
        raise ImageError(None, "is not named as the set's clips are: S10_surprise_5.mp4")
    return int(match[1]), codes_named(DATASET, match[2]) or [match[2]]


def _people(folder: Path, files: Files, unknown: Unknown) -> dict[int, dict[str, Any]]:
    """Sex and age of each child, by number; empty without the table. A child that stands twice is not known."""
    path = files.ending(*PEOPLE_FILES)
    if path is None:
        return {}
    table = read_label_table(folder / path, ("sr._no", "sex", "age"))
    numbers = table["sr._no"].str.extract(r"(\d+)")[0]
    unknown.update(
        f"sr._no {number!r}" for number in table["sr._no"][numbers.isna() | numbers.duplicated(False)]
    )
    known = table.assign(number=numbers, age_years=ages(table["age"], unknown))
    known["sex"] = meanings(table["sex"], SEXES, "sex", unknown)
    known = known.dropna(subset="number").drop_duplicates("number", keep=False)
    return {
        int(row["number"]): {"sex": row["sex"], "age_years": row["age_years"]} for _, row in known.iterrows()
    }


SOURCE: Final = Source(DATASET, read, load_frame, refuse_blurred=True)
