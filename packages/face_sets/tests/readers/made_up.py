"""Small made-up copies of owners' layouts: synthetic faces as pictures, and the tables beside them."""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from rendered_faces.portrait import render_face


@cache
def face(seed: int, size: int = 64, expression: str = "neutral", age: float = 30.0) -> np.ndarray:
    """Return a synthetic face as RGB, uint8 (size, size, 3): the person and the picture hang on `seed`."""
    row = {
        "domain": "lab", "identity_seed": seed, "image_seed": seed, "model_age": age,
        "mouth": "open" if expression == "surprise" else "closed",
        "sex": ("female", "male")[seed % 2], "skin_tone": 1 + seed % 10, "difficulty": 0.0,
        "expression": expression, "intensity": 1.0, "blend": 0.0, "blended_with": "neutral",
    }  # fmt: skip
    pixels = render_face(row, size)
    pixels.flags.writeable = False
    return pixels


def picture(
    seed: int, size: int | tuple[int, int] = 64, expression: str = "neutral", age: float = 30.0
) -> np.ndarray:
    """Return a synthetic face in the middle of a picture of (width, height), its border drawn out."""
    width, height = (size, size) if isinstance(size, int) else size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    sides = ((top, height - side - top), (left, width - side - left), (0, 0))
    return np.pad(face(seed, side, expression, age), sides, mode="edge")


def write_face(
    path: Path,
    seed: int,
    size: int | tuple[int, int] = 64,
    grey: bool = False,
    mode: str = "RGB",
    expression: str = "neutral",
    age: float = 30.0,
    turned: int = 1,
) -> Path:
    """Write a synthetic face; the format is that of the file's suffix, folders are made.

    `size` is the side or (width, height), pixels; `mode` is Pillow's (`grey` stands for "L"); `turned` is the
    EXIF orientation, 1 upright: the picture shown is the same, its stored pixels are turned against it.
    """
    image = Image.fromarray(picture(seed, size, expression, age))
    options = {}
    if turned != 1:
        image = image.transpose(_TURNED_AGAINST[turned])
        options["exif"] = Image.Exif()
        options["exif"][ORIENTATION] = turned
    path.parent.mkdir(parents=True, exist_ok=True)
    image.convert("L" if grey else mode).save(path, **options)
    return path


ORIENTATION = 0x0112  # tag of TIFF 6.0 and EXIF
_TURNED_AGAINST = {
    3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270,
}  # fmt: skip


def write_black(path: Path, size: int | tuple[int, int] = 64) -> Path:
    """Write a black picture, as damaged files of some sets are."""
    width, height = (size, size) if isinstance(size, int) else size
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height)).save(path)
    return path


def write_noise(path: Path, seed: int, length: int = 500) -> Path:
    """Write bytes that are no picture and no table, whatever the name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(np.random.default_rng(seed).bytes(length))
    return path


def truncate(path: Path, share: float = 0.5) -> Path:
    """Cut a file to a share of its length, as a broken download does."""
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    return path


def write_table(
    path: Path,
    rows: Iterable[Sequence[object]],
    header: Sequence[str] | None = None,
    separator: str = ",",
    newline: str = "\n",
    encoding: str = "utf-8",
) -> Path:
    """Write a text table as it comes (nothing is quoted), with a header or without."""
    lines = [separator.join(map(str, row)) for row in ([header] if header else []) + list(rows)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(line + newline for line in lines).encode(encoding))
    return path


def write_text(path: Path, text: str) -> Path:
    """Write a small text file, folders made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
