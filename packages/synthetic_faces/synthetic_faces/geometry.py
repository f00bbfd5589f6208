"""Where the parts of a face lie: identity and action units to curves in face coordinates.

The proportions were drawn and corrected by eye, adult and child apart; children have larger and lower-set
eyes, a shorter nose and lower face and rounder cheeks (the "baby schema", Lorenz 1943,
doi:10.1111/j.1439-0310.1943.tb00655.x). What each action unit moves, and where to, follows the FACS
Investigator's Guide's descriptions; how far was tuned by eye.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from synthetic_faces.action_units import ActionUnits
from synthetic_faces.canvas import Floats
from synthetic_faces.identity import Identity

ACROSS: Final = np.linspace(-1, 1, 25, dtype=np.float32)  # along an eye or the mouth
MIDDLE: Final = 12
_FROM_MIDDLE: Final = np.abs(ACROSS)
_ALONG_BROW: Final = np.linspace(0, 1, 9, dtype=np.float32)  # inner to outer end


@dataclass(frozen=True)
class Eye:
    """One eye and its brow; `side` is -1 left of the picture, 1 right."""

    side: int
    x: float
    half_width: float
    upper_lid: Floats  # (25, 2), inner to outer corner
    lower_lid: Floats
    brow: Floats  # polygon (18, 2)


@dataclass(frozen=True)
class Mouth:
    """Four curves over the same x: outer and inner edges of the two lips."""

    half_width: float
    y: float  # of the resting line between the lips
    corner_y: float
    x: Floats  # (25,)
    outer_upper: Floats
    inner_upper: Floats
    inner_lower: Floats
    outer_lower: Floats

    @property
    def opening(self) -> float:
        """Height of the gap between the lips at the middle."""
        return float(self.inner_lower[MIDDLE] - self.inner_upper[MIDDLE])


@dataclass(frozen=True)
class Face:
    """All curves and measures of one face seen from the front."""

    half_width: float
    top: float  # y of the skull's top, negative
    chin: float  # y of the chin's tip
    jaw_power: float  # larger: squarer jaw
    cheek_width: float
    temple: float
    nose_y: float  # of the nose's base
    nose_width: float  # half of it
    iris_radius: float
    eyes: tuple[Eye, Eye]
    mouth: Mouth

    def half_width_at(self, y: Floats) -> Floats:
        """Return half the outline's width at heights y, 0 above the top and below the chin."""
        above = np.clip(y / self.top, 0, 1)
        below = np.clip(y / self.chin, 0, 1)
        upper = self.temple * (1 - above**2.7) ** 0.42 + (1 - self.temple) * (1 - above) ** 2
        lower = (1 - below**self.jaw_power) ** 0.6
        width = self.half_width * np.where(y < 0, upper, lower)
        bulge = self.cheek_width * np.exp(-(((y - 0.55 * self.chin) / 0.28) ** 2))
        return (width + bulge * (width > 0.05)).astype(np.float32)

    def outline(self) -> Floats:
        """Return the outline as a polygon (160, 2), denser near chin and top."""
        turn = np.linspace(0, np.pi, 80, dtype=np.float32)
        y = (self.top + self.chin) / 2 - np.cos(turn) * (self.chin - self.top) / 2
        x = self.half_width_at(y)
        x[[0, -1]] = 0
        return np.concatenate([np.stack([x, y], 1), np.stack([-x, y], 1)[::-1]])


def face_geometry(identity: Identity, units: ActionUnits) -> Face:
    """Return the curves of a person's face showing the given action units."""
    grown, traits = identity.grown, identity.traits
    jaw_drop = 0.33 * units.jaw_drop
    lower_face = grown(1.0, 0.84) * (1 + 0.04 * traits.face_length)
    nose_length = grown(0.66, 0.47) * (1 + 0.06 * traits.nose_length)
    flare = 1 + 0.08 * units.lip_corner_puller + 0.10 * units.nose_wrinkler
    return Face(
        half_width=grown(0.97, 1.02) * (1 + 0.035 * traits.face_width),
        top=-grown(1.36, 1.42) * (1 + 0.02 * traits.forehead),
        chin=1.50 * lower_face + 0.05 * traits.chin + 0.9 * jaw_drop,
        jaw_power=grown(2.7, 2.35) + 0.25 * traits.jaw + 0.3 * identity.masculinity,
        cheek_width=grown(0.0, 0.05) + 0.015 * traits.cheek + 0.03 * units.lip_corner_puller,
        temple=grown(0.97, 1.03),
        nose_y=nose_length - 0.06 * units.nose_wrinkler - 0.02 * units.upper_lip_raiser,
        nose_width=grown(0.215, 0.20) * (1 + 0.10 * traits.nose_width) * flare,
        iris_radius=grown(0.098, 0.112),
        eyes=(_eye(identity, units, -1), _eye(identity, units, 1)),
        mouth=_mouth(identity, units, nose_length + grown(0.335, 0.275) * lower_face, jaw_drop),
    )


