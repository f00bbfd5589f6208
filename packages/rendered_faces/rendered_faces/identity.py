"""Who a synthetic person is: the shape of the head, colours, hair and habits of expression, drawn from one seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from rendered_faces.action_units import NUMBERS, Strengths
from rendered_faces.head import Head
from rendered_faces.rasteriser import Floats

ORIGINS: Final = ("african", "asian", "caucasian")
SEXES: Final = ("female", "male")
AGES: Final = {"baby": 1.0, "child": 10.0, "young": 25.0, "old": 90.0}
"""Years at which a macro shape stands alone (MakeHuman, `apps/human.py`: its age 0, 0.1875, 0.5 and 1)."""

HAIR_COLOURS: Final = ("1f1a17", "2c201a", "3b2a20", "54382a", "6b4a2f", "8a6a42", "b08f5e", "6a3a22")
IRIS_COLOURS: Final = ("2a1a10", "3a2414", "5a3c20", "6b7f90", "5f7050", "7d96a6")
HAIRSTYLES: Final = {
    "bald": (0.0, 0.07), "cropped": (0.08, 0.30), "short": (0.16, 0.34), "fringe": (0.12, 0.10),
    "curly": (0.12, 0.14), "tied": (0.16, 0.02), "bob": (0.17, 0.01), "long": (0.19, 0.02),
}  # fmt: skip
"""How often each is worn, by women and children and by men; a convention and nothing more."""

_LOCAL_SHAPES: Final = 30  # how many of the local shapes a person has
_SPREAD: Final = {"mouth": 0.3, "nose": 0.55, "eyes": 0.4, "eyebrows": 0.4, "ears": 0.6, "neck": 0.3}
"""Standard deviation of a local shape's weight by region; elsewhere 0.5. Chosen by eye: faces differ, none is odd."""

_RESTING: Final = (1, 2, 4, 5, 7, 12, 15, 17, 23, 24, 43)  # what a resting face may show a trace of
_RESTING_SPREAD: Final = 0.07


@dataclass(frozen=True, eq=False)
class Identity:
    """One person. Shape, hair and eyes come from common lists, whatever the skin tone or the group.

    `vertices` (n, 3) is the head at rest, decimetres. Colours are RGB, 0 to 1, as are `masculinity`, `ageing` and
    `childness`. `gain` (18, 2) is the own strength of each action unit on each side, `rest` (18) its trace at rest.
    """

    vertices: Floats
    scale: float  # distance of the eyes, as a share of the base mesh's
    masculinity: float
    ageing: float
    childness: float  # 1 up to ten years, 0 from twenty-five
    skin_tone: int
    hair: Floats
    iris: Floats
    hairstyle: str
    glasses: bool
    gain: Strengths
    rest: Strengths
    paint_seed: int


def colour(hexadecimal: str) -> Floats:
    """Return RGB in 0 to 1, float32, from six hexadecimal digits."""
    return np.frombuffer(bytes.fromhex(hexadecimal), np.uint8).astype(np.float32) / np.float32(255)


