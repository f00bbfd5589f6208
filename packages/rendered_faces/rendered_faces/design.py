"""Which synthetic faces are rendered: every factor crossed with every other, one row per image."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
import pandas as pd

from rendered_faces.action_units import EXPRESSIONS, MOUTHS
from rendered_faces.identity import SEXES

Image = dict[str, Any]
Shown = list[tuple[str, int]]  # expressions, each with the image's number

DATASET: Final = "synthetic"
GAP_DATASET: Final = "synthetic-gap"
AGE_GROUPS: Final = ("child", "adult")
SKIN_TONES: Final = tuple(range(1, 11))  # the Monk scale
GROUPS: Final = ("A", "B", "C", "D", "E")
GAP_GROUP: Final = "E"
DOMAINS: Final = ("lab", "wild", "phone")

MODEL_AGES: Final = {"child": (5.3, 1.4, 2.7, 8.7), "adult": (37.0, 13.0, 18.0, 75.0)}
"""Mean, standard deviation, least and greatest age, years: children's as in CAFE (LoBue & Thrasher 2015)."""

CLARITY_SPREAD: Final = {"child": 0.25, "adult": 0.12}
"""Standard deviation, on a log scale, of how clearly people show any expression."""

CAFE_CHILDREN: Final = {"A": 27, "B": 16, "C": 77, "D": 23, "E": 11}
"""Test children of each group: as many as CAFE's five groups have (https://databrary.org/volume/30)."""

CAFE_PHOTOGRAPHS: Final = {
    "neutral": 230, "fear": 140, "happiness": 215, "sadness": 108, "surprise": 103, "anger": 205, "disgust": 191,
}  # fmt: skip
"""CAFE's 1,192 photographs by expression (its owners' table; not confirmed from a public source)."""

_VAGUE_SHARE, _VAGUE = 0.33, 0.25
_CLEAR: Final = (1 - _VAGUE_SHARE * _VAGUE) / (1 - _VAGUE_SHARE)
"""A share of the test children hardly show what they are asked to; the others show more, so that the mean is kept.
Photographs of one child are then read right or wrong together, as those of real children."""

