"""What else could explain a gap between groups: expressions posed, ages, sexes, skin tone, quality of the pictures.

`adjusted_groups` compares groups as if all had posed the same expressions and had the same ages and sexes: a logistic
model of being right, fitted by generalized estimating equations (Liang & Zeger 1986) with subjects as clusters and
working independence. The covariance is Mancl & DeRouen's (2001, doi:10.1111/j.0006-341X.2001.00126.x), which corrects
the sandwich for few clusters. Tests use t and F instead of the normal (Li & Redden 2015, doi:10.1002/sim.6344): of all
groups with as many degrees of freedom as subjects less groups, of two groups with those of Welch (1947,
doi:10.2307/2332510). Results are standardised shares: the mean predicted chance of being right if every photograph were
of a child of that group.

`adjusted_gap` compares groups within skin tones, or tones within groups, by right answers observed minus expected per
photograph, expected being the share of the stratum (indirect standardisation, Breslow & Day 1987, volume II, chapter 2).
Groups are permuted among the children of one stratum (Good 2005, chapter 6).
"""

from typing import Final, NamedTuple

import cv2
import numpy as np
import pandas as pd
from scipy.stats import f as f_distribution
from scipy.stats import kruskal, t
from statsmodels.genmod.cov_struct import Independence
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_estimating_equations import GEE

from expression_scores.groups import INCOMPARABLE, check_one_run, comparable, holm, permutation_p_value
from expression_scores.intervals import DRAWS, LEVEL
from expression_scores.metrics import Counts, Floats, confusions_by_subject, is_right, subjects_of
from face_sets.images import Pixels
from face_sets.sharpness import sharpness

ADJUSTED_FOR: Final = ("expression", "mouth", "age_years", "sex")
"""What the model adjusts for, where the faces' table knows it of every photograph and it varies."""

COLUMNS: Final = (
    "group", "subjects", "images", "unadjusted", "adjusted", "difference", "low", "high", "p_value", "p_holm",
)  # fmt: skip

MEASURES: Final = ("brightness", "contrast", "sharpness")


class AdjustedGroups(NamedTuple):
    """Standardised shares by group, and a test of any difference between groups.

    `table` has a row per group: group, subjects, images, unadjusted, adjusted (0 to 1), difference (from the
    `reference` group), low, high, p_value, p_holm. `left_out` are expressions that were always or never read right, for
    which the model has no finite answer. Where groups cannot be compared the table has no rows, and `reason` says why.
    """

    table: pd.DataFrame
    reference: str
    p_value: float
    adjusted_for: tuple[str, ...]
    left_out: tuple[str, ...]
    reason: str = ""


class AdjustedGap(NamedTuple):
    """The widest difference of accuracy between groups of one factor, the other held fixed; from 0 to 1."""

    best: str
    worst: str
    difference: float
    p_value: float


def adjusted_groups(joined: pd.DataFrame, column: str = "ethnicity") -> AdjustedGroups:
    """Return the comparison of one run's groups, adjusted for what `ADJUSTED_FOR` names and the faces know.

    The reference is the group of most subjects. Rows without a group, and of groups with fewer than FEWEST_SUBJECTS,
    are left out.
    """
    rows, left_out = _rows(joined, column)
    groups = rows.groupby("group")["subject"].nunique().sort_values(ascending=False, kind="stable")
    if reason := _incomparable(rows, column):
        return _without_answer(reason, (), left_out)
    factors = _known_covariates(rows, column)
    design = _design(rows, list(groups.index), factors)
    if np.linalg.matrix_rank(design) < design.shape[1]:
        reason = f"The groups cannot be distinguished from {', '.join(factors)}, which the model adjusts for."
        return _without_answer(reason, tuple(factors), left_out)
    model = GEE(rows["right"], design, rows["subject"], family=Binomial(), cov_struct=Independence())
    fitted = model.fit(cov_type="bias_reduced")
    params, covariance = np.asarray(fitted.params), np.asarray(fitted.cov_params())
    effects = slice(1, len(groups))
    wald = float(params[effects] @ np.linalg.solve(covariance[effects, effects], params[effects]))
    freedom = (len(groups) - 1, int(groups.sum()) - len(groups))
    p_value = float(f_distribution.sf(wald / freedom[0], *freedom))
    table = _standardised(rows, design, params, covariance, list(groups.index))
    return AdjustedGroups(table, str(groups.index[0]), p_value, tuple(factors), left_out)


