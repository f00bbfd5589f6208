"""Skin on the map: Monk tone, blood, shade, freckles, brows, folds; amounts without a source are chosen by eye."""

from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from rendered_faces.action_units import NUMBERS, Strengths
from rendered_faces.identity import Identity, colour
from rendered_faces.patterns import ANGLE, LEVEL, SIDE, fixed_point, lines, noise, soft, spot
from rendered_faces.rasteriser import Floats

MONK_TONES: Final = (
    "f6ede4", "f3e7db", "f7ead0", "eadaba", "d7bd96", "a07e56", "825c43", "604134", "3a312a", "292420",
)  # fmt: skip
"""The Monk Skin Tone scale, 1 to 10, lightest first (Monk 2019, described in doi:10.31235/osf.io/pdf4c;
hexadecimal values as published by Google at skintone.google)."""

_MELANIN: Final = np.array([0.75, 1.0, 1.15], np.float32)  # what shade and freckles take of red, green, blue
_BLOOD: Final = np.array([-0.1, 1.0, 0.8], np.float32)


def skin_colour(skin_tone: int) -> Floats:
    """Return a tone's albedo, RGB in 0 to 1: the Monk swatch in warm light, its black point lifted.

    The swatches are flat paint: taken as they are, light ones look like masks and dark ones like soot.
    """
    depth = (skin_tone - 1) / 9
    warmth = np.array([0.93, 0.80 + 0.05 * depth, 0.725 + 0.09 * depth])
    warm = colour(MONK_TONES[skin_tone - 1]) * warmth
    return (warm + np.array([0.085, 0.055, 0.045]) * depth**0.5).astype(np.float32)


def paint_skin(identity: Identity, random: np.random.Generator) -> Floats:
    """Return the map of a person's skin without hair, (SIDE, SIDE, 3) RGB, 0 to 1."""
    tone = skin_colour(identity.skin_tone)
    pale = 1.15 - 0.07 * identity.skin_tone  # paler skin shows its blood more
    grown = 1 - identity.childness
    uneven = 0.05 * noise(random, (5, 5)) + 0.03 * noise(random, (14, 14))
    uneven += (0.012 + 0.012 * grown) * noise(random, (45, 45))
    uneven += (0.006 + 0.012 * grown) * noise(random, (200, 200))
    cheeks, tip = spot(0.45, 6.93, 0.26, 0.26), spot(0, 6.95, 0.10, 0.12)
    blood = cheeks * abs(random.normal(0.03 + 0.03 * identity.childness, 0.05))
    blood += tip * abs(random.normal(0, 0.06))
    blood += 0.02 * noise(random, (9, 9)) + 0.012 * noise(random, (45, 45))
    tired = random.uniform(0.02, 0.16) * (0.5 + 0.5 * grown)
    shade = tired * spot(0.27, 7.13, 0.14, 0.05) + random.uniform(0.5, 1.2) * spot(0.055, 6.885, 0.035, 0.02)
    shade += random.uniform(0.03, 0.12) * spot(0.30, 7.37, 0.16, 0.05) + 0.08 * spot(0, 6.50, 0.16, 0.05)
    if random.random() < 0.12:
        peaks = np.clip(noise(random, (170, 170)) - random.uniform(1.4, 2.0), 0, 0.5)
        shade += peaks * (cheeks + tip + 0.15) * random.uniform(0.4, 0.9)
    ink = (uneven + shade)[..., None] * _MELANIN + (pale * blood)[..., None] * _BLOOD
    skin = tone * np.exp(-np.clip(ink, -0.4, 2.5))
    _paint_brows(skin, identity, random)
    _paint_beard(skin, identity)
    _paint_clothes(skin, random)
    return np.asarray(skin, np.float32)


