"""Gaps: a planted one is found, none is found too often; pairs agree with closed forms, power with simulation."""

from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.optimize import brentq
from simulated_children import simulate_children, true_scores
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower

from expression_scores.groups import (
    BIASED,
    Clustering,
    bounds_of_largest,
    by_group,
    clustering,
    confusions_by_group,
    detectable_gap,
    detectable_gaps,
    difference_within,
    gaps_of_runs,
    group_pairs,
    holm,
    known_factors,
    largest_gap,
    pairwise,
    recalls_by_group,
    shows_clustering,
    with_age_band,
)
from expression_scores.intervals import unpaired_differences
from expression_scores.metrics import METRICS, confusions_by_subject, join, scores
from face_sets.expressions import EXPRESSIONS

FIVE = ("A", "B", "C", "D", "E")


def _p_values(joined_of, repetitions, draws):
    """p-values without a gap; macro F1 takes so many values that ties do not make them conservative."""
    return [
        largest_gap(
            joined_of(50, 7, seed=s, groups=FIVE), "ethnicity", "macro_f1", draws, seed=100_000 + s
        ).p_value
        for s in range(repetitions)
    ]


@pytest.fixture
def planted(faces_of, predictions_of):
    faces = faces_of(200, 14, groups=FIVE)
    right = np.where(faces["ethnicity"] == "E", 0.5, 0.7)
    return join(predictions_of(faces, right), faces)


def test_points_are_those_of_each_group_alone(planted):
    table = by_group(planted, "ethnicity", draws=300).set_index("ethnicity")
    for group, rows in planted.groupby("ethnicity"):
        alone = scores(rows["expression"], rows["predicted"])
        assert table.loc[group, list(METRICS)].astype(float).to_dict() == pytest.approx(
            alone.to_dict(), abs=0.003
        )
        unbiased = [metric for metric in METRICS if metric not in BIASED]
        assert table.loc[group, unbiased].astype(float).to_dict() == pytest.approx(alone[unbiased].to_dict())
    assert (table["subjects"] == 40).all()
    assert (table["images"] == 560).all()
    assert (table["accuracy_low"] < table["accuracy"]).all()
    assert (table["accuracy"] < table["accuracy_high"]).all()


def test_planted_gap_is_recovered(planted):
    gap = largest_gap(planted, "ethnicity", "accuracy", draws=2000)
    assert gap.worst == "E"
    assert gap.low <= 0.2 <= gap.high
    assert gap.p_value < 0.01


def test_groups_survive_renaming_and_reordering(planted):
    names = dict(zip(FIVE, ("v", "w", "x", "y", "z"), strict=True))
    renamed = planted.assign(ethnicity=planted["ethnicity"].map(names)).sample(frac=1, random_state=1)
    first, second = largest_gap(planted, "ethnicity", draws=500), largest_gap(renamed, "ethnicity", draws=500)
    assert (second.best, second.worst) == (names[first.best], names[first.worst])
    assert second.difference == pytest.approx(first.difference)
    assert (second.low, second.high, second.p_value) == (first.low, first.high, first.p_value)


def test_without_a_gap_the_false_positive_rate_is_as_stated(joined_of):
    p_values = _p_values(joined_of, repetitions=150, draws=200)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.10
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


@pytest.mark.slow
def test_false_positive_rate_in_full(joined_of):
    p_values = np.array(_p_values(joined_of, repetitions=2000, draws=1000))
    assert 0.04 <= np.mean(p_values <= 0.05) <= 0.06
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_range_of_the_points_alone_would_mislead(joined_of):
    ranges = [
        largest_gap(joined_of(50, 4, seed=s, groups=FIVE), "ethnicity", "accuracy", 100).difference
        for s in range(20)
    ]
    assert min(ranges) > 0  # above zero although no group differs: why a p-value stands beside it


def test_a_group_of_one_subject_has_a_point_and_no_interval(joined_of):
    joined = joined_of(21, 7)
    joined.loc[joined["subject_id"] == "s0020", "ethnicity"] = "alone"
    row = by_group(joined, "ethnicity", draws=200).set_index("ethnicity").loc["alone"]
    assert row["subjects"] == 1
    assert np.isnan(row["accuracy_low"])
    assert not np.isnan(row["accuracy"])


