"""Copies of sets that others sorted: pictures in folders by expression, such as `train/angry/Training_3908.jpg`.

Whoever passes a set on unpacks its tables in this way. The innermost folder that names one expression is the label.
Numbers are not trusted, for class names sort otherwise than most sets' codes do: `4` may be either.
"""

import re
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath
from typing import Final

import pandas as pd

from face_sets.readers.labels import WORDS, codes_named
from face_sets.readers.layouts import Files, codes_of

SPLITS: Final = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "publictest"), "validation"),
    **dict.fromkeys(("test", "testing", "privatetest"), "test"),
}
"""Words in names of files and folders for a split; those of FER-2013 and FER+ among them (`FER2013Valid`)."""


def sorted_pictures(files: Files, codes: Collection[str] = ()) -> pd.DataFrame:
    """Return path, code and owner_split of the pictures in folders; no rows if none of these names an expression.

    `codes` are names of folders that count besides words. A picture whose folders name no expression has the first
    of them as its code, which no set knows.
    """
    parts = [PurePosixPath(path).parts for path in files.pictures if "/" in path]
    rows = [("/".join(folders), _label(folders, codes), _split(folders)) for folders in parts]
    found = pd.DataFrame(rows, columns=["path", "code", "owner_split"], dtype="string")
    return found if found["code"].isin([*codes, *codes_of(WORDS)]).any() else found.head(0)


def sorted_codes(dataset: str) -> Mapping[str, str | None]:
    """Return what the codes of `sorted_pictures` mean."""
    return {**codes_of(dataset), **codes_of(WORDS)}


def _label(folders: tuple[str, ...], codes: Collection[str]) -> str:
    for folder in reversed(folders[:-1]):
        words = codes_named(WORDS, folder)
        if folder in codes:
            return folder
        if len({codes_of(WORDS)[word] for word in words}) == 1:
            return words[0]
    return folders[0]


def _split(folders: tuple[str, ...]) -> str | None:
    words = (re.match(r"(?:fer2013)?([a-z]*)", name.lower()) for name in reversed(folders))
    return next((SPLITS[word[1]] for word in words if word and word[1] in SPLITS), None)
