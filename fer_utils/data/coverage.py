"""What the faces of a study cover: counts by set, expression and age group, with the holes in them."""

from typing import Final

import pandas as pd

from fer_utils.expressions import EXPRESSIONS
from fer_utils.tables import COHORTS

HOLE: Final = 0


def coverage(faces: pd.DataFrame) -> pd.DataFrame:
    """Return how many faces each data set and age group has of each expression; none is a 0, not an absent row.

    One row a data set and cohort that the set has at all, seven columns in class order: integers.
    """
    counts = pd.crosstab([faces["dataset"], faces["cohort"]], faces["expression"])
    counts = counts.reindex(columns=list(EXPRESSIONS), fill_value=HOLE)
    cohorts = [(d, c) for d in sorted(faces["dataset"].unique()) for c in COHORTS if (d, c) in counts.index]
    return counts.reindex(pd.MultiIndex.from_tuples(cohorts, names=["dataset", "cohort"]))


def holes(faces: pd.DataFrame) -> pd.DataFrame:
    """Return the combinations that have no face, one a row: dataset, cohort, expression."""
    table = coverage(faces)
    long = table.reset_index().melt(["dataset", "cohort"], var_name="expression", value_name="images")
    return long.loc[long["images"] == HOLE, ["dataset", "cohort", "expression"]].reset_index(drop=True)


def balance(faces: pd.DataFrame) -> pd.DataFrame:
    """Return how even the expressions are in each split: split, expression, images, share (0 to 1 of the split).

    `rarity` is how many times the split's most frequent expression outnumbers this one; infinite where there is
    no face.
    """
    counts = pd.crosstab(faces["split"].astype(str), faces["expression"])
    counts = counts.reindex(columns=list(EXPRESSIONS), fill_value=HOLE)
    long = counts.reset_index().melt("split", var_name="expression", value_name="images")
    by_split = long.groupby("split")["images"]
    return long.assign(
        share=long["images"] / by_split.transform("sum"), rarity=by_split.transform("max") / long["images"]
    )
