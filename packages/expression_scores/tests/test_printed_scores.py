"""What printed scores can support: known answers, closed forms, and the coverage and power that are claimed."""

from decimal import ROUND_DOWN, ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar

from expression_scores import printed_scores as examined

SHARE = 0.66
CAFE = [8] * 114 + [7] * 40  # photographs of each child: 154 children, 1192 photographs
SOUTH_ASIAN = [8] * 8 + [7] * 3  # 11 children, 85 photographs


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)],  # Newcombe 1998, table I
)
def test_wilson_gives_textbook_intervals(right, of, low, high):
    found = examined.wilson(right / of, of)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_design_effect_at_its_ends():
    assert examined.effective_photographs(1192, 154, 0) == 1192
    assert examined.effective_photographs(1192, 154, 1) == pytest.approx(154)  # one child, one answer
    assert examined.effective_photographs(154, 154, 0.7) == 154  # one photograph per child


@pytest.mark.parametrize("arguments", [(1192, 154, -0.1), (1192, 154, 1.1), (10, 11, 0.1), (10, 0, 0.1)])
def test_impossible_samples_are_refused(arguments):
    with pytest.raises(ValueError, match=r"correlation within children|each child needs"):
        examined.effective_photographs(*arguments)


def test_a_percentage_given_as_share_is_refused():
    with pytest.raises(ValueError, match="divide percentages by 100"):
        examined.wilson(65.78, 1192)


def simulated_coverage(sizes, correlation, assumed, repeats=4000):
    """Return how often the interval with the assumed correlation holds the truth; children are beta-binomial."""
    generator = np.random.default_rng(5)
    shape = (repeats, len(sizes))
    strength = (1 - correlation) / correlation if correlation else np.inf
    chances = (
        generator.beta(SHARE * strength, (1 - SHARE) * strength, shape)
        if correlation
        else np.full(shape, SHARE)
    )
    right = generator.binomial(np.array(sizes), chances).sum(axis=1)
    effective = examined.effective_photographs(sum(sizes), len(sizes), assumed)

    @cache
    def holds(k):
        ends = examined.wilson(k / sum(sizes), effective)
        return ends.low <= SHARE <= ends.high

    return np.mean([holds(k) for k in right.tolist()])


@pytest.mark.parametrize("correlation", [0, 0.05, 0.1, 0.3])
@pytest.mark.parametrize("sizes", [CAFE, SOUTH_ASIAN], ids=["all of CAFE", "eleven children"])
def test_intervals_cover_when_the_correlation_is_known(sizes, correlation):
    assert 0.93 <= simulated_coverage(sizes, correlation, assumed=correlation) <= 0.97


def test_the_naive_interval_is_too_short_when_photographs_go_together():
    assert simulated_coverage(CAFE, 0.1, assumed=0) < 0.90
    assert simulated_coverage(CAFE, 0.3, assumed=0) < 0.80


def test_an_interval_with_an_estimated_spread_covers_for_eleven_children():
    generator = np.random.default_rng(1)
    scores = generator.normal(0, 1, (20_000, 11))
    normal = 1.959964 * scores.std(axis=1, ddof=1) / np.sqrt(11)
    off = np.abs(scores.mean(axis=1))
    assert np.mean(off <= normal) < 0.93
    assert np.mean(off <= normal * examined.widening_if_estimated(11)) == pytest.approx(0.95, abs=0.01)
    assert examined.widening_if_estimated(11) == pytest.approx(2.228 / 1.960, abs=1e-3)  # printed t tables


def test_a_detectable_gap_is_found_four_times_in_five():
    generator = np.random.default_rng(2)
    sizes = (209, 596)
    gap = examined.smallest_detectable_gap(0.6, sizes)
    first = generator.binomial(sizes[0], 0.6 - gap / 2, 20_000) / sizes[0]
    second = generator.binomial(sizes[1], 0.6 + gap / 2, 20_000) / sizes[1]
    found = np.mean(np.abs(second - first) > examined.smallest_detectable_gap(0.6, sizes, power=0.5))
    assert found == pytest.approx(examined.POWER, abs=0.02)


def test_gaps_by_chance_agree_with_the_closed_form_of_two_groups():
    gaps = examined.gaps_by_chance(SHARE, [100, 300])
    assert np.quantile(gaps, 0.95) == pytest.approx(
        examined.smallest_detectable_gap(SHARE, [100, 300], power=0.5), rel=0.01
    )
    assert np.median(examined.gaps_by_chance(SHARE, [100, 300, 200])) > np.median(
        gaps
    )  # more groups, more room