def test_faces_without_a_group_are_shown_but_not_compared(joined_of):
    joined = joined_of(30, 7)
    joined.loc[joined["subject_id"] < "s0005", "ethnicity"] = pd.NA
    assert "not given" in by_group(joined, "ethnicity", draws=200)["ethnicity"].tolist()
    pairs = group_pairs(joined, "ethnicity")
    assert set(pairs["first"]) | set(pairs["second"]) == {"A", "B"}


def test_one_group_has_no_gap(joined_of):
    with pytest.raises(ValueError, match="two groups"):
        largest_gap(joined_of(10, 7, groups=("A",)), "ethnicity")


def test_a_subject_in_two_groups_is_an_error(joined_of):
    joined = joined_of(10, 7)
    joined["mouth"] = np.where(np.arange(len(joined)) % 2, "open", "closed")
    with pytest.raises(ValueError, match="in two groups"):
        largest_gap(joined, "mouth")


def test_unknown_columns_and_several_runs_are_errors(joined_of):
    joined = joined_of(10, 7)
    with pytest.raises(ValueError, match="no column 'race'"):
        by_group(joined, "race")
    with pytest.raises(ValueError, match="given predictions of 2"):
        by_group(pd.concat([joined, joined.assign(run_id="other")]), "ethnicity")


def test_a_gap_is_shown_beside_what_chance_gives(joined_of, planted):
    nothing = largest_gap(joined_of(50, 7, groups=FIVE), "ethnicity", "accuracy", 1000)
    assert nothing.by_chance > 0.05
    assert nothing.largest_low == 0
    something = largest_gap(planted, "ethnicity", "accuracy", 1000)
    assert 0 < something.largest_low <= 0.2 <= something.largest_high
    assert something.by_chance < something.difference


def test_groups_too_small_are_named_as_such(joined_of):
    joined = joined_of(60, 7)
    joined.loc[joined["subject_id"] < "s0008", "ethnicity"] = "eight children"
    found = by_group(joined, "ethnicity", draws=200).set_index("ethnicity")["too_small"]
    assert found.to_dict() == {"A": False, "B": False, "eight children": True}
    wide = by_group(joined_of(20, 1), "ethnicity", draws=200)  # ten children, a photograph each
    assert wide["too_small"].all()


def test_photographs_of_one_child_may_be_in_several_groups(joined_of):
    table = by_group(joined_of(30, 14), "expression", draws=200)
    assert set(table["expression"]) == set(EXPRESSIONS)
    assert (table["subjects"] == 30).all()
    assert table["images"].sum() == 30 * 14


def test_groups_of_a_group_hold_its_subjects_only(joined_of):
    joined = joined_of(40, 7)
    joined["sex"] = np.where(joined["subject_id"] < "s0010", "female", "male")
    for _, rows in joined.groupby("ethnicity"):
        table = by_group(rows, "sex", draws=200)
        assert table[["sex", "subjects"]].to_numpy().tolist() == [["female", 5], ["male", 15]]


def test_age_bands_meet_without_overlap():
    ages = pd.DataFrame({"age_years": [2.7, 3.99, 4.0, 5.9, 6.0, 8.7, 12.9, 17.0, 40.0, np.nan]})
    bands = with_age_band(ages)["age_band"]
    assert bands.astype("string").fillna("missing").tolist() == [
        "under 4", "under 4", "4 and 5", "4 and 5", "6 to 8", "6 to 8", "9 to 12", "13 to 17", "18 and over", "missing",
    ]  # fmt: skip


def test_only_factors_that_part_the_rows_are_known(joined_of):
    joined = joined_of(20, 7).assign(sex="female", mouth=pd.NA)
    assert known_factors(joined, ("ethnicity", "sex", "mouth", "age_band", "expression")) == [
        "ethnicity",
        "expression",
    ]


