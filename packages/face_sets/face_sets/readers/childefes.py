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
from typing import Final

import pandas as pd

from face_sets.images import ImageError
from face_sets.readers.labels import codes_named
from face_sets.readers.layouts import codes_of, gathered, list_files, make_reading
from face_sets.readers.reading import LayoutError, Reading, Row, Source
from face_sets.videos import frame_rows, is_clip, load_frame

DATASET: Final = "childefes"
FRAMES_A_CLIP: Final = 5
"""Most frames of a clip: those of one clip are alike, and half of the set are photographs."""

CHILD_WORDS: Final = ("child", "criança", "crianca", "subject", "participant", "id", "c", "s", "p")
_CHILD: Final = re.compile(rf"(?<![^\W_])(?:{'|'.join(CHILD_WORDS)})[ _-]?(\d+)(?![^\W_])", re.I)


def read(folder: Path) -> Reading:
    """Return the photographs, and frames of the clips; `rejected` holds files that do not name one expression."""
    files = list_files(folder)
    rejected = list(files.rejected)
    paths = sorted({*files.pictures, *filter(is_clip, files.usable)})
    rows = gathered(paths, lambda path: frame_rows(folder, _named(path), FRAMES_A_CLIP), rejected)
    if not rows:
        raise LayoutError(
            f"{folder} holds no file that names one expression in English in its folders or name: rename folders, "
            "as photos/induced/happiness"
        )
    return make_reading(DATASET, pd.DataFrame(rows).assign(age_group="child", domain="lab"), rejected)


def _named(path: str) -> Row:
    """Label code and child that a path names. Raises ImageError unless it is one expression, and one child or none."""
    name = str(PurePosixPath(path).with_suffix(""))
    words, codes = codes_named(DATASET, name), codes_of(DATASET)
    if len({codes[word] for word in words}) != 1:
        raise ImageError(
            None, f"names {'more than one' if words else 'no'} expression in its folders and name"
        )
    children = {int(number) for number in _CHILD.findall(name)}
    if len(children) > 1:
        raise ImageError(None, "names more than one child in its folders and name")
    return {
        "path": path,
        "code": words[0],
        "subject_id": f"{DATASET}-{children.pop():03}" if children else pd.NA,
    }


SOURCE: Final = Source(DATASET, read, load_frame, refuse_blurred=True)
