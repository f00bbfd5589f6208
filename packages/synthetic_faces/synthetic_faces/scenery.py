"""What surrounds a face: neck, clothes, ears and hair behind the head, the scene, and what may hide a part of it."""

from typing import Final

import cv2
import numpy as np

from synthetic_faces.canvas import Canvas, Floats, ellipse, mirrored
from synthetic_faces.geometry import Face
from synthetic_faces.identity import Identity, colour
from synthetic_faces.lighting import Light
from synthetic_faces.skin import skin_colour

_PALETTES: Final = (  # muted, as rooms, streets and gardens are: wall or sky, middle, floor, accents
    ("c9c2b4", "a89a86", "6f6255", "8c5a3c", "e8e4da"),
    ("b7c7d3", "8fa08c", "5d6b4e", "3f4a3a", "d9dccf"),
    ("8a9099", "6c6f75", "4b4a4a", "a3543e", "d2cfc7"),
    ("d8cfc0", "b59f85", "7c6a58", "3d5266", "f0ead9"),
    ("5a6570", "454b50", "2f3133", "b08a4a", "8c9aa5"),
)  # fmt: skip


def backdrop(domain: str, size: int, random: np.random.Generator) -> Floats:
    """Return a background (size, size, 3), 0 to 1: a studio wall in the lab, else a blurred scene."""
    small = max(28, size // 4)  # it is out of focus: drawn small, blurred and enlarged
    if domain == "lab":
        return cv2.resize(_wall(small, random), (size, size), interpolation=cv2.INTER_LINEAR)
    palette = np.array([colour(c) for c in _PALETTES[int(random.integers(len(_PALETTES)))]])
    scene = np.empty((small, small, 3), np.float32)
    horizon = int(small * random.uniform(0.3, 0.8))
    scene[:horizon], scene[horizon:] = palette[0], palette[2]
    for _ in range(int(random.integers(4, 11))):
        x, y, width, height = (random.uniform((-0.2, -0.1, 0.05, 0.1), (1.0, 0.8, 0.4, 0.7)) * small).tolist()
        paint = palette[int(random.integers(len(palette)))] * random.uniform(0.75, 1.2)
        if random.random() < 0.7:
            corners = (int(x), int(y)), (int(x + width), int(y + height))
            cv2.rectangle(scene, *corners, paint.tolist(), -1)
        else:
            cv2.circle(scene, (int(x), int(y)), int(width / 2) + 1, paint.tolist(), -1)
    blur = float(random.uniform(0.02, 0.06)) * small
    scene = cv2.GaussianBlur(scene, (0, 0), blur) * np.float32(random.uniform(0.75, 1.1))
    return np.clip(cv2.resize(scene, (size, size), interpolation=cv2.INTER_CUBIC), 0, 1)


def _wall(small: int, random: np.random.Generator) -> Floats:
    level, lean = random.uniform(0.45, 0.8), random.normal(0, 0.05)
    axis = np.linspace(-1, 1, small)
    wall = level - 0.05 * axis[:, None] + lean * axis[None] - 0.04 * (axis[:, None] ** 2 + axis[None] ** 2)
    return (wall[..., None] * (1, 1, 1.01)).astype(np.float32)


def put_on_glasses(canvas: Canvas, face: Face) -> None:
    """Paint thin-framed glasses."""
    dark = (0.10, 0.09, 0.09)
    for eye in face.eyes:
        rim = ellipse(eye.x, 0.04, 1.35 * eye.half_width, 0.24)
        canvas.paint(canvas.line(rim, 2.6, 0.6), dark, 0.9)
        outer = eye.x + 1.35 * eye.half_width * eye.side
        canvas.paint(canvas.line([(outer, 0.0), (0.99 * face.half_width * eye.side, -0.02)], 2.6), dark, 0.8)
    inner = face.eyes[1].x - 1.35 * face.eyes[1].half_width
    canvas.paint(canvas.line([(-inner, 0.0), (0.0, -0.04), (inner, 0.0)], 2.6), dark, 0.9)


def hide_corner(scene: Floats, random: np.random.Generator) -> None:
    """Let something near and out of focus reach in from a side or a lower corner of the scene."""
    size = scene.shape[0]
    mask = np.zeros((size // 2, size // 2), np.uint8)
    x, y = float(random.choice((0.05, 0.95))), float(random.uniform(0.7, 1.0))
    axes = (random.uniform(0.14, 0.26, 2) * size / 2).astype(int).tolist()
    centre = (int(x * size / 2), int(y * size / 2))
    cv2.ellipse(mask, centre, axes, float(random.uniform(0, 180)), 0, 360, 255, -1, cv2.LINE_AA)
    mask = cv2.resize(cv2.GaussianBlur(mask, (0, 0), 0.012 * size), (size, size))
    palette = _PALETTES[int(random.integers(len(_PALETTES)))]
    paint = colour(palette[int(random.integers(len(palette)))]) * np.float32(random.uniform(0.5, 1.0))
    scene += (mask.astype(np.float32) / 255)[..., None] * (paint - scene)


def paint_behind(canvas: Canvas, identity: Identity, face: Face, light: Light) -> None:
    """Paint what the head hides: long or tied hair, neck, clothes, ears."""
    skin = skin_colour(identity.skin_tone) * (light.fill + 0.6 * light.key) * light.tint
    hair = identity.hair * light.brightness
    if identity.hairstyle == "long":
        turn = np.linspace(0, 2 * np.pi, 48)
        width = (face.half_width + 0.20) * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.7
        height = -0.2 + np.where(np.sin(turn) > 0, 1.85, 1.28) * np.sin(turn)
        canvas.cover(canvas.polygon(np.stack([width, height], 1), 1.5), hair * 0.65)
    if identity.hairstyle == "tied":
        canvas.cover(canvas.polygon(ellipse(0.0, face.top - 0.22, 0.34, 0.28), 1.5), hair * 0.85)
    _paint_neck(canvas, identity, face, skin)
    canvas.cover(canvas.polygon(_shoulders(identity), 1.0), identity.clothes * light.brightness)
    for side in (-1.0, 1.0):
        x = side * (0.98 * face.half_width + 0.02)
        canvas.cover(canvas.polygon(ellipse(x, 0.12, 0.12, 0.24), 1.0), skin * (0.95, 0.86, 0.84))
        canvas.paint(canvas.polygon(ellipse(x + 0.03 * side, 0.12, 0.06, 0.13), 1.4), skin * 0.62, 0.6)


def _paint_neck(canvas: Canvas, identity: Identity, face: Face, skin: Floats) -> None:
    width = identity.grown(0.62 + 0.10 * identity.masculinity, 0.50)
    neck = mirrored([(0.0, 0.7), (width, 0.7), (width, 1.66), (1.2, 1.95), (1.9, 2.1)])
    canvas.cover(canvas.polygon(neck, 1.0), skin * (0.93, 0.87, 0.85))
    shadow = mirrored([(0.0, 0.8), (width, 0.8), (width, face.chin), (0.0, face.chin + 0.16)])
    canvas.paint(canvas.polygon(shadow, 8.0), skin * (0.70, 0.60, 0.57), 0.75)


def _shoulders(identity: Identity) -> Floats:
    width = identity.grown(0.62, 0.50) + 0.16
    return mirrored([(0.3, 1.84), (width, 1.68), (1.95, 1.9), (1.95, 2.2)])
