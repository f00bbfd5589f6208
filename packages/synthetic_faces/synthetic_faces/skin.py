"""Skin: its colour on the Monk scale, and the shaded head before its features."""

from typing import Final

import cv2
import numpy as np

from synthetic_faces.canvas import Canvas, Floats, between, pattern
from synthetic_faces.geometry import Face
from synthetic_faces.identity import Identity, colour
from synthetic_faces.lighting import Light, Shading

MONK_TONES: Final = (
    "f6ede4", "f3e7db", "f7ead0", "eadaba", "d7bd96", "a07e56", "825c43", "604134", "3a312a", "292420",
)  # fmt: skip
"""The Monk Skin Tone scale, 1 to 10, lightest first (Monk 2019, described in doi:10.31235/osf.io/pdf4c;
hexadecimal values as published by Google at skintone.google)."""

_BLOOD: Final = np.array([0.03, -0.085, -0.075], np.float32)  # cheeks and nose: less green and blue
_DUSK: Final = np.array([0.09, 0.12, 0.11], np.float32)  # under the eyes; a man's shaven chin
_SCATTER: Final = np.array([0.09, -0.01, -0.04], np.float32)  # shadows on skin are warmer than its lights


def skin_colour(skin_tone: int) -> Floats:
    """Return a tone's albedo, RGB in 0 to 1: the Monk swatch in warm light, its black point lifted.

    The swatches are flat paint: taken as they are, light ones look like masks and dark ones like soot.
    """
    depth = (skin_tone - 1) / 9
    warm = colour(MONK_TONES[skin_tone - 1]) * np.array([0.93, 0.845, 0.755 + 0.05 * depth], np.float32)
    return (warm + np.array([0.07, 0.045, 0.035]) * depth**0.5).astype(np.float32)


def paint_head(canvas: Canvas, identity: Identity, face: Face, shading: Shading, light: Light) -> None:
    """Paint the shaded head with its lips; eyes, brows, nostrils and the open mouth come later."""
    outline = canvas.polygon(face.outline(), 1.2)
    head = canvas.detail(outline)
    skin = skin_colour(identity.skin_tone)
    head.colour[:] = _complexion(head, identity, face, skin)
    mouth = face.mouth
    lips = between(mouth.x, mouth.outer_upper, mouth.outer_lower)
    head.paint(head.polygon(lips, 1.1), skin * (0.92, 0.66, 0.66) + (0.03, 0.0, 0.01), 0.75)
    _light_up(head, identity, shading, light)
    canvas.cover(outline, head.colour)


def _complexion(head: Canvas, identity: Identity, face: Face, skin: Floats) -> Floats:
    """Return the skin's colour over the head: unevenness, pores, freckles, flushed and dusky regions."""
    rows, columns = _texture_window(head, identity)
    nose, eye = face.nose_y, face.eyes[1]
    # paler skin shows its blood more; so do children's cheeks
    flush = (0.5 + 0.4 * identity.childness) * (1.1 - 0.06 * identity.skin_tone)
    blood = _spots(head, [(0.52, 0.45, 0.26, 0.20, flush), (-0.52, 0.45, 0.26, 0.20, flush),
                          (0.0, 0.95 * nose, 0.14, 0.12, 0.6 * flush)])  # fmt: skip
    beard = 0.45 * identity.masculinity
    dusk = _spots(head, [(eye.x, 0.10, 0.22, 0.12, 0.55), (-eye.x, 0.10, 0.22, 0.12, 0.55),
                         (0.0, face.chin - 0.2, 0.6, 0.3, beard)])  # fmt: skip
    plain = 1 + np.float32(0.020) * pattern("unevenness")[rows, columns]
    plain += np.float32(identity.grown(0.009, 0.004)) * pattern("pores")[rows, columns]
    if identity.freckled:
        peaks = pattern("blotches")[rows, columns] + pattern("pores")[rows, columns] - 2
        plain -= np.float32(0.14) * np.clip(peaks, 0, 1) * blood
    return cv2.merge(
        [s * (plain + b * blood - d * dusk) for s, b, d in zip(skin, _BLOOD, _DUSK, strict=True)]
    )


def _spots(head: Canvas, spots: list[tuple[float, float, float, float, float]]) -> Floats:
    x, y, width, height, amount = (
        np.array(values, np.float32)[:, None] for values in zip(*spots, strict=True)
    )
    rows = np.exp(-(((head.y[None] - y) / height) ** 2)) * amount
    return rows.T @ np.exp(-(((head.x[None] - x) / width) ** 2))


def _light_up(head: Canvas, identity: Identity, shading: Shading, light: Light) -> None:
    rows, columns = slice(head.top, head.top + len(head.y)), slice(head.left, head.left + len(head.x))
    size = (head.size, head.size)
    diffuse = cv2.resize(shading.diffuse, size)[rows, columns]
    sheen = cv2.resize(shading.sheen, size)[rows, columns]
    grain = pattern("pores")[_texture_window(head, identity)]
    # a dark skin's sheen stands out more: it is the same light on a darker ground
    strength = np.float32(light.sheen * (0.35 + 0.07 * identity.skin_tone))
    gleam = sheen * strength * (1 + np.float32(0.08) * grain)
    shadow = np.maximum(1 - diffuse, 0)
    lit = [tint * (diffuse + warm * shadow) for warm, tint in zip(_SCATTER, light.tint, strict=True)]
    head.colour[:] = cv2.add(cv2.multiply(head.colour, cv2.merge(lit)), cv2.merge([gleam] * 3))


def _texture_window(head: Canvas, identity: Identity) -> tuple[slice, slice]:
    start = identity.texture_seed
    top, left = start + head.top, start + head.left
    return slice(top, top + len(head.y)), slice(left, left + len(head.x))
