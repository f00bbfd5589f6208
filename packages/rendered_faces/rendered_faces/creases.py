"""Folds of the skin that the mesh is too coarse for: where they lie, and how the action units deepen them."""

from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from rendered_faces.action_units import NUMBERS, Strengths
from rendered_faces.identity import Identity
from rendered_faces.patterns import SIDE, lines, noise, spot
from rendered_faces.rasteriser import Floats

NAMES: Final = (
    "nasolabial", "crow's feet", "forehead", "glabella", "nose", "under the eye", "chin", "beside the mouth",
)  # fmt: skip

_DEEPENED: Final[dict[str, dict[int, float]]] = {
    "nasolabial": {12: 0.9, 10: 0.7, 9: 0.6, 20: 0.3},
    "crow's feet": {6: 0.5, 7: 0.2},
    "forehead": {1: 0.25, 2: 0.4},
    "glabella": {4: 0.9, 9: 0.4, 1: 0.1},
    "nose": {9: 0.9},
    "under the eye": {6: 0.5, 7: 0.5, 9: 0.4},
    "chin": {17: 0.9, 15: 0.3},
    "beside the mouth": {15: 0.8, 12: 0.35, 20: 0.6},
}
"""How deep a unit makes a fold at strength 1 (the changes in appearance that the Investigator's Guide lists)."""

_AGED: Final = (0.7, 0.8, 0.7, 0.4, 0.0, 0.8, 0.0, 0.4)  # at rest, in an old face
_DEEPEST: Final = 1.3
_CHILDS: Final = 0.5  # a child's folds are about half as deep


def crease_depths(strengths: Strengths, identity: Identity, random: np.random.Generator) -> Floats:
    """Return how deep each fold of NAMES is, (8,): 0 none, about 1 clearly seen."""
    by_number = dict(zip(NUMBERS, strengths.mean(1), strict=True))
    moved = [sum(k * by_number[unit] for unit, k in _DEEPENED[name].items()) for name in NAMES]
    deep = np.minimum(moved, _DEEPEST) * np.exp(0.2 * random.standard_normal(len(NAMES)))
    deep *= 1 - (1 - _CHILDS) * identity.childness
    return (deep + np.array(_AGED) * identity.ageing).astype(np.float32)


@lru_cache(maxsize=1)
def crease_map() -> Floats:
    """Return the darkening of each fold at depth 1, (SIDE / 2, SIDE / 2, 8): dark in it, light on its upper side."""
    nose = [[(0.03 + 0.01 * k, 7.28 - 0.05 * k), (0.10 + 0.01 * k, 7.33 - 0.05 * k)] for k in range(3)]
    crow = [
        [(0.50, 7.27 + 0.02 * k), (0.58, 7.27 + 0.05 * k), (0.66, 7.26 + 0.085 * k)] for k in (-1, 0, 1, 2)
    ]
    folds = (  # in the order of NAMES
        lines([[(0.15, 6.98), (0.22, 6.88), (0.30, 6.76), (0.35, 6.62), (0.36, 6.53)]], 2.6),
        lines(crow, 1.8),
        lines(
            [
                [(a, level - 0.3 * a * a) for a in np.linspace(-0.42, 0.42, 15)]
                for level in (7.70, 7.81, 7.92)
            ],
            2.6,
        ),
        lines([[(0.035, 7.40), (0.028, 7.48), (0.04, 7.58)]], 1.6),
        lines(nose, 1.8),
        lines([[(0.12, 7.17), (0.20, 7.11), (0.30, 7.09), (0.40, 7.15)]], 1.8),
        spot(0, 6.36, 0.12, 0.06) * np.abs(noise(np.random.default_rng(1), (90, 90))),
        lines([[(0.29, 6.70), (0.32, 6.63), (0.31, 6.55)]], 2.0),
    )
    shaded = [0.8 * fold - 0.9 * cv2.Sobel(fold, cv2.CV_32F, 0, 1, ksize=3, scale=0.5) for fold in folds]
    half = [cv2.resize(fold, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA) for fold in shaded]
    return np.stack(half, -1).astype(np.float32)
