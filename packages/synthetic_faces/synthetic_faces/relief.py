"""The face's height map: a dome, Gaussian bumps for its parts, and creases that action units fold into it.

Which unit makes which fold follows the FACS Investigator's Guide's list of appearance changes; depths and
paths were tuned by eye.
"""

from typing import Final, NamedTuple

import cv2
import numpy as np

from synthetic_faces.action_units import ActionUnits
from synthetic_faces.canvas import HALF_EXTENT, Floats, Mask, fixed_point
from synthetic_faces.geometry import MIDDLE, Face
from synthetic_faces.identity import Identity

REFERENCE_SIZE: Final = 128  # blurs of the relief are given in pixels of a map of this size
_CREASE_DEPTH: Final = 0.075  # of the deepest fold, face units

Bump = tuple[float, float, float, float, float]  # x, y, width, height (sd times root 2), amplitude


def relief(identity: Identity, units: ActionUnits, face: Face, size: int) -> Floats:
    """Return the height towards the camera in face units, (size, size) float32, over the canvas's square."""
    axis = np.linspace(-HALF_EXTENT, HALF_EXTENT, size, dtype=np.float32)
    bumps = np.array([*_skull(identity, face), *_muscles(units, face)], np.float32)
    x, y, width, height, amplitude = (bumps[:, [k]] for k in range(5))
    columns = np.exp(-(((axis[None] - x) / width) ** 2))
    rows = np.exp(-(((axis[None] - y) / height) ** 2)) * amplitude
    folds = _folds(identity, units, face, size).astype(np.float32) * np.float32(_CREASE_DEPTH / 255)
    return _dome(face, axis) + rows.T @ columns - folds


def _dome(face: Face, axis: Floats) -> Floats:
    # The dome ends a little outside the outline: its rim, infinitely steep, would be drawn as a black line.
    below = face.chin + 0.20
    reach = np.where(axis < 0, axis / (face.top - 0.1), axis / below)
    half_width = 1.07 * face.half_width_at(np.where(axis < 0, axis, axis * face.chin / below))[:, None]
    across = np.clip(1 - (axis[None] / np.maximum(half_width, 0.02)) ** 2, 0, 1)
    along = np.clip(1 - np.clip(reach, 0, 1) ** 4, 0, 1)[:, None]
    return (0.80 * np.sqrt(across * along + 0.06)).astype(np.float32)


def _pair(x: float, y: float, width: float, height: float, amplitude: float) -> list[Bump]:
    return [(x, y, width, height, amplitude), (-x, y, width, height, amplitude)]


def _skull(identity: Identity, face: Face) -> list[Bump]:
    grown, mouth, nose, eye = identity.grown, face.mouth, face.nose_y, face.eyes[1]
    bridge = grown(1.0, 0.72) * (1 + 0.12 * identity.traits.nose_height)
    upper, lower = float(mouth.outer_upper[MIDDLE]), float(mouth.outer_lower[MIDDLE])
    return [
        *[(0.0, nose * t, 0.10 + 0.03 * t, 0.2 * nose, bridge * (0.06 + 0.12 * t)) for t in (0.15, 0.4, 0.65, 0.88)],
        (0.0, nose * 0.93, 0.115, 0.10, 0.14 * bridge),
        *_pair(face.nose_width * 0.72, nose * 0.96, 0.075, 0.075, 0.085 * bridge),
        *_pair(eye.x, -0.02, 0.25, 0.16, grown(-0.12, -0.08)),  # socket
        *_pair(eye.x, 0.0, 0.15, 0.11, 0.075),  # eyeball
        *_pair(0.42, -0.27, 0.26, 0.09, grown(0.05, 0.02)),  # brow ridge
        (0.0, -0.27, 0.16, 0.12, 0.03 * (1 - identity.childness)),
        *_pair(0.62, 0.36, 0.20, 0.16, grown(0.08, 0.05)),  # cheek bone
        *_pair(0.50, 0.68 * mouth.y, 0.25, 0.25, grown(0.0, 0.06)),  # full cheek
        (0.0, (upper + nose) / 2 + 0.02, 0.06, 0.09, -0.03),  # philtrum
        *_pair(0.12, upper + 0.03, 0.13, 0.045, 0.04),
        (0.0, (lower + float(mouth.inner_lower[MIDDLE])) / 2, 0.62 * mouth.half_width, 0.06, 0.055),
        (0.0, face.chin - 0.22, 0.20, 0.13, 0.08),
    ]  # fmt: skip


def _muscles(units: ActionUnits, face: Face) -> list[Bump]:
    mouth, nose = face.mouth, face.nose_y
    smile, cheek, wrinkle = units.lip_corner_puller, units.cheek_raiser, units.nose_wrinkler
    lower = float(mouth.outer_lower[MIDDLE])
    return [
        (0.0, lower + 0.075, 0.20, 0.055, -0.05 - 0.03 * units.chin_raiser),
        (0.0, face.chin - 0.22, 0.20, 0.13, 0.05 * units.chin_raiser),
        *_pair(0.50, 0.40 - 0.10 * smile - 0.03 * cheek, 0.19, 0.13, 0.05 * cheek + 0.085 * smile),
        *_pair(0.36, 0.16, 0.14, 0.05, 0.045 * cheek + 0.02 * units.lid_tightener),
        (0.0, -0.28, 0.12, 0.10, 0.03 * units.brow_lowerer),
        *_pair(0.14, nose * 0.55, 0.07, 0.12, 0.03 * wrinkle),
        *_pair(0.33, nose + 0.02, 0.07, 0.12, 0.03 * units.upper_lip_raiser + 0.02 * wrinkle),
        *_pair(mouth.half_width + 0.07, mouth.y + mouth.corner_y, 0.06, 0.08,
               0.03 * units.lip_corner_depressor + 0.025 * smile),
    ]  # fmt: skip


