"""Which synthetic faces are rendered: every factor crossed with every other, one row per image."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from rendered_faces.action_units import EXPRESSIONS, MOUTHS
from rendered_faces.identity import SEXES

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
"""Standard deviation, on a log scale, of how clearly people show any expression: photographs of one child are then read
right or wrong together, as in sets of real children."""

_CELLS: Final = tuple(
    (c, t, g) for c in range(len(AGE_GROUPS)) for t in range(10) for g in range(len(GROUPS))
)
_POOLS: Final = ("train", "test")  # the position enters the seeds: never reorder


@dataclass(frozen=True)
class Design:
    """What decides a plan of faces; the defaults are the smallest full crossing.

    `training_replicates` and `test_replicates` count the subjects in each of the 100 cells of age group x tone x
    group. `difficulty` is from 0 (clean and distinct) to 1 (blurred and ambiguous). `child_shift` is children's
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
    """Return one row per image to render, those of the set with the planted gap last.

    The columns are those of the `faces` table that are known before rendering, and what the renderer needs:
    identity_seed and image_seed (non-negative integers), model_age (years on the head's own scale), intensity
    (1: the prototype), blend (share of `blended_with`, another expression) and difficulty (0 to 1).
    `age_years` is missing: the head's scale is not calibrated on people. A subject's seeds depend on the design's seed
    and the subject's own cell and replicate alone, so more replicates leave the faces before as they were.
    """
    plan = pd.DataFrame([*_pool(design, "train"), *_pool(design, "test")])
    both = pd.concat([plan, _with_planted_gap(plan, design.planted_gap)], ignore_index=True)
    return both.astype({"age_years": "Float64"})


def _pool(design: Design, pool: str) -> Iterator[dict[str, Any]]:
    replicates = design.training_replicates if pool == "train" else design.test_replicates
    for replicate in range(replicates):
        for cell in range(len(_CELLS)):
            yield from _subject(design, pool, replicate, cell)


def _subject(design: Design, pool: str, replicate: int, cell: int) -> Iterator[dict[str, Any]]:
    age_group, tone, group = _CELLS[cell]
    split = "validation" if pool == "train" and _is_validation(age_group, tone, group, replicate) else pool
    key = (_POOLS.index(pool), replicate, cell)
    random = np.random.default_rng(np.random.SeedSequence(design.seed, spawn_key=key))
    centre, spread, youngest, oldest = MODEL_AGES[AGE_GROUPS[age_group]]
    subject = {
        "dataset": DATASET,
        "subject_id": f"{DATASET}-{split}-{replicate * len(_CELLS) + cell:04d}",
        "age_group": AGE_GROUPS[age_group],
        "age_years": pd.NA,
        "sex": SEXES[(age_group + tone + group + replicate) % 2],
        "ethnicity": GROUPS[group],
        "skin_tone": SKIN_TONES[tone],
        "split": split,
        "identity_seed": int(random.integers(2**62)),
        "model_age": float(np.clip(random.normal(centre, spread), youngest, oldest)),
        "difficulty": design.difficulty,
    }
    clarity = float(np.exp(CLARITY_SPREAD[AGE_GROUPS[age_group]] * np.clip(random.standard_normal(), -2, 2)))
    shift = design.child_shift if AGE_GROUPS[age_group] == "child" else 1.0
    # these rotate domains and mouths from subject to subject
    turn, mouth = 2 * age_group + tone + group + replicate, age_group + tone // 2 + group // 2 + replicate
    for index, expression in enumerate(EXPRESSIONS):
        for image in range(design.images_per_expression):
            yield subject | {
                "face_id": f"{subject['subject_id']}-{expression}-{image + 1}",
                "expression": expression,
                # as in CAFE, surprise is posed with an open mouth only
                "mouth": "open"
                if expression == "surprise"
                else MOUTHS[(mouth + index + image) % len(MOUTHS)],
                "domain": DOMAINS[(turn + index + image) % len(DOMAINS)],
                **_performance(design, (*key, index, image), shift * clarity),
            }


def _is_validation(age_group: int, tone: int, group: int, replicate: int) -> bool:
    """Choose ten of a replicate's hundred subjects: every tone once, every group and age_group equally often."""
    return group == (tone + replicate) % len(GROUPS) and age_group == tone % len(AGE_GROUPS)


def _performance(design: Design, key: tuple[int, ...], shift: float) -> dict[str, Any]:
    """Return how strongly and purely an image shows its expression; the slopes are those of pilot trainings."""
    random = np.random.default_rng(np.random.SeedSequence(design.seed, spawn_key=key))
    difficulty = design.difficulty
    intensity = random.normal(1.25 - 0.65 * difficulty, 0.08 + 0.10 * difficulty)
    return {
        "image_seed": int(random.integers(2**62)),
        "intensity": float(np.clip(intensity, 0.2, 1.4)) * shift,
        "blend": 0.5 * difficulty * float(random.random()),
        "blended_with": EXPRESSIONS[int(random.integers(len(EXPRESSIONS)))],
    }


def _with_planted_gap(plan: pd.DataFrame, planted_gap: float) -> pd.DataFrame:
    """Return the first image of each test child and expression again, group E's intensity times the gap."""
    first = plan["face_id"].str.endswith("-1")
    twins = plan[(plan["split"] == "test") & (plan["age_group"] == "child") & first].copy()
    twins["dataset"] = GAP_DATASET
    twins["face_id"] = twins["face_id"].str.replace(DATASET, GAP_DATASET, n=1)
    twins.loc[twins["ethnicity"] == GAP_GROUP, "intensity"] *= planted_gap
    return twins
