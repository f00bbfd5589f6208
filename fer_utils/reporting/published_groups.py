"""The chapter on published numbers, on sizes, groups and versions: sentences, tables and figures, as MyST Markdown."""

import pandas as pd

from fer_utils.analysis.claims import published
from fer_utils.published import score_tables as found
from fer_utils.published import scores as examined
from fer_utils.published.numbers import children_by_group, counted
from fer_utils.reporting import plots
from fer_utils.reporting.page_figures import PageFigures
from fer_utils.reporting.pages import html_table
from fer_utils.reporting.published_scores import CORRELATION, by_correlation, listed, named_for_axes


def sizes_part(_: PageFigures) -> str:
    """Return what the printed ratios imply for the reference network's size."""
    sizes = found.reference_sizes()
    shown = pd.DataFrame({
        "network": sizes["network"],
        "head": [f"{head}, {outputs:,} outputs" for head, outputs in zip(sizes["head"], sizes["outputs"], strict=True)],
        "size": [f"{p:.3f}" for p in sizes["parameters"]],
        "times": [f"{t:.2f}" for t in sizes["times"]],
        "reference": [f"{i:.1f}" for i in sizes["implied"]],
    })  # fmt: skip
    large, small, nearest = _common_and_nearest(sizes)
    large_on_top, small_on_top, nearest_on_top = _common_and_nearest(found.reference_sizes(on_top=1))
    agrees = found.heads_that_agree(sizes) + found.heads_that_agree(found.reference_sizes(on_top=1))
    scale = [c.parameters / 1e6 for c in counted() if c.network == "ResNet-152"]
    text = (
        f"With this project's head on both, the preprint's ratio implies {small:.1f} and the article's {large:.1f} "
        f"million parameters. Other heads of MobileNetV3-Large come as near as {nearest:.1f} million, "
        f"{100 * abs(nearest / small - 1):.1f} % away; for both ratios to hold it would have to have "
        f"{small / published('reference-parameters'):.2f} million itself. Read as what comes on top of the network, "
        f"the ratios imply {small_on_top:.1f} and {large_on_top:.1f} million, or {nearest_on_top:.1f} with the head "
        f"that comes nearest. Pairs of heads that agree within the ratios' rounding, in either reading: {agrees}.\n\n"
    )
    after = (
        f"\nFor scale: ResNet-152, as Keras builds it, has {min(scale):.1f} million parameters with seven outputs and "
        f"{max(scale):.1f} with a thousand. That the reference network is one is a guess from its size; the abstracts "
        "do not name its architecture.\n"
    )
    caption = "Millions of parameters, counted on the graphs of Keras, and what each ratio then implies"
    return text + html_table(shown, caption) + after


def _common_and_nearest(sizes: pd.DataFrame) -> tuple[float, float, float]:
    """Return what the article's and the preprint's ratio imply with the common head, and the article's nearest."""
    common = sizes[sizes["head"] == "common"].set_index("network")["implied"]
    small = float(common["MobileNetV2"])
    article = sizes.loc[sizes["network"] == "MobileNetV3-Large", "implied"]
    return float(common["MobileNetV3-Large"]), small, float(min(article, key=lambda size: abs(size - small)))


def groups_part(figures: PageFigures) -> str:
    """Return what the sizes of CAFE's groups allow to be seen, beside the largest gap reported."""
    gap = published("accuracy-gap")
    widths = found.group_intervals()
    widths["shown"] = [f"{w:.1f}" for w in widths["half_width"]]
    widths["photographs"] = widths["photographs"].round().astype(int)
    alone = by_correlation(widths, ["group", "children", "photographs"], "shown")
    pairs = found.pair_gaps()
    pairs["shown"] = [
        f"{d:.1f} ({w:.1f})" for d, w in zip(pairs["detectable"], pairs["half_width"], strict=True)
    ]
    beside = by_correlation(pairs, ["lower", "other"], "shown")
    return (
        _gap_by_chance(gap)
        + html_table(
            alone, "Half the width of each group's 95 % interval, points, by correlation; photographs as expected"
        )
        + _if_estimated()
        + html_table(
            beside,
            "Smallest detectable gap between two groups, points, and in brackets half the width of its 95 % interval",
        )
        + "\n"
        + _gaps_drawn(figures, gap)
    )  # fmt: skip


def _gap_by_chance(gap: float) -> str:
    chance = found.chance_gaps()
    naive = chance.iloc[0]
    more = [
        f"{100 * wide:.0f} % at {correlation:g}"
        for correlation, wide in zip(chance["correlation"][1:], chance["as_wide"][1:], strict=True)
    ]
    return (
        f"The largest gap that the abstract reports is {gap:.2f} points; between which two groups, it does not say. "
        f"Were all groups read equally well and all photographs independent, the largest gap among the five groups would be "
        f"{naive['median']:.1f} points in the middle case, {naive['upper']:.1f} once in twenty, and {gap:.2f} or more "
        f"{100 * naive['as_wide']:.0f} % of the time; with a correlation within children, more often "
        f"({listed(more)}).\n\n"
    )


def _gaps_drawn(figures: PageFigures, gap: float) -> str:
    curve = named_for_axes(_group_curves())
    drawing = plots.curves(
        curve, x=CORRELATION, y="points", level=gap, level_label=f"largest reported gap, {gap:.2f}"
    )
    caption = (
        "What the sizes of CAFE's groups allow to be seen, against the correlation within children, and the largest gap "
        "reported. Two of the curves happen to lie together."
    )
    alt = "Curves that rise with the correlation, compared with a dotted line at the reported gap."
    return figures.show("published-group-gaps", drawing, curve, caption, alt)


def _if_estimated() -> str:
    sizes = children_by_group()
    fewest = min(sizes, key=sizes.__getitem__)
    factor = examined.widening_if_estimated(sizes[fewest])
    return (
        f"\nThese widths take the correlation as known. Estimated from {sizes[fewest]} children, as few as the "
        f"{fewest} ones, the interval is a further {100 * (factor - 1):.0f} % wider (Student's t).\n\n"
    )


def versions_part(_: PageFigures) -> str:
    """Return the preprint and the article side by side."""
    return html_table(found.versions(), "Preprint and article, from their abstracts")


def _group_curves() -> pd.DataFrame:
    """Return the curves of the groups' figure: series, correlation, points."""
    chance = found.chance_gaps(found.CURVE[::5])
    pairs = found.pair_gaps(found.CURVE)
    pairs = pairs[pairs["other"] == "European American"]
    parts = [
        part[["correlation"]].assign(series=f"{lower} and European American: detectable", points=part["detectable"])
        for lower, part in pairs.groupby("lower", sort=False)
    ]  # fmt: skip
    by_chance = chance[["correlation"]].assign(
        series="largest gap of five groups by chance, once in twenty", points=chance["upper"]
    )
    return pd.concat([*parts, by_chance], ignore_index=True)