def adjusted_gap(
    joined: pd.DataFrame, factor: str, within: str, draws: int = DRAWS, seed: int = 0
) -> AdjustedGap:
    """Return the gap between the groups of `factor` that remains when the strata of `within` are held fixed.

    `joined` holds one run's predictions. Raises ValueError for several runs, for a subject in two groups or strata,
    and where no stratum holds two groups, so that the two cannot be distinguished.
    """
    subjects, confusions = confusions_by_subject(joined)
    each = _strata(joined, subjects, factor, within)
    members, groups = pd.factorize(each[factor], sort=True)
    strata = pd.factorize(each[within])[0]
    right = np.trace(confusions, axis1=1, axis2=2).astype(np.float64)
    images = confusions.sum(axis=(1, 2)).astype(np.float64)
    left_over = right - images * np.bincount(strata, right)[strata] / np.bincount(strata, images)[strata]
    values = _group_values(left_over, images, members[None, :], len(groups))
    permuted = _permuted_within(members, strata, draws, np.random.default_rng(seed))
    ranges = np.ptp(_group_values(left_over, images, permuted, len(groups)), axis=1)
    observed = float(np.ptp(values))
    best, worst = str(groups[int(values.argmax())]), str(groups[int(values.argmin())])
    return AdjustedGap(best, worst, observed, permutation_p_value(observed, ranges))


def picture_quality(faces: pd.DataFrame, pixels: Pixels, group: str) -> pd.DataFrame:
    """Return one row per measure of the face as networks get it: each group's median over children, p_value, p_holm.

    `pixels` is uint8 (N, S, S, 3), in the order of `faces`; faces without a group are left out. Each child counts once,
    with the mean over its pictures. Brightness and contrast are the mean and the standard deviation of grey levels, 0 to
    255. The test is Kruskal and Wallis' (1952), missing where fewer than two groups are known.
    """
    known = faces[group].notna().to_numpy()
    measured = pd.DataFrame([_measured(face) for face in pixels[known]], columns=list(MEASURES))
    keys = [faces.loc[known, column].astype(str).to_numpy() for column in (group, "subject_id")]
    children = measured.groupby(keys).mean()
    parts = [part for _, part in children.groupby(level=0)]
    tested = MEASURES if len(parts) > 1 else ()
    p_values = pd.Series({m: kruskal(*(part[m] for part in parts)).pvalue for m in tested}, dtype=float)
    p_values = p_values.reindex(MEASURES)
    table = children.groupby(level=0).median().T.assign(p_value=p_values, p_holm=holm(p_values))
    return table.rename_axis("measure").reset_index()


