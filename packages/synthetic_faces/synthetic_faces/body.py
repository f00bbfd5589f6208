"""What lies behind a face: neck, clothes, ears, and hair that falls or is tied behind the head."""

import numpy as np

from synthetic_faces.canvas import Canvas, Floats, ellipse, mirrored
from synthetic_faces.geometry import Face
from synthetic_faces.identity import Identity
from synthetic_faces.lighting import Light
from synthetic_faces.skin import skin_colour


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
