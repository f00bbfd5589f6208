"""Expressions as facial action units: the seven prototypes and how one face departs from them.

Action units are those of the Facial Action Coding System (Ekman, Friesen & Hager 2002, "Facial Action Coding
System: Investigator's Guide"); the prototypes start from its table 10-1, the combinations that predict an
emotion (as EMFACS uses them), and from the poses asked of the Radboud Faces Database's models (Langner et al.
2010, doi:10.1080/02699930903485076).
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class ActionUnits:
    """Strength of seventeen action units: 0 absent, 1 marked, at most 1.3; FACS numbers beside them."""

    inner_brow_raiser: float = 0.0  # AU 1
    outer_brow_raiser: float = 0.0  # AU 2
    brow_lowerer: float = 0.0  # AU 4
    upper_lid_raiser: float = 0.0  # AU 5
    cheek_raiser: float = 0.0  # AU 6
    lid_tightener: float = 0.0  # AU 7
    nose_wrinkler: float = 0.0  # AU 9
    upper_lip_raiser: float = 0.0  # AU 10
    lip_corner_puller: float = 0.0  # AU 12
    lip_corner_depressor: float = 0.0  # AU 15
    lower_lip_depressor: float = 0.0  # AU 16
    chin_raiser: float = 0.0  # AU 17
    lip_stretcher: float = 0.0  # AU 20
    lip_tightener: float = 0.0  # AU 23
    lips_part: float = 0.0  # AU 25
    jaw_drop: float = 0.0  # AU 26
    eyes_closed: float = 0.0  # AU 43

    def vector(self) -> npt.NDArray[np.float64]:
        """Return the strengths as a vector of 17, in the order above."""
        return np.array([getattr(self, unit.name) for unit in fields(self)])


UNIT_COUNT: Final = len(fields(ActionUnits))
STRONGEST: Final = 1.3  # beyond it the drawn lips and lids would cross

# Which units: the Investigator's Guide. How strong, and what is added or left out: chosen by eye so that a
# person can name the drawing. Stated for each where it departs from the guide.
PROTOTYPES: Final = {
    "neutral": ActionUnits(),
    # 1+2+4+5+20+25/26 in the guide. AU 2 kept weak and AU 26 almost left out: with both full it is drawn
    # like surprise. AU 7 (in EMFACS variants) tenses the lower lid.
    "fear": ActionUnits(
        inner_brow_raiser=1.1, outer_brow_raiser=0.45, brow_lowerer=0.85, upper_lid_raiser=1.1,
        lid_tightener=0.15, lip_stretcher=1.15, lips_part=0.9, jaw_drop=0.15,
    ),
    # 6+12 in the guide; AU 25 added: a smile that shows teeth, as Langner et al. ask for.
    "happiness": ActionUnits(
        cheek_raiser=0.85, lid_tightener=0.1, lip_corner_puller=1.1, lips_part=0.75,
    ),
    # 1+4+15 and its variant with 17 in the guide; AU 43 and AU 7 added weakly: drooping lids.
    "sadness": ActionUnits(
        inner_brow_raiser=1.1, brow_lowerer=0.75, lid_tightener=0.15, lip_corner_depressor=1.1,
        chin_raiser=0.65, eyes_closed=0.18,
    ),
    # 1+2+5+26 in the guide; AU 25 added: a dropped jaw parts the lips.
    "surprise": ActionUnits(
        inner_brow_raiser=1.05, outer_brow_raiser=1.1, upper_lid_raiser=0.95, lips_part=1.0, jaw_drop=1.1,
    ),
    # 4+5+7+17+23 in the guide, one of its closed-mouth variants; AU 24 (lip presser) is folded into AU 23.
    # AU 10 left out: it would bring disgust near.
    "anger": ActionUnits(
        brow_lowerer=1.25, upper_lid_raiser=0.55, lid_tightener=0.65, chin_raiser=0.55, lip_tightener=1.15,
    ),
    # 9 and 10+16+25 in the guide, together here; AU 4, 6 and 7 added weakly, as AU 9 carries them along; AU 15
    # pulls the corners away from a smile.
    "disgust": ActionUnits(
        brow_lowerer=0.35, cheek_raiser=0.35, lid_tightener=0.6, nose_wrinkler=1.15, upper_lip_raiser=1.2,
        lip_corner_depressor=0.3, lower_lip_depressor=0.35, lips_part=0.5,
    ),
}  # fmt: skip

EXPRESSIONS: Final = tuple(PROTOTYPES)
"""The seven expressions in class order; position enters the seeds: never reorder."""

_PROTOTYPE_ROWS = np.array([PROTOTYPES[expression].vector() for expression in EXPRESSIONS])


def prototype(expression: str) -> npt.NDArray[np.float64]:
    """Return an expression's prototype as a vector of 17 strengths.

    Raises ValueError for a name that is not one of the seven expressions.
    """
    if expression not in EXPRESSIONS:
        raise ValueError(f"unknown expression {expression!r}: expected one of {', '.join(EXPRESSIONS)}")
    return _PROTOTYPE_ROWS[EXPRESSIONS.index(expression)]


def posed(
    target: npt.NDArray[np.float64],
    gain: npt.NDArray[np.float64],
    rest: npt.NDArray[np.float64],
    difficulty: float,
    random: np.random.Generator,
) -> ActionUnits:
    """Return the units that one face shows when it aims at `target` (17 strengths).

    `gain` and `rest` (17 each) are the person's own strength of a unit and its trace at rest. Difficulty
    (0 to 1) drops units and jitters those that remain; its two slopes come from pilot trainings, in which
    they spread a small network's accuracy from about 98 % at 0 to under 50 % at 0.5. The strongest unit is
    never dropped: a smile without raised corners, say, is no longer a picture of its label.
    """
    kept = (random.random(UNIT_COUNT) >= 0.25 * difficulty) | (target == target.max())
    jitter = (0.08 + 0.12 * difficulty) * random.standard_normal(UNIT_COUNT)
    shown = target * gain * kept
    return ActionUnits(*np.clip(shown + rest + (shown > 0) * jitter, 0, STRONGEST).tolist())
