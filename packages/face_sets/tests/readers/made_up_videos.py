"""Small made-up videos: synthetic faces as frames, each frame telling its number by its corner's brightness."""

import struct
from pathlib import Path

import cv2
import numpy as np
from made_up import picture

CORNER = 24  # side of the marked corner, pixels: larger than a codec's block
STEP = 10  # grey levels between the marks of neighbouring frames


def write_video(
    path: Path,
    frames: int = 10,
    rate: float = 10,
    size: tuple[int, int] = (128, 96),
    seed: int = 1,
    expression: str = "neutral",
    blurred: range = range(0),
) -> Path:
    """Write a video (MP4, or AVI of JPEG frames, by suffix) of one synthetic face, of (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    codec = "MJPG" if path.suffix.lower() == ".avi" else "mp4v"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), rate, size)
    assert writer.isOpened()
    for number in range(frames):
        image = picture(seed, size, expression).copy()
        image[:CORNER, :CORNER] = STEP * (number % 25)
        if number in blurred:
            image = cv2.GaussianBlur(image, (0, 0), 6)
        writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def frame_number(image: np.ndarray) -> int:
    """Return the number that a frame of `write_video` tells (modulo 25)."""
    return round(float(image[4 : CORNER - 8, 4 : CORNER - 8].mean()) / STEP)


def turn(path: Path) -> Path:
    """Say in an MP4's header that it is to be shown turned by 90 degrees clockwise, as phones do."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 44  # ISO 14496-12, 8.3.2, version 0: 40 bytes after the kind and flags
    one = 1 << 16
    data[matrix : matrix + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, 0, 0, 1 << 30)
    path.write_bytes(bytes(data))
    return path