def _paint_brows(skin: Floats, identity: Identity, random: np.random.Generator) -> None:
    """Paint the brows' hairs over the skin, in place."""
    slim = 0.8 if identity.masculinity < 0.5 else 1.1
    thickness = random.uniform(0.045, 0.085) * slim * (1 - 0.2 * identity.childness)
    start, level, arch = random.normal(0.105, 0.018), random.normal(7.45, 0.02), random.normal(0.05, 0.02)
    length, drop, count = random.normal(0.36, 0.025), random.normal(0.03, 0.02), int(random.uniform(110, 200))
    along = random.random(count) ** 0.9
    middle = level + arch * np.sin(np.pi * np.clip(0.85 * along + 0.1, 0, 1)) - drop * along**2
    half = thickness * (1 - 0.65 * along**1.5) * (0.6 + 0.4 * np.clip(along / 0.1, 0, 1))
    height = middle + random.uniform(-0.5, 0.5, count) * half
    angle, hair = start + length * along, random.uniform(0.03, 0.055, count)
    slope = 1.1 * (1 - along) - 0.15
    drawn = np.zeros((SIDE, SIDE), np.float32)
    for side in (-1, 1):
        roots = fixed_point(side * angle, height)
        tips = fixed_point(side * (angle + hair * np.cos(slope)), height + 0.8 * hair * np.sin(slope))
        for root, tip in zip(roots.tolist(), tips.tolist(), strict=True):
            cv2.line(drawn, root, tip, float(random.uniform(0.5, 1)), 1, cv2.LINE_AA, 4)
    fine = soft(drawn, random.uniform(0.7, 1.2))
    cover = np.clip(random.uniform(0.9, 1.4) * fine + random.uniform(0.4, 1.0) * soft(fine, 2.6), 0, 1)
    cover *= np.float32(random.uniform(0.65, 1))
    shade = np.minimum(identity.hair * random.uniform(0.5, 0.9), 0.55 * skin_colour(identity.skin_tone))
    skin += cover[..., None] * (shade - skin)


_BEARDS: Final = {"none": 0.4, "stubble": 0.3, "moustache": 0.05, "goatee": 0.1, "full": 0.15}
"""How often men wear each; a convention and nothing more."""


def _paint_beard(skin: Floats, identity: Identity) -> None:
    """Paint a man's facial hair over the skin, in place; its random numbers are its own: other people stay as they were."""
    random = np.random.default_rng((identity.paint_seed, 1))
    style = str(random.choice(list(_BEARDS), p=list(_BEARDS.values())))
    if style == "none" or identity.masculinity < 0.5:
        return
    angle = np.abs(ANGLE)
    cheek_line = 6.53 + random.uniform(0.35, 0.6) * np.clip((angle - 0.33) / 0.6, 0, 1)
    jaw = np.clip(12 * (cheek_line - LEVEL), 0, 1) * np.clip(8 * (LEVEL - random.uniform(6.0, 6.15)), 0, 1)
    sides, middle = np.clip(8 * (1.25 - angle), 0, 1), np.clip(10 * (random.uniform(0.3, 0.4) - angle), 0, 1)
    lip = np.clip(1.1 * spot(0, 6.79, 0.28, 0.06) - 0.1, 0, 1)
    parts = {"moustache": lip, "goatee": np.maximum(lip, jaw * middle)}
    grown = parts.get(style, np.maximum(lip, jaw * sides))
    thickness = random.uniform(0.12, 0.4) if style == "stubble" else random.uniform(0.6, 0.95)
    hairs = np.clip(0.8 + 0.25 * noise(random, (220, 300)) + 0.15 * noise(random, (40, 60)), 0, 1)
    shade = np.minimum(identity.hair * random.uniform(0.6, 1.0), 0.6 * skin_colour(identity.skin_tone))
    skin += (thickness * grown * hairs)[..., None] * (shade - skin)


