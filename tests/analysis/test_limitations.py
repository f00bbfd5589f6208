"""Each threat has the number that bounds it: known answers, and what published numbers imply."""

import numpy as np
import pytest

from fer_utils.analysis import limitations
from fer_utils.analysis.evidence import Tables
from fer_utils.study import Study, load_study
from fer_utils.tables import empty


@pytest.fixture
def no_tables():
    return Tables(*(empty(table) for table in ("faces", "predictions", "runs", "measurements")))


@pytest.mark.parametrize(("networks", "shared"), [(2, 0.0), (5, 0.5), (15, 0.4)])
def test_the_lead_of_the_best_is_what_simulated_networks_show(networks, shared):
    generator = np.random.default_rng(networks)
    error = np.sqrt(0.6 * 0.4 / 1192)
    own = generator.normal(0, error * np.sqrt(1 - shared), (200_000, networks))
    expected = own.max(axis=1).mean()
    assert limitations.expected_lead(networks, 0.6, 1192, shared) == pytest.approx(expected, rel=0.01)


def test_luck_among_five_equals_explains_the_whole_difference_from_the_reference(no_tables):
    """The audit's bound: 1.0 to 1.2 points, the printed difference being 1.12."""
    found = limitations.threats(load_study("quick"), no_tables)[0]
    assert (found.low, found.high) == pytest.approx((1.0, 1.2), abs=0.06)
    assert "1.12 points" in found.meaning


def test_one_photograph_of_each_child_has_the_binomial_error():
    assert limitations.standard_error(0.5, 100, 100, 0.2) == pytest.approx(0.05)
    assert limitations.standard_error(0.5, 800, 100, 1.0) == pytest.approx(0.05)


def test_without_results_the_published_numbers_still_bound(no_tables):
    names = [each.name for each in limitations.threats(load_study("quick"), no_tables)]
    assert len(names) == 7
    assert "The mix of expressions" not in names


def test_every_setting_is_in_the_table():
    rows = limitations.hyper_parameters(load_study("quick", further_seeds=[7, 8]))
    assert [name for name, _, _ in rows] == list(Study.model_fields)
    assert all(what for _, _, what in rows)
    assert ("further_seeds", "7, 8") in [row[:2] for row in rows]


def test_a_bound_is_one_number_or_two_ends():
    assert limitations.Threat("", "", 1.04, 1.23, "points").bound == "1.0 to 1.2 points"
    assert limitations.Threat("", "", 77.7, 77.7, "%").bound == "77.7 %"