def test_every_pair_is_compared_and_holm_is_never_smaller(planted):
    pairs = group_pairs(planted, "ethnicity", "accuracy")
    assert len(pairs) == 10
    assert (pairs["p_holm"] >= pairs["p_value"]).all()
    with_e = (pairs["first"] == "E") | (pairs["second"] == "E")
    assert (pairs.loc[with_e, "p_holm"] < 0.05).all()


def test_open_mouths_are_compared_within_children_and_within_expressions(faces_of, predictions_of):
    faces = faces_of(120, 14)
    faces["mouth"] = np.where(np.arange(len(faces)) % 14 < 7, "open", "closed")
    right = np.where(faces["mouth"] == "open", 0.7, 0.5)
    found = difference_within(join(predictions_of(faces, right), faces), "mouth", ("open", "closed"), 1000)
    assert found["accuracy"].low <= 0.2 <= found["accuracy"].high
    assert found["accuracy"].excludes_zero


def test_what_occurs_with_one_mouth_only_does_not_count(faces_of, predictions_of):
    faces = faces_of(30, 14)
    faces["mouth"] = np.where(np.arange(len(faces)) % 14 < 7, "open", "closed")
    faces = faces[(faces["mouth"] == "open") | (faces["expression"] != "surprise")]
    joined = join(predictions_of(faces, np.where(faces["expression"] == "surprise", 1.0, 0.0)), faces)
    assert difference_within(joined, "mouth", ("open", "closed"), 200)["accuracy"].estimate == 0
    assert difference_within(joined[joined["mouth"] == "open"], "mouth", ("open", "closed"), 200) == {}
    one = joined[joined["subject_id"] == joined["subject_id"].iloc[0]]
    assert difference_within(one, "mouth", ("open", "closed"), 200) == {}


def test_runs_are_kept_apart_and_holm_counts_them(planted):
    both = pd.concat([planted, planted.assign(run_id="other", predicted=planted["expression"])])
    table = gaps_of_runs(both, ["run", "other"], "ethnicity", draws=200).set_index("run_id")
    alone = largest_gap(planted, "ethnicity", "accuracy", 200)
    assert table.loc["run", ["worst", "difference", "p_value"]].tolist() == [
        "E",
        alone.difference,
        alone.p_value,
    ]
    assert table.loc["run", "p_holm"] == pytest.approx(2 * alone.p_value)
    assert table.loc["other", ["difference", "p_value"]].tolist() == [0, 1]
    assert 0 < table.loc["other", "true_high"] < 0.25  # forty children a group, all right: others may not be


def _children(generator, children, mean, spread=0.15, photographs=8):
    """Children with equally many photographs, all of one expression: accuracy is the mean of their shares."""
    own = np.clip(generator.normal(mean, spread, children), 0, 1)
    right = generator.binomial(photographs, own)
    counts = np.zeros((children, 7, 7), dtype=np.int64)
    counts[:, 0, 0], counts[:, 0, 1] = right, photographs - right
    return counts


def test_two_groups_are_welchs_test():
    generator = np.random.default_rng(1)
    groups = {"A": _children(generator, 11, 0.5), "B": _children(generator, 30, 0.7)}
    (row,) = pairwise(groups, "accuracy").to_dict("records")
    library = stats.ttest_ind(*(g[:, 0, 0] / 8 for g in groups.values()), equal_var=False)
    interval = library.confidence_interval()
    assert row["p_value"] == pytest.approx(library.pvalue)
    assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high), abs=2e-3)


def test_equal_groups_are_tukeys_intervals():
    generator = np.random.default_rng(2)
    groups = {name: _children(generator, 200, 0.6) for name in "ABC"}
    library = stats.tukey_hsd(*(g[:, 0, 0] / 8 for g in groups.values())).confidence_interval()
    ours = pairwise(groups, "accuracy")
    for row, (i, j) in zip(ours.to_dict("records"), combinations(range(3), 2), strict=True):
        assert (row["low"], row["high"]) == pytest.approx((library.low[i, j], library.high[i, j]), abs=4e-3)


def test_bounds_hold_the_largest_gap_however_many_groups_are_looked_at():
    means, held = (0.6, 0.6, 0.6, 0.6, 0.5), []
    for seed in range(150):
        generator = np.random.default_rng(seed)
        groups = {
            str(i): _children(generator, n, m)
            for i, (n, m) in enumerate(zip((77, 27, 23, 16, 11), means, strict=True))
        }
        low, high = bounds_of_largest(pairwise(groups, "accuracy"))
        held.append(low <= 0.1 <= high)
    assert np.mean(held) >= 0.91


