"""Light on the head: a lamp and the sky, and how deep hollows are shaded; strengths are chosen by eye."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from rendered_faces.head import unit_vectors
from rendered_faces.patterns import soft
from rendered_faces.rasteriser import Floats

_SCATTER: Final = np.array([0.30, 0.16, 0.11], np.float32)
"""How far light reaches round the edge of its shadow in skin, more in red (Green 2004, "GPU Gems", chapter 16)."""

# Hollows: blur over which a neighbourhood's depth is averaged, as a share of the picture's side, the depth below it,
# decimetres, that is darkest, and how dark. Small ones are lids and lips, large ones the eye sockets and the neck.
_HOLLOWS: Final = ((0.007, 0.06, 0.30), (0.018, 0.14, 0.22), (0.045, 0.32, 0.30))


@dataclass(frozen=True)
class Light:
    """The unit direction (3,) towards the lamp in the viewer's frame; its strength and the sky's, from 0."""

    key: Floats
    key_strength: float
    sky: float
    tint: Floats  # of the lamp, RGB about 1
    gloss: float  # of the skin


def draw_light(random: np.random.Generator, side: float) -> Light:
    """Return a light whose lamp stands at most about `side` radians to a side."""
    turn, height = random.uniform(-side, side), random.uniform(0.05, 0.75)
    warmth = 0.02 * random.standard_normal()
    return Light(
        key=unit_vectors(np.array([[np.sin(turn), height, np.cos(turn)]], np.float32))[0],
        key_strength=float(random.uniform(0.45, 0.75)), sky=float(random.uniform(0.40, 0.60)),
        tint=np.array([1 + warmth, 1.0, 1 - warmth], np.float32), gloss=float(random.uniform(0.01, 0.10)),
    )  # fmt: skip


def openness(depth: Floats, covered: Floats, scale: float) -> Floats:
    """Return how much of the sky reaches a pixel, 0 to 1, from a picture of depths (side, side), decimetres."""
    side, dark = len(depth), np.zeros_like(depth)
    for blur, deepest, strength in _HOLLOWS:
        shrink = 4 if blur * side > 3 else 1  # wide blurs are cheaper on small pictures, and the same
        small = [np.asarray(cv2.resize(each, (side // shrink,) * 2)) for each in (depth, covered)]
        level, weight = (soft(each, blur * side / shrink) for each in small)
        mean = cv2.resize(level / np.maximum(weight, np.float32(0.2)), (side, side))
        dark += strength * np.clip((mean - depth) / (deepest * scale), 0, 1)
    return np.asarray(np.exp(-dark), np.float32)


def illumination(normals: Floats, open_sky: Floats, light: Light) -> Floats:
    """Return the light (n, 3) that falls on skin with unit `normals` (n, 3)."""
    towards = (normals @ light.key)[:, None]
    direct = np.maximum((towards + _SCATTER) / (1 + _SCATTER), 0) * np.sqrt(open_sky)[:, None]
    sky = (np.float32(0.8) + np.float32(0.2) * normals[:, 1]) * open_sky * np.float32(light.sky)
    return direct * (light.tint * np.float32(light.key_strength)) + sky[:, None]


def sheen(normals: Floats, light: Light) -> Floats:
    """Return the mirror-like share (n, 1) of the key lamp's light."""
    half = unit_vectors((light.key + np.array([0, 0, 1], np.float32))[None])[0]
    mirrored = np.maximum(normals @ half, 0) ** 16
    return mirrored[:, None] * np.float32(light.gloss * light.key_strength)
