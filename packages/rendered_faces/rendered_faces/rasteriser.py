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
        corners = triangles[self.triangle]
        total = values[corners[:, 0]] * self.weights[:, :1]
        total += values[corners[:, 1]] * self.weights[:, 1:2]
        total += values[corners[:, 2]] * self.weights[:, 2:]
        return total


def rasterise(points: Floats, triangles: npt.NDArray[np.int32], side: int, one_sided: bool = True) -> Fragments:
    """Return what a square picture of `side` pixels shows of a mesh at its pixels' centres.

    `points` (n, 3) are columns and rows in pixels from the upper left corner, and depths, larger nearer to the viewer.
    One-sided triangles are seen from the side where their corners run anticlockwise.
    """
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    low = np.ceil(np.minimum(np.minimum(a, b), c)[:, :2] - 0.5).astype(np.int32).clip(0)
    high = np.floor(np.maximum(np.maximum(a, b), c)[:, :2] - 0.5).astype(np.int32).clip(None, side - 1)
    extent = (high - low + 1).max(1)
    seen = ((high >= low).all(1)) & ((area < -1e-6) if one_sided else (np.abs(area) > 1e-6))
    found = []
    for before, size in zip((0, *_SIDES), _SIDES, strict=False):
        rows = np.flatnonzero(seen & (extent > before) & (extent <= size))
        if rows.size:
            found.append(_inside(rows, a[rows], b[rows], c[rows], area[rows], low[rows], size, side))
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


def _inside(
    rows: Integers, a: Floats, b: Floats, c: Floats, area: Floats, low: npt.NDArray[np.int32], size: int, side: int
) -> Fragments:
    """Try every pixel of a `size` square at each triangle's corner `low`."""
    down, across = np.divmod(np.arange(size * size, dtype=np.int32), size)
    column, row = low[:, :1] + across, low[:, 1:] + down
    x, y = column + np.float32(0.5), row + np.float32(0.5)
    scale = (1 / area)[:, None].astype(np.float32)
    second = ((x - a[:, :1]) * (c[:, 1:2] - a[:, 1:2]) - (y - a[:, 1:2]) * (c[:, :1] - a[:, :1])) * scale
    third = ((b[:, :1] - a[:, :1]) * (y - a[:, 1:2]) - (b[:, 1:2] - a[:, 1:2]) * (x - a[:, :1])) * scale
    first = 1 - second - third
    edge = np.float32(-1e-6)  # a pixel on the edge of two triangles belongs to both: none is left out
    hit = (first >= edge) & (second >= edge) & (third >= edge) & (column < side) & (row < side)
    which, place = np.nonzero(hit)
    weights = np.stack([w[which, place] for w in (first, second, third)], 1)
    depth = (weights * np.stack([a[which, 2], b[which, 2], c[which, 2]], 1)).sum(1)
    pixel = row[which, place].astype(np.int64) * side + column[which, place]
    return Fragments(pixel, rows[which], weights, depth)
