"""Eyes: the colours of the eyeball, its iris and its highlight, and the lines of the lids."""

from typing import Final

import cv2
import numpy as np

from rendered_faces.camera import View
from rendered_faces.head import unit_vectors
from rendered_faces.identity import Identity
from rendered_faces.lighting import Light
from rendered_faces.patterns import soft
from rendered_faces.rasteriser import Floats

_IRIS: Final = 0.5
"""Radius of the iris, radians about the eyeball's centre: 5.9 of 12 mm (Snell & Lemp 1998, Clinical Anatomy of the Eye)."""
_PUPIL: Final = 0.42  # of the iris' radius
_WHITE: Final = np.array([0.87, 0.85, 0.83], np.float32)
_GAZE: Final = 0.05  # spread of where it looks, about the camera


def eyeball(
    place: Floats, centre: Floats, view: View, light: Light, identity: Identity, random: np.random.Generator
) -> Floats:
    """Return the lit colours (n, 3), linear, of an eyeball about `centre` (3,) at places (n, 3) in the viewer's frame."""
    out = place - centre
    radius = float(np.sqrt((out * out).sum(1)).mean())
    directions = unit_vectors(out)
    gaze = unit_vectors((np.array([[0, 0, 1]]) + random.normal(0, _GAZE, (1, 3))).astype(np.float32))[0]
    colours = _colours(directions, gaze, identity, blur=1 / (view.zoom * radius))
    level = np.clip(light.sky + light.key_strength * np.clip(directions @ light.key, 0.25, 1), 0.3, 1.1)
    # the lids of dark skin reflect less onto it
    lit = colours * (level * np.float32(1.05 - 0.05 * identity.skin_tone))[:, None]
    half = unit_vectors((light.key + np.array([0, 0.15, 1], np.float32))[None])[0]
    return lit + np.float32(0.6) * np.exp((directions @ half - 1) / np.float32(0.008))[:, None]


def _colours(directions: Floats, gaze: Floats, identity: Identity, blur: float) -> Floats:
    """Return an eyeball's own colours; `blur` is the angle of a pixel, radians, over which edges are smoothed."""
    radius = _IRIS * (1 + 0.06 * identity.childness)
    angle = np.arccos(np.clip(directions @ gaze, -1, 1)) / np.float32(radius)
    soft = np.float32(radius / max(blur, 1e-3))
    inside = np.clip((1 - angle) * soft + 0.5, 0, 1)[:, None]
    pupil = np.clip((_PUPIL - angle) * soft + 0.5, 0, 1)[:, None]
    rim = np.exp(-(((angle - 0.93) / 0.16) ** 2))[:, None]
    iris = identity.iris * (0.8 + 0.5 * np.clip(angle, 0, 1))[:, None] * (1 - 0.55 * rim)
    iris = iris * (1 - pupil) + np.float32(0.03) * pupil
    sideways = np.clip(2 * np.abs(directions[:, :1]) - 0.7, 0, 1)  # the white is redder towards the corners
    white = _WHITE * np.array([1.0, 0.91, 0.89], np.float32) ** sideways
    return np.asarray(white * (1 - inside) + iris * inside, np.float32) ** 2


def line_lids(picture: Floats, eyeballs: Floats, darkness: float) -> None:
    """Shade the eyeballs (side, side; 1 where seen) under the upper lids, and line the lids with lashes, in place."""
    unit = len(picture) / 256

    def edge(rows: float, blur: float) -> Floats:
        shift = np.array([[1, 0, 0], [0, 1, rows * unit]])
        return soft(np.asarray(cv2.warpAffine(eyeballs, shift, eyeballs.shape)), blur * unit)

    shadow = eyeballs * (1 - edge(2.0, 1.0))
    lashes = np.clip(edge(-1.5, 0.6) - eyeballs, 0, 1) + 0.3 * np.clip(edge(1.0, 0.7) - eyeballs, 0, 1)
    picture *= ((1 - 0.35 * np.clip(shadow, 0, 1)) * (1 - darkness * lashes))[..., None]
