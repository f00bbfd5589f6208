"""Random patterns on the map: fields of noise, and soft spots and lines at places of the face."""

from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from rendered_faces.head import HEIGHT, LEFT_EDGE, TOP, WIDTH
from rendered_faces.rasteriser import Floats

SIDE: Final = 448
"""Of the painted map, pixels: a face of 200 pixels takes about as many of them."""

_SPARE: Final = 128  # patterns that are made once are larger by this, and each person sees another part

ANGLE: Final[Floats] = (LEFT_EDGE + WIDTH * (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE)[None]
LEVEL: Final[Floats] = (TOP - HEIGHT * (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE)[:, None]
"""Of the map's columns and rows: radians about the head's axis, and height on the base mesh, decimetres."""


def noise(random: np.random.Generator, cells: tuple[int, int]) -> Floats:
    """Return smooth noise (SIDE, SIDE) of about unit variance with so many bumps down and across."""
    if max(cells) < 40:
        return _smooth(random, cells, SIDE)
    top, left = random.integers(0, _SPARE, 2).tolist()
    field = _field(cells)[top : top + SIDE, left : left + SIDE]
    return field[:, ::-1] if random.random() < 0.5 else field


@lru_cache(maxsize=16)
def _field(cells: tuple[int, int]) -> Floats:
    larger = 1 + _SPARE / SIDE
    fixed = np.random.default_rng(list(cells))
    return _smooth(fixed, (round(cells[0] * larger), round(cells[1] * larger)), SIDE + _SPARE)


def _smooth(random: np.random.Generator, cells: tuple[int, int], side: int) -> Floats:
    grid = random.standard_normal(cells, dtype=np.float32)
    return np.asarray(cv2.resize(grid, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)


def spot(angle: float, level: float, width: float, height: float) -> Floats:
    """Return a soft spot, 1 in its middle, on both sides of the face (at angle 0: in the middle)."""
    across = np.exp(-(((np.abs(ANGLE) - angle) / width) ** 2))
    return across * np.exp(-(((LEVEL - level) / height) ** 2))


def lines(paths: list[list[tuple[float, float]]], blur: float, both_sides: bool = True) -> Floats:
    """Return soft lines, at most 1, along paths of (angle, level), mirrored to both sides; blur in map pixels."""
    drawn = np.zeros((SIDE, SIDE), np.float32)
    for path in paths:
        for side in (1, -1) if both_sides else (1,):
            points = np.array([((side * a - LEFT_EDGE) / WIDTH, (TOP - y) / HEIGHT) for a, y in path])
            fixed = np.round(points * SIDE * 16).astype(np.int32)
            cv2.polylines(drawn, [fixed], False, 1.0, 2, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(drawn, (0, 0), blur)
    return np.asarray(soft / soft.max(), np.float32)
