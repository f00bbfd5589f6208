"""Results by group of subjects or photographs, and the largest gap between two groups.

Points go through Fairlearn's MetricFrame; intervals come from ours over subjects, for Fairlearn's own resamples
rows, and several photographs of one child would pass for several children.

The largest of several gaps is above zero even where no group differs, so the gap that came out is too wide on
average. It is therefore shown with three answers: how wide it comes out when group labels are shuffled among
subjects, the probability of one as wide, and bounds for the largest true gap that allow for the choice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame

from fer_utils.analysis.group_pairs import bounds_of_largest, holm, pairwise
from fer_utils.analysis.metrics import (
    METRICS,
    Counts,
    Floats,
    confusions_by_subject,
    scores,
    scores_of_confusions,
    subjects_of,
)
from fer_utils.analysis.resampling import DRAWS, Interval, intervals, paired_differences, unpaired_differences

NOT_GIVEN: Final = "not given"

TIE: Final = 1e-12
"""Ranges closer than this are equal: two orders of summing one set of numbers differ by less."""


FEWEST_SUBJECTS: Final = 9
"""A group of fewer is too small to speak of: NCHS asks for 8 degrees of freedom (Parker et al. 2017)."""

WIDEST_INTERVAL: Final = 0.30
"""A group whose interval of accuracy is this wide or wider is too small to speak of (Parker et al. 2017)."""

AGE_BANDS: Final = {"under 4": 4.0, "4 and 5": 6.0, "6 to 8": 9.0, "9 to 12": 13.0, "13 to 17": 18.0}
"""Names of age bands and the age in years that each ends before: the first three part CAFE's children (2.7 to 8.7
years) into bands of about two years; the others are for sets with older children."""


@dataclass(frozen=True)
class Gap:
    """The gap between the groups that score best and worst, in the metric's unit (0 to 1).

    `low` and `high` are of the difference between these two groups as if they had been named beforehand.
    `largest_low` and `largest_high` bound the largest true gap between any two groups, the choice allowed for.
    `by_chance` is how wide the gap comes out, half of the time or more, when groups are shuffled.
    """

    metric: str
    best: str
    worst: str
    difference: float
    low: float
    high: float
    p_value: float
    subjects: dict[str, int]
    largest_low: float
    largest_high: float
    by_chance: float


def by_group(joined: pd.DataFrame, column: str, draws: int = DRAWS, seed: int = 0) -> pd.DataFrame:
    """Return one row a group of `column`: subjects, images, each metric with `_low` and `_high` ends, `too_small`.

    `joined` holds one run's predictions; a subject may be in several groups (of expressions, say). Rows without a
    group stand under "not given". Ends are missing for a group of one subject. `too_small` says that the group
    has fewer than `FEWEST_SUBJECTS` or an interval of accuracy as wide as `WIDEST_INTERVAL`. Raises ValueError for
    several runs or an unknown column.
    """
    labels = _labels(joined, column)
    points = MetricFrame(
        metrics={m: lambda truth, predicted, m=m: scores(truth, predicted)[m] for m in METRICS},
        y_true=joined["expression"].astype(str),
        y_pred=joined["predicted"].astype(str),
        sensitive_features=labels.rename(column),
    ).by_group
    rows = []
    for group, point in points.iterrows():
        _, confusions = confusions_by_subject(joined[labels == group])
        row = {column: group, "subjects": len(confusions), "images": int(confusions.sum())}
        found = intervals(confusions, draws, seed)
        for metric, interval in found.items():
            row |= {
                metric: float(point[metric]),
                f"{metric}_low": interval.low,
                f"{metric}_high": interval.high,
            }
        rows.append(row | {"too_small": _is_too_small(found["accuracy"], len(confusions))})
    return pd.DataFrame(rows)


def by_two(joined: pd.DataFrame, columns: tuple[str, str], draws: int = DRAWS, seed: int = 0) -> pd.DataFrame:
    """Return one row a combination of two columns that occurs: both, then as `by_group`."""
    first, second = (_labels(joined, column) for column in columns)
    codes, combinations = pd.factorize(pd.MultiIndex.from_arrays([first, second]), sort=True)
    names = {f"{code:06}": combination for code, combination in enumerate(combinations)}
    table = by_group(joined.assign(combination=[f"{code:06}" for code in codes]), "combination", draws, seed)
    for position, column in enumerate(columns):
        table.insert(position, column, [names[code][position] for code in table["combination"]])
    return table.drop(columns="combination")


def with_age_band(joined: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with a column `age_band`: a name of `AGE_BANDS`, "18 and over", or missing as the age is."""
    edges = [0.0, *AGE_BANDS.values(), np.inf]
    names = [*AGE_BANDS, "18 and over"]
    return joined.assign(age_band=pd.cut(joined["age_years"].astype(float), edges, right=False, labels=names))


def known_factors(joined: pd.DataFrame, columns: tuple[str, ...]) -> list[str]:
    """Return those of the columns that part the rows into two known groups or more."""
    return [column for column in columns if column in joined and joined[column].nunique() > 1]


