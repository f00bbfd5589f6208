"""Frames of a video at given times, upright and in RGB, through OpenCV's FFmpeg reader.

Frames are decoded in order, never sought: seeking by time lands on neighbouring frames in files with predicted
frames (opencv issue 4890). One video stays open between calls, so that rows of one video in the order of their
times decode it once; memory is that of one frame.
"""

import math
import os
import threading
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Final

import cv2
import numpy as np
import pandas as pd

from face_sets.images import ImageError, Pixels, first_bytes, is_picture, read_image
from face_sets.tables import Row

# FFmpeg and OpenCV write to the terminal of every oddity in a file; what matters is an ImageError below
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET of libavutil/log.h
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_FATAL)

MAX_FRAME_PIXELS: Final = 7680 * 4320
"""Largest frame that is read: 8K, the largest picture of ITU-R BT.2020."""

MAX_FRAMES: Final = 1_000_000
"""Most frames that are decoded in one video: nine hours at 30 a second, and an end to a file without one."""

MAX_RATE: Final = 1000
"""Frames a second beyond which a header is not believed: cameras of phones stop at 960."""

SUFFIXES: Final = frozenset(
    {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".3gp"}
)
"""Suffixes, in small letters, by which a file is taken for a video."""

FRAMES_A_SECOND: Final = 2
"""Frames sampled of labelled clips: closer ones hardly differ; the rate at which Gaya-Morey et al. sample short clips for
their 24-set benchmark (github.com/Xavi3398/fer_benchmark, notebook 1)."""

