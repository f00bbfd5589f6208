"""The chapter's tables, and every statement that its prose makes in words instead of numbers."""

import pytest

from expression_scores import printed_scores as examined
from expression_scores.groups import Clustering, detectable_gaps
from fer_utils.analysis import published_tables as found
from fer_utils.analysis.claims import children_by_group, printed, published


def test_the_printed_gap_is_the_difference_of_the_printed_scores():
    assert printed("reference-score").value - published("accuracy-all") == pytest.approx(
        published("below-reference")
    )


def test_every_interval_is_wider_than_the_gap_and_widens_with_the_correlation():
    intervals = found.score_intervals()
    assert (intervals["half_width"] > published("below-reference")).all()
    assert ((intervals["low"] < intervals["percent"]) & (intervals["percent"] < intervals["high"])).all()
    for _, part in intervals.groupby("series"):
        assert part["half_width"].is_monotonic_increasing


def test_the_gap_is_thirteen_or_fourteen_photographs():
    fewer, more = found.net_photographs()
    assert (fewer, more) == (13, 14)
    gap = published("below-reference") / 100 * found.photographs()
    assert fewer <= gap <= more


def test_significance_needs_agreement_that_is_close():
    shares = (published("accuracy-all") / 100, printed("reference-score").value / 100)
    independent = round(examined.discordant_if_independent(*shares, found.photographs()))
    verdicts = found.significance_by_disagreement((14, 20, 30, 36, 44, 46, 100, independent))
    for net, part in verdicts.groupby("net"):
        assert part["p_value"].is_monotonic_increasing
        assert ((part["discordant"] - net) % 2 == 0).all()
        significant = part[part["p_value"] < examined.ALPHA]
        assert significant["share"].max() < 0.04
        assert not part.loc[part["discordant"].idxmax(), "p_value"] < examined.ALPHA


@pytest.mark.parametrize("on_top", [0, 1])
def test_no_two_heads_make_the_ratios_agree(on_top):
    sizes = found.reference_sizes(on_top)
    assert found.heads_that_agree(sizes) == 0
    assert sizes["implied"].between(10, 100).all()  # tens of millions, as the chapter says


def test_heads_that_agree_are_counted():
    sizes = found.reference_sizes()
    first = sizes["network"] == "MobileNetV3-Large"
    same = sizes.assign(low=sizes["low"].where(first, 0), high=sizes["high"].where(first, 1000))
    assert found.heads_that_agree(same) == 6


def test_groups_are_cafe_s_and_the_smallest_is_the_widest():
    groups = found.group_intervals((0.0,))
    assert groups["children"].sum() == found.children()
    assert groups["photographs"].sum() == pytest.approx(found.photographs())
    assert groups.loc[groups["half_width"].idxmax(), "group"] == "South Asian"


def test_the_published_group_gap_is_within_what_chance_gives():
    chance = found.chance_gaps()
    assert (chance["as_wide"] > 0.05).all()
    assert (published("accuracy-gap") < chance["upper"]).all()
    assert chance["as_wide"].is_monotonic_increasing


def test_a_gap_is_detectable_only_if_it_clears_its_interval():
    pairs = found.pair_gaps()
    assert (pairs["detectable"] > pairs["half_width"]).all()
    per_child = found.photographs() / found.children()
    cluster = Clustering(published("accuracy-all") / 100, 0.1, per_child, 0.0)
    every = detectable_gaps(cluster, children_by_group())
    widest = pairs.loc[pairs["correlation"] == 0.1, "detectable"].max()
    assert widest == pytest.approx(100 * every["detectable"].max())
    assert set(pairs["lower"]).isdisjoint(pairs["other"])


def test_the_article_s_score_is_nearer_to_the_preprint_s_than_its_interval_is_wide():
    intervals = found.score_intervals((0.0,))
    width = intervals.loc[intervals["percent"] == published("accuracy-all"), "half_width"].iloc[0]
    assert 0 < published("accuracy-all") - printed("preprint-score").value < width
    assert published("latency") == 2 * printed("preprint-latency").value


def test_the_preprint_s_network_is_further_behind_than_the_article_s():
    behind = printed("reference-score").value - printed("preprint-score").value
    assert f"{behind:.2f}" == "1.79"
    assert behind > published("below-reference")


def test_an_implied_size_covers_the_sizes_that_print_so():
    sizes = found.reference_sizes()
    for size in (sizes["low"] + 1e-9, sizes["high"] - 1e-9):
        assert (size / sizes["parameters"]).round(2).tolist() == sizes["times"].tolist()
    assert sizes["implied"].tolist() == pytest.approx((sizes["times"] * sizes["parameters"]).tolist())
    on_top = found.reference_sizes(on_top=1)["implied"] - sizes["implied"]
    assert on_top.tolist() == pytest.approx(sizes["parameters"].tolist())


def test_the_nearest_head_is_the_article_s_that_comes_closest_to_the_preprint():
    article, preprint, nearest = found.nearest_sizes(found.reference_sizes())
    assert abs(nearest - preprint) < abs(article - preprint)
    assert [f"{size:.1f}" for size in (article, preprint, nearest)] == ["41.8", "60.3", "58.9"]


def test_wide_tables_keep_the_order_of_rows():
    table = found.by_correlation(found.score_intervals().assign(shown="x"), ["series"], "shown")
    assert table.columns.tolist() == ["series", "independent", "0.05", "0.1", "0.2", "0.3"]
    assert table["series"].tolist() == found.score_intervals()["series"].unique().tolist()
