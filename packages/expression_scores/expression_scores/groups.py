"""Results by group of subjects or photographs, gaps between groups, and how large a gap so many children can show.

Points are Fairlearn's, F1 less its bias in small groups; intervals are over subjects, for Fairlearn's own count
photographs of one child as children.

The largest of several gaps is above zero even where no group differs. It is therefore shown with a permutation test
and with bounds for the largest true gap that allow for the choice. Those come from intervals of all pairs by Games &
Howell (1976, doi:10.3102/10769986001002113): the studentized range with Welch's degrees of freedom, for groups of
unequal sizes and spreads, here with the jackknife's standard errors. All of them contain the truth together in 95 % of
samples, so the widest one may be read off after looking.

What a gap must measure to be found follows from the design effect for children with unequal numbers of photographs
(Eldridge, Ashby & Kerry 2006, doi:10.1093/ije/dyl129); the correlation within children is estimated by analysis of
variance (Ridout, Demétrio & Firth 1999, doi:10.1111/j.0006-341X.1999.00137.x).
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import comb
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame
from scipy.stats import t
from statsmodels.stats.libqsturng import qsturng

from expression_scores.intervals import (
    DRAWS,
    LEVEL,
    Interval,
    intervals,
    jackknife_error,
    paired_differences,
    recall_intervals,
    unpaired_differences,
    welch,
    without_bias,
)
from expression_scores.metrics import (
    METRICS,
    Counts,
    Floats,
    confusions_by_subject,
    points_of,
    scores,
    scores_of_confusions,
    subjects_of,
)
from expression_scores.printed_scores import ALPHA, POWER
from expression_scores.run_scores import with_ends
from face_sets.expressions import EXPRESSIONS

NOT_GIVEN: Final = "not given"

TIE: Final = 1e-12
"""Ranges closer than this are equal: two orders of summing one set of numbers differ by less."""

FEWEST_SUBJECTS: Final = 9
"""A group of fewer is too small to report or to compare: NCHS asks for 8 degrees of freedom (Parker et al. 2017)."""

INCOMPARABLE: Final = (
    f"There are no two groups with {FEWEST_SUBJECTS} children or more: groups cannot be compared."
)

UNCLUSTERED: Final = (
    "How alike a child's photographs are cannot be estimated: it needs two children, one with two photographs, and "
    "answers that are not all right or all wrong."
)

BIASED: Final = ("macro_f1", "weighted_f1")
"""Metrics that are biased in small groups, by more the smaller they are: groups are given them without this bias."""

UNBIASED: Final = tuple(metric for metric in METRICS if metric not in BIASED)

WIDEST_INTERVAL: Final = 0.30
"""A group whose interval of accuracy is this wide or wider is too small to report (Parker et al. 2017)."""

AGE_BANDS: Final = {"under 4": 4.0, "4 and 5": 6.0, "6 to 8": 9.0, "9 to 12": 13.0, "13 to 17": 18.0}
"""Names of age bands and the age in years that each ends before: the first three divide CAFE's children (2.7 to 8.7
years) into bands of about two years; the others are for sets with older children."""


class Gap(NamedTuple):
    """The gap between the groups that score best and worst, in the metric's unit (0 to 1).

    `low` and `high` are of the difference between these two groups as if they had been named beforehand.
    `largest_low` and `largest_high` bound the largest true gap between any two groups, the choice allowed for.
    `by_chance` is the median gap when groups are permuted among subjects.
    """

    best: str
    worst: str
    difference: float
    low: float
    high: float
    p_value: float
    largest_low: float
    largest_high: float
    by_chance: float


def by_group(joined: pd.DataFrame, column: str, draws: int = DRAWS, seed: int = 0) -> pd.DataFrame:
    """Return one row per group of `column`: subjects, images, each metric with `_low` and `_high` ends, `too_small`.

    `joined` holds one run's predictions; a subject may be in several groups. Rows without a group stand under "not
    given". Ends are missing for a group of one subject. `too_small`: fewer than `FEWEST_SUBJECTS`, or an interval of
    accuracy as wide as `WIDEST_INTERVAL`. Raises ValueError for several runs or an unknown column.
    """
    labels = _labels(joined, column)
    points = MetricFrame(
        metrics={m: lambda truth, predicted, m=m: scores(truth, predicted)[m] for m in UNBIASED},
        y_true=joined["expression"].astype(str),
        y_pred=joined["predicted"].astype(str),
        sensitive_features=labels.rename(column),
    ).by_group
    rows = []
    for group, point in points.iterrows():
        _, confusions = confusions_by_subject(joined[labels == group])
        found = intervals(confusions, draws, seed)
        unbiased = without_bias(confusions, scores_of_confusions)
        row = {column: group, "subjects": len(confusions), "images": int(confusions.sum())}
        row |= with_ends({m: _moved(each, unbiased[m]) for m, each in found.items() if m in BIASED})
        row |= with_ends({m: found[m] for m in UNBIASED}) | {m: float(point[m]) for m in UNBIASED}
        narrow = found["accuracy"].high - found["accuracy"].low < WIDEST_INTERVAL
        rows.append(row | {"too_small": len(confusions) < FEWEST_SUBJECTS or not narrow})
    return pd.DataFrame(rows)


def recalls_by_group(joined: pd.DataFrame, column: str, draws: int = DRAWS, seed: int = 0) -> pd.DataFrame:
    """Return one row per group of `column` and expression that it shows; `joined` holds one run's predictions.

    Columns: group, expression, subjects, images, recall, low, high, taken_for (the wrong answer given most often, missing
    if none) and taken_share, 0 to 1. Ends are missing where one subject shows it.
    """
    rows = []
    for group, part in joined.groupby(_labels(joined, column)):
        _, confusions = confusions_by_subject(part)
        for position, (expression, found) in enumerate(recall_intervals(confusions, draws, seed).items()):
            answers = confusions[:, position].sum(axis=0)
            wrong = np.where(np.arange(len(answers)) == position, 0, answers)
            if images := int(answers.sum()):
                taken = (EXPRESSIONS[int(wrong.argmax())] if wrong.any() else None, wrong.max() / images)
                subjects = int((confusions[:, position].sum(axis=1) > 0).sum())
                ends = (found.estimate, found.low, found.high)
                rows.append((group, expression, subjects, images, *ends, *taken))
    columns = [
        "group",
        "expression",
        "subjects",
        "images",
        "recall",
        "low",
        "high",
        "taken_for",
        "taken_share",
    ]
    return pd.DataFrame(rows, columns=columns)


def confusions_by_group(joined: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return one row per group, expression shown and answer given to it: group, shown, predicted, images."""
    keys = [_labels(joined, column).rename("group"), joined["expression"].astype(str).rename("shown"),
            joined["predicted"].astype(str)]  # fmt: skip
    return joined.groupby(keys).size().rename("images").reset_index()


