"""Gathers what a reader finds in a folder, file by file, and makes a `Reading` of it."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pandas as pd

from fer_utils.data.manifests import load_manifest
from fer_utils.data.sources.reading import (
    CHILD_BELOW_YEARS, ROW_COLUMNS, LayoutError, Reading, Row, name_of,
)  # fmt: skip

PICTURES: Final = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
VIDEOS: Final = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".3gp")


def files_below(folder: Path, suffixes: tuple[str, ...]) -> Iterator[str]:
    """Yield the files below a folder with one of the suffixes (in either case), sorted, relative, with slashes.

    Passed over: hidden files and folders, what macOS adds to archives, and links that leave the folder.
    Raises LayoutError if the folder is not there or cannot be listed.
    """
    if not folder.is_dir():
        raise LayoutError(f"{folder} is not a folder: give the one that holds the set's files")
    home = folder.resolve()
    for place, folders, files in os.walk(folder, onerror=_refuse):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        for name in sorted(files):
            path = Path(place, name)
            if name.startswith(".") or not name.lower().endswith(suffixes):
                continue
            if not path.is_symlink() or path.resolve().is_relative_to(home):
                yield path.relative_to(folder).as_posix()


def _refuse(error: OSError) -> None:
    raise LayoutError(f"{error.filename} cannot be listed: {error.strerror}") from error


def cohort_of(age_years: float | None) -> str:
    """Return child, adult or unknown, by an age in years."""
    if age_years is None or pd.isna(age_years):
        return "unknown"
    return "child" if age_years < CHILD_BELOW_YEARS else "adult"


class Collector:
    """Rows, rejected files and dropped labels of one reading of a data set; codes come from its manifest."""

    def __init__(self, dataset: str) -> None:
        self._dataset = dataset
        # Owners mix the case of their own labels
        self._codes = {code.lower(): name for code, name in load_manifest(dataset).study.codes.items()}
        self._rows: list[Row] = []
        self._rejected: list[tuple[str, str]] = []
        self._dropped: Counter[str] = Counter()

    def knows(self, code: str) -> bool:
        """Whether the manifest has this label code, in whatever case."""
        return code.lower() in self._codes

    def add(self, path: str, code: str, part: int | str | None = None, **columns: Any) -> None:
        """Add a face by its file, its owner's label code, and further columns of ROW_COLUMNS.

        `part` tells apart the faces of one file. A code that the manifest maps onto no expression is counted
        as dropped; one that it does not know rejects the file. Without `cohort`, `age_years` decides it.
        """
        if not self.knows(code):
            self.reject(path, f"unknown label code {code[:40]!r}")
        elif (expression := self._codes[code.lower()]) is None:
            self._dropped[code.lower()] += 1
        else:
            row = {"cohort": cohort_of(columns.get("age_years")), "source_key": path, **columns}
            name = name_of(self._dataset, path, part)
            self._rows.append(
                {"face_id": name, "dataset": self._dataset, "expression": expression, "path": path, **row}
            )

    def reject(self, path: str, reason: str) -> None:
        """List a file that belongs to the set but cannot be used."""
        self._rejected.append((path, reason))

    def reading(self, folder: Path, expected: str) -> Reading:
        """Return what was collected.

        Raises LayoutError if that is not one face: `expected` says what the folder should have held.
        """
        if not self._rows:
            met = f" ({len(self._rejected)} file(s) were rejected)" if self._rejected else ""
            raise LayoutError(
                f"{folder} holds no face of {self._dataset} that can be used{met}: expected {expected}"
            )
        rows = pd.DataFrame(self._rows, columns=list(ROW_COLUMNS)).astype(ROW_COLUMNS)
        rejected = pd.DataFrame(self._rejected, columns=["path", "reason"], dtype="string")
        return Reading(rows, rejected, dict(self._dropped))