def _rows(joined: pd.DataFrame, column: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    known = joined[joined[column].astype("string").isin(comparable(joined, column))]
    rows = known.assign(
        group=known[column].astype(str),
        subject=subjects_of(known),
        expression=known["expression"].astype(str),
        right=is_right(known).astype(float),
    ).sort_values(["subject", "face_id"])
    shares = rows.groupby("expression")["right"].mean()
    constant = tuple(shares.index[(shares == 0) | (shares == 1)])
    return rows[~rows["expression"].isin(constant)].reset_index(drop=True), constant


def _incomparable(rows: pd.DataFrame, column: str) -> str:
    """Why the model has no answer, in a sentence; empty if it has one."""
    shares = rows.groupby("group")["right"].mean()
    if len(shares) < 2:
        return INCOMPARABLE
    if len(extreme := shares[(shares == 0) | (shares == 1)]):
        return (
            f"Group {extreme.index[0]!r} of {column!r} is always or never classified correctly: the model has no "
            "finite answer. The unadjusted table holds what can be said."
        )
    return ""


def _without_answer(reason: str, factors: tuple[str, ...], left_out: tuple[str, ...]) -> AdjustedGroups:
    return AdjustedGroups(pd.DataFrame(columns=COLUMNS), "", np.nan, factors, left_out, reason)


def _known_covariates(rows: pd.DataFrame, column: str) -> list[str]:
    names = [name for name in ADJUSTED_FOR if name != column and name in rows]
    return [name for name in names if rows[name].notna().all() and rows[name].nunique() > 1]


def _design(rows: pd.DataFrame, groups: list[str], factors: list[str]) -> pd.DataFrame:
    """Intercept, a column per group but the first, then the covariates: categories as dummies, ages centred."""
    parts = [pd.DataFrame({"intercept": 1.0, **{g: (rows["group"] == g) * 1.0 for g in groups[1:]}})]
    for name in factors:
        if name == "age_years":
            age = rows[name].astype(float)
            parts.append((age - age.mean()).to_frame())
        else:
            parts.append(pd.get_dummies(rows[name].astype(str), prefix=name, drop_first=True, dtype=float))
    return pd.concat(parts, axis=1)


def _standardised(
    rows: pd.DataFrame, design: pd.DataFrame, params: Floats, covariance: Floats, groups: list[str]
) -> pd.DataFrame:
    shares, gradients = _as_each_group(design, params, len(groups))
    by_group = rows.groupby("group")
    sizes = by_group.agg(
        subjects=("subject", "nunique"), images=("right", "size"), unadjusted=("right", "mean")
    )
    sizes = sizes.loc[groups]
    variances = np.einsum("ij,jk,ik->i", gradients, covariance, gradients)
    freedom = _welch(variances, sizes["subjects"].to_numpy())
    contrasts = gradients - gradients[0]
    error = np.sqrt(np.einsum("ij,jk,ik->i", contrasts, covariance, contrasts).clip(min=0))
    difference = shares - shares[0]
    reach = t.ppf((1 + LEVEL) / 2, freedom) * error
    missing = np.where(np.arange(len(groups)) == 0, np.nan, 1.0)  # the reference is not compared with itself
    p_value = 2 * t.sf(np.abs(difference) / np.where(error > 0, error, np.nan), freedom)
    return sizes.reset_index().assign(
        adjusted=shares, difference=difference * missing, low=(difference - reach) * missing,
        high=(difference + reach) * missing, p_value=p_value, p_holm=holm(pd.Series(p_value)),
    )  # fmt: skip


def _as_each_group(design: pd.DataFrame, params: Floats, groups: int) -> tuple[Floats, Floats]:
    """Return the mean chance of being right if all rows were of each group, and its gradient (delta method)."""
    shares, gradients = [], []
    for position in range(groups):
        moved = design.to_numpy(copy=True)
        moved[:, :groups] = np.eye(groups)[position]
        moved[:, 0] = 1.0
        chance = 1 / (1 + np.exp(-moved @ params))
        shares.append(chance.mean())
        gradients.append((chance * (1 - chance)) @ moved / len(moved))
    return np.array(shares), np.array(gradients)


def _welch(variances: Floats, subjects: Floats) -> Floats:
    """Degrees of freedom of each group's difference from the first, from the variance of each group's own share."""
    parts = variances**2 / (subjects - 1)
    return (variances + variances[0]) ** 2 / (parts + parts[0])


def _strata(joined: pd.DataFrame, subjects: list[str], factor: str, within: str) -> pd.DataFrame:
    """Return each subject's group and stratum, checked: a row per subject, in the order given."""
    check_one_run(joined)
    each = joined[[factor, within]].astype(str).assign(subject=subjects_of(joined)).drop_duplicates()
    if len(each) != len(subjects):
        raise ValueError(f"a subject is in two groups of {factor!r} or two strata of {within!r}")
    each = each.set_index("subject").loc[subjects]
    if (each.groupby(within)[factor].nunique() < 2).all():
        raise ValueError(f"no {within!r} holds two groups of {factor!r}: the two cannot be distinguished")
    return each


def _group_values(left_over: Floats, images: Floats, labellings: Counts, groups: int) -> Floats:
    """Return what is left over per photograph: from labellings (n, children) to (n, groups)."""
    member = [(labellings == code).astype(np.float64) for code in range(groups)]
    return np.stack([(each @ left_over) / (each @ images) for each in member], axis=-1)


def _permuted_within(members: Counts, strata: Counts, draws: int, generator: np.random.Generator) -> Counts:
    """Return `draws` labellings, (draws, children), permuted among the children of each stratum."""
    by_stratum = np.argsort(strata, kind="stable")
    mixed = np.argsort(strata + generator.random((draws, len(strata))), axis=1)  # strata stay in order
    permuted = np.empty((draws, len(strata)), dtype=members.dtype)
    permuted[:, by_stratum] = members[mixed]
    return permuted


def _measured(face: Pixels) -> tuple[float, float, float]:
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    return float(grey.mean()), float(grey.std()), sharpness(face)