def _eye(identity: Identity, units: ActionUnits, side: int) -> Eye:
    grown, traits = identity.grown, identity.traits
    half_width = grown(0.225, 0.25) * (1 + 0.05 * traits.eye_size)
    half_height = grown(0.080, 0.104) * (1 + 0.09 * traits.eye_size)
    x = grown(0.445, 0.46) * (1 + 0.035 * traits.eye_gap)
    strength = 1 + side * identity.asymmetry
    glare = 1 - 0.8 * min(units.upper_lid_raiser, 1)  # a raised lid resists the lowered brow
    upper = half_height * np.clip(
        1 + 0.06 * traits.lid
        + strength * (0.62 * units.upper_lid_raiser - 0.22 * units.lid_tightener - 0.20 * units.cheek_raiser)
        - strength * (0.26 * units.nose_wrinkler + 0.12 * units.brow_lowerer * glare),
        0.12, 2.0,
    )  # fmt: skip
    lower = half_height * np.clip(
        0.80 + strength * (0.10 * units.upper_lid_raiser - 0.45 * units.lid_tightener)
        - strength * (0.60 * units.cheek_raiser + 0.40 * units.nose_wrinkler),
        -0.15, 1.1,
    )  # fmt: skip
    upper += (-lower - upper) * min(units.eyes_closed, 1.0)
    slant = (0.018 + 0.016 * traits.eye_slant) * ACROSS
    sorrow = units.inner_brow_raiser * min(units.brow_lowerer, 1.0) * max(0.0, 1 - units.upper_lid_raiser)
    tilt = 1 - 0.30 * sorrow * ACROSS + 0.14 * units.brow_lowerer * (1 - sorrow) * ACROSS
    y_upper = -upper * (1 - _FROM_MIDDLE**2.3) ** 0.85 * tilt - slant + 0.03 * sorrow * ACROSS
    y_lower = lower * (1 - _FROM_MIDDLE**2.0) ** 0.9 * (1 + 0.08 * ACROSS) - slant + 0.02 * sorrow * ACROSS
    along = side * (x + half_width * ACROSS)
    return Eye(
        side, side * x, half_width,
        upper_lid=np.stack([along, y_upper], 1).astype(np.float32),
        lower_lid=np.stack([along, np.maximum(y_lower, y_upper + 0.004)], 1).astype(np.float32),
        brow=_brow(identity, units, side, x, strength),
    )  # fmt: skip


def _brow(identity: Identity, units: ActionUnits, side: int, eye_x: float, strength: float) -> Floats:
    grown, traits, along = identity.grown, identity.traits, _ALONG_BROW
    inner = (1 - along) ** 1.6
    outer = np.clip(1.35 * along, 0, 1) ** 1.3
    middle = np.exp(-(((along - 0.5) / 0.3) ** 2))
    raise_inner = strength * units.inner_brow_raiser
    raise_outer = strength * units.outer_brow_raiser
    lower = strength * units.brow_lowerer
    x = eye_x - 0.27 + along * grown(0.60, 0.56) - inner * (0.08 * lower + 0.02 * units.nose_wrinkler)
    x = np.maximum(x, 0.075)  # brows draw together and do not cross
    arch = (0.055 + 0.02 * traits.brow_arch) * np.sin(np.pi * np.clip(0.95 * along + 0.02, 0, 1))
    y = -grown(0.285, 0.33) - 0.02 * traits.brow_height - arch + 0.05 * along**3
    y = y - 0.18 * raise_inner * inner - 0.16 * raise_outer * outer
    y = y - 0.10 * min(raise_inner, raise_outer) * middle
    y = y + lower * (0.17 * inner * (1 - 0.8 * min(raise_inner, 1.0)) + 0.06 * (1 - along) - 0.02 * along)
    y = y + 0.07 * units.nose_wrinkler * inner + 0.05 * raise_inner * lower * outer
    thickness = grown(0.050, 0.036) * (1 + 0.18 * traits.brow_thickness + 0.15 * identity.masculinity)
    half = thickness * (1 - 0.75 * along**2.2) * (0.75 + 0.25 * np.clip(6 * along, 0, 1))
    upper, under = np.stack([side * x, y - half], 1), np.stack([side * x, y + half], 1)
    return np.concatenate([upper, under[::-1]]).astype(np.float32)