def draw_identity(head: Head, seed: int, model_age: float, sex: str, skin_tone: int) -> Identity:
    """Return the person of a seed; only shape, brows and hairstyle depend on sex, only the skin on the tone.

    `model_age` is in years on MakeHuman's scale, 1 to 90. Raises ValueError for another age or an unknown sex.
    """
    if not AGES["baby"] <= model_age <= AGES["old"]:
        raise ValueError(f"no head of {model_age} years: expected 1 to 90")
    if sex not in SEXES:
        raise ValueError(f"unknown sex {sex!r}: expected female or male")
    random = np.random.default_rng(seed)
    vertices = head.vertices.copy()
    for name, weight in _macro_weights(random, model_age, sex):
        vertices += head.macro[name] * np.float32(weight)
    apart, usual = (np.linalg.norm(np.subtract(*head.eye_centres(v))) for v in (vertices, head.vertices))
    scale = float(apart) / float(usual)
    for name, weight in _local_weights(random, head):
        vertices += head.local[name] * np.float32(weight * scale)
    masculinity = float(sex == "male") * _grown(model_age, 11, 18)
    ageing = _grown(model_age, 30, 75)
    hair = colour(str(random.choice(HAIR_COLOURS))) * np.float32(random.uniform(0.75, 1.2))
    greyness = float(np.clip(2.2 * ageing - random.uniform(0.1, 1.2), 0, 1))
    worn = [shares[masculinity > 0.5] for shares in HAIRSTYLES.values()]
    count = len(NUMBERS)
    gain = 0.14 * random.standard_normal((count, 1)) + 0.06 * random.standard_normal((count, 2))
    rest = np.abs(_RESTING_SPREAD * random.standard_normal(count)) * (random.random(count) < 0.4)
    return Identity(
        vertices=vertices, scale=scale, masculinity=masculinity, ageing=ageing,
        childness=1 - _grown(model_age, AGES["child"], AGES["young"]), skin_tone=skin_tone,
        hair=(hair + (colour("a9a49c") - hair) * greyness).astype(np.float32),
        iris=colour(str(random.choice(IRIS_COLOURS))) * np.float32(random.uniform(0.8, 1.2)),
        hairstyle=tuple(HAIRSTYLES)[int(np.searchsorted(np.cumsum(worn)[:-1], random.random(), "right"))],
        glasses=bool(random.random() < 0.05 + 0.1 * _grown(model_age, 11, 60)),
        gain=np.exp(gain), rest=rest * np.isin(NUMBERS, _RESTING), paint_seed=int(random.integers(2**62)),
    )  # fmt: skip


def _grown(age: float, start: float, end: float) -> float:
    return float(np.clip((age - start) / (end - start), 0, 1))


def _macro_weights(random: np.random.Generator, age: float, sex: str) -> Iterator[tuple[str, float]]:
    """Yield the macro shapes and their weights, as MakeHuman mixes them: origin x sex x age, and build x sex x age."""
    years = list(AGES.values())
    ages = {name: float(np.interp(age, years, np.eye(len(years))[i])) for i, name in enumerate(AGES)}
    origins = random.dirichlet((0.6, 0.6, 0.6))
    other = 0.2 * random.random()  # no face is wholly of one sex's mean shape
    sexes = {name: 1 - other if name == sex else other for name in SEXES}
    muscle, fat = random.dirichlet((2, 0.5, 0.5)), random.dirichlet((2, 0.6, 0.6))
    for (age_name, age_weight), (sex_name, sex_weight) in product(ages.items(), sexes.items()):
        if weight := age_weight * sex_weight:
            for origin, share in zip(ORIGINS, origins, strict=True):
                yield f"{origin}-{sex_name}-{age_name}", weight * share
            for (i, muscles), (j, weights) in product(enumerate(("average", "min", "max")), repeat=2):
                name = f"universal-{sex_name}-{age_name}-{muscles}muscle-{weights}weight"
                yield name, weight * muscle[i] * fat[j]


def _local_weights(random: np.random.Generator, head: Head) -> Iterator[tuple[str, float]]:
    """Yield some local shapes and their weights; those of a left and a right side go together, nearly."""
    pairs: dict[str, list[str]] = {}
    for name in head.local:
        region, shape = name.split("/")
        pairs.setdefault(f"{region}/{shape[2:] if shape[:2] in ('l-', 'r-') else shape}", []).append(name)
    names = list(pairs)
    for index in random.choice(len(names), _LOCAL_SHAPES, replace=False):
        spread = _SPREAD.get(names[index].split("/")[0], 0.5)
        weight = min(abs(spread * random.standard_normal()), 1.0)
        for name in pairs[names[index]]:
            yield name, weight * (1 + 0.12 * random.standard_normal())
