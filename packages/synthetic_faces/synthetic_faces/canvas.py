"""Anti-aliased shapes in face coordinates, blended onto a square of colour.

Face coordinates: the unit is half the width of an average adult face, x to the right, y down, the origin
between the eyes. The square reaches from -1.95 to 1.95 on both axes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
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
_TURN: Final = np.linspace(0, 2 * np.pi, 24)
_CIRCLE: Final = np.stack([np.cos(_TURN), np.sin(_TURN)], 1)


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

    def paint(self, layer: Layer, colour: Floats | Sequence[float], opacity: float = 1.0) -> None:
        """Blend a colour (3,), or a picture of the layer's box (height, width, 3), through a layer."""
        _blend(self.colour[layer.window], colour, layer.mask, opacity / 255)

    def cover(self, layer: Layer, colour: Floats | Sequence[float]) -> None:
        """Paint, and hide the background: Porter and Duff's "over" (1984, doi:10.1145/964965.808606)."""
        covered = self.coverage[layer.window]
        showing = cv2.multiply(covered, 255 - layer.mask, scale=1 / 255)  # what stays visible of it
        union = cv2.add(layer.mask, showing)
        weight = cv2.divide(layer.mask, np.maximum(union, 1), dtype=cv2.CV_32F)
        _blend(self.colour[layer.window], colour, weight, 1.0)
        covered[:] = union

    def detail(self, layer: Layer) -> "Canvas":
        """Return a canvas of the layer's box, black, to be filled and then painted through the layer."""
        rows, columns = layer.window
        colour = np.zeros((*layer.mask.shape, 3), np.float32)
        return Canvas(
            self.size, colour, self.coverage[rows, columns], self.left + layer.left, self.top + layer.top
        )

    def local(self, points: npt.ArrayLike) -> npt.NDArray[np.int32]:
        """Return points (n, 2) in OpenCV's fixed-point pixels of this window, (n, 1, 2)."""
        return fixed_point(points, self.size) - np.array([self.left, self.top], np.int32) * _ONE

    def _box(self, points: npt.ArrayLike, margin: int) -> tuple[Layer, npt.NDArray[np.int32]]:
        fixed = self.local(points)
        x, y, width, height = cv2.boundingRect(fixed)
        left, right = self._span(x, width, margin, self.colour.shape[1])
        top, bottom = self._span(y, height, margin, self.colour.shape[0])
        layer = Layer(np.zeros((bottom - top, right - left), np.uint8), left, top)
        return layer, fixed - np.array([left, top], np.int32) * _ONE

    @staticmethod
    def _span(start: int, length: int, margin: int, limit: int) -> tuple[int, int]:
        low = min(max((start >> _SHIFT) - margin, 0), limit)
        return low, min(max(((start + length) >> _SHIFT) + margin + 1, low), limit)


def _blend(below: Floats, colour: Floats | Sequence[float], weight: Floats, scale: float) -> None:
    """Move a picture towards a colour in place; by OpenCV, which takes a third of the time of NumPy here."""
    if weight.size == 0:
        return  # the shape lies outside the canvas
    above: Any = colour if np.ndim(colour) == 3 else (*(float(value) for value in colour), 0.0)
    difference = cv2.subtract(above, below, dtype=cv2.CV_32F)
    below += cv2.multiply(difference, cv2.merge([weight] * 3), scale=scale, dtype=cv2.CV_32F)


def _blurred(layer: Layer, blur: float) -> Layer:
    if blur <= 0 or layer.mask.size == 0:
        return layer
    return Layer(soften(layer.mask, blur), layer.left, layer.top)


def soften(image: Floats, blur: float) -> Floats:
    """Return an image blurred with a Gaussian of sd `blur` pixels; a wide one as two boxes of its variance."""
    if blur < 2.5:
        return cv2.GaussianBlur(image, (0, 0), blur)
    side = round((6 * blur**2 + 1) ** 0.5) | 1  # a box of side n has the variance (n² - 1) / 12
    return cv2.blur(cv2.blur(image, (side, side)), (side, side))


def fixed_point(points: npt.ArrayLike, size: int) -> npt.NDArray[np.int32]:
    """Return points (n, 2) in OpenCV's fixed-point pixels of a square of `size` pixels, (n, 1, 2)."""
    per_unit = _ONE * size / (2 * HALF_EXTENT)
    shifted = np.asarray(points, np.float32) * per_unit + (HALF_EXTENT * per_unit - 0.5 * _ONE)
    return np.rint(shifted).astype(np.int32).reshape(-1, 1, 2)


def ellipse(x: float, y: float, half_width: float, half_height: float) -> Floats:
    """Return an ellipse as a polygon, (24, 2)."""
    return _CIRCLE * (half_width, half_height) + (x, y)


def mirrored(right: Sequence[tuple[float, float]]) -> Floats:
    """Return a polygon symmetric about x = 0 from its right half, (n, 2) to (2 n, 2)."""
    half = np.array(right, np.float32)
    return np.concatenate([half, half[::-1] * (-1, 1)])


def between(x: Floats, upper: Floats, lower: Floats) -> Floats:
    """Return the polygon between two curves over the same x, (2 n, 2)."""
    return np.concatenate([np.stack([x, upper], 1), np.stack([x, lower], 1)[::-1]])


NOISE_SIDE: Final = 1280  # room for a window of the largest canvas at any texture seed (below 200)
_NOISE_SEED: Final = 7  # the patterns are scenery, not part of a study: the same in every one


@cache
def pattern(name: str) -> Floats:
    """Return a (1280, 1280) float32 pattern: grain (white), pores, blotches, unevenness, from fine to broad."""
    spread = {"grain": 0.0, "pores": 0.8, "blotches": 5.0, "unevenness": 24.0}
    layer = list(spread).index(name)
    noise: Floats = np.random.default_rng([_NOISE_SEED, layer]).standard_normal(
        (NOISE_SIDE, NOISE_SIDE), dtype=np.float32
    )
    noise = soften(noise, spread[name]) if spread[name] > 0 else noise
    return (noise / noise.std()).astype(np.float32)
