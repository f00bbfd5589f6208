"""Intervals and standard errors agree with closed forms, cover what they should, and keep to their scale."""

import time
from dataclasses import astuple

import numpy as np
import pytest
from scipy import stats
from simulated_children import simulate_children, true_scores
from sklearn.metrics import recall_score
from statsmodels.stats.proportion import proportion_confint

from expression_scores.intervals import (
    FEW,
    clears_chance,
    difference_interval,
    intervals,
    jackknife_errors,
    of_alike,
    paired_confusions,
    paired_differences,
    recall_intervals,
    resampled,
    share_interval,
    unpaired_differences,
    welch,
    without_bias,
)
from expression_scores.metrics import METRICS, confusions_by_subject, scores_of_confusions
from face_sets.expressions import CHANCE, EXPRESSIONS


def _one_image_each(right: int, of: int) -> np.ndarray:
    counts = np.zeros((of, 7, 7), dtype=np.int64)
    counts[:right, 0, 0] = 1
    counts[right:, 0, 1] = 1
    return counts


def _population(generator, subjects, images, mean, spread):
    """Counts of subjects whose own accuracy varies about `mean`; one row of truth, so accuracy is known."""
    concentration = mean * (1 - mean) / spread**2 - 1
    own = generator.beta(mean * concentration, (1 - mean) * concentration, size=subjects)
    right = generator.binomial(images, own)
    counts = np.zeros((subjects, 7, 7), dtype=np.int64)
    counts[:, 0, 0], counts[:, 0, 1] = right, images - right
    return counts


def _coverage(subjects, images, repetitions, draws, seed=0):
    generator = np.random.default_rng(seed)
    hits = 0
    for _ in range(repetitions):
        found = intervals(
            _population(generator, subjects, images, 0.6, 0.15), draws, generator.integers(2**31)
        )
        hits += found["accuracy"].low <= 0.6 <= found["accuracy"].high
    return hits / repetitions


def test_one_image_a_subject_is_the_binomial():
    found = intervals(_one_image_each(60, 100), draws=20_000)["accuracy"]
    low, high = stats.binom(100, 0.6).ppf([0.025, 0.975]) / 100
    assert found.estimate == 0.6
    assert found.low == pytest.approx(low, abs=0.0101)
    assert found.high == pytest.approx(high, abs=0.0101)


def test_standard_error_is_the_closed_form_for_clusters():
    counts = _population(np.random.default_rng(3), 80, 10, 0.6, 0.2)
    drawn = resampled(counts, 20_000, 5)[:, 0, 0] / 800
    own = counts[:, 0, 0] / 10
    assert drawn.std() == pytest.approx(own.std() / np.sqrt(80), rel=0.03)


def test_repeating_every_image_leaves_the_interval_as_it_was(joined_of):
    _, counts = confusions_by_subject(joined_of(40, 7))
    once, thrice = intervals(counts, 500), intervals(3 * counts, 500)
    for metric in METRICS:
        assert astuple(once[metric]) == pytest.approx(astuple(thrice[metric]), abs=1e-12)


def test_more_images_of_the_same_subjects_do_not_pass_for_more_subjects():
    generator = np.random.default_rng(4)
    few = intervals(_population(generator, 30, 20, 0.6, 0.2), 4000)["accuracy"]
    many = intervals(_population(generator, 30, 2000, 0.6, 0.2), 4000)["accuracy"]
    assert many.high - many.low > 0.6 * (few.high - few.low)


def test_blocks_of_draws_are_whole(monkeypatch):
    counts = _population(np.random.default_rng(4), 30, 20, 0.6, 0.2)
    whole = resampled(counts, 1000, 7)
    monkeypatch.setattr("expression_scores.intervals.BLOCK", 64 * 30)
    np.testing.assert_array_equal(resampled(counts, 1000, 7), whole)


def test_one_seed_gives_one_answer(joined_of):
    _, counts = confusions_by_subject(joined_of(FEW, 7))
    assert intervals(counts, 300, seed=8) == intervals(counts, 300, seed=8)
    assert intervals(counts, 300, seed=8) != intervals(counts, 300, seed=9)


def test_a_run_against_itself_differs_by_nothing(joined_of):
    joined = joined_of(20, 7)
    for difference in paired_differences(paired_confusions(joined, joined), 300).values():
        room = 1 - 0.025 ** (1 / len(joined))  # as many other images may differ
        assert (difference.estimate, difference.low, difference.high) == pytest.approx((0, -room, room))


