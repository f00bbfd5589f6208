"""What surrounds a face: the scene behind it, and glasses on it."""

from typing import Final

import cv2
import numpy as np

from rendered_faces.camera import View
from rendered_faces.identity import colour
from rendered_faces.rasteriser import Floats

_PALETTES: Final = (  # muted, as rooms, streets and gardens are: wall or sky, middle, floor, accents
    ("c9c2b4", "a89a86", "6f6255", "8c5a3c", "e8e4da"),
    ("b7c7d3", "8fa08c", "5d6b4e", "3f4a3a", "d9dccf"),
    ("8a9099", "6c6f75", "4b4a4a", "a3543e", "d2cfc7"),
    ("d8cfc0", "b59f85", "7c6a58", "3d5266", "f0ead9"),
    ("5a6570", "454b50", "2f3133", "b08a4a", "8c9aa5"),
)  # fmt: skip
_FRAME_RADIUS: Final = (0.21, 0.16)  # of glasses, decimetres of the base mesh: across, down
_FRAME_DEPTH: Final = 0.24  # before the eyeball's centre


def backdrop(domain: str, side: int, random: np.random.Generator) -> Floats:
    """Return a background (side, side, 3), 0 to 1: a studio wall in the lab, else a blurred scene."""
    small = max(28, side // 4)  # it is out of focus: rendered small, blurred and enlarged
    if domain == "lab":
        return np.asarray(cv2.resize(_wall(small, random), (side, side)), np.float32)
    palette = np.array([colour(c) for c in _PALETTES[int(random.integers(len(_PALETTES)))]])
    scene = np.empty((small, small, 3), np.float32)
    horizon = int(small * random.uniform(0.3, 0.8))
    scene[:horizon], scene[horizon:] = palette[0], palette[2]
    for _ in range(int(random.integers(4, 11))):
        x, y, width, height = (random.uniform((-0.2, -0.1, 0.05, 0.1), (1.0, 0.8, 0.4, 0.7)) * small).tolist()
        paint = (palette[int(random.integers(len(palette)))] * random.uniform(0.75, 1.2)).tolist()
        if random.random() < 0.7:
            cv2.rectangle(scene, (int(x), int(y)), (int(x + width), int(y + height)), paint, -1)
        else:
            cv2.circle(scene, (int(x), int(y)), int(width / 2) + 1, paint, -1)
    blur = float(random.uniform(0.02, 0.06)) * small
    scene = cv2.GaussianBlur(scene, (0, 0), blur) * np.float32(random.uniform(0.75, 1.1))
    return np.clip(cv2.resize(scene, (side, side), interpolation=cv2.INTER_LINEAR), 0, 1)


def _wall(small: int, random: np.random.Generator) -> Floats:
    level, lean = random.uniform(0.45, 0.8), random.normal(0, 0.05)
    axis = np.linspace(-1, 1, small)
    wall = level - 0.05 * axis[:, None] + lean * axis[None] - 0.04 * (axis[:, None] ** 2 + axis[None] ** 2)
    return (wall[..., None] * (1, 1, 1.01)).astype(np.float32)


def put_on_glasses(picture: Floats, eyes: Floats, scale: float, view: View) -> None:
    """Paint thin-framed glasses before the eyeballs' centres, (2, 3) left then right, onto the picture, in place."""
    turn = np.linspace(0, 2 * np.pi, 41)
    across, down = _FRAME_RADIUS
    rim = np.stack([across * np.cos(turn), down * np.sin(turn) - 0.02, np.full(41, _FRAME_DEPTH)], 1)
    left, right = eyes[:, None] + scale * rim
    ear = (
        np.array([[0, 0, 0], [0.08, 0.02, -0.1], [0.28, 0.02, -0.9]]) * scale
    )  # from a rim's outer end to the ear
    nose = np.stack([left[20], (left[20] + right[0]) / 2 + (0, 0.03 * scale, 0.03 * scale), right[0]])
    cover, width = np.zeros(picture.shape[:2], np.float32), max(1, len(picture) // 90)
    for path in (left, right, nose, left[0] + ear, right[20] + ear * (-1, 1, 1)):
        points = view.projected(view.turned(path.astype(np.float32)))[:, :2]
        cv2.polylines(cover, [np.round(points * 16).astype(np.int32)], False, 1.0, width, cv2.LINE_AA, 4)
    picture += (0.85 * cover)[..., None] * (np.float32(0.08) - picture)
