"""Skins that are nobody's: blends of at least three persons, who stay on one side of the split."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from photograph_skins.landmarks import read_template
from photograph_skins.skin_maps import SkinMap, skin_map
from rendered_faces.person import Person
from rendered_faces.skin import skin_colour

FEWEST: Final = 3
"""Persons in a blend: with fewer, a rendered face would show somebody, with an expression that they never made."""

HELD_OUT: Final = 4
"""Persons of each sex kept for validation: enough for several blends, and most persons are left to learn from."""

_EVENNESS: Final = 4.0  # of the shares in a blend (Dirichlet): no person has much more than half


@dataclass(frozen=True, eq=False)
class Sitter:
    """One person's skin, and what decides where it is used. `split` is train or validation."""

    subject_id: str
    sex: str
    split: str
    skin: SkinMap


def load_sitters(photographs: Sequence[Mapping[Hashable, Any]], folder: Path) -> list[Sitter]:
    """Return the persons of neutral photographs; beside each picture lies its `.tem` file of landmarks.

    `photographs` are rows with path (below `folder`), subject_id and sex. Of each sex, HELD_OUT persons, chosen by
    their ids alone, are for validation. Raises ValueError if a sex has too few persons for blends on both sides, or
    for a picture that cannot be read; TemplateError without its landmarks.
    """
    sitters = []
    for sex in sorted({str(row["sex"]) for row in photographs}):
        of_sex = sorted(
            (row for row in photographs if row["sex"] == sex), key=lambda row: str(row["subject_id"])
        )
        if len(of_sex) < HELD_OUT + FEWEST:
            raise ValueError(f"{len(of_sex)} {sex} persons: blends need at least {HELD_OUT + FEWEST}")
        step = len(of_sex) // HELD_OUT
        held_out = set(range(0, HELD_OUT * step, step))
        for place, row in enumerate(of_sex):
            split = "validation" if place in held_out else "train"
            sitters.append(Sitter(str(row["subject_id"]), sex, split, _skin_of(folder / str(row["path"]))))
    return sitters


def _skin_of(path: Path) -> SkinMap:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise ValueError(f"{path.name} cannot be read as a picture")
    return skin_map(np.asarray(picture, np.uint8), read_template(path.with_suffix(".tem")))


def blended(sitters: Sequence[Sitter], sex: str, split: str, seed: int, persons: int = FEWEST) -> SkinMap:
    """Return a random blend of so many persons of one sex and one side of the split; the same for the same seed.

    Raises ValueError if there are not so many, or for a blend of fewer than one.
    """
    there = [each.skin for each in sitters if each.sex == sex and each.split == split]
    if not 1 <= persons <= len(there):
        raise ValueError(f"cannot blend {persons} of {len(there)} {sex} persons of the side {split}")
    random = np.random.default_rng(seed)
    chosen = [there[place] for place in random.choice(len(there), persons, replace=False)]
    shares = random.dirichlet([_EVENNESS] * persons).astype(np.float32)
    mixed = [sum(s * getattr(one, name) for s, one in zip(shares, chosen, strict=True)) for name in _PARTS]
    return SkinMap(*(np.asarray(part, np.float32) for part in mixed))


_PARTS: Final = ("colour", "cover", "lips")


def wearing(person: Person, skin: SkinMap) -> Person:
    """Return a rendered person whose face is the skin in that person's own tone; hair, eyes and head stay."""
    tone = skin_colour(person.identity.skin_tone) ** 2
    cover = (skin.cover * (1 - person.hair.cover))[..., None]
    painted = person.paint[..., :3]
    paint = painted + cover * (np.minimum(skin.colour * tone, 1) - painted)
    return replace(person, paint=np.dstack([paint, person.paint[..., 3]]), lips=skin.lips * tone)
