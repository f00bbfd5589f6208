"""Reader of LIRIS-CSE, Children's Spontaneous facial Expressions (Khan et al. 2019, arXiv 1812.01555).

Clips `S<child>_<emotion>[_<number>].mp4`, such as `videos_208/S10_surprise_5.mp4`, and who the children are in
`summaryParticipansts.xlsx` (the owner's spelling), which is read once it is saved as CSV; without it sex and age are
missing, and all are children of 6 to 12 years. A label holds for a clip. Clips with two labels
(`S11_fear_surprise`) are rejected, for nothing says which frame shows which; so is `S7_Happy_surprise`, misspelt, while
`S8_suprise` has its code in the manifest (list of github.com/Xavi3398/fer_benchmark).

Frames lie at the middles of equal parts of a clip, so that the first ones, still neutral, and the last are not taken.
"""

import re
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pandas as pd

from face_sets.images import ImageError
from face_sets.readers.labels import SEXES, person_problem, read_label_table, rows_of, spellings
from face_sets.readers.layouts import Files, codes_of, gathered, list_files, make_reading
from face_sets.readers.reading import LayoutError, Reading, Row, Source
from face_sets.videos import frame_rows, is_clip, load_frame

DATASET: Final = "liris_cse"
FRAMES_A_CLIP: Final = 5
"""Most frames of a clip, as in the 24-set benchmark of Gaya-Morey et al.: those of one clip are alike."""

PEOPLE_FILES: Final = ("summaryParticipansts.csv", "summaryParticipants.csv")
_NAME: Final = re.compile(r"S(\d+)((?:[ _-]+[A-Za-z]+)+)[ _-]*\d*")


def read(folder: Path) -> Reading:
    """Return frames of the clips with one label; `rejected` holds the other clips, misnamed and damaged ones."""
    files = list_files(folder)
    rejected, people = list(files.rejected), _people(folder, files)

    def rows_of(path: str) -> list[Row]:
        child, code = _parsed(path)
        row = {"path": path, "code": code, "subject_id": f"{DATASET}-S{child:02}", **people.get(child, {})}
        return frame_rows(folder, row, FRAMES_A_CLIP)

    rows = gathered(filter(is_clip, files.usable), rows_of, rejected)
    if not rows:
        raise LayoutError(f"{folder} is not LIRIS-CSE: expected clips such as S10_surprise_5.mp4")
    return make_reading(DATASET, pd.DataFrame(rows).assign(age_group="child", domain="lab"), rejected)


def _parsed(path: str) -> tuple[int, str]:
    """A clip's child and label code, as the manifest spells it. Raises ImageError for a name without one."""
    match = _NAME.fullmatch(PurePosixPath(path).stem)
    if match is None:
        raise ImageError(None, "is not named as the set's clips are: S10_surprise_5.mp4")
    known, codes = spellings(DATASET), codes_of(DATASET)
    labels = [known.get(word.lower(), word) for word in re.split(r"[ _-]+", match[2]) if word]
    if len({codes.get(label, label) for label in labels}) > 1:
        raise ImageError(None, "carries two labels")
    return int(match[1]), labels[0]


def _people(folder: Path, files: Files) -> dict[int, dict[str, Any]]:
    """Sex and age of each child, by number; empty without the table."""
    path = files.ending(*PEOPLE_FILES)
    if path is None:
        return {}
    table = read_label_table(folder / path, ("sr._no", "sex", "age")).rename(columns={"age": "age_years"})
    numbers = table["sr._no"].str.extract(r"(\d+)")[0]
    if numbers.isna().any() or numbers.duplicated().any() or any(map(person_problem, rows_of(table))):
        raise LayoutError(
            f"{folder / path} must give each child's number once, and an age and sex: fetch the table again"
        )
    ages = pd.to_numeric(table["age_years"])
    sexes = table["sex"].str.lower().map(SEXES)
    return {
        int(number): {"sex": sex, "age_years": age}
        for number, sex, age in zip(numbers, sexes, ages, strict=True)
    }


SOURCE: Final = Source(DATASET, read, load_frame, refuse_blurred=True)