def largest_gap(
    joined: pd.DataFrame, column: str, metric: str = "macro_f1", draws: int = DRAWS, seed: int = 0
) -> Gap:
    """Return the gap between the best and the worst group, its interval, and a permutation test of any gap.

    `joined` holds one run's predictions; rows without a group are left out. The p-value counts the observed
    labelling among the shuffled ones (Phipson & Smyth 2010), so it is never zero. Raises ValueError for fewer than
    two groups, or a subject who is in two of them.
    """
    labels = _labels(joined, column)
    known = joined[labels != NOT_GIVEN]
    groups, members, confusions = _membership(known, column)
    grouped = {group: confusions[members == code] for code, group in enumerate(groups)}
    points = {g: float(scores_of_confusions(c.sum(axis=0))[metric]) for g, c in grouped.items()}
    best, worst = max(points, key=points.__getitem__), min(points, key=points.__getitem__)
    interval = unpaired_differences(grouped[best], grouped[worst], draws, seed)[metric]
    bounds = bounds_of_largest(pairwise(grouped, metric))
    shuffled = _shuffled_ranges(confusions, members, metric, draws, seed)
    as_wide = int((shuffled >= interval.estimate - TIE).sum())
    return Gap(
        metric, best, worst, interval.estimate, interval.low, interval.high,
        p_value=(1 + as_wide) / (1 + draws),
        subjects={group: len(c) for group, c in grouped.items()},
        largest_low=bounds[0], largest_high=bounds[1], by_chance=float(np.median(shuffled)),
    )  # fmt: skip


def gaps_of_runs(
    joined: pd.DataFrame,
    run_ids: Sequence[str],
    column: str,
    metric: str = "accuracy",
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Return one row a run: run_id, best, worst, difference, by_chance, p_value, p_holm, true_low, true_high.

    `joined` holds predictions of all the runs. The columns are those of `Gap`, the true ends its bounds of the
    largest true gap; `p_holm` allows for the number of runs.
    """
    gaps = [largest_gap(joined[joined["run_id"] == run], column, metric, draws, seed) for run in run_ids]
    rows = [
        (run, g.best, g.worst, g.difference, g.by_chance, g.p_value, g.largest_low, g.largest_high)
        for run, g in zip(run_ids, gaps, strict=True)
    ]
    columns = ["run_id", "best", "worst", "difference", "by_chance", "p_value", "true_low", "true_high"]
    table = pd.DataFrame(rows, columns=columns)
    table.insert(columns.index("p_value") + 1, "p_holm", holm(table["p_value"]))
    return table


def group_pairs(joined: pd.DataFrame, column: str, metric: str = "macro_f1") -> pd.DataFrame:
    """Return every two groups' difference with simultaneous intervals, and `p_holm`; see `pairwise`.

    `joined` and errors are as for `largest_gap`.
    """
    labels = _labels(joined, column)
    groups, members, confusions = _membership(joined[labels != NOT_GIVEN], column)
    pairs = pairwise({group: confusions[members == code] for code, group in enumerate(groups)}, metric)
    return pairs.assign(p_holm=holm(pairs["p_value"]))


def difference_within(
    joined: pd.DataFrame, column: str, pair: tuple[str, str], draws: int = DRAWS, seed: int = 0
) -> dict[str, Interval]:
    """Return first minus second for each metric between two kinds of photographs of the same subjects.

    For kinds that subjects show both of (mouth open and closed, say): subjects and expressions that occur in
    only one of the two are left out, so that both are scored on the same children and expressions. Empty when
    fewer than two subjects remain.
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


def _labels(joined: pd.DataFrame, column: str) -> pd.Series:
    if column not in joined.columns:
        raise ValueError(f"no column {column!r} to group by; the faces have {', '.join(joined.columns)}")
    if (runs := joined["run_id"].nunique()) != 1:
        raise ValueError(f"groups are compared within one run, given predictions of {runs}: select one")
    return joined[column].astype("string").fillna(NOT_GIVEN).astype(str)


def _membership(joined: pd.DataFrame, column: str) -> tuple[list[str], Counts, Counts]:
    """Return the groups' names, each subject's group as a code, and the subjects' confusion counts."""
    each = pd.DataFrame(
        {"subject": subjects_of(joined), "group": joined[column].astype(str)}
    ).drop_duplicates()
    if (twice := each["subject"].duplicated()).any():
        raise ValueError(
            f"subject {each.loc[twice, 'subject'].iloc[0]!r} is in two groups of {column!r}: "
            "a gap between groups needs each subject in one"
        )
    subjects, confusions = confusions_by_subject(joined)
    codes, groups = pd.factorize(each.set_index("subject")["group"].loc[subjects], sort=True)
    if len(groups) < 2:
        raise ValueError(f"a gap needs two groups of {column!r} or more, given {len(groups)}")
    return [str(group) for group in groups], codes.astype(np.int64), confusions


def _shuffled_ranges(confusions: Counts, members: Counts, metric: str, draws: int, seed: int) -> Floats:
    generator = np.random.default_rng(seed)
    shuffled = generator.permuted(np.tile(members, (draws, 1)), axis=1)
    return _ranges(confusions, shuffled, metric)


def _is_too_small(accuracy: Interval, subjects: int) -> bool:
    return subjects < FEWEST_SUBJECTS or not accuracy.high - accuracy.low < WIDEST_INTERVAL


def _ranges(confusions: Counts, labellings: Counts, metric: str) -> Floats:
    """Return best minus worst group for each labelling: from (labellings, subjects) to (labellings,)."""
    flat = confusions.reshape(len(confusions), -1).astype(np.float64)
    by_label = [
        scores_of_confusions(
            ((labellings == code).astype(np.float64) @ flat).reshape(-1, *confusions.shape[1:])
        )
        for code in np.unique(labellings)
    ]
    values = np.stack([each[metric] for each in by_label])
    return np.asarray(values.max(axis=0) - values.min(axis=0))
