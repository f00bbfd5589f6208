"""Which triangle each pixel shows: a z-buffer in plain NumPy."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Pixels = npt.NDArray[np.uint8]
Triangles = npt.NDArray[np.int32]  # (m, 3), numbers of vertices

_HALF: Final = np.float32(0.5)  # from a pixel's corner to its centre


class Fragments(NamedTuple):
    """The pixels that a mesh covers (n,): flat index, triangle, depth, and `values` (n, k) interpolated there."""

    pixel: Integers
    triangle: Integers
    depth: Floats
    values: Floats


def rasterise(
    points: Floats, triangles: Triangles, values: Floats, side: int, one_sided: bool = True
) -> Fragments:
    """Return what a square picture of `side` pixels shows of a mesh at its pixels' centres.

    `points` (n, 3) are columns and rows in pixels from the upper left corner, and depths, larger nearer to the viewer;
    `values` (n, k) are whatever else is wanted. One-sided triangles are seen from the side where their corners run
    anticlockwise.
    """
    x, y, z = (np.take(each, triangles.T) for each in np.ascontiguousarray(points.T))  # each (3, triangles)
    area = (x[1] - x[0]) * (y[2] - y[0]) - (y[1] - y[0]) * (x[2] - x[0])
    (left, right), (top, bottom) = _spanned(x, side), _spanned(y, side)
    facing = area < -1e-6 if one_sided else np.abs(area) > 1e-6
    triangle = np.flatnonzero(facing & (left < right) & (top < bottom))
    (ax, bx, cx), (ay, by, cy), (az, bz, cz) = x[:, triangle], y[:, triangle], z[:, triangle]
    # every pixel of every triangle's bounding box is tried; `which` is its triangle's place among those above
    width, height = (right - left)[triangle], (bottom - top)[triangle]
    count = width * height
    which = np.repeat(np.arange(len(count)), count)
    tried = np.arange(len(which), dtype=np.int32) - np.repeat(np.cumsum(count, dtype=np.int32) - count, count)
    down, across = np.divmod(tried, width[which])
    column, row = left[triangle][which] + across, top[triangle][which] + down
    u, v = column.astype(np.float32) + _HALF - ax[which], row.astype(np.float32) + _HALF - ay[which]
    scale = 1 / ((bx - ax) * (cy - ay) - (by - ay) * (cx - ax))
    second = u * ((cy - ay) * scale)[which] - v * ((cx - ax) * scale)[which]
    third = v * ((bx - ax) * scale)[which] - u * ((by - ay) * scale)[which]
    least = np.minimum(np.minimum(second, third), 1 - second - third)
    inside = np.flatnonzero(least >= np.float32(-1e-6))  # on an edge: of both triangles, so none is left out
    which, second, third = which[inside], second[inside], third[inside]
    depth = az[which] + second * (bz - az)[which] + third * (cz - az)[which]
    pixel = row[inside].astype(np.int64) * side + column[inside]
    kept = _nearest(pixel, depth, side)
    triangle, second, third = triangle[which[kept]], second[kept, None], third[kept, None]
    a, b, c = (np.take(values, corner, axis=0) for corner in np.take(triangles, triangle, axis=0).T)
    found = a * (1 - second - third) + b * second + c * third
    return Fragments(pixel[kept], triangle, depth[kept], found)


def _spanned(corners: Floats, side: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return the pixels whose centres triangles' corners (3, n) span along an axis: the first and the one after the last."""
    a, b, c = corners
    first = np.ceil(np.minimum(np.minimum(a, b), c) - _HALF).astype(np.int32)
    last = np.floor(np.maximum(np.maximum(a, b), c) - _HALF).astype(np.int32)
    return first.clip(0), last.clip(None, side - 1) + 1


def _nearest(pixel: Integers, depth: Floats, side: int) -> Integers:
    """Return which fragments are shown, by pixel: each one's nearest, and of several at one depth the last."""
    shown = np.full(side * side, -1)
    left = np.arange(len(pixel))
    while left.size:
        shown[pixel[left]] = left  # where indices repeat, NumPy keeps the last
        left = left[depth[left] > depth[shown[pixel[left]]]]
    return shown[shown >= 0]
