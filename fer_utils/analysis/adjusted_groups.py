"""Groups compared as if all had posed the same expressions and had the same ages and sexes.

A logistic model of being right, fitted by generalized estimating equations (Liang & Zeger 1986) with subjects as
clusters. Working independence keeps the unadjusted shares what they are in the other tables. The covariance is
Mancl & DeRouen's (2001, doi:10.1111/j.0006-341X.2001.00126.x), which corrects the sandwich for few clusters. Tests use
t and F instead of the normal (Li & Redden 2015, doi:10.1002/sim.6344). The test of all groups has as many degrees of
freedom as subjects less groups: simulated with CAFE's groups and no gap, it then speaks in 5 % of samples. A difference
between two groups has those of Welch (1947, doi:10.2307/2332510), which the smaller group decides. Results are standardised
shares: the mean predicted chance of being right if every photograph were of a child of that group, in the unit of
accuracy.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import f as f_distribution
from scipy.stats import t
from statsmodels.genmod.cov_struct import Independence
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_estimating_equations import GEE

from fer_utils.analysis.group_pairs import holm
from fer_utils.analysis.groups import NOT_GIVEN
from fer_utils.analysis.metrics import Floats, subjects_of
from fer_utils.analysis.resampling import LEVEL

ADJUSTED_FOR: Final = ("expression", "mouth", "age_years", "sex")
"""What the model adjusts for, where the faces' table knows it of every photograph and it varies."""


@dataclass(frozen=True)
class AdjustedGroups:
    """Standardised shares by group, and a test of any difference between groups.

    `table` has a row a group: group, subjects, images, unadjusted, adjusted (0 to 1), difference (from the
    `reference` group), low, high, p_value, p_holm. `left_out` are expressions that were always or never read
    right: they tell nothing about groups, and the model has no finite answer for them.
    """

    table: pd.DataFrame
    reference: str
    p_value: float
    adjusted_for: tuple[str, ...]
    left_out: tuple[str, ...]


def adjusted_groups(joined: pd.DataFrame, column: str = "ethnicity") -> AdjustedGroups:
    """Return the comparison of one run's groups, adjusted for what `ADJUSTED_FOR` names and the faces know.

    The reference is the group of most subjects. Rows without a group are left out. Raises ValueError for fewer
    than two groups, a group of one subject, or one that is always or never right.
    """
    rows, left_out = _rows(joined, column)
    groups = rows.groupby("group")["subject"].nunique().sort_values(ascending=False, kind="stable")
    _check(rows, groups, column)
    factors = _known_covariates(rows, column)
    design = _design(rows, list(groups.index), factors)
    fitted = GEE(
        rows["right"], design, groups=rows["subject"], family=Binomial(), cov_struct=Independence()
    ).fit(cov_type="bias_reduced")
    covariance = np.asarray(fitted.cov_params())
    freedom = int(groups.sum()) - len(groups)
    table = _standardised(rows, design, np.asarray(fitted.params), covariance, list(groups.index))
    effects = slice(1, len(groups))
    coefficients = np.asarray(fitted.params)[effects]
    wald = float(coefficients @ np.linalg.solve(covariance[effects, effects], coefficients))
    p_value = float(f_distribution.sf(wald / len(coefficients), len(coefficients), freedom))
    return AdjustedGroups(table, str(groups.index[0]), p_value, tuple(factors), left_out)


def _rows(joined: pd.DataFrame, column: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    known = joined[joined[column].notna() & (joined[column].astype(str) != NOT_GIVEN)]
    rows = known.assign(
        group=known[column].astype(str),
        subject=subjects_of(known),
        expression=known["expression"].astype(str),
        right=(known["predicted"].astype(str) == known["expression"].astype(str)).astype(float),
    ).sort_values(["subject", "face_id"])
    shares = rows.groupby("expression")["right"].mean()
    constant = tuple(shares.index[(shares == 0) | (shares == 1)])
    return rows[~rows["expression"].isin(constant)].reset_index(drop=True), constant


def _check(rows: pd.DataFrame, groups: pd.Series, column: str) -> None:
    if len(groups) < 2:
        raise ValueError(f"an adjusted comparison needs two groups of {column!r}, given {len(groups)}")
    if groups.min() < 2:
        raise ValueError(f"group {groups.idxmin()!r} of {column!r} is one subject: leave it out of the model")
    shares = rows.groupby("group")["right"].mean()
    if len(extreme := shares[(shares == 0) | (shares == 1)]):
        raise ValueError(
            f"group {extreme.index[0]!r} of {column!r} is always or never read right: the model has no finite "
            "answer; the unadjusted table holds what can be said"
        )


def _known_covariates(rows: pd.DataFrame, column: str) -> list[str]:
    return [
        name
        for name in ADJUSTED_FOR
        if name != column and name in rows and rows[name].notna().all() and rows[name].nunique() > 1
    ]


def _design(rows: pd.DataFrame, groups: list[str], factors: list[str]) -> pd.DataFrame:
    """Intercept, a column a group but the first, then the covariates: categories as dummies, ages centred."""
    parts = [pd.DataFrame({"intercept": 1.0, **{g: (rows["group"] == g) * 1.0 for g in groups[1:]}})]
    for name in factors:
        if name == "age_years":
            age = rows[name].astype(float)
            parts.append((age - age.mean()).to_frame())
        else:
            parts.append(pd.get_dummies(rows[name].astype(str), prefix=name, drop_first=True, dtype=float))
    return pd.concat(parts, axis=1)


def _standardised(
    rows: pd.DataFrame,
    design: pd.DataFrame,
    params: Floats,
    covariance: Floats,
    groups: list[str],
) -> pd.DataFrame:
    shares, gradients = [], []
    for position in range(len(groups)):
        moved = design.to_numpy(copy=True)
        moved[:, 1 : len(groups)] = 0.0
        moved[:, 0] = 1.0
        if position:
            moved[:, position] = 1.0
        chance = 1 / (1 + np.exp(-moved @ params))
        shares.append(chance.mean())
        gradients.append((chance * (1 - chance)) @ moved / len(moved))  # delta method
    sizes = (
        rows.groupby("group")
        .agg(subjects=("subject", "nunique"), images=("right", "size"), unadjusted=("right", "mean"))
        .loc[groups]
    )
    freedom = _welch(np.einsum("ij,jk,ik->i", gradients, covariance, gradients), sizes["subjects"].to_numpy())
    contrasts = np.array(gradients) - gradients[0]
    error = np.sqrt(np.einsum("ij,jk,ik->i", contrasts, covariance, contrasts).clip(min=0))
    difference = np.array(shares) - shares[0]
    reach = t.ppf((1 + LEVEL) / 2, freedom) * error
    missing = np.where(np.arange(len(groups)) == 0, np.nan, 1.0)  # the reference is not compared with itself
    p_value = 2 * t.sf(np.abs(difference) / np.where(error > 0, error, np.nan), freedom)
    return sizes.reset_index().assign(
        adjusted=shares, difference=difference * missing, low=(difference - reach) * missing,
        high=(difference + reach) * missing, p_value=p_value, p_holm=holm(pd.Series(p_value)),
    )  # fmt: skip


def _welch(variances: Floats, subjects: Floats) -> Floats:
    """Degrees of freedom of each group's difference from the first, from the variance of each group's own share."""
    parts = variances**2 / (subjects - 1)
    return (variances + variances[0]) ** 2 / (parts + parts[0])