def test_gaps_by_chance_repeat_by_their_seed():
    first, again = (examined.gaps_by_chance(SHARE, [10, 20], samples=5, seed=3) for _ in range(2))
    assert first.tolist() == again.tolist()


def test_mcnemar_known_answer_and_statsmodels():
    assert examined.mcnemar_p(14, 10) == pytest.approx(0.0129, abs=5e-5)  # StatsDirect's manual, 12 against 2
    for only_first, only_second in [(0, 13), (9, 22), (30, 31), (5, 5)]:
        theirs = mcnemar([[0, only_first], [only_second, 0]], exact=True).pvalue
        ours = examined.mcnemar_p(only_first + only_second, abs(only_first - only_second))
        assert ours == pytest.approx(theirs)


def test_without_a_disagreement_there_is_no_difference():
    assert examined.mcnemar_p(0, 0) == 1


@pytest.mark.parametrize("counts", [(10, 12), (10, 3), (10, -2)])
def test_counts_that_cannot_be_are_refused(counts):
    with pytest.raises(ValueError, match="both even or both odd"):
        examined.mcnemar_p(*counts)


@pytest.mark.parametrize("net", [6, 13, 14, 48])
def test_the_most_discordant_is_where_the_verdict_turns(net):
    most = examined.most_discordant(net)
    assert examined.mcnemar_p(most, net) < examined.ALPHA <= examined.mcnemar_p(most + 2, net)
    assert examined.least_net(most) == net
    assert examined.least_net(most + 2) == net + 2


def test_too_small_a_difference_is_never_significant():
    assert examined.most_discordant(5) is None  # two-sided 2 / 2**5 > 0.05
    assert examined.least_net(5) is None


def test_mcnemar_holds_its_level():
    generator = np.random.default_rng(4)
    firsts = generator.binomial(100, 0.5, 20_000)
    p_values = {k: examined.mcnemar_p(100, abs(100 - 2 * k)) for k in range(101)}
    assert np.mean([p_values[k] < examined.ALPHA for k in firsts.tolist()]) <= examined.ALPHA


def test_independent_errors_disagree_as_a_simulation_does():
    generator = np.random.default_rng(6)
    first, second = (generator.random(1_000_000) < share for share in (0.66, 0.67))
    assert examined.discordant_if_independent(0.66, 0.67, 1_000_000) == pytest.approx(
        np.sum(first != second), rel=0.01
    )


def prints_as(k, n, decimals):
    """Return every text that k of n may be printed as, whichever way a half is rounded."""
    exact, unit = Decimal(100 * k) / Decimal(n), Decimal(1).scaleb(-decimals)
    return {exact.quantize(unit, rounding) for rounding in (ROUND_HALF_UP, ROUND_HALF_DOWN)}


@given(st.integers(1, 400), st.integers(0, 1000))
def test_numerators_are_all_that_print_so(n, tenths):
    wanted = Decimal(tenths).scaleb(-1)
    assert examined.numerators(float(wanted), n, 1) == [
        k for k in range(n + 1) if wanted in prints_as(k, n, 1)
    ]


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_every_fraction_is_found_from_its_own_print(fraction):
    k, n = fraction
    assert all(k in examined.numerators(float(text), n) for text in prints_as(k, n, 2))


def test_a_fraction_cut_off_instead_of_rounded_does_not_print_65_78_either():
    cut = {(Decimal(100 * k) / 1192).quantize(Decimal("0.01"), ROUND_DOWN) for k in range(1193)}
    assert Decimal("65.78") not in cut


def test_base_rate_counts_each_fraction_once():
    assert examined.base_rate(1192) == 1193 / 10_001  # fewer than 10,000: no two print alike, none is a half
    assert examined.base_rate(3, 0) == 4 / 101


def test_denominators_fit_all_percentages_at_once():
    assert examined.denominators([50.0, 33.33], range(1, 13)) == [6, 12]


def test_a_balanced_accuracy_over_unequal_classes_prints_as_anything():
    sizes = (150, 160, 165, 170, 175, 182, 190)  # invented; they sum to 1192
    recalls = [np.arange(int(0.5 * n), int(0.8 * n)) / n for n in sizes[:3]]
    rest = sum(round(0.66 * n) / n for n in sizes[3:])
    means = (recalls[0][:, None, None] + recalls[1][:, None] + recalls[2] + rest) / 7
    assert set(range(6200, 7000)) <= set(np.round(means * 10_000).astype(int).ravel().tolist())
