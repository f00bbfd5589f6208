"""All pairs at once: known answers for two groups, and bounds of the largest gap that survive looking."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fer_utils.analysis.group_pairs import bounds_of_largest, holm, pairwise


def _group(generator, children, mean, spread=0.15, photographs=8):
    """Children with equally many photographs, all of one expression: accuracy is the mean of their shares."""
    own = np.clip(generator.normal(mean, spread, children), 0, 1)
    right = generator.binomial(photographs, own)
    counts = np.zeros((children, 7, 7), dtype=np.int64)
    counts[:, 0, 0], counts[:, 0, 1] = right, photographs - right
    return counts


def test_two_groups_are_welchs_test():
    generator = np.random.default_rng(1)
    groups = {"A": _group(generator, 11, 0.5), "B": _group(generator, 30, 0.7)}
    (row,) = pairwise(groups, "accuracy").to_dict("records")
    library = stats.ttest_ind(*(g[:, 0, 0] / 8 for g in groups.values()), equal_var=False)
    interval = library.confidence_interval()
    assert row["p_value"] == pytest.approx(library.pvalue)
    assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high), abs=2e-3)


def test_equal_groups_are_tukeys_intervals():
    generator = np.random.default_rng(2)
    groups = {name: _group(generator, 200, 0.6) for name in "ABC"}
    library = stats.tukey_hsd(*(g[:, 0, 0] / 8 for g in groups.values())).confidence_interval()
    ours = pairwise(groups, "accuracy")
    for row, (i, j) in zip(ours.to_dict("records"), combinations(range(3), 2), strict=True):
        assert (row["low"], row["high"]) == pytest.approx((library.low[i, j], library.high[i, j]), abs=4e-3)


def test_bounds_hold_the_largest_gap_however_many_groups_are_looked_at():
    means, held = (0.6, 0.6, 0.6, 0.6, 0.5), []
    for seed in range(150):
        generator = np.random.default_rng(seed)
        groups = {
            str(i): _group(generator, n, m)
            for i, (n, m) in enumerate(zip((77, 27, 23, 16, 11), means, strict=True))
        }
        low, high = bounds_of_largest(pairwise(groups, "accuracy"))
        held.append(low <= 0.1 <= high)
    assert np.mean(held) >= 0.91


def test_nothing_planted_leaves_zero_possible():
    spoke = []
    for seed in range(150):
        generator = np.random.default_rng(1000 + seed)
        groups = {str(n): _group(generator, n, 0.6) for n in (77, 27, 23, 16, 11)}
        spoke.append(bounds_of_largest(pairwise(groups, "accuracy"))[0] > 0)
    assert np.mean(spoke) <= 0.08


def test_a_group_of_one_has_a_difference_and_no_interval():
    generator = np.random.default_rng(3)
    groups = {
        "one": _group(generator, 1, 0.5),
        "A": _group(generator, 9, 0.5),
        "B": _group(generator, 9, 0.5),
    }
    pairs = pairwise(groups, "accuracy").set_index(["first", "second"])
    assert pairs["low"].isna().tolist() == [True, True, False]
    assert pairs["difference"].notna().all()
    alone = pairwise({name: groups[name] for name in ("A", "B")}, "accuracy")
    assert pairs.loc[("A", "B"), "low"] == pytest.approx(alone["low"].item())
    assert np.isnan(bounds_of_largest(pairs.iloc[:2].reset_index())[0])


def test_holms_are_those_of_the_step_down_by_hand():
    assert holm(pd.Series([0.01, 0.04, np.nan, 0.03])) == pytest.approx(
        np.array([0.03, 0.06, np.nan, 0.06]), nan_ok=True
    )
    assert np.isnan(holm(pd.Series([np.nan]))).all()