def test_paired_differences_are_antisymmetric(joined_of):
    first, second = joined_of(60, 7, 0.8, seed=1), joined_of(60, 7, 0.5, seed=2)
    forth = paired_differences(paired_confusions(first, second), 2000)
    back = paired_differences(paired_confusions(second, first), 2000)
    for metric in METRICS:
        assert forth[metric].low > 0
        assert forth[metric].low == pytest.approx(-back[metric].high)


def test_pairing_is_sharper_where_subjects_differ():
    first = _population(np.random.default_rng(5), 100, 20, 0.6, 0.25)
    second = first.copy()
    second[::2, 0, 0] -= np.minimum(second[::2, 0, 0], 1)
    second[:, 0, 1] = 20 - second[:, 0, 0]
    paired = paired_differences(np.stack([first, second], axis=1), 2000)["accuracy"]
    apart = unpaired_differences(first, second, 2000)["accuracy"]
    assert paired.excludes_zero
    assert not apart.excludes_zero
    assert paired.estimate == pytest.approx(apart.estimate)


def test_pairing_needs_the_same_faces(joined_of):
    with pytest.raises(ValueError, match="same faces"):
        paired_confusions(joined_of(20, 7), joined_of(21, 7))


def test_guessing_and_naming_one_expression_do_not_clear_chance(joined_of):
    guessing = joined_of(100, 14, right=CHANCE)
    constant = guessing.assign(predicted="happiness")
    learned = joined_of(100, 14, right=0.3)
    cleared = [
        clears_chance(intervals(confusions_by_subject(frame)[1], 2000)["balanced_accuracy"])
        for frame in (guessing, constant, learned)
    ]
    assert cleared == [False, False, True]


def test_one_subject_has_no_interval_and_clears_nothing():
    found = intervals(_one_image_each(1, 1), 100)["accuracy"]
    assert found.estimate == 1
    assert np.isnan(found.low)
    assert not clears_chance(found)
    assert not found.excludes_zero


@pytest.mark.parametrize("counts", [np.zeros((0, 7, 7), int), np.zeros((3, 7, 7), int)])
def test_subjects_without_images_are_an_error(counts):
    with pytest.raises(ValueError, match="at least one subject"):
        intervals(counts)


def test_ten_thousand_draws_of_the_size_of_cafe_take_well_under_a_second(joined_of):
    _, counts = confusions_by_subject(joined_of(154, 8))
    start = time.process_time()
    intervals(counts, draws=10_000)
    assert time.process_time() - start < 1


def test_coverage_is_near_nominal():
    assert 0.91 <= _coverage(subjects=60, images=8, repetitions=400, draws=400) <= 0.98


@pytest.mark.slow
@pytest.mark.parametrize(("subjects", "images"), [(60, 8), (154, 8)])
def test_coverage_in_full(subjects, images):
    assert 0.93 <= _coverage(subjects, images, repetitions=4000, draws=2000) <= 0.97


@pytest.mark.parametrize("subjects", [20, FEW])
def test_recalls_are_accuracies_of_one_expression(joined_of, subjects):
    joined = joined_of(subjects, 4)
    joined = joined[joined["expression"] != "anger"]
    found = recall_intervals(confusions_by_subject(joined)[1], 500)
    shown = joined[joined["expression"] == "fear"]
    alone = intervals(confusions_by_subject(shown)[1], 500)["accuracy"]
    assert astuple(found["fear"]) == pytest.approx(astuple(alone))
    points = recall_score(
        joined["expression"], joined["predicted"], labels=EXPRESSIONS, average=None, zero_division=np.nan
    )
    assert [i.estimate for i in found.values()] == pytest.approx(points.tolist(), nan_ok=True)
    assert np.isnan(found["anger"].low)


def test_few_subjects_get_the_jackknife_and_wider_intervals_than_the_bootstrap_gives():
    counts = _population(np.random.default_rng(6), 11, 8, 0.6, 0.2)
    found = intervals(counts)["accuracy"]
    drawn = resampled(counts, 10_000, 0)[:, 0, 0] / 88
    assert found.high - found.low > 1.1 * np.ptp(np.quantile(drawn, [0.025, 0.975]))
    assert found == intervals(counts, seed=1)["accuracy"]  # nothing is drawn