def _paint_clothes(skin: Floats, random: np.random.Generator) -> None:
    """Paint what is worn below the neck, in place."""
    collar = random.uniform(5.45, 5.75) + random.uniform(-0.15, 0.35) * np.clip(np.abs(ANGLE) - 0.2, 0, 1.2)
    worn = np.clip((collar - LEVEL) * 40, 0, 1)[..., None]
    grey, dye = random.uniform(0.12, 0.8), random.uniform(0.12, 0.8, 3)
    cloth = grey + random.uniform(0.1, 0.6) * (dye - grey)  # most are muted
    folds = 0.06 * noise(random, (20, 20)) + 0.04 * noise(random, (200, 200))
    below = slice(int(worn.any((1, 2)).argmax()), None)  # rows above wear nothing
    skin[below] += worn[below] * (cloth * np.exp(folds[below])[..., None] - skin[below])


FOLDS: Final[dict[str, tuple[float, dict[int, float]]]] = {
    "nasolabial": (0.7, {12: 0.7, 10: 0.7, 9: 0.6, 20: 0.3}), "crow's feet": (0.8, {6: 0.5, 7: 0.2}),
    "forehead": (0.7, {1: 0.25, 2: 0.4}), "glabella": (0.4, {4: 0.9, 9: 0.4, 1: 0.1}), "nose": (0.0, {9: 0.9}),
    "under the eye": (0.8, {6: 0.5, 7: 0.5, 9: 0.4}), "chin": (0.0, {17: 0.9, 15: 0.3}),
    "beside the mouth": (0.4, {15: 0.8, 12: 0.35, 20: 0.6}),
}  # fmt: skip
"""How deep a fold is at rest in an old face, and how deep a unit makes it at strength 1 (the changes in appearance that
the Investigator's Guide lists)."""

_DEEPEST: Final = 1.3
_CHILDS: Final = 0.5  # a child's folds are about half as deep


def fold_depths(strengths: Strengths, identity: Identity, random: np.random.Generator) -> Floats:
    """Return how deep each fold of FOLDS is, (8,): 0 none, about 1 clearly seen."""
    by_number = dict(zip(NUMBERS, strengths.mean(1), strict=True))
    aged, units = zip(*FOLDS.values(), strict=True)
    moved = [sum(k * by_number[unit] for unit, k in each.items()) for each in units]
    deep = np.minimum(moved, _DEEPEST) * np.exp(0.2 * random.standard_normal(len(FOLDS)))
    deep *= 1 - (1 - _CHILDS) * identity.childness
    return (deep + np.array(aged) * identity.ageing).astype(np.float32)


@lru_cache(maxsize=1)
def fold_map() -> Floats:
    """Return the darkening of each fold at depth 1, (SIDE / 2, SIDE / 2, 8): dark in it, light on its upper side."""
    nose = [[(0.03 + 0.01 * k, 7.28 - 0.05 * k), (0.10 + 0.01 * k, 7.33 - 0.05 * k)] for k in range(3)]
    crow = [[(0.50, 7.27 + 0.02 * k), (0.58, 7.27 + 0.05 * k), (0.66, 7.26 + 0.085 * k)] for k in range(-1, 3)]  # fmt: skip
    brow = [[(a, y - 0.3 * a * a) for a in np.linspace(0, 0.42, 8)] for y in (7.70, 7.81, 7.92)]
    folds = (  # in the order of FOLDS
        lines([[(0.15, 6.98), (0.22, 6.88), (0.30, 6.76), (0.35, 6.62), (0.36, 6.53)]], 2.6), lines(crow, 1.8),
        lines(brow, 2.6), lines([[(0.035, 7.40), (0.028, 7.48), (0.04, 7.58)]], 1.6), lines(nose, 1.8),
        lines([[(0.12, 7.17), (0.20, 7.11), (0.30, 7.09), (0.40, 7.15)]], 1.8),
        spot(0, 6.36, 0.12, 0.06) * np.abs(noise(np.random.default_rng(1), (90, 90))),
        lines([[(0.29, 6.70), (0.32, 6.63), (0.31, 6.55)]], 2.0),
    )  # fmt: skip
    shaded = [0.8 * fold - 0.45 * cv2.Sobel(fold, cv2.CV_32F, 0, 1) for fold in folds]
    half = [cv2.resize(fold, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA) for fold in shaded]
    return np.stack(half, -1).astype(np.float32)
