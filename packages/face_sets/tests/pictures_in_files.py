"""Looks for a marked picture in whatever a run left behind: image files, pictures inside other files, base64."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

SIGNATURES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"RIFF", b"GIF8", b"II*\0", b"BM")
BASE64 = re.compile(rb"[A-Za-z0-9+/]{300,}={0,2}")
SIDES = tuple(
    round(10 * 1.12**k) for k in range(28)
)  # 10 to 213 pixels, so close that a size between still matches
ALIKE = 0.6


def mark(seed):
    """A pattern that nothing else looks like: 9 x 9 soft blocks of chance, uint8 (90, 90, 3)."""
    blocks = np.random.default_rng(seed).integers(0, 255, (9, 9, 3)).astype(np.uint8)
    return cv2.resize(blocks, (90, 90), interpolation=cv2.INTER_CUBIC)


def marked(seed, number, size=48):
    """A picture that carries the mark of `seed` and differs from all others of that mark."""
    own = cv2.resize(mark(1000 + number), (size, size)).astype(float)
    return (0.62 * cv2.resize(mark(seed), (size, size)) + 0.38 * own).astype(np.uint8)


def pictures_in(path: Path) -> Iterator[np.ndarray]:
    """Every picture that a file is, or holds, as grey levels."""
    data = path.read_bytes()
    blobs = [data]
    for found in BASE64.finditer(data.replace(b"\\n", b"")):
        text = found.group().rstrip(b"=")
        blobs.append(base64.b64decode(text + b"=" * (-len(text) % 4)))
    for blob in blobs:
        places = {match.start() for sign in SIGNATURES for match in re.finditer(re.escape(sign), blob)}
        for place in sorted(places)[:50]:
            image = cv2.imdecode(np.frombuffer(blob[place:], np.uint8), cv2.IMREAD_GRAYSCALE)
            if image is not None:
                yield image


def shows(picture, seed):
    """Whether a grey picture shows the mark, at any place and size."""
    template = cv2.cvtColor(mark(seed), cv2.COLOR_RGB2GRAY)
    for side in SIDES:
        if side <= min(picture.shape):
            small = cv2.resize(template, (side, side), interpolation=cv2.INTER_AREA)
            if cv2.matchTemplate(picture, small, cv2.TM_CCOEFF_NORMED).max() > ALIKE:
                return True
    return False


def files_showing(folder: Path, seed, newer_than=0.0):
    """The files below a folder that hold a picture with the mark."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_mtime >= newer_than]
    return [path for path in files if any(shows(picture, seed) for picture in pictures_in(path))]