_CELLS: Final = tuple(product(range(len(AGE_GROUPS)), range(len(SKIN_TONES)), range(len(GROUPS))))
_POOLS: Final = ("train", "test")  # the position enters the seeds: never reorder
# Any few children of a group have tones as all have, and their share of vague ones by the golden ratio's multiples
_TURNS, _GOLDEN = (0, 9, 4, 5, 2, 7, 1, 8, 3, 6), (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Design:
    """What decides a plan of faces; the defaults are the smallest.

    `training_replicates` counts the subjects in each of the 100 cells of age group x tone x group, `test_replicates` the
    adults in each of 50 cells and the times that CAFE's 154 children come. Training subjects show each expression in
    `images_per_expression` images, test adults in half of them; with two, test children have as many of each as CAFE.
    `difficulty` is from 0 (clean and distinct) to 1 (blurred and ambiguous). `child_shift` is children's
    expression intensity as a share of adults', `planted_gap` group E's in the data set with a planted gap.
    """

    seed: int = 2023
    training_replicates: int = 1
    test_replicates: int = 1
    images_per_expression: int = 2
    difficulty: float = 0.2
    child_shift: float = 0.8
    planted_gap: float = 0.4


def plan_faces(design: Design) -> pd.DataFrame:
    """Return one row per image to render, those of the set with the planted gap last; the README names the columns.

    model_age is in years on the head's own scale, which is not calibrated on people: `age_years` is missing. intensity
    is 1 for the prototype, blend a share of `blended_with`. A subject's seeds depend on the design's seed and its own
    cell and replicate alone, so more replicates leave the faces before as they were.
    """
    images = design.images_per_expression
    training = _crossed(design, "train", AGE_GROUPS, design.training_replicates, images)
    adults = _crossed(design, "test", ("adult",), design.test_replicates, max(1, images // 2))
    plan = pd.DataFrame([*training, *adults, *_test_children(design)])
    return pd.concat([plan, _planted_gap(plan, design)], ignore_index=True).astype({"age_years": "Float64"})


def _crossed(design: Design, pool: str, ages: Sequence[str], replicates: int, images: int) -> Iterator[Image]:
    shown = [(expression, image) for expression in EXPRESSIONS for image in range(images)]
    for replicate, (cell, (age_group, *_)) in product(range(replicates), enumerate(_CELLS)):
        if AGE_GROUPS[age_group] in ages:
            yield from _subject(design, pool, replicate, cell, shown)


def _test_children(design: Design) -> Iterator[Image]:
    children = [(group, place) for group, n in enumerate(CAFE_CHILDREN.values()) for place in range(n)]
    rounds = -(-max(CAFE_CHILDREN.values()) // len(_TURNS))
    for replicate, (number, (group, place)) in product(range(design.test_replicates), enumerate(children)):
        tone = _TURNS[(place + 2 * group) % len(_TURNS)]
        own = replicate * rounds + place // len(_TURNS)
        clarity = _VAGUE if _GOLDEN * (place + 1) % 1 < _VAGUE_SHARE else _CLEAR
        shown = _photographs(design.images_per_expression, number)
        yield from _subject(design, "test", own, _CELLS.index((0, tone, group)), shown, clarity)


def _photographs(images: int, child: int) -> Shown:
    """Return the images of the test child with this number: of each expression CAFE's share, in every group alike."""
    children, shown = sum(CAFE_CHILDREN.values()), []
    for (index, (expression, count)), image in product(enumerate(CAFE_PHOTOGRAPHS.items()), range(images)):
        have = max(count - children, 0) if image % 2 else min(count, children)
        start = child * have + index * children // len(EXPRESSIONS)  # systematic sampling along the groups
        if (start + have) // children > start // children:
            shown.append((expression, image))
    return shown


def _subject(
    design: Design, pool: str, replicate: int, cell: int, shown: Shown, clarity: float = 1.0
) -> Iterator[Image]:
    """Yield a subject's images; `clarity` is beside its own."""
    age_group, tone, group = _CELLS[cell]
    # ten of a replicate's hundred: every tone once, every group and age_group equally often
    held_out = (group, age_group) == ((tone + replicate) % len(GROUPS), tone % len(AGE_GROUPS))
    split = "validation" if pool == "train" and held_out else pool
    key = (_POOLS.index(pool), replicate, cell)
    random = _random(design, key)
    centre, spread, youngest, oldest = MODEL_AGES[AGE_GROUPS[age_group]]
    subject = {
        "dataset": DATASET, "subject_id": f"{DATASET}-{split}-{replicate * len(_CELLS) + cell:04d}",
        "age_group": AGE_GROUPS[age_group], "age_years": pd.NA,
        "sex": SEXES[(age_group + tone + group + replicate) % 2],
        "ethnicity": GROUPS[group], "skin_tone": SKIN_TONES[tone], "split": split,
        "identity_seed": int(random.integers(2**62)),
        "model_age": float(np.clip(random.normal(centre, spread), youngest, oldest)),
        "difficulty": design.difficulty,
    }  # fmt: skip
    clarity *= float(np.exp(CLARITY_SPREAD[AGE_GROUPS[age_group]] * np.clip(random.standard_normal(), -2, 2)))
    shift = design.child_shift if AGE_GROUPS[age_group] == "child" else 1.0
    # these rotate domains and mouths from subject to subject
    turn, mouth = 2 * age_group + tone + group + replicate, age_group + tone // 2 + group // 2 + replicate
    for expression, image in shown:
        index = EXPRESSIONS.index(expression)
        yield subject | {
            "face_id": f"{subject['subject_id']}-{expression}-{image + 1}", "expression": expression,
            # as in CAFE, surprise is posed with an open mouth only
            "mouth": "open" if expression == "surprise" else MOUTHS[(mouth + index + image) % len(MOUTHS)],
            "domain": DOMAINS[(turn + index + image) % len(DOMAINS)],
            **_performance(design, (*key, index, image), shift * clarity),
        }  # fmt: skip


def _random(design: Design, key: tuple[int, ...]) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(design.seed, spawn_key=key))


def _performance(design: Design, key: tuple[int, ...], shift: float) -> Image:
    """Return how strongly and purely an image shows its expression; the slopes are those of pilot trainings."""
    random = _random(design, key)
    difficulty = design.difficulty
    intensity = random.normal(1.25 - 0.65 * difficulty, 0.08 + 0.10 * difficulty)
    return {
        "image_seed": int(random.integers(2**62)), "intensity": float(np.clip(intensity, 0.2, 1.4)) * shift,
        "blend": 0.5 * difficulty * float(random.random()),
        "blended_with": EXPRESSIONS[int(random.integers(len(EXPRESSIONS)))],
    }  # fmt: skip


def _planted_gap(plan: pd.DataFrame, design: Design) -> pd.DataFrame:
    """Return the first image of each expression of as many test children of each group as E has, E's times the gap."""
    children = plan[(plan["split"] == "test") & (plan["age_group"] == "child")]
    as_many = min(CAFE_CHILDREN.values()) * design.test_replicates
    few = children.drop_duplicates("subject_id").groupby("ethnicity").head(as_many)
    first = children["face_id"].str.endswith("-1")
    twins = children[first & children["subject_id"].isin(few["subject_id"])].copy()
    twins["dataset"] = GAP_DATASET
    twins["face_id"] = twins["face_id"].str.replace(DATASET, GAP_DATASET, n=1)
    twins.loc[twins["ethnicity"] == GAP_GROUP, "intensity"] *= design.planted_gap
    return twins
