"""95 % intervals contain the truth as often as they say, on simulated children whose truth is known."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from simulated_children import mistakes, simulate_children, true_scores

from expression_scores.intervals import (
    LEVEL,
    Interval,
    intervals,
    paired_differences,
    resampled,
    unpaired_differences,
)
from expression_scores.metrics import METRICS, scores_of_confusions

SUBJECTS = (11, 16, 30, 77, 154)
"""CAFE's smallest two groups, about its middle ones, its largest, and all of its children."""


def percentile_bootstrap(counts, draws, seed):
    """Plain percentile intervals at any number of subjects: what the rule of `intervals` is compared with."""
    resamples = scores_of_confusions(resampled(counts, draws, seed))
    points = scores_of_confusions(counts.sum(axis=0))
    ends = {m: np.quantile(resamples[m], [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) for m in METRICS}
    return {m: Interval(float(points[m]), float(ends[m][0]), float(ends[m][1])) for m in METRICS}


METHODS = {"intervals": intervals, "percentile bootstrap": percentile_bootstrap}

SHIFT_OF_SECOND = -0.5
"""How much worse, in log odds, the second network or group of a difference is: about ten points of accuracy."""


def coverage_of_scores(repetitions, draws, *, subjects, shifts=(0.0, 1.5), methods=tuple(METHODS), seed=0):
    """Return how often each method's 95 % intervals contain the true score, and the share's Monte Carlo error."""
    rows = []
    for size in subjects:
        for shift in shifts:
            samples = [
                simulate_children(np.random.default_rng([seed, size, each]), size, (shift,))[:, 0]
                for each in range(repetitions)
            ]
            for method in methods:
                found = [METHODS[method](sample, draws, seed + each) for each, sample in enumerate(samples)]
                rows += covered(method, true_scores(shift), found)
    return pd.DataFrame(rows, columns=["method", "metric", "coverage", "error"])


def coverage_of_differences(repetitions, draws, *, pairs: Sequence[tuple[int, int]], seed=0):
    """Return the same for a true difference: of two networks on the same children, and of two groups.

    The second of each pair is worse by `SHIFT_OF_SECOND`. Paired differences are of as many children as the
    first of a pair.
    """
    better, worse = true_scores(), true_scores(SHIFT_OF_SECOND)
    truth = {metric: better[metric] - worse[metric] for metric in METRICS}
    rows = []
    for sizes in pairs:
        paired, unpaired = [], []
        for each in range(repetitions):
            generator = np.random.default_rng([seed, *sizes, each])
            first = simulate_children(generator, sizes[0], (0.0, SHIFT_OF_SECOND))
            second = simulate_children(generator, sizes[1], (SHIFT_OF_SECOND,))[:, 0]
            paired.append(paired_differences(first, draws, seed + each))
            unpaired.append(unpaired_differences(first[:, 0], second, draws, seed + each))
        rows += covered(f"paired difference of {sizes[0]}", truth, paired)
        rows += covered(f"difference of {sizes[0]} and {sizes[1]}", truth, unpaired)
    return pd.DataFrame(rows, columns=["method", "metric", "coverage", "error"])


def covered(method, truth, found):
    rows = []
    for metric in METRICS:
        share = np.mean([i[metric].low <= truth[metric] <= i[metric].high for i in found])
        rows.append((method, metric, share, np.sqrt(share * (1 - share) / len(found))))
    return rows


@pytest.fixture(scope="module")
def many():
    return simulate_children(np.random.default_rng(1), 100_000, (0.0, 1.5))


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
    pairs = ((11, 77), (11, 27), (30, 30), (154, 154))
    assert coverage_of_differences(4000, 1000, pairs=pairs)["coverage"].between(0.93, 0.97).all()