def with_age_band(joined: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with a column `age_band`: a name of `AGE_BANDS`, "18 and over", or missing as the age is.

    >>> with_age_band(pd.DataFrame({"age_years": [3.9, 4.0, 30.0]}))["age_band"].to_list()
    ['under 4', '4 and 5', '18 and over']
    """
    edges = [0.0, *AGE_BANDS.values(), np.inf]
    names = [*AGE_BANDS, "18 and over"]
    return joined.assign(age_band=pd.cut(joined["age_years"].astype(float), edges, right=False, labels=names))


def known_factors(joined: pd.DataFrame, columns: tuple[str, ...]) -> list[str]:
    """Return those of the columns that divide the rows into two known groups or more.

    >>> known_factors(pd.DataFrame({"sex": ["female", "male"], "mouth": [None, "open"]}), ("sex", "mouth"))
    ['sex']
    """
    return [column for column in columns if column in joined and joined[column].nunique() > 1]


def difference_within(
    joined: pd.DataFrame, column: str, pair: tuple[str, str], draws: int = DRAWS, seed: int = 0
) -> dict[str, Interval]:
    """Return first minus second for each metric between two kinds of photographs (mouth open and closed, say).

    Subjects and expressions that occur in only one of the two are left out; empty when fewer than two subjects remain.
    """
    labels = _labels(joined, column)
    kinds = [joined[labels == kind] for kind in pair]
    shared = set(kinds[0]["expression"].astype(str)) & set(kinds[1]["expression"].astype(str))
    kinds = [kind[kind["expression"].astype(str).isin(shared)] for kind in kinds]
    both = sorted(set(subjects_of(kinds[0])) & set(subjects_of(kinds[1])))
    if len(both) < 2:
        return {}
    counts = [confusions_by_subject(kind[subjects_of(kind).isin(both)])[1] for kind in kinds]
    return paired_differences(np.stack(counts, axis=1), draws, seed)


def largest_gap(
    joined: pd.DataFrame, column: str, metric: str = "accuracy", draws: int = DRAWS, seed: int = 0
) -> Gap:
    """Return the gap between the best and the worst group, its interval, and a permutation test of any gap.

    Rows without a group, and groups of fewer than FEWEST_SUBJECTS, are left out. Raises ValueError for fewer than two
    groups, or a subject who is in two of them.
    """
    grouped, members, confusions = grouped_counts(joined, column)
    points = points_of(grouped, metric)
    best, worst = max(points, key=points.__getitem__), min(points, key=points.__getitem__)
    interval = unpaired_differences(grouped[best], grouped[worst], draws, seed)[metric]
    bounds = bounds_of_largest(pairwise(grouped, metric))
    permuted = np.random.default_rng(seed).permuted(np.tile(members, (draws, 1)), axis=1)
    by_chance = _ranges(confusions, permuted, metric)
    return Gap(
        best, worst, interval.estimate, interval.low, interval.high,
        p_value=permutation_p_value(interval.estimate, by_chance),
        largest_low=bounds[0], largest_high=bounds[1], by_chance=float(np.median(by_chance)),
    )  # fmt: skip


def gaps_of_runs(
    joined: pd.DataFrame,
    run_ids: Sequence[str],
    column: str,
    metric: str = "accuracy",
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Return one row per run: run_id, best, worst, difference, by_chance, p_value, p_holm, true_low, true_high.

    `joined` holds predictions of all the runs. The columns are those of `Gap`, the true ends its bounds of the
    largest true gap; `p_holm` is adjusted for the number of runs. No rows for runs whose groups are INCOMPARABLE.
    """
    parts = {run: joined[joined["run_id"] == run] for run in run_ids}
    able = {run: part for run, part in parts.items() if len(comparable(part, column)) > 1}
    gaps = [largest_gap(part, column, metric, draws, seed) for part in able.values()]
    table = pd.DataFrame(gaps, columns=list(Gap._fields)).assign(run_id=pd.Series(list(able), dtype="str"))
    table = table.assign(p_holm=holm(table["p_value"].astype(float)))
    table = table.rename(columns={"largest_low": "true_low", "largest_high": "true_high"})
    columns = ["run_id", "best", "worst", "difference", "by_chance", "p_value", "p_holm"]
    return table[[*columns, "true_low", "true_high"]]


def group_pairs(joined: pd.DataFrame, column: str, metric: str = "accuracy") -> pd.DataFrame:
    """Return the table of `pairwise` with `p_holm`, without rows where groups are INCOMPARABLE; else as `largest_gap`."""
    able = len(comparable(joined, column)) > 1
    pairs = pairwise(grouped_counts(joined, column)[0] if able else {}, metric)
    return pairs.assign(p_holm=holm(pairs["p_value"]))


def comparable(joined: pd.DataFrame, column: str) -> list[str]:
    """Return the groups of one run's predictions that have enough subjects to be compared: FEWEST_SUBJECTS."""
    labels = _labels(joined, column)
    sizes = subjects_of(joined).groupby(labels).nunique().drop(NOT_GIVEN, errors="ignore")
    return [str(group) for group in sizes.index[sizes >= FEWEST_SUBJECTS]]


def grouped_counts(joined: pd.DataFrame, column: str) -> tuple[dict[str, Counts], Counts, Counts]:
    """Return the comparable groups' confusion counts, and of their subjects the group as a code and the counts.

    Raises ValueError for fewer than two groups, or a subject who is in two of them.
    """
    known = joined[_labels(joined, column).isin(comparable(joined, column))]
    each = pd.DataFrame({"subject": subjects_of(known), "group": known[column].astype(str)}).drop_duplicates()
    if (twice := each["subject"].duplicated()).any():
        first = each.loc[twice, "subject"].iloc[0]
        raise ValueError(f"subject {first!r} is in two groups of {column!r}: a gap needs each subject in one")
    subjects, confusions = confusions_by_subject(known)
    codes, groups = pd.factorize(each.set_index("subject")["group"].loc[subjects], sort=True)
    if len(groups) < 2:
        raise ValueError(
            f"a gap needs two groups of {column!r} or more with {FEWEST_SUBJECTS} subjects, given {len(groups)}"
        )
    grouped = {str(group): confusions[codes == code] for code, group in enumerate(groups)}
    return grouped, codes.astype(np.int64), confusions


def pairwise(grouped: Mapping[str, Counts], metric: str) -> pd.DataFrame:
    """Return one row per pair of groups: first, second, difference, low, high, p_value (Welch's, unadjusted).

    `grouped` holds each group's counts (subjects, 7 true, 7 predicted). Differences are first minus second, from
    -1 to 1, with the ends of their simultaneous intervals. A group of one subject has differences only. A p-value is
    no smaller than the least that a permutation test of the pair can give.
    """
    points = points_of(grouped, metric)
    left_out = {g: scores_of_confusions(c.sum(axis=0) - c)[metric] for g, c in grouped.items() if len(c) > 1}
    errors = {g: jackknife_error(points[g], without, lowest=0.0) for g, without in left_out.items()}
    rows = []
    for a, b in combinations(grouped, 2):
        spread = (np.nan, np.nan)
        if a in errors and b in errors:
            spread = welch((errors[a], errors[b]), (len(grouped[a]), len(grouped[b])))
        sizes = len(grouped[a]), len(grouped[b])
        rarest = (2 if sizes[0] == sizes[1] else 1) / comb(sum(sizes), sizes[0])
        rows.append((a, b, points[a] - points[b], *spread, rarest))
    pairs = pd.DataFrame(rows, columns=["first", "second", "difference", "error", "freedom", "rarest"])
    numbers = ["difference", "error", "freedom", "rarest"]
    pairs[numbers] = pairs[numbers].astype(float)  # of no rows too
    statistic = pairs["difference"].abs() / pairs["error"]
    # statsmodels' interpolation of the studentized range, for SciPy's integral takes 0.1 s each
    quantiles = [qsturng(LEVEL, len(errors), v) if v == v else np.nan for v in pairs["freedom"]]
    reach = np.array(quantiles, float) / np.sqrt(2) * pairs["error"]
    return pairs.assign(
        low=(pairs["difference"] - reach).clip(lower=-1),
        high=(pairs["difference"] + reach).clip(upper=1),
        p_value=pd.Series(2 * t.sf(statistic, pairs["freedom"])).clip(lower=pairs["rarest"]),
    ).drop(columns=["error", "freedom", "rarest"])


def holm(p_values: pd.Series) -> Floats:
    """Return p-values adjusted by Holm's method (1979); missing ones stay missing and do not count.

    >>> holm(pd.Series([0.01, 0.04, None])).tolist()
    [0.02, 0.04, nan]
    """
    given = p_values.to_numpy(float, na_value=np.nan)
    order = np.argsort(given)[: (~np.isnan(given)).sum()]  # missing ones come last
    factors = np.arange(len(order), 0, -1)
    adjusted = np.full(len(given), np.nan)
    # not statsmodels' function, which collects garbage at each call: 0.16 s with TensorFlow loaded
    adjusted[order] = np.maximum.accumulate(factors * given[order]).clip(max=1)
    return adjusted


def bounds_of_largest(pairs: pd.DataFrame) -> tuple[float, float]:
    """Return between which ends the largest true difference of any two groups lies, from `pairwise`.

    It is at least the largest of the lower and at most the largest of the upper ends of the absolute differences.
    """
    known = pairs.dropna(subset=["low"])
    if known.empty:
        return np.nan, np.nan
    low, high = known["low"].to_numpy(float), known["high"].to_numpy(float)
    return max(0.0, float(np.maximum(low, -high).max())), float(np.maximum(high, -low).max())


def permutation_p_value(observed: float, permuted: Floats) -> float:
    """Return the share of ranges as wide as the observed one, which counts itself (Phipson & Smyth 2010): never zero."""
    return (1 + int((permuted >= observed - TIE).sum())) / (1 + len(permuted))


class Clustering(NamedTuple):
    """How photographs cluster in children: the share right, the correlation of being right within children, the
    mean number of photographs per child and their coefficient of variation."""

    share: float
    correlation: float
    photographs: float
    variation: float

    @property
    def design_effect(self) -> float:
        """By what factor clustering multiplies the variance of a share (Eldridge et al. 2006)."""
        return 1 + ((self.variation**2 + 1) * self.photographs - 1) * self.correlation


def shows_clustering(confusions: Counts) -> bool:
    """Return whether counts (subjects, 7 true, 7 predicted) tell how photographs cluster: else UNCLUSTERED."""
    photographs, right = int(confusions.sum()), int(np.trace(confusions, axis1=1, axis2=2).sum())
    return 1 < len(confusions) < photographs and 0 < right < photographs


def clustering(confusions: Counts) -> Clustering:
    """Return the clustering of counts (subjects, 7 true, 7 predicted); a negative correlation counts as 0.

    Raises ValueError where they do not show it.
    """
    if not shows_clustering(confusions):
        raise ValueError(UNCLUSTERED)
    sizes = confusions.sum(axis=(1, 2)).astype(np.float64)
    right = np.trace(confusions, axis1=1, axis2=2).astype(np.float64)
    subjects, photographs = len(sizes), sizes.sum()
    share = right.sum() / photographs
    own = right / sizes
    between = (sizes * (own - share) ** 2).sum() / (subjects - 1)
    within = (sizes * own * (1 - own)).sum() / (photographs - subjects)
    typical = (photographs - (sizes**2).sum() / photographs) / (subjects - 1)
    correlation = max(0.0, (between - within) / (between + (typical - 1) * within))
    return Clustering(*map(float, (share, correlation, sizes.mean(), sizes.std() / sizes.mean())))


def detectable_gap(cluster: Clustering, children: tuple[int, int]) -> float:
    """Return the true difference, 0 to 1, that a two-sided test at 5 % finds with a probability of 80 %.

    Both groups are assumed to cluster alike; Student's t with Welch's degrees of freedom, as the test has them.
    """
    variance = cluster.share * (1 - cluster.share) * cluster.design_effect
    errors = variance / (cluster.photographs * np.array(children))
    freedom = errors.sum() ** 2 / (errors**2 / (np.array(children) - 1)).sum()
    return float((t.ppf(1 - ALPHA / 2, freedom) + t.ppf(POWER, freedom)) * np.sqrt(errors.sum()))


def detectable_gaps(cluster: Clustering, children: Mapping[str, int]) -> pd.DataFrame:
    """Return one row per pair of groups, smallest gap first: first, second, children of each, detectable (0 to 1).

    >>> cluster = Clustering(share=0.6, correlation=0.1, photographs=8, variation=0.4)
    >>> detectable_gaps(cluster, {"A": 27, "B": 11, "C": 77})["detectable"].round(2).to_list()
    [0.15, 0.23, 0.25]
    """
    pairs = [((a, b), (children[a], children[b])) for a, b in combinations(children, 2)]
    rows = [(*names, *sizes, detectable_gap(cluster, sizes)) for names, sizes in pairs]
    columns = ["first", "second", "children_first", "children_second", "detectable"]
    return pd.DataFrame(rows, columns=columns).sort_values("detectable", ignore_index=True)


def _moved(interval: Interval, estimate: float) -> Interval:
    """The interval about an estimate that was corrected, within 0 and 1."""
    by = estimate - interval.estimate
    ends = np.clip([estimate, interval.low + by, interval.high + by], 0, 1)
    return Interval(*map(float, ends))


def _labels(joined: pd.DataFrame, column: str) -> pd.Series:
    if column not in joined.columns:
        raise ValueError(f"no column {column!r} to group by; the faces have {', '.join(joined.columns)}")
    check_one_run(joined)
    return joined[column].astype("string").fillna(NOT_GIVEN).astype(str)


def check_one_run(joined: pd.DataFrame) -> None:
    """Raise ValueError for predictions of several runs."""
    if (runs := joined["run_id"].nunique()) != 1:
        raise ValueError(f"groups are compared within one run, given predictions of {runs}: select one")


def _ranges(confusions: Counts, labellings: Counts, metric: str) -> Floats:
    """Return best minus worst group for each labelling: from (labellings, subjects) to (labellings,)."""
    flat = confusions.reshape(len(confusions), -1).astype(np.float64)
    summed = [(labellings == code).astype(np.float64) @ flat for code in np.unique(labellings)]
    values = [scores_of_confusions(each.reshape(-1, *confusions.shape[1:]))[metric] for each in summed]
    return np.asarray(np.ptp(np.stack(values), axis=0))
