"""Eyes, brows, nostrils and the mouth, painted over the shaded head."""

import numpy as np

from synthetic_faces.action_units import ActionUnits
from synthetic_faces.canvas import Canvas, Floats, between, ellipse
from synthetic_faces.geometry import MIDDLE, Eye, Face
from synthetic_faces.identity import Identity
from synthetic_faces.lighting import Light
from synthetic_faces.skin import skin_colour

_SCLERA = np.array([0.90, 0.87, 0.85], np.float32)
_TEETH = np.array([1.0, 0.97, 0.91], np.float32)
_TONGUE = np.array([0.62, 0.28, 0.27], np.float32)
_THROAT = np.array([0.20, 0.055, 0.055], np.float32)

_TOOTH_GAPS = np.array(  # one line, up and down; it turns above and below the mouth, unseen
    [
        (0.084 * tooth, y * (1 - 2 * (k % 2)) + 0.08)
        for k, tooth in enumerate(np.arange(-3.5, 4))
        for y in (-0.4, 0.4)
    ]
)


def paint_features(
    canvas: Canvas,
    identity: Identity,
    units: ActionUnits,
    face: Face,
    light: Light,
    gaze: tuple[float, float],
) -> None:
    """Paint the features; `gaze` moves the irises, in face units."""
    skin = skin_colour(identity.skin_tone)
    ink = skin * np.array([0.34, 0.22, 0.22], np.float32) * light.brightness
    _paint_nose(canvas, units, face, ink)
    _paint_mouth(canvas, units, face, light, ink)
    for eye in face.eyes:
        _paint_eye(canvas, identity, face, eye, light, gaze)
        _paint_lids(canvas, identity, units, eye, skin * light.brightness)
        brow = canvas.polygon(eye.brow, 1.0)
        # darker than hair and skin alike: else fair brows on dark skin would hide what brows say
        hair = np.minimum(0.55 * identity.hair + 0.05, 0.50 * skin) * light.brightness
        canvas.paint(brow, hair, identity.grown(0.85, 0.72))


def _paint_nose(canvas: Canvas, units: ActionUnits, face: Face, ink: Floats) -> None:
    width, base, wrinkle = face.nose_width, face.nose_y, units.nose_wrinkler
    for side in (-1, 1):
        nostril = ellipse(
            side * 0.48 * width, base + 0.045, 0.055 * (1 + 0.2 * wrinkle), 0.022 * (1 + 0.5 * wrinkle)
        )
        canvas.paint(canvas.polygon(nostril, 0.9), ink, 0.8)
        wing = [(width + 0.015, base - 0.07), (width + 0.03, base), (0.8 * width, base + 0.05)]
        canvas.paint(canvas.line(np.array(wing) * (side, 1), 1.0, 1.1), ink, 0.3)


def _paint_mouth(canvas: Canvas, units: ActionUnits, face: Face, light: Light, ink: Floats) -> None:
    mouth = face.mouth
    if mouth.opening > 0.015:
        _paint_open_mouth(canvas, units, face, light)
        canvas.paint(canvas.line(np.stack([mouth.x, mouth.inner_upper], 1), 1.0), ink, 0.35)
    if mouth.opening <= 0.06:
        seam = np.stack([mouth.x, (mouth.inner_upper + mouth.inner_lower) / 2], 1)
        canvas.paint(canvas.line(seam, 1.2 if units.lip_tightener > 0.5 else 1.8), ink, 0.8)
    for end in (0, -1):
        corner = ellipse(float(mouth.x[end]), float(mouth.inner_upper[end]), 0.022, 0.022)
        canvas.paint(canvas.polygon(corner, 1.1), ink, 0.3)


