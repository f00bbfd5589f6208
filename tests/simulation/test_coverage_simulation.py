"""Intervals hold the truth as often as they say, on children whose truth is known."""

import numpy as np
import pytest

from fer_utils.analysis.metrics import METRICS, scores_of_confusions
from fer_utils.simulation.coverage_simulation import (
    SUBJECTS,
    coverage_of_differences,
    coverage_of_scores,
    made_up_children,
    mistakes,
    true_scores,
)


@pytest.fixture(scope="module")
def many():
    return made_up_children(np.random.default_rng(1), 100_000, (0.0, 1.5))


def test_truth_is_what_very_many_children_show(many):
    for network, shift in enumerate((0.0, 1.5)):
        shown = scores_of_confusions(many[:, network].sum(axis=0))
        for metric in METRICS:
            assert shown[metric] == pytest.approx(true_scores(shift)[metric], abs=0.003), metric


def test_children_are_as_cafes(many):
    photographs = many[:, 0].sum(axis=(1, 2))
    assert photographs.min() == 1
    assert photographs.max() == 13
    assert photographs.mean() == pytest.approx(1192 / 154, rel=0.1)
    assert (many[:, 0].sum(axis=2) == many[:, 1].sum(axis=2)).all()  # both networks saw the same


def test_mistakes_are_shares_of_the_others():
    assert mistakes().sum(axis=1) == pytest.approx(np.ones(7))
    assert not np.diagonal(mistakes()).any()


def test_eleven_children_are_covered_and_the_plain_bootstrap_falls_short():
    table = coverage_of_scores(500, 200, subjects=(11,), shifts=(0.0,)).set_index(["method", "metric"])
    for metric in METRICS:
        assert 0.92 <= table.loc[("intervals", metric), "coverage"] <= 0.985, metric
        assert table.loc[("percentile bootstrap", metric), "coverage"] < 0.93, metric
    assert (table["error"] < 0.015).all()


def test_differences_are_covered():
    table = coverage_of_differences(400, 200, pairs=((11, 27),))
    assert table["coverage"].between(0.915, 0.985).all()


@pytest.mark.slow
@pytest.mark.parametrize("subjects", SUBJECTS)
def test_coverage_of_scores_in_full(subjects):
    table = coverage_of_scores(4000, 1000, subjects=(subjects,), methods=("intervals",))
    assert table["coverage"].between(0.93, 0.97).all()


@pytest.mark.slow
def test_coverage_of_differences_in_full():
    assert coverage_of_differences(4000, 1000)["coverage"].between(0.93, 0.97).all()
