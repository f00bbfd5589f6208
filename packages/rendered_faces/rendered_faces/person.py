"""A person ready to be rendered: an identity with its paint, and how the head moves in an expression."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pandas as pd

from rendered_faces.action_units import NUMBERS, Strengths, performed, prototypes, shape_weights
from rendered_faces.hair import Hair, grow_hair
from rendered_faces.head import Head, load_head
from rendered_faces.identity import Identity, draw_identity
from rendered_faces.patterns import soft
from rendered_faces.rasteriser import Floats
from rendered_faces.skin import paint_skin, skin_colour

Row = Mapping[Hashable, Any] | pd.Series
"""A row of `design.plan_faces`."""

PICTURE_COLUMNS: Final = (
    "identity_seed", "model_age", "sex", "skin_tone", "image_seed", "expression", "mouth", "intensity", "blend",
    "blended_with", "difficulty", "domain",
)  # fmt: skip
"""Of a row's columns, those that decide the picture: neither group, split nor dataset does."""

_LIDS: Final = -0.12, 0.16  # mean and spread of how far lids are closed at rest; negative is open
_CHILDS_LIDS: Final = -0.16  # children's are wider open
_SHADOW: Final = 6  # how far hair shades the skin below it, pixels of the map
_LIPS: Final = np.array([0.88, 0.62, 0.61], np.float32)  # their share of the skin's red, green and blue


@dataclass(frozen=True, eq=False)
class Person:
    """An identity with its paint: the map of skin and hair (SIDE, SIDE, 4), linear RGB and gloss, and the lips' colour."""

    identity: Identity
    hair: Hair
    paint: Floats
    lips: Floats


@lru_cache(maxsize=4)
def paint_person(seed: int, model_age: float, sex: str, skin_tone: int) -> Person:
    """Return a person with its paint, kept for a while: a plan lists a subject's images one after the other."""
    head = load_head()
    identity = draw_identity(head, seed, model_age, sex, skin_tone)
    random = np.random.default_rng(identity.paint_seed)
    hair = grow_hair(head, identity, random)
    overhung = soft(np.roll(hair.cover, _SHADOW, axis=0), _SHADOW)[..., None]
    skin = paint_skin(identity, random) ** 2 * (1 - np.float32(0.4) * overhung)
    paint = skin + hair.cover[..., None] * (hair.colours - skin)
    gloss = 1 - hair.cover
    lips = skin_colour(skin_tone) * _LIPS ** np.float32(random.uniform(0.5, 1.05))
    return Person(identity, hair, np.dstack([paint, gloss]), lips**2)


def person_of(row: Row) -> Person:
    """Return the person whom a row of the plan is of."""
    seed, age, tone = int(row["identity_seed"]), float(row["model_age"]), int(row["skin_tone"])
    return paint_person(seed, age, str(row["sex"]), tone)


def expression_of(row: Row, identity: Identity, random: np.random.Generator) -> Strengths:
    """Return the strengths (18, 2) of the action units that a row of the plan asks of a person."""
    share, intensity = float(row["blend"]), float(row["intensity"])
    variants = prototypes(row["expression"], row["mouth"])
    target = variants[int(random.integers(len(variants)))]
    mixed = (1 - share) * target + share * prototypes(row["blended_with"], row["mouth"])[0]
    # an open mouth at rest is no expression: it does not fade with intensity
    aimed = target + intensity * (mixed - target) if row["expression"] == "neutral" else intensity * mixed
    return performed(np.maximum(aimed, 0), identity.gain, identity.rest, float(row["difficulty"]), random)


def posed(head: Head, person: Person, strengths: Strengths, random: np.random.Generator) -> Floats:
    """Return the head's vertices (n, 3) in an expression, lifted where hair covers them."""
    identity, weights = person.identity, shape_weights(strengths)
    lids = float(np.clip(random.normal(*_LIDS), -0.5, 0.25)) + _CHILDS_LIDS * identity.childness
    resting = abs(lids) * max(0.0, 1 - float(strengths[NUMBERS.index(5)].mean()))
    for side in ("Left", "Right"):
        name = ("eyeBlink" if lids > 0 else "eyeWide") + side
        weights[name] = weights.get(name, 0.0) + resting
    vertices = identity.vertices.copy()
    for name, weight in weights.items():
        vertices += head.unit[name] * np.float32(weight * identity.scale)
    if person.hair.rise.any():
        vertices += head.normals(vertices) * person.hair.rise[:, None]
    return vertices
