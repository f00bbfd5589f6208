"""What readers of video clips share: which frames are taken, and the rule for blurred ones."""

import math
from pathlib import Path, PurePosixPath
from typing import Final

import pandas as pd

from fer_utils.data.images import ImageError, Pixels, read_image
from fer_utils.data.sources.reading import Row
from fer_utils.data.videos import SUFFIXES, read_frame, sample_times, sharpness

FRAMES_A_SECOND: Final = 2
"""Frames sampled: closer ones hardly differ; the rate at which Gaya-Morey et al. sample short clips for their 24-set
benchmark (github.com/Xavi3398/fer_benchmark, notebook 1)."""

MIN_SHARPNESS: Final = 5.0
"""Least variance of the Laplacian (`fer_utils.data.videos.sharpness`) of a frame that is used. Pech-Pacheco et al. give
no threshold. Of 21 London photographs as JPEG frames with faces 160 to 190 pixels wide, the sharp ones had 38 to 165,
and 7 to 27 at 0.4 of their brightness; a Gaussian blur of 2 pixels left 2 to 4, motion over 21 pixels 3 to 7. Seen on
the whole frame: a blurred face before a sharp background passes."""


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


def load_clip_face(row: Row, folder: Path) -> Pixels:
    """Load a row's frame, or its picture where it has no `frame_ms`; a blurred frame raises ImageError."""
    path = folder / row["path"]
    if pd.isna(row["frame_ms"]):
        return read_image(path)
    return sharp(read_frame(path, int(row["frame_ms"])))


def sharp(frame: Pixels) -> Pixels:
    """Return a frame as it is. Raises ImageError if it is blurred: if its sharpness is below MIN_SHARPNESS."""
    if (found := sharpness(frame)) < MIN_SHARPNESS:
        raise ImageError(None, f"is blurred: its sharpness is {found:.1f}, below {MIN_SHARPNESS:g}")
    return frame
