"""Random patterns on the map: fields of noise, and soft spots and lines at places of the face."""

from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from rendered_faces.head import HEIGHT, LEFT_EDGE, TOP, WIDTH
from rendered_faces.rasteriser import Floats

SIDE: Final = 448
"""Of the painted map, pixels: a face of 200 pixels takes about as many of them."""

_CENTRES: Final = (np.arange(SIDE) + 0.5) / SIDE
ANGLE: Final[Floats] = (LEFT_EDGE + WIDTH * _CENTRES).astype(np.float32)[None]
LEVEL: Final[Floats] = (TOP - HEIGHT * _CENTRES).astype(np.float32)[:, None]
"""Of the map's columns and rows: radians about the head's axis, and height on the base mesh, decimetres."""


def noise(random: np.random.Generator, cells: tuple[int, int]) -> Floats:
    """Return smooth noise (SIDE, SIDE) of about unit variance with so many bumps down and across."""
    grid = random.standard_normal(cells, dtype=np.float32)
    return np.asarray(cv2.resize(grid, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.float32)


def soft(values: npt.NDArray[Any], blur: float) -> Floats:
    """Return values blurred by a Gaussian with standard deviation `blur`, pixels."""
    return np.asarray(cv2.GaussianBlur(values.astype(np.float32, copy=False), (0, 0), blur), np.float32)


def spot(angle: float, level: float, width: float, height: float) -> Floats:
    """Return a soft spot, 1 in its middle, on both sides of the face (at angle 0: in the middle)."""
    across = np.exp(-(((np.abs(ANGLE) - angle) / width) ** 2))
    return across * np.exp(-(((LEVEL - level) / height) ** 2))


def lines(paths: list[list[tuple[float, float]]], blur: float) -> Floats:
    """Return soft lines, at most 1, along paths of (angle, level), mirrored to both sides; blur in map pixels."""
    drawn = np.zeros((SIDE, SIDE), np.float32)
    for path in paths:
        for side in (1, -1):
            angles, levels = np.array(path).T
            cv2.polylines(drawn, [fixed_point(side * angles, levels)], False, 1.0, 2, cv2.LINE_AA, 4)
    blurred = soft(drawn, blur)
    return blurred / blurred.max()


def fixed_point(angles: npt.NDArray[np.float64], levels: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """Return the map's pixels (n, 2) at places of the face, in sixteenths, as OpenCV draws them."""
    places = np.stack([(angles - LEFT_EDGE) / WIDTH, (TOP - levels) / HEIGHT], 1)
    return np.round(places * SIDE * 16).astype(np.int32)
