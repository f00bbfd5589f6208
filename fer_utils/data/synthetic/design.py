"""Which synthetic faces a study draws: every factor crossed with every other, one row an image."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

from fer_utils.expressions import EXPRESSIONS
from fer_utils.study import Study

DATASET: Final = "synthetic"
GAP_DATASET: Final = "synthetic-gap"
COHORTS: Final = ("child", "adult")
SKIN_TONES: Final = tuple(range(1, 11))  # the Monk scale
GROUPS: Final = ("A", "B", "C", "D", "E")
GAP_GROUP: Final = "E"
DOMAINS: Final = ("lab", "wild", "phone")
SEXES: Final = ("female", "male")

_CELLS: Final = tuple((c, t, g) for c in range(len(COHORTS)) for t in range(10) for g in range(len(GROUPS)))
_POOLS: Final = ("train", "test")  # the position enters the seeds: never reorder


def plan_faces(study: Study) -> pd.DataFrame:
    """Return one row for each image to draw, those of the set with the planted gap last.

    The columns are those of the `faces` table that are known before drawing, and what the renderer needs:
    identity_seed and image_seed (non-negative integers), childness (about 0 adult, about 1 child), intensity
    (1: the prototype), blend (share of `blended_with`, another expression) and difficulty (0 to 1).
    Ages are missing: synthetic faces are not calibrated in years. A subject's seeds depend on the study's seed
    and the subject's own cell and replicate alone, so more replicates leave the faces before as they were.
    """
    plan = pd.DataFrame([*_pool(study, "train"), *_pool(study, "test")])
    return pd.concat([plan, _with_planted_gap(plan, study.planted_gap)], ignore_index=True).astype(
        {"age_years": "Float64"}
    )


def _pool(study: Study, pool: str) -> Iterator[dict[str, Any]]:
    replicates = study.training_replicates if pool == "train" else study.test_replicates
    for replicate in range(replicates):
        for cell in range(len(_CELLS)):
            yield from _subject(study, pool, replicate, cell)


def _subject(study: Study, pool: str, replicate: int, cell: int) -> Iterator[dict[str, Any]]:
    cohort, tone, group = _CELLS[cell]
    split = "validation" if pool == "train" and _is_validation(cohort, tone, group, replicate) else pool
    key = (_POOLS.index(pool), replicate, cell)
    random = np.random.default_rng(np.random.SeedSequence(study.seed, spawn_key=key))
    subject = {
        "dataset": DATASET,
        "subject_id": f"{DATASET}-{split}-{replicate * len(_CELLS) + cell:04d}",
        "cohort": COHORTS[cohort],
        "age_years": pd.NA,
        "sex": SEXES[(cohort + tone + group + replicate) % 2],
        "ethnicity": GROUPS[group],
        "skin_tone": SKIN_TONES[tone],
        "split": split,
        "identity_seed": int(random.integers(2**62)),
        "childness": _childness(COHORTS[cohort], random),
        "difficulty": study.difficulty,
    }
    shift = study.child_shift if COHORTS[cohort] == "child" else 1.0
    turn = 2 * cohort + tone + group + replicate  # rotates the domains from subject to subject
    for index, expression in enumerate(EXPRESSIONS):
        for image in range(study.images_per_expression):
            yield subject | {
                "face_id": f"{subject['subject_id']}-{expression}-{image + 1}",
                "expression": expression,
                "domain": DOMAINS[(turn + index + image) % len(DOMAINS)],
                **_performance(study, (*key, index, image), shift),
            }


def _is_validation(cohort: int, tone: int, group: int, replicate: int) -> bool:
    """Choose ten of a replicate's hundred subjects: every tone once, every group and cohort equally often."""
    return group == (tone + replicate) % len(GROUPS) and cohort == tone % len(COHORTS)


def _childness(cohort: str, random: np.random.Generator) -> float:
    centre, spread, low, high = (0.92, 0.10, 0.6, 1.15) if cohort == "child" else (0.02, 0.06, -0.1, 0.15)
    return float(np.clip(random.normal(centre, spread), low, high))


def _performance(study: Study, key: tuple[int, ...], shift: float) -> dict[str, Any]:
    """Draw how strongly and how purely one image shows its expression.

    The slopes on difficulty come from pilot trainings (see `action_units.posed`).
    """
    random = np.random.default_rng(np.random.SeedSequence(study.seed, spawn_key=key))
    difficulty = study.difficulty
    intensity = random.normal(0.95 - 0.45 * difficulty, 0.08 + 0.10 * difficulty)
    return {
        "image_seed": int(random.integers(2**62)),
        "intensity": float(np.clip(intensity, 0.2, 1.2)) * shift,
        "blend": 0.5 * difficulty * float(random.random()),
        "blended_with": EXPRESSIONS[int(random.integers(len(EXPRESSIONS)))],
    }


def _with_planted_gap(plan: pd.DataFrame, planted_gap: float) -> pd.DataFrame:
    """Return the first image of each test child and expression again, group E's intensity times the gap."""
    first = plan["face_id"].str.endswith("-1")
    twins = plan[(plan["split"] == "test") & (plan["cohort"] == "child") & first].copy()
    twins["dataset"] = GAP_DATASET
    twins["face_id"] = twins["face_id"].str.replace(DATASET, GAP_DATASET, n=1)
    twins.loc[twins["ethnicity"] == GAP_GROUP, "intensity"] *= planted_gap
    return twins
