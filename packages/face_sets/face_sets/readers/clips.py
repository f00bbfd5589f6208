"""What readers of video clips share: which frames are taken, and how they are loaded."""

import math
from pathlib import Path, PurePosixPath
from typing import Final

import pandas as pd

from face_sets.images import Pixels, read_image
from face_sets.readers.reading import Row
from face_sets.videos import SUFFIXES, read_frame, sample_times

FRAMES_A_SECOND: Final = 2
"""Frames sampled: closer ones hardly differ; the rate at which Gaya-Morey et al. sample short clips for their 24-set
benchmark (github.com/Xavi3398/fer_benchmark, notebook 1)."""


def is_clip(path: str) -> bool:
    """Whether a file is taken for a video clip, by its suffix."""
    return PurePosixPath(path).suffix.lower() in SUFFIXES


def frames_of(path: Path, limit: int, start_ms: float = 0, end_ms: float = math.inf) -> list[Row]:
    """Return the columns `part` and `frame_ms` of the frames that are taken of a clip, or of a stretch of it.

    They lie at the middles of equal parts, FRAMES_A_SECOND of them and at most `limit`. Of a picture, one row
    without a time. Raises ImageError for a clip that cannot be read or ends before the stretch.
    """
    if not is_clip(path.name):
        return [{"part": pd.NA, "frame_ms": pd.NA}]
    times = sample_times(path, FRAMES_A_SECOND, limit, start_ms, end_ms)
    return [{"part": ms, "frame_ms": ms} for ms in times]


def load_frame(row: Row, folder: Path) -> Pixels:
    """Load a row's frame, or its picture where it has no `frame_ms`."""
    path = folder / row["path"]
    return read_image(path) if pd.isna(row["frame_ms"]) else read_frame(path, int(row["frame_ms"]))
