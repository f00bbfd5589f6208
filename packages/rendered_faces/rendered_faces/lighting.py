"""Light on the head: a key lamp, a fill lamp and the sky, and how deep hollows are shaded."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from rendered_faces.head import unit_vectors
from rendered_faces.rasteriser import Floats

_SCATTER: Final = np.array([0.30, 0.16, 0.11], np.float32)
"""How far light reaches round the edge of its shadow in skin, more in red (wrap lighting: Green 2004, "GPU Gems",
chapter 16)."""

# Hollows: blur over which a neighbourhood's depth is averaged, as a share of the picture's side, the depth below it,
# decimetres, that is darkest, and how dark. Small ones are lids and lips, large ones the eye sockets and the neck.
_HOLLOWS: Final = ((0.007, 0.06, 0.30), (0.018, 0.14, 0.22), (0.045, 0.32, 0.30))


@dataclass(frozen=True)
class Light:
    """Two lamps and the sky: unit directions (3,) towards the lamps in the viewer's frame; strengths from 0."""

    key: Floats
    fill: Floats
    key_strength: float
    fill_strength: float
    sky: float
    tint: Floats  # of the key lamp, RGB about 1
    gloss: float  # of the skin
    sharpness: float  # of its highlights


def draw_light(random: np.random.Generator, side: float) -> Light:
    """Return a light whose key lamp stands at most about `side` radians to a side."""
    turn, height = random.uniform(-side, side), random.uniform(0.05, 0.75)
    key = np.array([[np.sin(turn), height, np.cos(turn)]], np.float32)
    fill = np.array([[-np.sign(turn) * random.uniform(0.3, 1.2), random.uniform(-0.2, 0.4), 0.8]], np.float32)
    warmth = 0.02 * random.standard_normal()
    return Light(
        key=unit_vectors(key)[0],
        fill=unit_vectors(fill)[0],
        key_strength=float(random.uniform(0.45, 0.75)),
        fill_strength=float(random.uniform(0.05, 0.3)),
        sky=float(random.uniform(0.35, 0.55)),
        tint=np.array([1 + warmth, 1.0, 1 - warmth], np.float32),
        gloss=float(random.uniform(0.01, 0.10)),
        sharpness=float(random.uniform(8, 30)),
    )


def openness(depth: Floats, covered: Floats, scale: float) -> Floats:
    """Return how much of the sky reaches a pixel, 0 to 1, from a picture of depths (side, side), decimetres."""
    side = len(depth)
    dark = np.zeros_like(depth)
    quarter = (side // 4, side // 4)
    for blur, deepest, strength in _HOLLOWS:
        wide = blur * side > 3
        level, weight = (
            cv2.resize(x, quarter, interpolation=cv2.INTER_AREA) if wide else x for x in (depth, covered)
        )
        sigma = blur * side / (4 if wide else 1)
        mean = cv2.GaussianBlur(level, (0, 0), sigma) / np.maximum(
            cv2.GaussianBlur(weight, (0, 0), sigma), 0.2
        )
        mean = cv2.resize(mean, (side, side)) if wide else mean
        dark += strength * np.clip((mean - depth) / (deepest * scale), 0, 1)
    return np.exp(-dark)


def illumination(normals: Floats, open_sky: Floats, light: Light) -> Floats:
    """Return the light (n, 3) that falls on skin with unit `normals` (n, 3)."""
    towards = (normals @ light.key)[:, None]
    direct = np.maximum((towards + _SCATTER) / (1 + _SCATTER), 0) * np.sqrt(open_sky)[:, None]
    filled = np.maximum(normals @ light.fill, 0) * np.float32(light.fill_strength)
    sky = (np.float32(0.8) + np.float32(0.2) * normals[:, 1]) * open_sky * np.float32(light.sky)
    return direct * (light.tint * np.float32(light.key_strength)) + (filled + sky)[:, None]


def sheen(normals: Floats, light: Light) -> Floats:
    """Return the mirror-like share (n, 1) of the key lamp's light."""
    half = unit_vectors((light.key + np.array([0, 0, 1], np.float32))[None])[0]
    mirrored = np.maximum(normals @ half, 0) ** np.float32(light.sharpness)
    return mirrored[:, None] * np.float32(light.gloss * light.key_strength)
