"""Expressions as facial action units: prototypes, their variants, and how one face departs from them.

Action units are those of the Facial Action Coding System (Ekman, Friesen & Hager 2002, "Facial Action Coding System:
Investigator's Guide"). Which units show an expression: its table 10-1 (the combinations that EMFACS uses) and the
units that at least a quarter of 230 people showed when asked to pose (Du, Tao & Martinez 2014, table 1,
doi:10.1073/pnas.1322355111). Each is posed with a closed and with an open mouth, as the children of CAFE were asked
to (LoBue & Thrasher 2015, doi:10.3389/fpsyg.2014.01532); surprise with an open one only.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Strengths = npt.NDArray[np.float64]

UNITS: Final[dict[int, dict[str, float]]] = {
    1: {"browInnerUp": 1.9}, 2: {"browOuterUp": 1.5}, 4: {"browDown": 1.6}, 5: {"eyeWide": 1.25},
    6: {"cheekSquint": 0.9, "eyeSquint": 0.25}, 7: {"eyeSquint": 0.75}, 9: {"noseSneer": 1.7, "browDown": 0.45},
    10: {"mouthUpperUp": 1.15, "mouthShrugUpper": 0.15}, 12: {"mouthSmile": 1.2}, 15: {"mouthFrown": 1.8},
    16: {"mouthLowerDown": 1.2}, 17: {"mouthShrugLower": 0.9, "mouthShrugUpper": 0.25}, 20: {"mouthStretch": 1.4},
    23: {"mouthRollUpper": 0.45, "mouthRollLower": 0.45, "mouthPress": 0.5}, 24: {"mouthPress": 1.1},
    25: {"mouthLowerDown": 0.55, "mouthUpperUp": 0.5, "jawOpen": 0.08}, 26: {"jawOpen": 0.55}, 43: {"eyeBlink": 1.0},
}  # fmt: skip
"""FACS number: the face units of the mesh (named as ARKit's) and their weights when it is marked. The weights are
chosen by eye: the mesh's brows and corners of the mouth move less than people's."""

_MIDDLE: Final = (
    "browInnerUp", "jawOpen", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
)  # fmt: skip
NUMBERS: Final = tuple(UNITS)
STRONGEST: Final = 1.3  # beyond it lids and lips cross
MOUTHS: Final = ("closed", "open")

# Strengths at full intensity, chosen by eye so that a person can name the face; units as cited above, and where not:
# 16 in open-mouthed anger and disgust and 7 in disgust are EMFACS variants; 43 droops the lids of the sad; 10 and 16 bare
# the teeth of a broad smile, since the mesh's own smile keeps the lips on them.
PROTOTYPES: Final[dict[str, dict[str, tuple[dict[int, float], ...]]]] = {
    "neutral": {"closed": ({},), "open": ({25: 0.3, 26: 0.1},)},
    "fear": {
        "closed": ({1: 1.1, 2: 0.5, 4: 0.7, 5: 1.3, 20: 1.2, 16: 0.3},),
        "open": ({1: 1.1, 2: 0.5, 4: 0.7, 5: 1.3, 20: 1.2, 16: 0.6, 25: 0.8},
                 {1: 1.1, 2: 0.5, 4: 0.7, 5: 1.3, 20: 1.1, 16: 0.4, 25: 0.6, 26: 0.3}),
    },
    "happiness": {
        "closed": ({6: 0.8, 12: 1.0}, {12: 1.0, 6: 0.3}),
        "open": ({6: 0.8, 12: 1.0, 25: 1.0}, {6: 0.9, 12: 1.0, 25: 1.0, 26: 0.35}, {12: 0.95, 25: 0.9},
                 {6: 0.8, 12: 1.0, 25: 1.3, 10: 0.6, 16: 0.3}),
    },
    "sadness": {
        "closed": ({1: 1.15, 4: 0.6, 15: 1.15, 17: 0.5, 43: 0.15}, {1: 1.0, 4: 0.7, 15: 1.0, 17: 0.8, 43: 0.25}),
        "open": ({1: 1.15, 4: 0.6, 15: 1.2, 25: 0.45, 43: 0.15},),
    },
    "surprise": {
        "closed": ({1: 1.0, 2: 1.1, 5: 1.0, 25: 0.3},),
        "open": ({1: 1.0, 2: 1.1, 5: 1.0, 26: 1.1}, {1: 1.0, 2: 1.0, 5: 0.8, 25: 0.3, 26: 0.8}),
    },
    "anger": {
        "closed": ({4: 1.3, 5: 0.5, 7: 0.5, 23: 1.0, 17: 0.4}, {4: 1.3, 7: 0.7, 24: 1.1, 17: 0.6}),
        "open": ({4: 1.3, 5: 0.6, 7: 0.4, 10: 0.35, 16: 0.8, 25: 0.6}, {4: 1.3, 5: 0.5, 7: 0.5, 16: 0.9, 25: 0.5, 26: 0.3}),
    },
    "disgust": {
        "closed": ({9: 1.1, 10: 0.7, 17: 0.6, 7: 0.5}, {9: 0.8, 10: 1.0, 15: 0.4, 17: 0.4, 7: 0.4}),
        "open": ({9: 1.1, 10: 1.0, 25: 0.5, 16: 0.4, 7: 0.5}, {9: 0.9, 10: 1.1, 26: 0.3, 25: 0.3, 7: 0.4, 4: 0.3}),
    },
}  # fmt: skip

EXPRESSIONS: Final = tuple(PROTOTYPES)
"""The seven expressions in class order; position enters the seeds: never reorder."""


def prototypes(expression: str, mouth: str) -> Strengths:
    """Return an expression's variants with that mouth, (variants, 18) strengths in the order of NUMBERS.

    Raises ValueError for a name that is not one of the seven expressions, or a mouth that is neither closed nor open.
    """
    if expression not in PROTOTYPES:
        raise ValueError(f"unknown expression {expression!r}: expected one of {', '.join(EXPRESSIONS)}")
    if mouth not in MOUTHS:
        raise ValueError(f"unknown mouth {mouth!r}: expected closed or open")
    return np.array([[v.get(number, 0.0) for number in NUMBERS] for v in PROTOTYPES[expression][mouth]])


def performed(
    target: Strengths, gain: Strengths, rest: Strengths, difficulty: float, random: np.random.Generator
) -> Strengths:
    """Return the strengths (18, 2), right and left, that one face shows when it aims at `target` (18).

    `gain` (18, 2) is the person's own strength of a unit on each side, `rest` (18) the trace of it in the resting
    face. Difficulty (0 to 1) drops units and jitters those that remain; a strongest unit is never dropped: a smile
    without raised corners, say, is no longer a picture of its label.
    """
    kept = (random.random(len(target)) >= 0.25 * difficulty) | (target >= 0.8 * target.max())
    jitter = np.exp((0.08 + 0.2 * difficulty) * random.standard_normal(len(target)))
    trace = rest + 0.03 * np.abs(random.standard_normal(len(target))) * (rest > 0)
    shown = (target * kept * jitter)[:, None] * gain + trace[:, None]
    return np.clip(shown, 0, STRONGEST)


def shape_weights(strengths: Strengths) -> dict[str, float]:
    """Return the weights of the mesh's face units, by name with Right or Left where it has sides."""
    weights: dict[str, float] = {}
    for number, (right, left) in zip(NUMBERS, strengths, strict=True):
        strengths_of = {"": (right + left) / 2, "Right": right, "Left": left}
        for shape, weight in UNITS[number].items():
            for side in ("",) if shape in _MIDDLE else ("Right", "Left"):
                name = shape + side
                weights[name] = weights.get(name, 0.0) + weight * float(strengths_of[side])
    return {name: min(weight, 2.0) for name, weight in weights.items() if weight > 1e-4}
