"""Faces to learn from as crops, made once and kept: rendered, found by the detector, cut out by its one rule."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from face_sets.detection import crop_face, largest_face
from face_sets.detectors import load_detector
from face_sets.expressions import EXPRESSIONS
from face_sets.files import atomic_path
from photograph_skins.blends import Sitter
from photograph_skins.portraits import IN_SKINS, Kind, dressed, plan
from rendered_faces.portrait import render_face

CROP: Final = 128  # pixels: the prototypes' side, a third of the work of 224
RENDERED: Final = 160  # pixels: a crop is about four fifths of the rendered frame

Sitters = Callable[[], Sequence[Sitter]]
"""Gives the persons of skins when they are first needed: reading all photographs takes seconds."""

_CHUNK: Final = 700  # faces stored at once: a run that was cut makes at most so many again


class TrainingFaces(NamedTuple):
    """Crops uint8 (N, CROP, CROP, 3), labels int64 (N,) in the order of EXPRESSIONS, and whether held out (N,)."""

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    held_out: npt.NDArray[np.bool_]

    def side(self, held_out: bool) -> "TrainingFaces":
        """Return the faces on one side of the split."""
        return TrainingFaces(*(part[self.held_out == held_out] for part in self))


def training_faces(kind: Kind, folder: Path, sitters: Sitters) -> TrainingFaces:
    """Return the faces of a kind, made or, where an earlier call made them, read from `folder`.

    Faces that the detector does not find are left out. `sitters` are asked for kinds in skins alone.
    """
    rows = plan(kind)
    parts = [rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)]
    made = [_part(kind, part, folder / f"{kind}-{place}.npz", sitters) for place, part in enumerate(parts)]
    return TrainingFaces(*(np.concatenate(arrays) for arrays in zip(*made, strict=True)))


def _part(kind: Kind, rows: pd.DataFrame, path: Path, sitters: Sitters) -> TrainingFaces:
    if not path.exists():
        images, places = zip(*_crops(kind, rows, sitters() if kind in IN_SKINS else ()), strict=True)
        found = rows.iloc[list(places)]
        labels = found["expression"].map(EXPRESSIONS.index).to_numpy(np.int64)
        held_out = (found["split"] == "validation").to_numpy()
        with atomic_path(path) as whole:
            np.savez(whole, images=np.stack(images), labels=labels, held_out=held_out)
    with np.load(path) as stored:
        return TrainingFaces(stored["images"], stored["labels"], stored["held_out"])


def _crops(
    kind: Kind, rows: pd.DataFrame, sitters: Sequence[Sitter]
) -> Iterator[tuple[npt.NDArray[np.uint8], int]]:
    detector = load_detector()
    for place, row in enumerate(rows.to_dict("records")):
        picture = render_face(row, RENDERED, dressed(row, kind, sitters))
        if face := largest_face(detector.detect(picture)):
            yield crop_face(picture, face, CROP), place
