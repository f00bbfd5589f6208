"""Reader of GuessWhat-style frames (Washington et al. 2022, doi 10.2196/26760): clips or frames with a table.

The clips that families sent are not public, and how the paper chose frames is not stated. So this layout is ours: one CSV
table at the top of the folder with the columns file, label and child_id, and, where they apply, start_ms and end_ms (the
stretch of a clip that the label holds for, milliseconds), age_years, sex, ethnicity and mouth. A file is a clip or
a single frame. The rules, stated because the paper's are not: frames lie at the middles of equal parts of a
stretch, FRAMES_A_SECOND (`face_sets.videos`) and at most FRAMES_A_STRETCH; those without a face,
and those whose face is blurred (`face_sets.sharpness`), are left out when faces are sought, single frames too.
"""

import math
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pandas as pd

from face_sets.images import ImageError
from face_sets.readers.label_tables import no_row_error, only_table, refused, rows_of
from face_sets.readers.labels import Unknown, person_columns, spellings
from face_sets.readers.layouts import PICTURES, Files, Rejected, codes_of, list_files, make_reading
from face_sets.readers.reading import LayoutError, Reading, Row, Source
from face_sets.videos import frame_rows, is_clip, load_frame

DATASET: Final = "guesswhat"
FRAMES_A_STRETCH: Final = 20
"""Most frames of a labelled stretch: about what the published ones give, 39,968 frames of 2,155 videos (the same
article), so that no long video outweighs the rest."""

NEEDED: Final = ("file", "label", "child_id")
OPTIONAL: Final = ("start_ms", "end_ms", "age_years", "sex", "ethnicity", "mouth")


def read(folder: Path) -> Reading:
    """Return frames of the table's rows; `rejected` holds absent and damaged files, and rows that contradict."""
    files = list_files(folder)
    table = only_table(folder, files, NEEDED, OPTIONAL)
    if table is None:
        raise LayoutError(
            f"{folder} has no table of labels: expected one CSV with the columns {', '.join(NEEDED)}"
        )
    problems = _problems(rows_of(table), files)
    rejected: Rejected = [*files.rejected, *refused(table, problems)]
    usable = table[[problem is None for problem in problems]]
    unknown: Unknown = Unknown()
    rows: list[Row] = []
    for row in rows_of(usable.assign(**person_columns(usable, unknown, "child"))):  # a game for children
        try:
            rows += _faces(folder, row)
        except ImageError as error:
            rejected.append((row["file"], error.reason))
    if not rows:
        raise no_row_error(folder, rejected[len(files.rejected) :])
    found = pd.DataFrame(rows).drop_duplicates(["path", "part"])
    return make_reading(DATASET, found.assign(domain="phone"), rejected, unknown=unknown)


def _problems(records: list[Row], files: Files) -> list[str | None]:
    """What is wrong with each row of the table, None where nothing is."""
    problems = [_problem(row) or files.problem(row["file"]) for row in records]
    for place in _contradicted({place: row for place, row in enumerate(records) if not problems[place]}):
        problems[place] = "has two labels at one time"
    return problems


def _problem(row: Row) -> str | None:
    if any(pd.isna(row[name]) for name in NEEDED):
        return f"lacks one of {', '.join(NEEDED)} in the table"
    if not is_clip(row["file"]) and PurePosixPath(row["file"]).suffix.lower() not in PICTURES:
        return "is neither a clip nor a picture, by its suffix"
    start, end = _stretch(row)
    if not 0 <= start < end:
        return "has no stretch from start_ms to end_ms: they are milliseconds, ascending"
    return None


def _faces(folder: Path, row: Row) -> list[Row]:
    """The rows of faces of one row of the table. Raises ImageError for a clip that cannot be read."""
    code = spellings(DATASET).get(row["label"].lower(), row["label"])
    face = {**row, "path": row["file"], "code": code, "subject_id": f"{DATASET}-{row['child_id']}"}
    return frame_rows(folder, face, FRAMES_A_STRETCH, *_stretch(row))


def _contradicted(rows: dict[int, Row]) -> set[int]:
    """Places of rows that overlap in time with a row of the same file that has another expression."""
    known, codes = spellings(DATASET), codes_of(DATASET)
    stretches: dict[str, list[tuple[float, float, str, int]]] = defaultdict(list)
    for place, row in rows.items():
        if (code := known.get(row["label"].lower())) is not None:
            start, end = _stretch(row)
            stretches[row["file"]].append((start, end, codes[code] or code, place))
    return set().union(*map(_overlapping, stretches.values()))


def _overlapping(stretches: list[tuple[float, float, str, int]]) -> set[int]:
    bad: set[int] = set()
    ordered = sorted(stretches)
    latest_end: dict[str, float] = {}  # of the rows so far, by expression
    for start, end, expression, place in ordered:
        if any(other != expression and over > start for other, over in latest_end.items()):
            bad.add(place)
        latest_end[expression] = max(end, latest_end.get(expression, 0))
    first_start: dict[str, float] = {}  # of the rows still to come
    for start, end, expression, place in reversed(ordered):
        if any(other != expression and begin < end for other, begin in first_start.items()):
            bad.add(place)
        first_start[expression] = start
    return bad


def _stretch(row: Row) -> tuple[float, float]:
    """Start and end of a row's label, milliseconds: the whole clip where none is given; not-a-number if it is none."""
    return _time(row["start_ms"], 0), _time(row["end_ms"], math.inf)


def _time(text: Any, whole: float) -> float:
    return whole if pd.isna(text) else float(pd.to_numeric(text, errors="coerce"))


SOURCE: Final = Source(DATASET, read, load_frame, refuse_blurred=True)