def test_nothing_planted_leaves_zero_possible():
    excluded = []
    for seed in range(150):
        generator = np.random.default_rng(1000 + seed)
        groups = {str(n): _children(generator, n, 0.6) for n in (77, 27, 23, 16, 11)}
        excluded.append(bounds_of_largest(pairwise(groups, "accuracy"))[0] > 0)
    assert np.mean(excluded) <= 0.08


def test_small_groups_are_shown_and_not_compared(planted):
    """One child as a sixth group would otherwise decide what the largest gap is by chance."""
    first = planted["subject_id"].astype(str).min()
    with_one = planted.assign(
        ethnicity=np.where(planted["subject_id"] == first, "X", planted["ethnicity"].astype(str))
    )
    assert "X" in set(by_group(with_one, "ethnicity", draws=200)["ethnicity"])
    without = planted[planted["subject_id"] != first]
    gaps = [largest_gap(each, "ethnicity", "accuracy", 2000) for each in (with_one, without)]
    assert gaps[0] == gaps[1]
    pairs = group_pairs(with_one, "ethnicity", "accuracy")
    assert "X" not in {*pairs["first"], *pairs["second"]}


@pytest.mark.parametrize("children", [4, 16])
def test_groups_that_cannot_be_compared_give_no_rows(joined_of, children):
    joined = joined_of(children, 7)
    run = joined["run_id"].iloc[0]
    assert gaps_of_runs(joined, [run], "ethnicity", draws=50).empty
    assert list(gaps_of_runs(joined, [run], "ethnicity", draws=50).columns[:2]) == ["run_id", "best"]
    assert group_pairs(joined, "ethnicity").empty
    with pytest.raises(ValueError, match="with 9 subjects, given 0"):
        largest_gap(joined, "ethnicity")


def test_no_p_value_is_below_what_permuting_the_children_can_give():
    groups = {"right": np.zeros((9, 7, 7), dtype=int), "wrong": np.zeros((9, 7, 7), dtype=int)}
    groups["right"][:, 0, 0], groups["wrong"][:, 0, 1] = 7, 7
    (pair,) = pairwise(groups, "accuracy").to_dict("records")
    assert pair["p_value"] >= 2 / comb(18, 9)
    assert 0 < pair["low"] < 1


