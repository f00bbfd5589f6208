"""Light on a relief: a key light with ambient fill, cavities, short cast shadows and a skin-like sheen."""

from dataclasses import dataclass

import cv2
import numpy as np

from synthetic_faces.canvas import HALF_EXTENT, Floats
from synthetic_faces.relief import REFERENCE_SIZE


@dataclass(frozen=True)
class Light:
    """One key light and an even fill."""

    direction: tuple[float, float, float]  # unit vector from the face to the light; x right, y down, z out
    key: float
    fill: float
    sheen: float
    tint: Floats  # RGB factors, (3,)

    @property
    def brightness(self) -> float:
        """Brightness of a matte white surface that faces the camera."""
        return self.fill + 0.75 * self.key


@dataclass(frozen=True)
class Shading:
    """What light does to each point of a relief: a factor on its colour, and a sheen to be added."""

    diffuse: Floats
    sheen: Floats


def draw_light(random: np.random.Generator, side: float) -> Light:
    """Return a light from above, up to `side` radians to the left or right, a little warm or cool."""
    angle, height = random.uniform(-1, 1) * side, -random.uniform(0.2, 0.7)
    direction = np.array([0.9 * np.sin(angle), height, 1.0])
    direction /= np.linalg.norm(direction)
    key = float(random.uniform(0.50, 0.75))
    warmth = float(random.normal(0, 0.022))
    return Light(
        direction=(float(direction[0]), float(direction[1]), float(direction[2])),
        key=key,
        fill=0.95 - 0.82 * key + float(random.normal(0, 0.02)),  # together about the same exposure
        sheen=float(random.uniform(0.04, 0.11)),
        tint=np.array([1 + warmth, 1, 1 - warmth], np.float32),
    )


def shade(height: Floats, light: Light) -> Shading:
    """Return the shading of a height map (n, n) in face units: Lambert, wrapped, and a Blinn-Phong sheen."""
    scale = height.shape[0] / REFERENCE_SIZE
    per_unit = height.shape[0] / (2 * HALF_EXTENT)
    x, y, z = light.direction
    smooth = cv2.GaussianBlur(height, (0, 0), 0.7) * np.float32(per_unit)
    slope_x = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=-0.125)
    slope_y = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=-0.125)
    length = 1 / np.sqrt(slope_x * slope_x + slope_y * slope_y + 1)
    lambert = (slope_x * x + slope_y * y + z) * length
    half = np.array([x, y, z + 1]) / np.linalg.norm([x, y, z + 1])
    facing = np.clip((slope_x * float(half[0]) + slope_y * float(half[1]) + float(half[2])) * length, 0, 1)
    for _ in range(4):
        facing *= facing  # to the 16th power: as broad as skin's highlight
    cavity = _cavity(height, scale)
    shadow = _cast_shadow(height, light, scale, per_unit)
    wrapped = np.clip((lambert + 0.35) / 1.35, 0, 1) * (1 - 0.40 * shadow)  # light scatters inside skin
    diffuse = light.fill * (1 - 0.7 * cavity) + light.key * wrapped * (1 - 0.5 * cavity)
    return Shading(diffuse.astype(np.float32), facing.astype(np.float32))


def _cavity(height: Floats, scale: float) -> Floats:
    """How far a point lies below its neighbourhood: hollows see less of the fill light."""
    box = int(4 * scale) * 2 + 1
    broad = cv2.blur(cv2.blur(height, (box, box)), (box, box)) - height
    near = cv2.GaussianBlur(height, (0, 0), 1.6 * scale) - height
    return np.clip(broad * 4.0, -0.25, 0.5) + np.clip(near * 8.5, -0.15, 0.7)


def _cast_shadow(height: Floats, light: Light, scale: float, per_unit: float) -> Floats:
    """Shadows of nose, brows and lips: does the relief rise above the ray a few pixels towards the light?"""
    x, y, z = light.direction
    rise = np.zeros_like(height)
    for step in (3 * scale, 7 * scale):
        shift = np.array([[1, 0, x * step], [0, 1, y * step]], np.float32)
        size = (height.shape[1], height.shape[0])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        towards = cv2.warpAffine(height, shift, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        rise = np.maximum(rise, towards - height - np.float32(0.9 * z * step / per_unit))
    return cv2.GaussianBlur(np.clip(rise * 8, 0, 1), (0, 0), 1.2)
