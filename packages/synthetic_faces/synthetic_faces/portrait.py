"""One synthetic face: a row of the plan to a picture."""

from collections.abc import Hashable, Mapping
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from synthetic_faces.action_units import ActionUnits, posed, prototype
from synthetic_faces.camera import DEGRADATION, DOMAINS, photograph, project
from synthetic_faces.canvas import Canvas
from synthetic_faces.features import paint_features
from synthetic_faces.geometry import face_geometry
from synthetic_faces.hair import paint_hair
from synthetic_faces.identity import Identity, draw_identity
from synthetic_faces.lighting import Light, draw_light, shade
from synthetic_faces.relief import relief
from synthetic_faces.scenery import backdrop, hide_corner, paint_behind, put_on_glasses
from synthetic_faces.skin import paint_head

SMALLEST: Final = 32  # below it, lids and lips are thinner than a pixel
LARGEST: Final = 900  # above it, the skin's texture would run out (`canvas.NOISE_SIDE`)

Row = Mapping[Hashable, Any] | pd.Series
"""A row of `design.plan_faces`: of its columns, neither group, split nor dataset changes the picture."""


def render_face(row: Row, size: int) -> npt.NDArray[np.uint8]:
    """Return the picture that a row of the plan describes, (size, size, 3) uint8 RGB; same row, same pixels.

    The same to the bit under one NumPy and OpenCV; other versions may differ by a few grey levels.
    Raises ValueError for an unknown expression or domain, or a size that is not in 32 to 900 pixels.
    """
    if not SMALLEST <= size <= LARGEST:
        raise ValueError(f"cannot render a face of {size} pixels: ask for {SMALLEST} to {LARGEST}")
    if row["domain"] not in DOMAINS:
        raise ValueError(f"unknown domain {row['domain']!r}: expected one of {', '.join(DOMAINS)}")
    domain = DOMAINS[row["domain"]]
    identity = draw_identity(int(row["identity_seed"]), row["childness"], row["sex"], int(row["skin_tone"]))
    # one stream of random numbers per purpose: a change in one leaves the others as they were
    acting, lamp, setting, lens = map(
        np.random.default_rng, np.random.SeedSequence(int(row["image_seed"])).spawn(4)
    )
    units = _expression(row, identity, acting)
    degradation = DEGRADATION * float(row["difficulty"])
    hidden = setting.random() < domain.occluded * (1 + 2 * degradation)
    glasses = hidden and setting.random() < 0.5
    canvas, height = _paint(identity, units, draw_light(lamp, domain.light_side), lamp, size, glasses)
    seen, cover = project(canvas.colour, canvas.coverage, height, domain, size, lens)
    scene = backdrop(row["domain"], size, setting)
    scene = cv2.blendLinear(seen, scene, cover, 1 - cover)
    if hidden and not glasses:
        hide_corner(scene, setting)
    return photograph(scene, domain, degradation, lens)


def _expression(row: Row, identity: Identity, acting: np.random.Generator) -> ActionUnits:
    pure = (1 - row["blend"]) * prototype(row["expression"])
    target = row["intensity"] * (pure + row["blend"] * prototype(row["blended_with"]))
    return posed(target, identity.gain, identity.rest, row["difficulty"], acting)


def _paint(
    identity: Identity, units: ActionUnits, light: Light, lamp: np.random.Generator, size: int, glasses: bool
) -> tuple[Canvas, npt.NDArray[np.float32]]:
    """Paint the person from the front, exposed as a camera would; return it with its relief."""
    face = face_geometry(identity, units)
    height = relief(identity, units, face, max(64, round(0.55 * size)))
    canvas = Canvas.blank(round(size * 8 / 7))  # the head is then drawn at about the image's own resolution
    paint_behind(canvas, identity, face, light)
    paint_head(canvas, identity, face, shade(height, light), light)
    sorrow = min(units.lip_corner_depressor, units.inner_brow_raiser)
    gaze = lamp.normal((0, 0.02 * sorrow), (0.025, 0.012)).tolist()  # the sad look down a little
    paint_features(canvas, identity, units, face, light, gaze)
    if glasses:
        put_on_glasses(canvas, face)
    paint_hair(canvas, identity, face, light)
    _expose(canvas)
    return canvas, height


def _expose(canvas: Canvas) -> None:
    """Expose as a camera does: about half-way (on a log scale) to a middle grey face, highlights rolled off."""
    middle = slice(canvas.size // 3, 2 * canvas.size // 3)
    level = float(canvas.colour[middle, middle].mean())
    canvas.colour *= np.float32(np.clip((0.50 / max(level, 0.05)) ** 0.5, 0.8, 2.0))
    knee = np.float32(0.8)
    np.minimum(canvas.colour, knee + np.float32(0.35) * (canvas.colour - knee), out=canvas.colour)