def test_ways_agree_where_they_meet(monkeypatch):
    counts = _population(np.random.default_rng(7), FEW, 8, 0.6, 0.2)
    bootstrap = intervals(counts)["accuracy"]
    monkeypatch.setattr("expression_scores.intervals.FEW", FEW + 1)
    jackknife = intervals(counts)["accuracy"]
    assert astuple(jackknife) == pytest.approx(astuple(bootstrap), abs=0.006)


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
    found = difference_interval(values.mean(), stats.sem(values), 8)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_welch_is_welchs():
    generator = np.random.default_rng(4)
    first, second = generator.normal(0, 0.1, 8), generator.normal(0.1, 0.3, 20)
    error, freedom = welch((stats.sem(first), stats.sem(second)), (8, 20))
    library = stats.ttest_ind(first, second, equal_var=False)
    assert freedom == pytest.approx(library.df)
    assert (first.mean() - second.mean()) / error == pytest.approx(library.statistic)


@pytest.mark.parametrize("estimate", [0.01, 0.2, 0.5, 0.99])
def test_shares_stay_within_their_scale_and_mirror(estimate):
    found, mirrored = share_interval(estimate, 0.1, 5), share_interval(1 - estimate, 0.1, 5)
    assert 0 < found.low < estimate < found.high < 1
    assert (mirrored.low, mirrored.high) == pytest.approx((1 - found.high, 1 - found.low))


@pytest.mark.parametrize(("estimate", "right"), [(1.0, 11), (0.0, 0)])
def test_all_right_or_wrong_counts_each_subject_once(estimate, right):
    found = share_interval(estimate, 0.0, 10)
    assert (found.low, found.high) == pytest.approx(proportion_confint(right, 11, method="beta"))


@pytest.mark.parametrize("estimate", [0.0, 0.1, 3 / 7, 0.5, 1.0])
def test_subjects_who_are_all_alike_leave_room_for_others(estimate):
    shares = [share_interval(estimate, 1e-17, subjects - 1) for subjects in (2, 10, 100)]
    for found in shares:
        assert 0 <= found.low <= estimate <= found.high <= 1
        assert found.low < found.high
    widths = [found.high - found.low for found in shares]
    assert widths == sorted(widths, reverse=True)
    assert widths == pytest.approx([1 - 0.025**0.5, 1 - 0.025**0.1, 1 - 0.025**0.01]), "the rule of three"
    difference = difference_interval(estimate, 0.0, 9)
    assert -1 <= difference.low < estimate <= difference.high <= 1


@pytest.mark.parametrize("subjects", [1000, 40])
def test_that_room_is_as_wide_as_coverage_needs(subjects):
    """A share of all children who differ, so small that half of the samples show none of them."""
    rare = 1 - 0.5 ** (1 / subjects)
    truth = (1 - rare) * 0.4 + rare * 1.0
    assert of_alike(0.4, subjects, lowest=0.0).high > truth


@pytest.mark.parametrize("sizes", [(2, 2), (9, 9), (3, 60), (200, 200)])
def test_no_two_groups_differ_for_certain(sizes):
    """All right against all wrong: a permutation test of two and two children gives p = 1/3."""
    right, wrong = (np.zeros((size, 7, 7), dtype=int) for size in sizes)
    right[:, 0, 0], wrong[:, 0, 1] = 7, 7
    found = unpaired_differences(right, wrong, 500)["accuracy"]
    assert found.estimate == 1
    assert found.low < 1
    assert (found.low > 0) == (min(sizes) > 2)


def test_a_group_of_children_who_are_alike_is_no_surer_than_its_size(joined_of):
    _, many = confusions_by_subject(joined_of(80, 7, 0.5))
    alike = np.zeros((3, 7, 7), dtype=int)
    alike[:, 0, 0] = 7
    found = unpaired_differences(alike, many, 500)["accuracy"]
    assert found.high - found.low > 0.5


def test_scores_without_bias_are_right_on_average_in_a_small_group():
    samples = [simulate_children(np.random.default_rng([9, n]), 11)[:, 0] for n in range(1500)]
    plain = np.mean([scores_of_confusions(each.sum(axis=0))["macro_f1"] for each in samples])
    corrected = np.mean([without_bias(each, scores_of_confusions)["macro_f1"] for each in samples])
    truth = true_scores()["macro_f1"]
    assert plain < truth - 0.003
    assert abs(corrected - truth) < abs(plain - truth)