def _mouth(identity: Identity, units: ActionUnits, y: float, jaw_drop: float) -> Mouth:
    half_width = _mouth_half_width(identity, units)
    corner = (
        -0.20 * units.lip_corner_puller + 0.17 * units.lip_corner_depressor
        + 0.055 * units.lip_stretcher + 0.02 * units.jaw_drop
    )  # fmt: skip
    seam = y + corner * _FROM_MIDDLE**1.7 * (1 + 1.2 * identity.asymmetry * ACROSS)
    inner_upper, inner_lower = _gap(units, seam, jaw_drop)
    upper_lip, lower_lip = _lip_heights(identity, units)
    lens = np.clip(1 - _FROM_MIDDLE**2.2, 0, 1)
    cupid = 0.018 * np.exp(-((ACROSS / 0.12) ** 2)) - 0.012 * np.exp(-(((_FROM_MIDDLE - 0.28) / 0.15) ** 2))
    outer_upper = inner_upper - upper_lip * np.clip(1 - _FROM_MIDDLE**1.9, 0, 1) ** 0.9 + cupid * lens
    outer_lower = inner_lower + lower_lip * np.clip(1 - _FROM_MIDDLE**2.3, 0, 1) ** 0.8
    curves = (half_width * ACROSS, outer_upper, inner_upper, inner_lower, outer_lower)
    return Mouth(half_width, y, corner, *(curve.astype(np.float32) for curve in curves))


def _mouth_half_width(identity: Identity, units: ActionUnits) -> float:
    smile, stretch = units.lip_corner_puller, units.lip_stretcher
    rounding = units.jaw_drop * (1 - min(1.0, smile + stretch))
    return identity.grown(0.36, 0.315) * (1 + 0.06 * identity.traits.mouth_width) * (
        1 + 0.36 * smile + 0.32 * stretch - 0.14 * units.lip_tightener - 0.06 * units.chin_raiser
        - 0.17 * rounding + 0.05 * units.upper_lip_raiser
    )  # fmt: skip


def _gap(units: ActionUnits, seam: Floats, jaw_drop: float) -> tuple[Floats, Floats]:
    """The lips' inner edges: lens-shaped when they part, a slot when stretched."""
    smile, stretch, parted = units.lip_corner_puller, units.lip_stretcher, min(units.lips_part, 1.0)
    opening = np.clip(1 - _FROM_MIDDLE ** (2.2 + 3 * min(stretch, 1.0)), 0, 1) ** 0.8
    lift = (
        0.080 * units.upper_lip_raiser + 0.03 * units.nose_wrinkler + 0.015 * smile
        + parted * (0.018 + 0.05 * smile + 0.080 * units.upper_lip_raiser + 0.03 * stretch)
        + parted * 0.03 * units.jaw_drop
    )  # fmt: skip
    drop = (
        parted * (0.022 + 0.055 * smile + 0.05 * units.lower_lip_depressor + 0.055 * stretch)
        + 0.82 * jaw_drop * (0.3 + 0.7 * parted)
    )  # fmt: skip
    bow = 0.012 * np.exp(-((ACROSS / 0.18) ** 2)) * (parted < 0.3)
    upper = seam - lift * opening - bow
    shift = 0.035 * units.lower_lip_depressor - 0.05 * units.chin_raiser
    lower = seam + shift * np.clip(1 - _FROM_MIDDLE**2.2, 0, 1) + drop * opening
    return upper, np.maximum(lower, upper)


def _lip_heights(identity: Identity, units: ActionUnits) -> tuple[float, float]:
    smile, stretch, tight = units.lip_corner_puller, units.lip_stretcher, units.lip_tightener
    upper = 1 - 0.66 * tight - 0.28 * smile - 0.25 * stretch + 0.1 * units.jaw_drop
    upper -= 0.15 * units.chin_raiser + 0.1 * units.upper_lip_raiser
    lower = 1 - 0.64 * tight - 0.15 * smile - 0.22 * stretch + 0.2 * units.chin_raiser
    return (
        identity.grown(0.083, 0.077) * (1 + 0.18 * identity.traits.upper_lip) * min(max(upper, 0.18), 2.0),
        identity.grown(0.105, 0.10) * (1 + 0.18 * identity.traits.lower_lip) * min(max(lower, 0.2), 2.0),
    )