_SIGNATURES: Final = (
    (4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (4, b"wide"), (4, b"free"), (4, b"skip"),  # MP4, QuickTime
    (8, b"AVI "), (0, b"\x1a\x45\xdf\xa3"), (0, b"\x30\x26\xb2\x75"),  # AVI; Matroska and WebM; WMV
    (0, b"\x00\x00\x01\xba"), (0, b"\x00\x00\x01\xb3"),  # MPEG
)  # fmt: skip
"""How video files begin. FFmpeg would also take play lists, which can name other files and addresses."""


def is_clip(path: str) -> bool:
    """Whether a file is taken for a video clip, by its suffix."""
    return PurePosixPath(path).suffix.lower() in SUFFIXES


def frame_rows(
    folder: Path, row: Row, limit: int, start_ms: float = 0, end_ms: float = math.inf
) -> list[Row]:
    """Return a row for each frame taken of the clip `row["path"]`, or of a stretch of it: `row`, `part` and `frame_ms`.

    Frames lie at the middles of equal parts, FRAMES_A_SECOND of them and at most `limit`. Of a picture, one row
    without a time. Raises ImageError for a clip that cannot be read or ends before the stretch.
    """
    if not is_clip(row["path"]) or is_picture(first_bytes(folder / row["path"])):
        return [{**row, "part": pd.NA, "frame_ms": pd.NA}]
    times = sample_times(folder / row["path"], FRAMES_A_SECOND, limit, start_ms, end_ms)
    return [{**row, "part": ms, "frame_ms": ms} for ms in times]


def load_frame(row: Row, folder: Path) -> Pixels:
    """Load a row's frame, or its picture where it has no `frame_ms`."""
    path = folder / row["path"]
    return read_image(path) if pd.isna(row["frame_ms"]) else read_frame(path, int(row["frame_ms"]))


def sample_times(
    path: Path, per_second: float, limit: int, start_ms: float = 0, end_ms: float = math.inf
) -> list[int]:
    """Return times in a video, milliseconds, ascending: the middles of equal parts of it, `per_second` of them.

    At least one and at most `limit`; a video too long for that has its parts made longer, so that the times
    cover all of it. Of a stretch from `start_ms` to `end_ms`, the same, as far as the video goes. The header's
    length is taken unless it is absurd; then the frames are counted. Raises ImageError in one sentence for a
    file that is absent, empty, damaged or not a video, and for a stretch that begins after its end.
    """
    _check_kind(path)
    status = path.stat()
    last_ms, frame_ms = _length(path, status.st_mtime_ns, status.st_size)
    start_ms, end_ms = max(0, start_ms), min(end_ms, last_ms + frame_ms)
    if start_ms > last_ms:
        raise ImageError(path, f"ends before {start_ms:.0f} ms: the video is cut off, or its time is wrong")
    length = max(0, end_ms - start_ms)
    count = max(1, min(limit, round(length / 1000 * per_second)))
    middles = (start_ms + length * (2 * part + 1) / (2 * count) for part in range(count))
    return sorted({int(min(middle, last_ms)) for middle in middles})


@lru_cache(maxsize=1024)  # tables name one clip in many rows
def _length(path: Path, _changed_ns: int, _size: int) -> tuple[float, float]:
    """When the last frame begins, and how long it lasts (0 if not known), milliseconds."""
    video = _Video(path)
    try:
        return video.last_begin_ms(), 1000 / video.rate if video.has_sane_rate else 0
    finally:
        video.capture.release()


def read_frame(path: Path, frame_ms: int) -> Pixels:
    """Return the first frame of a video that begins at a time or after it: upright RGB, uint8 (height, width, 3).

    Calls with growing times on one video read on from where the last one ended. Raises ImageError, in one
    sentence, as `sample_times`, and for a time after the last frame's.
    """
    video: _Video | None = getattr(_kept, "video", None)
    if video is None or not video.reaches(path, frame_ms):
        close_video()
        video = _kept.video = _Video(path)
    return video.frame_at(frame_ms)


def close_video() -> None:
    """Close the video that `read_frame` keeps open in this thread, if any: its file may then be deleted."""
    if (video := getattr(_kept, "video", None)) is not None:
        video.capture.release()
        _kept.video = None


_kept = threading.local()  # a capture is not to be shared between threads


class _Video:
    """An open video that is read forward; it stands on its first frame, which is decoded but not converted."""

    def __init__(self, path: Path) -> None:
        _check_kind(path)
        self.path = path
        # One thread: the ingest's processes are the parallelism
        self.capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        self.capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)  # a phone held upright: turned as its header says
        self.rate = self.capture.get(cv2.CAP_PROP_FPS)
        self.decoded = 0
        self.begins_ms, self._before_ms = 0.0, -math.inf
        self._check_size()
        if not self.advance():
            raise ImageError(path, "holds no frame that can be decoded: fetch the video again")

    def advance(self) -> bool:
        """Decode the next frame; False at the end, or after MAX_FRAMES."""
        if self.decoded >= MAX_FRAMES or not self.capture.grab():
            return False
        begins = self.capture.get(cv2.CAP_PROP_POS_MSEC)
        if self.decoded:
            self._before_ms = self.begins_ms
            if not self.begins_ms < begins < math.inf:  # files without times: by the rate
                begins = self.begins_ms + 1000 / (self.rate if self.has_sane_rate else 30)
        self.begins_ms = begins
        self.decoded += 1
        return True

    @property
    def has_sane_rate(self) -> bool:
        """Whether the header's frames a second can be believed."""
        return 0 < self.rate <= MAX_RATE

    def reaches(self, path: Path, frame_ms: int) -> bool:
        """Whether reading on from here finds that frame of that video."""
        return path == self.path and self._before_ms < frame_ms

    def frame_at(self, frame_ms: int) -> Pixels:
        """The first frame that begins at a time or after it."""
        while self.begins_ms < frame_ms:
            if not self.advance():
                raise ImageError(
                    self.path, f"ends before {frame_ms} ms: the video is cut off, or its time is wrong"
                )
        found, pixels = self.capture.retrieve()
        if not found or pixels is None or pixels.ndim != 3:
            raise ImageError(self.path, f"is damaged at {frame_ms} ms: fetch the video again")
        return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)

    def last_begin_ms(self) -> float:
        """When the last frame begins: by the header, or by counting all frames if it is absurd."""
        frames = self.capture.get(cv2.CAP_PROP_FRAME_COUNT)
        if self.has_sane_rate and 1 <= frames <= min(MAX_FRAMES, self.path.stat().st_size):
            return (frames - 1) * 1000 / self.rate
        while self.advance():
            pass
        return self.begins_ms

    def _check_size(self) -> None:
        width = self.capture.get(cv2.CAP_PROP_FRAME_WIDTH)
        height = self.capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
        if width * height > MAX_FRAME_PIXELS:
            raise ImageError(
                self.path,
                f"has frames of {width:.0f} x {height:.0f} pixels, more than 8K: make it smaller first",
            )


def _check_kind(path: Path) -> None:
    if not path.is_file():  # not a device or a pipe, which would wait for ever
        raise ImageError(path, "does not exist: check the video's name")
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise ImageError(path, f"cannot be read: {error.strerror}") from error
    if not head:
        raise ImageError(path, "is empty: fetch the video again")
    if not any(head[place : place + len(mark)] == mark for place, mark in _SIGNATURES):
        raise ImageError(
            path, "is not a video: give an MP4, QuickTime, AVI, Matroska, WebM, WMV or MPEG file"
        )