def _folds(identity: Identity, units: ActionUnits, face: Face, size: int) -> Mask:
    """Draw the creases softly, 255 where deepest; a child's are about half as deep."""
    drawn = np.zeros((size, size), np.uint8)
    softness = identity.grown(1.0, 0.55)
    for crease in creases(identity, units, face):
        level = int(255 * min(1.0, crease.depth * softness))
        line = np.array(crease.points, np.float32)
        for side in (1, -1) if crease.mirrored else (1,):
            fixed = fixed_point(line * (side, 1), size)
            cv2.polylines(drawn, [fixed], False, level, crease.width, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(drawn, (0, 0), 1.1 * size / REFERENCE_SIZE)


class Crease(NamedTuple):
    """A fold: its path in face coordinates, its depth (0 none, 1 deepest), its width in relief pixels."""

    points: tuple[tuple[float, float], ...]
    depth: float
    width: int = 1
    mirrored: bool = True


def creases(identity: Identity, units: ActionUnits, face: Face) -> list[Crease]:
    """Return the visible folds, shallowest first, so that deep folds are drawn over them."""
    found = [*_forehead(identity, units), *_eyes(identity, units, face), *_mouth(identity, units, face)]
    return sorted((crease for crease in found if crease.depth > 0.08), key=lambda crease: crease.depth)


def _forehead(identity: Identity, units: ActionUnits) -> list[Crease]:
    raised = min(units.inner_brow_raiser, 1.0) * (0.4 + 0.6 * units.outer_brow_raiser)
    raised *= 1 - 0.5 * min(units.brow_lowerer, 1.0)
    reach = 0.22 + 0.5 * min(units.outer_brow_raiser, 1.0)
    across = [
        Crease(
            ((-reach, -0.70 + y), (-reach / 2, -0.735 + y), (reach / 2, -0.735 + y), (reach, -0.70 + y)),
            0.5 * raised * (0.5 + 0.7 * identity.wrinkling),
            mirrored=False,
        )
        for y in (0.0, 0.13)
    ]
    frown = Crease(((0.085, -0.40), (0.065, -0.29), (0.075, -0.20)), 0.60 * units.brow_lowerer)
    nose = [
        Crease(((0.02, 0.03 + y), (0.10, 0.05 + y), (0.16, 0.11 + y)), 0.65 * units.nose_wrinkler)
        for y in (0.0, 0.085)
    ]
    return [*across, frown, *nose]


def _eyes(identity: Identity, units: ActionUnits, face: Face) -> list[Crease]:
    eye = face.eyes[1]
    outer = eye.x + eye.half_width
    crow = [
        Crease(
            ((outer + 0.05, 0.5 * y), (outer + 0.19, y - 0.02)),
            units.cheek_raiser * (0.30 + 0.5 * identity.wrinkling),
        )
        for y in (-0.05, 0.03, 0.11)
    ]
    bag = Crease(
        ((eye.x - 0.2, 0.13), (eye.x, 0.20 - 0.03 * units.cheek_raiser), (eye.x + 0.2, 0.15)),
        0.12 * identity.wrinkling + 0.55 * units.cheek_raiser + 0.35 * units.lid_tightener
        + 0.30 * units.nose_wrinkler,
    )  # fmt: skip
    return [*crow, bag]


def _mouth(identity: Identity, units: ActionUnits, face: Face) -> list[Crease]:
    mouth, nose_x, nose_y = face.mouth, face.nose_width, face.nose_y
    x, y = mouth.half_width, mouth.y + mouth.corner_y
    below = float(mouth.outer_lower[MIDDLE]) + 0.06
    end_x, end_y = x + 0.11, y + 0.02 + 0.06 * units.lip_corner_puller
    nasolabial = Crease(
        (
            (nose_x + 0.03, nose_y - 0.06),
            (nose_x + 0.12, nose_y + 0.02),
            ((nose_x + end_x) / 2 + 0.08, (nose_y + end_y) / 2 - 0.03),
            (end_x, end_y),
        ),
        0.18 * identity.wrinkling + 0.8 * units.lip_corner_puller + 0.85 * units.upper_lip_raiser
        + 0.6 * units.nose_wrinkler + 0.2 * units.lip_corner_depressor + 0.15 * units.lip_stretcher,
        width=2,
    )  # fmt: skip
    drooping = Crease(
        ((x + 0.04, y - 0.02), (x + 0.08, y + 0.14)),
        0.65 * units.lip_corner_depressor + 0.08 * identity.wrinkling + 0.3 * units.lip_stretcher,
    )
    chin = Crease(
        ((-0.16, below + 0.03), (0.0, below), (0.16, below + 0.03)), 0.45 * units.chin_raiser + 0.1, 2, False
    )
    return [nasolabial, drooping, chin]
