"""Reader of CK+ (Lucey et al. 2010, doi 10.1109/CVPRW.2010.5543262): posed sequences from neutral to the peak.

As its readme lays it out: `cohn-kanade-images/S005/001/S005_001_00000011.png` and, for 327 of the 593 sequences,
`Emotion/S005/001/S005_001_00000011_emotion.txt` with one number such as `3.0000000e+00`. The folders' names differ
between copies (`extended-cohn-kanade-images/`, `Emotion_labels/`), the files' do not: only those count here.

The label is that of the frame that its file names, the last one, the peak; no other frame gets it. Each subject's
first labelled sequence gives one neutral face, its frame 1, since every sequence starts from a neutral face. All are
adults, 18 to 50 years; whose age is which is not published.

Copies without the labels are sorted into folders: CK+48 (`CK+48/anger/S010_004_00000017.png`) holds the last three frames
of each labelled sequence, cropped to the face, 48 x 48 pixels. There the folder says what every frame shows.
"""

import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

import pandas as pd

from face_sets.images import ImageError, read_image
from face_sets.readers.layouts import Files, list_files, make_reading, read_lines, whole_code
from face_sets.readers.reading import LayoutError, Reading, Source, load_picture
from face_sets.readers.sorted_folders import sorted_codes, sorted_pictures

DATASET: Final = "ckplus"
NEUTRAL: Final = "0"
FIRST_FRAME: Final = 1
SMALLEST: Final = 240  # pixels: half a frame's height, 480 or 490; what is smaller was cropped to the face
NO_LABEL: Final = "sequence without a label"

_FRAME: Final = re.compile(r"(S\d{3})_(\d{3})_(\d{8})")
_LABEL: Final = re.compile(r"(S\d{3})_(\d{3})_(\d{8})_emotion\.txt")

Sequence = tuple[str, str]
"""Subject and number: S005, 001."""


def read(folder: Path) -> Reading:
    """Return the peak of each labelled sequence and one neutral face per subject.

    `dropped_labels` counts, beside the manifest's dropped codes, sequences without a label.
    """
    files = list_files(folder)
    frames, labels = _frames(files), _labels(files)
    if not labels and len(found := sorted_pictures(files)):
        return _sorted(folder, files, found)
    if not frames or not labels:
        raise LayoutError(
            f"{folder} is not CK+: expected pictures such as cohn-kanade-images/S005/001/S005_001_00000001.png and "
            "labels such as Emotion/S005/001/S005_001_00000011_emotion.txt (unpack both archives there), or folders by "
            "expression such as CK+48/anger"
        )
    rejected = list(files.rejected)
    rows: list[tuple[str, str, str, str]] = []
    with_neutral: set[str] = set()
    for sequence, (number, label) in sorted(labels.items()):
        own = frames.get(sequence, {})
        code = _code(folder / label)
        if code is None:
            rejected.append((label, "does not hold one number"))
        elif number not in own or number != max(own):
            rejected.append(
                (label, "labels a frame that is not the last of its sequence: unpack the images again")
            )
        else:
            rows.append((code, own[number], sequence[0], "/".join(sequence)))
            if sequence[0] not in with_neutral and FIRST_FRAME in own:
                rows.append((NEUTRAL, own[FIRST_FRAME], sequence[0], "/".join(sequence)))
                with_neutral.add(sequence[0])
    unlabelled = len(set(frames) - set(labels))
    found = pd.DataFrame(rows, columns=["code", "path", "subject", "source_key"], dtype="string")
    found = found.assign(subject_id=f"{DATASET}-" + found["subject"], age_group="adult", domain="lab")
    return make_reading(
        DATASET, found.drop(columns="subject"), rejected, {NO_LABEL: unlabelled} if unlabelled else {}
    )


def _sorted(folder: Path, files: Files, found: pd.DataFrame) -> Reading:
    """A copy sorted by expression. Splits of whoever sorted it cut sequences apart, so they do not count."""
    name = found["path"].str.extract(rf"/{_FRAME.pattern}\.[^/]*$")
    sequence = (name[0] + "/" + name[1]).fillna(found["path"])
    rows = found.assign(
        subject_id=f"{DATASET}-" + name[0], source_key=sequence, age_group="adult", domain="lab"
    )
    reading = make_reading(
        DATASET, rows.drop(columns="owner_split"), list(files.rejected), codes=sorted_codes(DATASET)
    )
    return replace(reading, aligned=_is_small(folder / found["path"].iloc[0]))


def _is_small(path: Path) -> bool:
    try:
        return max(read_image(path).shape) < SMALLEST
    except ImageError:
        return False


def _frames(files: Files) -> dict[Sequence, dict[int, str]]:
    """Picture of each frame of each sequence; of copies in several folders, the first."""
    frames: dict[Sequence, dict[int, str]] = defaultdict(dict)
    for path in files.pictures:
        if match := _FRAME.fullmatch(PurePosixPath(path).stem):
            frames[match[1], match[2]].setdefault(int(match[3]), path)
    return dict(frames)


def _labels(files: Files) -> dict[Sequence, tuple[int, str]]:
    labels: dict[Sequence, tuple[int, str]] = {}
    for path in files.usable:
        if match := _LABEL.fullmatch(PurePosixPath(path).name):
            labels.setdefault((match[1], match[2]), (int(match[3]), path))
    return labels


def _code(path: Path) -> str | None:
    try:
        lines = read_lines(path)
    except LayoutError:
        return None  # not text
    return whole_code(lines[0]) if len(lines) == 1 else None


SOURCE: Final = Source(DATASET, read, load_picture)
