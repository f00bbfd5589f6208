"""What the faces of a study cover: counts by set, expression and age group, with the holes in them."""

from typing import Final

import pandas as pd

from face_sets.expressions import EXPRESSIONS
from fer_utils.tables import AGE_GROUPS

HOLE: Final = 0


def coverage(faces: pd.DataFrame) -> pd.DataFrame:
    """Return how many faces each data set and age group has of each expression; none is a 0, not an absent row.

    One row a data set and age_group that the set has at all, seven columns in class order: integers.
    """
    counts = pd.crosstab([faces["dataset"], faces["age_group"]], faces["expression"])
    counts = counts.reindex(columns=list(EXPRESSIONS), fill_value=HOLE)
    age_groups = [
        (d, c) for d in sorted(faces["dataset"].unique()) for c in AGE_GROUPS if (d, c) in counts.index
    ]
    return counts.reindex(pd.MultiIndex.from_tuples(age_groups, names=["dataset", "age_group"]))


def holes(faces: pd.DataFrame) -> list[str]:
    """Return what no face shows, a line a data set and age group: `no disgust, surprise in nimh_chefs (child)`."""
    table = coverage(faces)
    lines = []
    for (dataset, age_group), counts in zip(table.index, table.to_numpy(), strict=True):
        if lacking := [name for name, count in zip(EXPRESSIONS, counts, strict=True) if count == HOLE]:
            lines.append(f"no {', '.join(lacking)} in {dataset} ({age_group})")
    return lines
