"""How a face gets into the picture: domains, pose, exposure, blur, noise and JPEG."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from synthetic_faces.canvas import HALF_EXTENT, Floats, Mask, pattern


@dataclass(frozen=True)
class Domain:
    """How pictures of one kind are taken. Chosen by eye: posed studio, found pictures, a cheap front camera."""

    yaw: float  # standard deviations, degrees
    pitch: float
    roll: float
    light_side: float  # the key light's greatest angle to the side, radians
    blur: float  # sd of the blur's sd, pixels of a 224-pixel image
    motion: float  # probability of motion blur
    noise: float  # sd, of 1
    jpeg: tuple[float, float]  # range of qualities
    occluded: float  # probability
    zoom: float  # sd of the relative scale
    shift: float  # sd of the position, share of the image's side
    exposure: float


DOMAINS: Final = {
    "lab": Domain(4, 3, 2, 0.35, 0.35, 0.0, 0.008, (88, 97), 0.0, 0.03, 0.013, 0.05),
    "wild": Domain(12, 7, 7, 0.8, 0.6, 0.25, 0.012, (55, 95), 0.15, 0.08, 0.03, 0.15),
    "phone": Domain(9, 7, 6, 0.6, 0.75, 0.25, 0.018, (40, 80), 0.06, 0.07, 0.03, 0.15),
}
DEGRADATION: Final = 0.8  # share of the difficulty that reaches the camera
_ZOOM: Final = 1.10  # the head then fills about two thirds of the image
_CENTRE: Final = 0.22  # height of the face that lies in the image's middle, face units: room for a crop below
_PIVOT: Final = 0.35  # depth of the axis that the head turns about, face units


def project(
    colour: Floats, coverage: Mask, height: Floats, domain: Domain, size: int, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """Turn, tilt, scale and shift the painted head; return colour (size, size, 3) and coverage, 0 to 1."""
    spread = np.deg2rad([domain.yaw, domain.pitch, domain.roll])
    yaw, pitch, roll = np.clip(random.normal(0, spread), -0.45, 0.45).tolist()
    zoom = _ZOOM * (1 + float(np.clip(random.normal(0, domain.zoom), -0.15, 0.12)))
    shift = np.clip(random.normal(0, domain.shift, 2), -0.07, 0.07) * size
    x, y = _source(height, (yaw, pitch, roll), zoom, shift.tolist(), size)
    pixels = colour.shape[0] / (2 * HALF_EXTENT)
    map_x, map_y = (x + HALF_EXTENT) * pixels - 0.5, (y + HALF_EXTENT) * pixels - 0.5
    seen = cv2.remap(colour, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.remap(coverage, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return seen, mask.astype(np.float32) / 255


def _source(
    height: Floats, angles: tuple[float, float, float], zoom: float, shift: list[float], size: int
) -> tuple[Floats, Floats]:
    """Face coordinates that each pixel of the image shows: the pose inverted by fixed-point iteration."""
    half = size // 2  # the maps are smooth: solved at half resolution
    yaw, pitch, roll = angles
    pixel = np.linspace(0.5, size - 0.5, half, dtype=np.float32) - size / 2
    across, down = np.meshgrid(pixel - np.float32(shift[0]), pixel - np.float32(shift[1]))
    unit = 2 * HALF_EXTENT / size / zoom
    cos, sin = float(np.cos(roll)) * unit, float(np.sin(roll)) * unit
    x, y = cos * across + sin * down, cos * down - sin * across + _CENTRE
    x_unturned, y_unturned = x / float(np.cos(yaw)), y / float(np.cos(pitch))
    slope_x, slope_y = float(np.tan(yaw)), float(np.tan(pitch))
    source_x, source_y = x_unturned, y_unturned
    scale = height.shape[0] / (2 * HALF_EXTENT)
    for _ in range(3):
        map_x, map_y = (source_x + HALF_EXTENT) * scale - 0.5, (source_y + HALF_EXTENT) * scale - 0.5
        depth = cv2.remap(height, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) - _PIVOT
        source_x, source_y = x_unturned - depth * slope_x, y_unturned - depth * slope_y
    return cv2.resize(source_x, (size, size)), cv2.resize(source_y, (size, size))


def photograph(
    scene: Floats, domain: Domain, degradation: float, random: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Expose, blur, add noise and compress a scene (n, n, 3), 0 to 1; return uint8 RGB."""
    size = scene.shape[0]
    contrast = 255 * (1 + float(random.normal(0, 0.5 * domain.exposure)))
    level = 127.5 + 255 * float(random.normal(0, 0.3 * domain.exposure))
    pixels = np.clip(scene * np.float32(contrast) + np.float32(level - 0.5 * contrast), 0, 255)
    pixels = pixels.astype(np.uint8)
    blur = abs(random.normal(0, domain.blur)) * (1 + 2.5 * degradation) + 0.8 * degradation
    if (blur := blur * size / 224) > 0.3:
        pixels = cv2.GaussianBlur(pixels, (0, 0), blur)
    if random.random() < domain.motion:
        pixels = _moved(pixels, 5 * (1 + degradation) * size / 224, float(random.uniform(0, 180)))
    top, left = random.integers(0, pattern("grain").shape[0] - size, 2).tolist()
    grain = pattern("grain")[top : top + size, left : left + size]
    grain = grain * np.float32(255 * domain.noise * (1 + 2 * degradation))
    pixels = cv2.add(pixels, cv2.merge([grain] * 3), dtype=cv2.CV_8U)
    quality = int(np.clip(random.uniform(*domain.jpeg) - 25 * degradation, 12, 97))
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    _, packed = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR_RGB), np.uint8)


def _moved(pixels: Floats, length: float, degrees: float) -> Floats:
    side = 2 * int(length / 2 + 0.5) + 1
    streak: Floats = np.zeros((side, side), np.float32)
    streak[side // 2] = 1
    turn = cv2.getRotationMatrix2D((side // 2, side // 2), degrees, 1)
    streak = cv2.warpAffine(streak, turn, (side, side))
    return cv2.filter2D(pixels, -1, streak / streak.sum())
