"""Which triangle each pixel shows: a z-buffer in plain NumPy, made for many triangles of a few pixels each."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

_SIDES: Final = (1, 2, 3, 4, 6, 8, 12, 20, 40, 100, 1000)
"""Triangles are worked on in groups whose bounding boxes fit into squares of these sides, pixels: the fewer pixels a
triangle has, the fewer are tried for it."""


class Fragments(NamedTuple):
    """The pixels that a mesh covers: flat index, triangle, weights of its three corners (n, 3), depth."""

    pixel: Integers
    triangle: Integers
    weights: Floats
    depth: Floats

    def interpolated(self, values: Floats, triangles: npt.NDArray[np.int32]) -> Floats:
        """Return per-vertex `values` (vertices, k) at each pixel, (n, k)."""
        corners = np.take(triangles, self.triangle, axis=0)
        total = np.take(values, corners[:, 0], axis=0) * self.weights[:, :1]
        for corner in (1, 2):
            total += np.take(values, corners[:, corner], axis=0) * self.weights[:, corner : corner + 1]
        return total


def rasterise(
    points: Floats, triangles: npt.NDArray[np.int32], side: int, one_sided: bool = True
) -> Fragments:
    """Return what a square picture of `side` pixels shows of a mesh at its pixels' centres.

    `points` (n, 3) are columns and rows in pixels from the upper left corner, and depths, larger nearer to the viewer.
    One-sided triangles are seen from the side where their corners run anticlockwise.
    """
    x, y, z = np.ascontiguousarray(points.T)
    (ax, bx, cx), (ay, by, cy) = x[triangles.T], y[triangles.T]
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    facing = np.flatnonzero(area < -1e-6 if one_sided else np.abs(area) > 1e-6)
    ax, bx, cx, ay, by, cy, area = (values[facing] for values in (ax, bx, cx, ay, by, cy, area))
    left, right = _span(ax, bx, cx, side)
    top, bottom = _span(ay, by, cy, side)
    extent = np.maximum(right - left, bottom - top) + 1
    extent[(right < left) | (bottom < top)] = 0
    az, bz, cz = z[triangles[facing].T]
    found = []
    for before, size in zip((0, *_SIDES), _SIDES, strict=False):
        rows = np.flatnonzero((extent > before) & (extent <= size))
        if rows.size:
            corners = (values[rows, None] for values in (ax, ay, az, bx, by, bz, cx, cy, cz))
            found.append(
                _inside(
                    facing[rows], *corners, area[rows, None], left[rows, None], top[rows, None], size, side
                )
            )
    if not found:
        empty = np.zeros(0, np.int64)
        return Fragments(empty, empty, np.zeros((0, 3), np.float32), np.zeros(0, np.float32))
    fragments = Fragments(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
    nearest = np.full(side * side, -np.inf, np.float32)
    np.maximum.at(nearest, fragments.pixel, fragments.depth)
    shown = np.full(side * side, -1)
    kept = np.flatnonzero(fragments.depth == nearest[fragments.pixel])
    shown[fragments.pixel[kept]] = kept  # of several at one depth, the last
    kept = shown[shown >= 0]
    return Fragments(*(part[kept] for part in fragments))


def _span(a: Floats, b: Floats, c: Floats, side: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return the first and last pixel whose centre lies within three corners' range, inside the picture."""
    first = np.ceil(np.minimum(np.minimum(a, b), c) - np.float32(0.5)).astype(np.int32)
    last = np.floor(np.maximum(np.maximum(a, b), c) - np.float32(0.5)).astype(np.int32)
    return np.maximum(first, 0), np.minimum(last, side - 1)


def _inside(
    triangle: Integers, ax: Floats, ay: Floats, az: Floats, bx: Floats, by: Floats, bz: Floats, cx: Floats, cy: Floats,
    cz: Floats, area: Floats, left: npt.NDArray[np.int32], top: npt.NDArray[np.int32], size: int, side: int,
) -> Fragments:  # fmt: skip
    """Try every pixel of a square of `size` at each triangle's upper left corner; all arguments are columns."""
    down, across = np.divmod(np.arange(size * size, dtype=np.int32), size)
    column, row = left + across, top + down
    x, y = column.astype(np.float32) + np.float32(0.5), row.astype(np.float32) + np.float32(0.5)
    scale = 1 / area
    second = (x - ax) * ((cy - ay) * scale) - (y - ay) * ((cx - ax) * scale)
    third = (y - ay) * ((bx - ax) * scale) - (x - ax) * ((by - ay) * scale)
    first = 1 - second - third
    edge = np.float32(-1e-6)  # a pixel on the edge of two triangles belongs to both: none is left out
    hit = (np.minimum(np.minimum(first, second), third) >= edge) & (column < side) & (row < side)
    places = np.flatnonzero(hit)
    which = places // (size * size)
    first, second, third = (weight.ravel()[places] for weight in (first, second, third))
    depth = first * az[which, 0] + second * bz[which, 0] + third * cz[which, 0]
    pixel = row.ravel()[places].astype(np.int64) * side + column.ravel()[places]
    return Fragments(pixel, triangle[which], np.stack([first, second, third], 1), depth)
