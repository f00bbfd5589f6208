"""Eyes: where they look, and the colours of the eyeball, its iris and its highlight."""

from typing import Final

import numpy as np

from rendered_faces.head import unit_vectors
from rendered_faces.identity import Identity
from rendered_faces.rasteriser import Floats

_IRIS: Final = (0.46, 0.53)
"""Least and greatest radius of the iris, radians about the eyeball's centre: 5.9 of 12 mm (Snell & Lemp 1998,
"Clinical Anatomy of the Eye"), with people's variation; the mesh's lids are narrow, so the larger half is used."""
_PUPIL: Final = 0.42  # of the iris' radius
_WHITE: Final = np.array([0.87, 0.85, 0.83], np.float32)


def iris_radius(identity: Identity) -> float:
    """Return the iris' radius, radians; children's fill more of the opening."""
    low, high = _IRIS
    share = np.random.default_rng(identity.paint_seed).random()
    return float(low + (high - low) * max(share, identity.childness * 0.8))


def eye_colours(directions: Floats, gaze: Floats, identity: Identity, blur: float) -> Floats:
    """Return the eyeball's colours (n, 3), linear, seen at unit `directions` (n, 3) from its centre.

    `gaze` (3,) is where it looks; `blur` the angle of a pixel, radians, over which edges are smoothed.
    """
    radius = iris_radius(identity)
    cosine = np.clip(directions @ gaze, -1, 1)
    angle = np.arccos(cosine) / np.float32(radius)
    soft = np.float32(2 * radius / max(blur, 1e-3))
    inside = np.clip((1 - angle) * soft / 2 + 0.5, 0, 1)[:, None]
    pupil = np.clip((_PUPIL - angle) * soft / 2 + 0.5, 0, 1)[:, None]
    rim = np.exp(-(((angle - 0.93) / 0.16) ** 2))[:, None]
    iris = identity.iris * (0.8 + 0.5 * np.clip(angle, 0, 1))[:, None] * (1 - 0.55 * rim)
    iris = iris * (1 - pupil) + np.float32(0.03) * pupil
    sideways = np.clip(2 * np.abs(directions[:, :1]) - 0.7, 0, 1)  # the white is redder towards the corners
    white = _WHITE * np.array([1.0, 0.91, 0.89], np.float32) ** sideways
    return np.asarray(white * (1 - inside) + iris * inside, np.float32) ** 2


def highlight(directions: Floats, light: Floats) -> Floats:
    """Return the reflection of the lamp (n, 1), 0 to 1, on a wet eyeball seen from the front (0, 0, 1)."""
    half = unit_vectors((light + np.array([0, 0.15, 1], np.float32))[None])[0]
    return np.exp(-np.clip(1 - directions @ half, 0, None) / np.float32(0.008))[:, None]
