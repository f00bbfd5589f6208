"""Anti-aliased shapes in face coordinates, blended onto a square of colour.

Face coordinates: the unit is half the width of an average adult face, x to the right, y down, the origin
between the eyes. The square reaches from -1.95 to 1.95 on both axes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]
"""Pictures and curves, float32 unless said otherwise: OpenCV's stubs do not tell one dtype from another."""

Mask = npt.NDArray[Any]
"""Coverage, uint8, 0 to 255."""

HALF_EXTENT: Final = 1.95  # room for hair above and shoulders below a head of height 3
REFERENCE_SIZE: Final = 256  # widths and blurs are given in pixels of a canvas of this size
_SHIFT: Final = 4  # fractional bits of OpenCV's fixed-point coordinates
_ONE: Final = 1 << _SHIFT


@dataclass(frozen=True)
class Layer:
    """Coverage (0 to 255) of one shape on its own bounding box, and where on its canvas that box lies."""

    mask: Mask
    left: int
    top: int

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the canvas that the box covers."""
        height, width = self.mask.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


class Canvas:
    """A window onto the square of face coordinates: RGB (float32, 0 to about 1) and coverage (uint8)."""

    def __init__(self, size: int, colour: Floats, coverage: Mask, left: int = 0, top: int = 0) -> None:
        self.size = size  # of the whole square, pixels
        self.colour = colour  # of the window, (height, width, 3)
        self.coverage = coverage  # 0 where the background shows, (height, width)
        self.left = left
        self.top = top
        self.scale = size / REFERENCE_SIZE
        height, width = colour.shape[:2]
        axis = np.linspace(-HALF_EXTENT, HALF_EXTENT, size, dtype=np.float32)
        self.x: Floats = axis[left : left + width]  # face coordinates of the columns
        self.y: Floats = axis[top : top + height]

    @classmethod
    def blank(cls, size: int) -> "Canvas":
        """Return the whole square, nothing painted or covered."""
        return cls(size, np.zeros((size, size, 3), np.float32), np.zeros((size, size), np.uint8))

    def polygon(self, points: npt.ArrayLike, blur: float = 0.0) -> Layer:
        """Return the inside of a closed polygon, (n, 2) points; the blur's sd in reference pixels."""
        blur *= self.scale
        layer, fixed = self._box(points, 2 + int(3 * blur))
        cv2.fillPoly(layer.mask, [fixed], 255, cv2.LINE_AA, _SHIFT)
        return _blurred(layer, blur)

    def line(self, points: npt.ArrayLike, width: float, blur: float = 0.7) -> Layer:
        """Return an open line through (n, 2) points; width and the blur's sd in reference pixels."""
        width, blur = width * self.scale, max(blur * self.scale, 0.3)
        layer, fixed = self._box(points, 3 + int(width + 3 * blur))
        strength = int(255 * min(1.0, width))  # thinner than a pixel: paler instead
        cv2.polylines(layer.mask, [fixed], False, strength, max(1, round(width)), cv2.LINE_AA, _SHIFT)
        return _blurred(layer, blur)

    def paint(self, layer: Layer, colour: npt.ArrayLike, opacity: float = 1.0) -> None:
        """Blend a colour (3,), or an array over the layer's box, through a layer."""
        below = self.colour[layer.window]
        weight = (layer.mask * np.float32(opacity / 255))[..., None]
        below += weight * (np.asarray(colour, np.float32) - below)

    def cover(self, layer: Layer, colour: npt.ArrayLike) -> None:
        """Paint, and hide the background: Porter and Duff's "over" (1984, doi:10.1145/964965.808606)."""
        covered = self.coverage[layer.window]
        showing = cv2.multiply(covered, 255 - layer.mask, scale=1 / 255)  # what stays visible of it
        union = cv2.add(layer.mask, showing)
        weight = layer.mask / np.maximum(union, 1).astype(np.float32)
        below = self.colour[layer.window]
        below += weight[..., None] * (np.asarray(colour, np.float32) - below)
        covered[:] = union

    @contextmanager
    def inside(self, layer: Layer) -> Iterator["Canvas"]:
        """Yield a canvas over the layer's box; what is painted on it appears within the layer alone."""
        colour = self.colour[layer.window].copy()
        coverage = self.coverage[layer.window]
        yield Canvas(self.size, colour, coverage, self.left + layer.left, self.top + layer.top)
        self.paint(layer, colour)

    def local(self, points: npt.ArrayLike) -> npt.NDArray[np.int32]:
        """Return points (n, 2) in OpenCV's fixed-point pixels of this window, (n, 1, 2)."""
        return fixed_point(points, self.size) - np.array([self.left, self.top], np.int32) * _ONE

    def _box(self, points: npt.ArrayLike, margin: int) -> tuple[Layer, npt.NDArray[np.int32]]:
        fixed = self.local(points)
        height, width = self.colour.shape[:2]
        low = np.clip((fixed.min((0, 1)) >> _SHIFT) - margin, 0, (width, height))
        high = np.clip((fixed.max((0, 1)) >> _SHIFT) + margin + 1, low, (width, height))
        columns, rows = (high - low).tolist()
        layer = Layer(np.zeros((rows, columns), np.uint8), int(low[0]), int(low[1]))
        return layer, (fixed - low * _ONE).astype(np.int32)


def _blurred(layer: Layer, blur: float) -> Layer:
    if blur <= 0 or layer.mask.size == 0:
        return layer
    return Layer(cv2.GaussianBlur(layer.mask, (0, 0), blur), layer.left, layer.top)


def fixed_point(points: npt.ArrayLike, size: int) -> npt.NDArray[np.int32]:
    """Return points (n, 2) in OpenCV's fixed-point pixels of a square of `size` pixels, (n, 1, 2)."""
    shifted = (np.asarray(points, np.float32) + HALF_EXTENT) * (size / (2 * HALF_EXTENT)) - 0.5
    return np.rint(shifted * _ONE).astype(np.int32).reshape(-1, 1, 2)


def ellipse(x: float, y: float, half_width: float, half_height: float, points: int = 24) -> Floats:
    """Return the corners of an ellipse, (points, 2)."""
    angle = np.linspace(0, 2 * np.pi, points, dtype=np.float32)
    return np.stack([x + half_width * np.cos(angle), y + half_height * np.sin(angle)], 1)


def between(x: Floats, upper: Floats, lower: Floats) -> Floats:
    """Return the polygon between two curves over the same x, (2 n, 2)."""
    return np.concatenate([np.stack([x, upper], 1), np.stack([x, lower], 1)[::-1]])