def _paint_open_mouth(canvas: Canvas, units: ActionUnits, face: Face, light: Light) -> None:
    mouth, bright = face.mouth, light.brightness
    opening = canvas.polygon(between(mouth.x, mouth.inner_upper, mouth.inner_lower), 0.7)
    inner = canvas.detail(opening)
    inner.colour[:] = _THROAT * bright
    if mouth.opening > 0.2:
        floor = float(mouth.inner_lower[MIDDLE])
        tongue = ellipse(0.0, floor - 0.02, 0.55 * mouth.half_width, 0.11)
        inner.paint(inner.polygon(tongue, 1.8), _TONGUE * bright)
    ivory = _TEETH * min(1.0, 1.05 * bright) * light.tint
    x = 0.86 * mouth.x
    bend = 1 - 0.25 * (mouth.x / mouth.half_width) ** 2
    shown = 0.085 + 0.03 * units.lip_corner_puller + 0.03 * units.upper_lip_raiser
    upper = between(x, mouth.inner_upper - 0.05, mouth.inner_upper + shown * bend)
    inner.paint(inner.polygon(upper, 0.7), ivory, 0.95)
    if units.lower_lip_depressor > 0.25 or units.lip_stretcher > 0.4:
        lower = between(x, mouth.inner_lower - 0.055, mouth.inner_lower + 0.05)
        inner.paint(inner.polygon(lower, 0.7), ivory * 0.93, 0.95)
    inner.paint(inner.line(_TOOTH_GAPS + np.array([0.0, mouth.y]), 0.8, 0.3), ivory * 0.6, 0.28)
    depth = 1 - 0.55 * np.clip(np.abs(inner.x / mouth.half_width) ** 3, 0, 1)  # corners lie deeper
    inner.colour *= depth[None, :, None]
    canvas.paint(opening, inner.colour)


def _paint_eye(
    canvas: Canvas, identity: Identity, face: Face, eye: Eye, light: Light, gaze: tuple[float, float]
) -> None:
    heights = eye.lower_lid[:, 1] - eye.upper_lid[:, 1]
    if float(heights.max()) < 0.02:
        return
    opening = canvas.polygon(np.concatenate([eye.upper_lid, eye.lower_lid[::-1]]), 0.5)
    white = canvas.detail(opening)
    white.colour[:] = _SCLERA * min(light.brightness, 1.0) * light.tint
    top, bottom = float(eye.upper_lid[MIDDLE, 1]), float(eye.lower_lid[MIDDLE, 1])
    x, y, radius = eye.x + gaze[0], 0.15 * top + 0.21 * bottom + gaze[1], face.iris_radius
    iris = identity.iris * light.brightness
    glint = (x + 0.35 * radius * np.sign(light.direction[0]), y - 0.4 * radius)
    for centre, share, paint, opacity in (
        ((x, y), 1.0, 0.45 * iris, 1.0), ((x, y), 0.86, iris, 1.0),
        ((x, y), 0.42, np.full(3, 0.03), 1.0), (glint, 0.2, np.ones(3), 0.9),
    ):  # fmt: skip
        disc = ellipse(centre[0], centre[1], share * radius, share * radius)
        white.paint(white.polygon(disc), paint, opacity)
    corners = 1 - 0.25 * np.clip(((white.x - eye.x) / eye.half_width) ** 2, 0, 1)
    lid_shadow = 0.6 + 0.4 * np.clip((white.y - top) / 0.05, 0, 1)
    white.colour *= (lid_shadow[:, None] * corners[None])[..., None]
    canvas.paint(opening, white.colour)


def _paint_lids(canvas: Canvas, identity: Identity, units: ActionUnits, eye: Eye, skin: Floats) -> None:
    lashes = 0.35 * identity.hair + 0.02
    canvas.paint(canvas.line(eye.upper_lid, 2.0, 0.6), lashes, 0.8)
    canvas.paint(canvas.line(eye.lower_lid, 1.0, 0.6), 0.5 * lashes + 0.25 * skin, 0.35)
    lowered = units.brow_lowerer * (1 - min(units.inner_brow_raiser, 1.0))
    fold = 0.05 + 0.012 * identity.traits.lid_fold - 0.02 * units.upper_lid_raiser - 0.03 * lowered
    if fold > 0.02:
        canvas.paint(canvas.line(eye.upper_lid[2:-1] - (0, fold), 1.0, 0.9), 0.55 * skin, 0.35)
