"""Faces to learn from: a plan of rendered persons, and each of them with or without a skin blended of photographs."""

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import pandas as pd

from photograph_skins.blends import FEWEST, Sitter, blended, wearing
from rendered_faces.design import Design, plan_faces
from rendered_faces.person import Person, Row, person_of

Kind = Literal["painted", "more painted", "skins", "single"]
"""How faces are made: painted by rule; the same of more persons; wearing a blend of photographs; wearing one person's
(only to compare with)."""

REPLICATES: Final[dict[Kind, int]] = {"painted": 5, "more painted": 20, "skins": 8, "single": 8}
"""Of the plan's hundred persons; skins are worn by its adult half alone. About as many faces of each kind, but for more
painted ones: the painted persons and others, each on the same side of the split."""

IN_SKINS: Final[tuple[Kind, ...]] = ("skins", "single")
"""Kinds that are made of photographs."""

_SEED: Final = 2023  # of the plan; that of the study's own faces

_WEAKEST: Final = {"happiness": 0.3}  # as the prototypes found: mild smiles are smiles
_WEAK, _STRONG = 0.6, 1.2  # of the other expressions: weaker ones make resting faces unreadable
_RESTING: Final = 0.25  # most of another expression that a resting face may show: faces at rest differ widely


def plan(kind: Kind) -> pd.DataFrame:
    """Return the plan of a kind of faces: one image of each expression of each person, ten in a hundred held out."""
    seed = _SEED + (kind in IN_SKINS)  # other persons than the painted ones
    rows = plan_faces(Design(seed, REPLICATES[kind], test_replicates=0, images_per_expression=1))
    random = np.random.default_rng(seed)
    weakest = rows["expression"].map(_WEAKEST).fillna(_WEAK)
    rest = rows["expression"] == "neutral"
    rows["intensity"] = np.where(rest, 1.0, weakest + (_STRONG - weakest) * random.random(len(rows)))
    rows["blend"] = np.where(rest, _RESTING * random.random(len(rows)), rows["blend"])
    return (rows[rows["age_group"] == "adult"] if kind in IN_SKINS else rows).reset_index(drop=True)


def dressed(row: Row, kind: Kind, sitters: Sequence[Sitter]) -> Person:
    """Return the person of a row of a plan in a skin of its kind; the sitters are those of the row's side of the split."""
    if kind not in IN_SKINS:
        return person_of(row)
    persons = FEWEST if kind == "skins" else 1
    skin = blended(sitters, str(row["sex"]), str(row["split"]), int(row["identity_seed"]), persons)
    return wearing(person_of(row), skin)
