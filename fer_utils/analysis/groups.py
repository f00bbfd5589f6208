"""Results by group of subjects, and the largest gap between two groups.

Points go through Fairlearn's MetricFrame; intervals come from our bootstrap over subjects, for Fairlearn's
own resamples rows, and several photographs of one child would pass for several children.

The largest of several gaps is above zero even where no group differs. So the gap has two answers: an interval
for the pair of groups that came out best and worst (chosen after looking, hence for description), and the
probability of so wide a range when group labels are shuffled among subjects, which allows for the choice.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame

from fer_utils.analysis.metrics import (
    METRICS,
    Counts,
    Floats,
    confusions_by_subject,
    scores,
    scores_of_confusions,
    subjects_of,
)
from fer_utils.analysis.resampling import DRAWS, intervals, unpaired_differences

NOT_GIVEN: Final = "not given"

TIE: Final = 1e-12
"""Ranges closer than this are equal: two orders of summing one set of numbers differ by less."""


@dataclass(frozen=True)
class Gap:
    """The gap between the groups that score best and worst, in the metric's unit (0 to 1)."""

    metric: str
    best: str
    worst: str
    difference: float
    low: float
    high: float
    p_value: float
    subjects: dict[str, int]


def by_group(joined: pd.DataFrame, column: str, draws: int = DRAWS, seed: int = 0) -> pd.DataFrame:
    """Return one row a group of `column`: subjects, images, and each metric with `_low` and `_high` ends.

    `joined` holds one run's predictions. Rows without a group stand under "not given". Ends are missing for
    a group of one subject. Raises ValueError for several runs, no rows or an unknown column.
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
        for metric, interval in intervals(confusions, draws, seed).items():
            row |= {
                metric: float(point[metric]),
                f"{metric}_low": interval.low,
                f"{metric}_high": interval.high,
            }
        rows.append(row)
    return pd.DataFrame(rows)


def largest_gap(
    joined: pd.DataFrame, column: str, metric: str = "macro_f1", draws: int = DRAWS, seed: int = 0
) -> Gap:
    """Return the gap between the best and the worst group, its interval, and a permutation test of any gap.

    `joined` holds one run's predictions; rows without a group are left out. The interval is a bootstrap over
    the subjects of those two groups. The p-value counts the observed labelling among the shuffled ones
    (Phipson & Smyth 2010), so it is never zero. Raises ValueError for fewer than two groups, or a subject
    who is in two of them.
    """
    labels = _labels(joined, column)
    known = joined[labels != NOT_GIVEN]
    groups, members, confusions = _membership(known, column)
    grouped = {group: confusions[members == code] for code, group in enumerate(groups)}
    points = {g: float(scores_of_confusions(c.sum(axis=0))[metric]) for g, c in grouped.items()}
    best, worst = max(points, key=points.__getitem__), min(points, key=points.__getitem__)
    interval = unpaired_differences(grouped[best], grouped[worst], draws, seed)[metric]
    return Gap(
        metric, best, worst, interval.estimate, interval.low, interval.high,
        p_value=_range_p_value(confusions, members, metric, draws, seed),
        subjects={group: len(c) for group, c in grouped.items()},
    )  # fmt: skip


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


def _range_p_value(confusions: Counts, members: Counts, metric: str, draws: int, seed: int) -> float:
    generator = np.random.default_rng(seed)
    observed = _ranges(confusions, members[None, :], metric)[0]
    shuffled = generator.permuted(np.tile(members, (draws, 1)), axis=1)
    as_wide = int((_ranges(confusions, shuffled, metric) >= observed - TIE).sum())
    return (1 + as_wide) / (1 + draws)


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
