"""The folds that action units draw into skin, as lines with a depth.

Which unit makes which fold follows the FACS Investigator's Guide's list of appearance changes; depths and
paths were tuned by eye.
"""

from typing import NamedTuple

from synthetic_faces.action_units import ActionUnits
from synthetic_faces.geometry import MIDDLE, Face
from synthetic_faces.identity import Identity


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
