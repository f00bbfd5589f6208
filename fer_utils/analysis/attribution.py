"""Which of two factors a difference belongs to: groups compared within skin tones, or tones within groups.

If one group has more dark faces and dark faces are read worse, a plain comparison of groups finds a gap that is
none of the group's. So each photograph is held against how well its stratum (its tone, say) is read on the
whole, and groups are compared by what is left: right answers observed minus expected, per photograph. That is
indirect standardisation (Breslow & Day 1987, volume II, chapter 2). Chance is judged by shuffling groups among
the children of one stratum, which leaves every effect of the stratum as it is (Good 2005, chapter 6).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fer_utils.analysis.groups import TIE
from fer_utils.analysis.metrics import Counts, Floats, confusions_by_subject, subjects_of
from fer_utils.analysis.resampling import DRAWS


@dataclass(frozen=True)
class AdjustedGap:
    """The widest difference of accuracy between groups of one factor, the other held fixed; from 0 to 1."""

    factor: str
    within: str
    best: str
    worst: str
    difference: float
    p_value: float


def adjusted_gap(
    joined: pd.DataFrame, factor: str, within: str, draws: int = DRAWS, seed: int = 0
) -> AdjustedGap:
    """Return the gap between the groups of `factor` that remains when the strata of `within` are held fixed.

    `joined` holds one run's predictions, each subject in one group and one stratum. The p-value counts the
    observed labelling among the shuffled ones (Phipson & Smyth 2010). Raises ValueError for several runs, for a
    subject in two groups or strata, and where no stratum holds two groups, so that the two cannot be told apart.
    """
    groups, members, strata, right, images = _children(joined, factor, within)
    expected = images * _by_code(right, strata) / _by_code(images, strata)
    left_over = right - expected
    values = _group_values(left_over, images, members[None, :], len(groups))
    shuffled = _shuffled_within(members, strata, draws, np.random.default_rng(seed))
    ranges = np.ptp(_group_values(left_over, images, shuffled, len(groups)), axis=1)
    observed = float(np.ptp(values))
    return AdjustedGap(
        factor, within, groups[int(values.argmax())], groups[int(values.argmin())], observed,
        p_value=(1 + int((ranges >= observed - TIE).sum())) / (1 + draws),
    )  # fmt: skip


def _children(
    joined: pd.DataFrame, factor: str, within: str
) -> tuple[list[str], Counts, Counts, Floats, Floats]:
    """Return the groups' names, and each child's group and stratum as codes, right answers and photographs."""
    if (runs := joined["run_id"].nunique()) != 1:
        raise ValueError(f"groups are compared within one run, given predictions of {runs}: select one")
    subjects, confusions = confusions_by_subject(joined)
    each = joined[[factor, within]].astype(str).assign(subject=subjects_of(joined)).drop_duplicates()
    if len(each) != len(subjects):
        raise ValueError(f"a subject is in two groups of {factor!r} or two strata of {within!r}")
    each = each.set_index("subject").loc[subjects]
    if (each.groupby(within)[factor].nunique() < 2).all():
        raise ValueError(f"no {within!r} holds two groups of {factor!r}: the two cannot be told apart")
    members, groups = pd.factorize(each[factor], sort=True)
    right = np.trace(confusions, axis1=1, axis2=2).astype(np.float64)
    images = confusions.sum(axis=(1, 2)).astype(np.float64)
    return [str(group) for group in groups], members, pd.factorize(each[within])[0], right, images


def _by_code(values: Floats, codes: Counts) -> Floats:
    """Return for each child the sum of `values` over the children of its code."""
    return np.asarray(np.bincount(codes, values)[codes])


def _group_values(left_over: Floats, images: Floats, labellings: Counts, groups: int) -> Floats:
    """Return what is left over a photograph: from labellings (n, children) to (n, groups)."""
    member = [(labellings == code).astype(np.float64) for code in range(groups)]
    return np.stack([(each @ left_over) / (each @ images) for each in member], axis=-1)


def _shuffled_within(members: Counts, strata: Counts, draws: int, generator: np.random.Generator) -> Counts:
    """Return `draws` labellings, (draws, children), each child's drawn from among those of its own stratum."""
    by_stratum = np.argsort(strata, kind="stable")
    mixed = np.argsort(strata + generator.random((draws, len(strata))), axis=1)  # strata stay in order
    shuffled = np.empty((draws, len(strata)), dtype=members.dtype)
    shuffled[:, by_stratum] = members[mixed]
    return shuffled