def test_a_group_of_one_has_a_difference_and_no_interval():
    generator = np.random.default_rng(3)
    groups = {
        "one": _children(generator, 1, 0.5),
        "A": _children(generator, 9, 0.5),
        "B": _children(generator, 9, 0.5),
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
    assert holm(pd.Series([], dtype=float)).size == 0


@pytest.mark.parametrize("power", [1, 4])
def test_holms_are_those_of_statsmodels_ties_and_ends_included(monkeypatch, power):
    # statsmodels collects garbage at each call: beside all other tests' objects, for half a second
    monkeypatch.setattr("gc.collect", lambda: 0)
    generator = np.random.default_rng(power)
    for number in (1, 2, 5, 12):
        values = generator.random(number).round(2) ** power
        expected = multipletests(values, method="holm")[1]
        np.testing.assert_array_equal(holm(pd.Series(values)), expected)
        np.testing.assert_array_equal(holm(pd.Series(values, dtype="Float64")), expected)


def _simulated_power(gap, children, repetitions):
    """How often the study's interval excludes zero when simulated groups differ by a true gap, and its error."""
    target = true_scores()["accuracy"] - gap
    shift = brentq(lambda s: true_scores(s)["accuracy"] - target, -20, 20)
    found = 0
    for each in range(repetitions):
        generator = np.random.default_rng([0, each])
        groups = [
            simulate_children(generator, n, (s,))[:, 0] for n, s in zip(children, (0.0, shift), strict=True)
        ]
        found += unpaired_differences(groups[0], groups[1], draws=500, seed=each)["accuracy"].excludes_zero
    share = found / repetitions
    return share, float(np.sqrt(share * (1 - share) / repetitions))


CAFE_GROUPS = {"European American": 77, "African American": 27, "Latino": 23, "Asian": 16, "South Asian": 11}


@pytest.fixture(scope="module")
def simulated():
    return clustering(simulate_children(np.random.default_rng(1), 20_000)[:, 0])


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
    found = clustering(_beta_binomial(correlation))
    assert found.correlation == pytest.approx(correlation, abs=0.01)
    assert found.share == pytest.approx(0.6, abs=0.01)


def test_independent_photographs_have_none(joined_of):
    assert clustering(confusions_by_subject(joined_of(400, 14))[1]).correlation < 0.02


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
    cluster = clustering(simulate_children(generator, 20_000)[:, 0])
    expected = cluster.share * (1 - cluster.share) / photographs.mean() * cluster.design_effect
    assert share.var() == pytest.approx(expected, rel=0.12)


def test_gap_is_the_textbooks_for_one_photograph_each():
    cluster = Clustering(0.5, 0.0, 1, 0)
    gap = detectable_gap(cluster, (40, 40))
    power = TTestIndPower().power(gap / 0.5, nobs1=40, alpha=0.05, ratio=1)
    assert power == pytest.approx(0.8, abs=0.01)


def test_more_children_find_smaller_gaps(simulated):
    table = detectable_gaps(simulated, CAFE_GROUPS)
    assert len(table) == 10
    assert table["detectable"].is_monotonic_increasing
    assert set(table.iloc[-1][["first", "second"]]) == {"Asian", "South Asian"}


def test_simulation_finds_the_detectable_gap_four_times_in_five(simulated):
    for children in ((77, 27), (77, 11)):
        power, error = _simulated_power(detectable_gap(simulated, children), children, 300)
        assert 0.8 - 0.05 - 2 * error <= power <= 0.8 + 0.05 + 2 * error


def test_without_a_gap_it_is_seldom_found():
    power, _ = _simulated_power(0.0, (77, 11), 300)
    assert power <= 0.09


ALL_RIGHT = np.tile(np.eye(7, dtype=int), (5, 1, 1))


@pytest.mark.parametrize(
    "counts",
    [np.ones((1, 7, 7), int), np.eye(49, dtype=int)[:5].reshape(5, 7, 7), ALL_RIGHT,
     np.roll(ALL_RIGHT, 1, axis=2), np.zeros((0, 7, 7), int)],
)  # fmt: skip
def test_a_correlation_needs_children_with_two_photographs_and_answers_that_vary(counts):
    assert not shows_clustering(counts)
    with pytest.raises(ValueError, match="two children"):
        clustering(counts)


def test_recalls_by_group_are_those_of_each_group_alone(joined_of):
    joined = joined_of(30, 14)
    table = recalls_by_group(joined, "ethnicity", 200).set_index(["group", "expression"])
    assert len(table) == 14
    fear = joined[(joined["ethnicity"] == "A") & (joined["expression"] == "fear")]
    answers = fear["predicted"].astype(str).value_counts()
    row = table.loc[("A", "fear")]
    assert row["recall"] == pytest.approx(answers["fear"] / len(fear))
    assert row["taken_share"] == pytest.approx(answers.drop("fear").max() / len(fear))
    assert row["images"] == len(fear)
    assert row["low"] < row["recall"] < row["high"]


def test_an_expression_that_a_group_does_not_show_has_no_recall(joined_of):
    joined = joined_of(30, 14)
    hidden = (joined["ethnicity"] == "B") & (joined["expression"] == "anger")
    table = recalls_by_group(joined[~hidden], "ethnicity", 200)
    assert ("B", "anger") not in set(zip(table["group"], table["expression"], strict=True))


def test_confusions_by_group_count_every_photograph_once(joined_of):
    joined = joined_of(20, 7)
    table = confusions_by_group(joined, "ethnicity")
    assert table["images"].sum() == len(joined)
    right = table[table["shown"] == table["predicted"]]
    assert (
        right["images"].sum() == (joined["predicted"].astype(str) == joined["expression"].astype(str)).sum()
    )
