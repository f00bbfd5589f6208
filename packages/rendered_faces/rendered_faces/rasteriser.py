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
    x, y, z = np.ascontiguousarray(points.T)[:, triangles.T]  # each (3, triangles)
    area = (x[1] - x[0]) * (y[2] - y[0]) - (y[1] - y[0]) * (x[2] - x[0])
    facing = np.flatnonzero(area < -1e-6 if one_sided else np.abs(area) > 1e-6)
    corners = np.stack([x[:, facing], y[:, facing], z[:, facing]])
    first = np.ceil(corners[:2].min(1) - np.float32(0.5)).astype(np.int32).clip(0)
    last = np.floor(corners[:2].max(1) - np.float32(0.5)).astype(np.int32).clip(None, side - 1)
    extent = np.where((last >= first).all(0), (last - first).max(0) + 1, 0)
    nothing = np.zeros(0, np.int64)
    found = [Fragments(nothing, nothing, np.zeros((0, 3), np.float32), np.zeros(0, np.float32))]
    for before, size in zip((0, *_SIDES), _SIDES, strict=False):
        rows = np.flatnonzero((extent > before) & (extent <= size))
        if rows.size:
            found.append(_inside(facing[rows], corners[:, :, rows, None], first[:, rows, None], size, side))
    pixel, triangle, weights, depth = map(np.concatenate, zip(*found, strict=True))
    nearest = np.full(side * side, -np.inf, np.float32)
    np.maximum.at(nearest, pixel, depth)
    shown = np.full(side * side, -1)
    kept = np.flatnonzero(depth == nearest[pixel])
    shown[pixel[kept]] = kept  # of several at one depth, the last
    kept = shown[shown >= 0]
    return Fragments(pixel[kept], triangle[kept], weights[kept], depth[kept])


def _inside(triangle: Integers, corners: Floats, first: Integers, size: int, side: int) -> Fragments:
    """Try every pixel of a square of `size` at each triangle's upper left pixel `first`."""
    down, across = np.divmod(np.arange(size * size, dtype=np.int32), size)
    column, row = first[0] + across, first[1] + down
    (ax, bx, cx), (ay, by, cy), (az, bz, cz) = corners
    x, y = column.astype(np.float32) + np.float32(0.5) - ax, row.astype(np.float32) + np.float32(0.5) - ay
    scale = 1 / ((bx - ax) * (cy - ay) - (by - ay) * (cx - ax))
    second = x * ((cy - ay) * scale) - y * ((cx - ax) * scale)
    third = y * ((bx - ax) * scale) - x * ((by - ay) * scale)
    least = np.minimum(np.minimum(second, third), 1 - second - third)
    # a pixel on the edge of two triangles belongs to both: none is left out
    places = np.flatnonzero((least >= np.float32(-1e-6)) & (column < side) & (row < side))
    which = places // (size * size)
    second, third = second.ravel()[places], third.ravel()[places]
    depth = az[which, 0] + second * (bz - az)[which, 0] + third * (cz - az)[which, 0]
    pixel = row.ravel()[places].astype(np.int64) * side + column.ravel()[places]
    return Fragments(pixel, triangle[which], np.stack([1 - second - third, second, third], 1), depth)
