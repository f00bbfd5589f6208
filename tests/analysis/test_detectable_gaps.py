"""The correlation within children and the detectable gap agree with closed forms and with simulation."""

import numpy as np
import pytest
from scipy.optimize import brentq
from simulated_children import simulate_children, true_scores
from statsmodels.stats.power import TTestIndPower

from fer_utils.analysis.detectable_gaps import (
    Clustering,
    clustering,
    clustering_of,
    detectable_gap,
    detectable_gaps,
)
from fer_utils.analysis.resampling import unpaired_differences

SIZES = {"European American": 77, "African American": 27, "Latino": 23, "Asian": 16, "South Asian": 11}


@pytest.fixture(scope="module")
def made_up():
    return clustering_of(simulate_children(np.random.default_rng(1), 20_000)[:, 0])


def _beta_binomial(correlation, subjects=20_000):
    generator = np.random.default_rng(2)
    concentration = 1 / correlation - 1
    sizes = generator.integers(1, 14, subjects)
    right = generator.binomial(sizes, generator.beta(0.6 * concentration, 0.4 * concentration, subjects))
    counts = np.zeros((subjects, 7, 7), dtype=np.int64)
    counts[:, 0, 0], counts[:, 0, 1] = right, sizes - right
    return counts


@pytest.mark.parametrize("correlation", [0.05, 0.3])
def test_a_known_correlation_is_recovered(correlation):
    found = clustering_of(_beta_binomial(correlation))
    assert found.correlation == pytest.approx(correlation, abs=0.01)
    assert found.share == pytest.approx(0.6, abs=0.01)


def test_independent_photographs_have_none(joined_of):
    assert clustering(joined_of(400, 14)).correlation < 0.02


def test_equal_numbers_give_kishs_design_effect():
    assert Clustering(0.6, 0.2, 8, 0).design_effect == pytest.approx(1 + 7 * 0.2)
    assert Clustering(0.6, 0.2, 8, 0.5).design_effect > 1 + 7 * 0.2


def test_design_effect_is_that_of_the_variance_it_stands_for():
    generator = np.random.default_rng(3)
    shares = []
    for _ in range(2000):
        counts = simulate_children(generator, 30)[:, 0].sum(axis=0)
        shares.append((np.trace(counts) / counts.sum(), counts.sum()))
    share, photographs = np.array(shares).T
    cluster = clustering_of(simulate_children(generator, 20_000)[:, 0])
    expected = cluster.share * (1 - cluster.share) / photographs.mean() * cluster.design_effect
    assert share.var() == pytest.approx(expected, rel=0.12)


def test_gap_is_the_textbooks_for_one_photograph_each():
    cluster = Clustering(0.5, 0.0, 1, 0)
    gap = detectable_gap(cluster, (40, 40))
    power = TTestIndPower().power(gap / 0.5, nobs1=40, alpha=0.05, ratio=1)
    assert power == pytest.approx(0.8, abs=0.01)


def test_more_children_find_smaller_gaps(made_up):
    table = detectable_gaps(made_up, SIZES)
    assert len(table) == 10
    assert table["detectable"].is_monotonic_increasing
    assert set(table.iloc[-1][["first", "second"]]) == {"Asian", "South Asian"}


def simulated_power(gap, children, repetitions, seed=0):
    """Return how often the study's own interval excludes zero when the second group reads worse by `gap`, and its error."""
    target = true_scores()["accuracy"] - gap
    shift = brentq(lambda s: true_scores(s)["accuracy"] - target, -20, 20)
    found = 0
    for each in range(repetitions):
        generator = np.random.default_rng([seed, each])
        groups = [
            simulate_children(generator, n, (s,))[:, 0] for n, s in zip(children, (0.0, shift), strict=True)
        ]
        found += unpaired_differences(groups[0], groups[1], draws=500, seed=each)["accuracy"].excludes_zero
    share = found / repetitions
    return share, np.sqrt(share * (1 - share) / repetitions)


def test_simulation_finds_the_detectable_gap_four_times_in_five(made_up):
    for children in ((77, 27), (77, 11)):
        power, error = simulated_power(detectable_gap(made_up, children), children, 300)
        assert 0.8 - 0.05 - 2 * error <= power <= 0.8 + 0.05 + 2 * error


def test_without_a_gap_it_is_seldom_found():
    power, _ = simulated_power(0.0, (77, 11), 300)
    assert power <= 0.09


@pytest.mark.parametrize("counts", [np.ones((1, 7, 7), int), np.eye(49, dtype=int)[:5].reshape(5, 7, 7)])
def test_a_correlation_needs_children_with_two_photographs(counts):
    with pytest.raises(ValueError, match="two children"):
        clustering_of(counts)
