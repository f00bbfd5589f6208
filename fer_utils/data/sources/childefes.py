"""Reader of ChildEFES, the Child Emotion Facial Expression Set (Negrão et al. 2021, doi 10.3389/fpsyg.2021.666245).

**How its owners lay out its files is not public; this is our reading of the article**: photographs and video clips, mixed,
of posed and of induced expressions, named for what they show. So it asks only this: a file's folders and name, cut at
everything that is no letter, must name one of the eight expressions in English, once or more, and no other:
`photos/induced/happiness/child012_03.jpg`, say. The child is `child012`, or another of CHILD_WORDS with a number, in
the name or a folder; bare numbers may count anything, so without such a word the child is not known. A file
that does not fit is rejected with its reason, and nothing is guessed.

Posed and induced pictures are read alike, all from one studio. All children were 4 to 6 years old.
"""

import re
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pandas as pd

from fer_utils.data.images import ImageError
from fer_utils.data.sources.clips import FRAMES_A_SECOND, load_clip_face
from fer_utils.data.sources.labels import spellings
from fer_utils.data.sources.layouts import codes_of, list_files, make_reading
from fer_utils.data.sources.reading import LayoutError, Reading, Row, Source
from fer_utils.data.videos import SUFFIXES, sample_times

DATASET: Final = "childefes"
FRAMES_A_CLIP: Final = 5
"""Most frames of a clip: those of one clip are alike, and half of the set are photographs."""

CHILD_WORDS: Final = ("child", "criança", "crianca", "subject", "participant", "id", "c", "s", "p")
_CHILD: Final = re.compile(rf"(?<![^\W_])(?:{'|'.join(CHILD_WORDS)})[ _-]?(\d+)(?![^\W_])", re.I)


def read(folder: Path) -> Reading:
    """Return the photographs, and frames of the clips; `rejected` holds files that do not tell one expression.

    Blurred frames of clips are refused when they are loaded. Raises LayoutError, in one sentence, for a folder in
    which no file tells an expression.
    """
    files = list_files(folder)
    rejected, rows = list(files.rejected), []
    videos = {path for path in files.usable if PurePosixPath(path).suffix.lower() in SUFFIXES}
    for path in sorted({*files.pictures, *videos}):
        codes = _codes(path)
        children = {int(number) for number in _CHILD.findall(str(PurePosixPath(path).with_suffix("")))}
        if len(codes) != 1 or len(children) > 1:
            what = "expression" if len(codes) != 1 else "child"
            count = "no" if what == "expression" and not codes else "more than one"
            rejected.append((path, f"names {count} {what} in its folders and name"))
            continue
        person = {"subject_id": f"{DATASET}-{children.pop():03}" if children else pd.NA}
        try:
            frames = _frames(folder / path) if path in videos else [{}]
        except ImageError as error:
            rejected.append((path, error.reason))
            continue
        rows += [{"path": path, "code": codes[0], **person, **frame} for frame in frames]
    if not rows:
        raise LayoutError(
            f"{folder} holds no file that names one expression in English in its folders or name: rename folders, "
            "as photos/induced/happiness"
        )
    found = pd.DataFrame(rows, columns=["path", "code", "subject_id", "part", "frame_ms"])
    return make_reading(DATASET, found.assign(cohort="child", domain="lab"), rejected)


def _frames(path: Path) -> list[Row]:
    return [{"part": ms, "frame_ms": ms} for ms in sample_times(path, FRAMES_A_SECOND, FRAMES_A_CLIP)]


def _codes(path: str) -> list[str]:
    """The label codes that a path names, one for each expression."""
    known, codes = spellings(DATASET), codes_of(DATASET)
    words = re.split(r"[\W\d_]+", str(PurePosixPath(path).with_suffix("")).lower())
    found: dict[Any, str] = {codes[known[word]]: known[word] for word in words if word in known}
    return list(found.values())


SOURCE: Final = Source(DATASET, read, load_clip_face)
