"""Who a synthetic person is: face shape, colours and habits of expression, drawn from one seed."""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from synthetic_faces.action_units import UNIT_COUNT

HAIR_COLOURS: Final = ("1f1a17", "2c201a", "3b2a20", "54382a", "6b4a2f", "5a2f1c", "846440")
IRIS_COLOURS: Final = ("2a1a10", "3a2414", "5a3c20", "5b6f80", "4f6b4a", "6f8796")
HAIRSTYLES: Final = ("cropped", "swept", "fringe", "long", "curly", "tied")


@dataclass(frozen=True)
class Traits:
    """Departures of a face's shape from the average, in standard deviations, clipped at 2.2."""

    face_width: float
    face_length: float
    jaw: float
    chin: float
    forehead: float
    eye_gap: float
    eye_size: float
    eye_slant: float
    lid_fold: float
    lid: float
    nose_width: float
    nose_length: float
    nose_height: float
    mouth_width: float
    upper_lip: float
    lower_lip: float
    brow_thickness: float
    brow_arch: float
    brow_height: float
    cheek: float


@dataclass(frozen=True)
class Identity:
    """One person. Shape, hair and eyes are drawn from common lists, whatever the skin tone or the group."""

    traits: Traits
    childness: float  # about 0 adult, about 1 child; may lie a little outside
    masculinity: float  # 1 for an adult man, fading to 0 with childness
    wrinkling: float  # 0 smooth to 1 lined; 0 for children
    skin_tone: int  # Monk scale, 1 to 10
    hair: npt.NDArray[np.float32]  # RGB, 0 to 1
    iris: npt.NDArray[np.float32]
    clothes: npt.NDArray[np.float32]
    hairstyle: str
    freckled: bool
    asymmetry: float  # of the two halves' movements; sd 0.06
    gain: npt.NDArray[np.float64]  # (17,) own strength of each action unit
    rest: npt.NDArray[np.float64]  # (17,) trace of each action unit at rest
    texture_seed: int

    def grown(self, adult: float, child: float) -> float:
        """Return a measure between its adult and its child value, as this person's childness has it."""
        return adult + (child - adult) * self.childness


def colour(hexadecimal: str) -> npt.NDArray[np.float32]:
    """Return RGB in 0 to 1, float32, from six hexadecimal digits."""
    return np.frombuffer(bytes.fromhex(hexadecimal), np.uint8).astype(np.float32) / np.float32(255)


def draw_identity(seed: int, childness: float, sex: str, skin_tone: int) -> Identity:
    """Return the person of a seed; only masculinity depends on sex, only the skin on the tone."""
    random = np.random.default_rng(seed)
    traits = np.clip(random.standard_normal(len(fields(Traits))), -2.2, 2.2)
    grown_up = 1 - float(np.clip(childness, 0, 1))
    masculinity = grown_up * (sex == "male")
    return Identity(
        traits=Traits(*traits.tolist()),
        childness=childness,
        masculinity=masculinity,
        wrinkling=float(random.uniform(0.2, 1)) * grown_up,
        skin_tone=skin_tone,
        hair=colour(str(random.choice(HAIR_COLOURS))),
        iris=colour(str(random.choice(IRIS_COLOURS))),
        clothes=random.uniform(0.15, 0.75, 3).astype(np.float32),
        hairstyle=_hairstyle(random, masculinity),
        freckled=bool(random.random() < 0.12),
        asymmetry=float(random.normal(0, 0.06)),
        gain=np.exp(0.15 * random.standard_normal(UNIT_COUNT)),
        rest=np.clip(0.06 * random.standard_normal(UNIT_COUNT), 0, 0.15),
        texture_seed=int(random.integers(200)),
    )


def _hairstyle(random: np.random.Generator, masculinity: float) -> str:
    """Choose a style; grown men wear neither long nor tied hair here, a convention and nothing more."""
    worn = ("cropped", "swept", "cropped", "swept", "curly", "fringe") if masculinity > 0.5 else HAIRSTYLES
    return worn[int(random.integers(len(HAIRSTYLES)))]
