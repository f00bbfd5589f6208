"""The jackknife agrees with closed forms, and its intervals keep to their scale."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from fer_utils.analysis.jackknife import difference_interval, jackknife_errors, share_interval, welch


def _mean(counts):
    return {"mean": counts[..., 0] / counts[..., 1]}


def test_error_of_a_mean_is_the_closed_form():
    values = np.random.default_rng(1).normal(size=12)
    error = jackknife_errors(np.stack([values, np.ones(12)], axis=1), _mean)["mean"]
    assert error == pytest.approx(stats.sem(values))


def test_error_of_a_ratio_is_near_the_linearised_one():
    generator = np.random.default_rng(2)
    sizes = generator.integers(1, 14, 200)
    right = generator.binomial(sizes, 0.6)
    error = jackknife_errors(np.stack([right, sizes], axis=1), _mean)["mean"]
    residuals = right - sizes * right.sum() / sizes.sum()  # Cochran 1977, section 6.4
    assert error == pytest.approx(np.sqrt(200 / 199 * (residuals**2).sum()) / sizes.sum(), rel=0.01)


def test_interval_of_a_difference_is_students():
    values = np.random.default_rng(3).normal(0.1, 0.2, size=9)
    expected = stats.ttest_1samp(values, 0).confidence_interval()
    found = difference_interval(values.mean(), stats.sem(values), 8, 0.95)
    assert found == pytest.approx((expected.low, expected.high))


def test_welch_is_welchs():
    generator = np.random.default_rng(4)
    first, second = generator.normal(0, 0.1, 8), generator.normal(0.1, 0.3, 20)
    error, freedom = welch((stats.sem(first), stats.sem(second)), (8, 20))
    library = stats.ttest_ind(first, second, equal_var=False)
    assert freedom == pytest.approx(library.df)
    assert (first.mean() - second.mean()) / error == pytest.approx(library.statistic)


@pytest.mark.parametrize("estimate", [0.01, 0.2, 0.5, 0.99])
def test_shares_stay_within_their_scale_and_mirror(estimate):
    low, high = share_interval(estimate, 0.1, 5, 0.95)
    assert 0 < low < estimate < high < 1
    assert share_interval(1 - estimate, 0.1, 5, 0.95) == pytest.approx((1 - high, 1 - low))


def test_all_right_counts_each_subject_once():
    assert share_interval(1.0, 0.0, 10, 0.95) == pytest.approx(proportion_confint(11, 11, method="beta"))
    assert share_interval(0.0, 0.0, 10, 0.95) == pytest.approx(proportion_confint(0, 11, method="beta"))


def test_subjects_that_do_not_differ_give_a_point():
    assert share_interval(0.5, 1e-17, 10, 0.95) == (0.5, 0.5)
    assert difference_interval(0.1, 0.0, 10, 0.95) == (0.1, 0.1)
    assert welch((0.0, 0.0), (5, 6)) == (0.0, 9.0)
