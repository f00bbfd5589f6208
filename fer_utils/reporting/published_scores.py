"""The chapter on published numbers, on scores: sentences, tables and figures, as MyST Markdown."""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from fer_utils.analysis.claims import published
from fer_utils.published import score_tables as found
from fer_utils.published import scores as examined
from fer_utils.published.numbers import printed
from fer_utils.reporting import plots
from fer_utils.reporting.page_figures import PageFigures
from fer_utils.reporting.pages import html_table

CORRELATION: Final = "correlation within children"
HALF_WIDTH: Final = "half of the interval's width, points"

DISAGREEMENTS: Final = (14, 20, 30, 40, 50, 100, 200)
"""Discordant photographs that the table shows, besides independence: dense where the verdict turns."""


def metrics_part(_: PageFigures) -> str:
    """Return the table of scores, each with the measure that its source calls it."""
    rows = [
        (f"MobileNetV3-Large, {what}", f"{published(claim):.2f} %", "accuracy (not said whether balanced)",
         "banerjee2023")
        for claim, what in found.SCORES
    ]  # fmt: skip
    rows.insert(1, (rows[0][0], f"{published('f1-all'):.2f} %", "F1 (averaging not said)", "banerjee2023"))
    for name in ("reference-score", "reference-f1", "before-reference", "preprint-score", "preprint-f1"):
        number = printed(name)
        rows.append((number.what, f"{number.printed} {number.unit}", str(number.metric), number.source))
    lines = [f"| {what} | {value} | {metric} | {{cite:t}}`{key}` |" for what, value, metric, key in rows]
    head = "| score on CAFE | printed | called | source |\n| --- | --- | --- | --- |\n"
    return (
        head
        + "\n".join(lines)
        + f"\n\nThe {published('below-reference'):.2f} points between the best network "
        f"and the reference network are {printed('reference-score').printed} less "
        f"{published('accuracy-all'):.2f}, a balanced accuracy less a score that is called accuracy only.\n"
    )


def intervals_part(figures: PageFigures) -> str:
    """Return the scores' intervals under several correlations, and the figure of their widths."""
    intervals = found.score_intervals()
    ends = intervals.assign(
        shown=[
            f"{low:.1f} to {high:.1f}" for low, high in zip(intervals["low"], intervals["high"], strict=True)
        ]
    )
    table = by_correlation(ends, ["series"], "shown").rename(columns={"series": "printed"})
    curve = named_for_axes(found.score_intervals(found.CURVE))
    gap = published("below-reference")
    drawing = plots.curves(
        curve, x=CORRELATION, y=HALF_WIDTH, level=gap, level_label=f"gap to the reference network, {gap:.2f}"
    )
    narrowest = intervals.loc[intervals["correlation"] == 0, "half_width"]
    text = (
        f"CAFE has {found.photographs():,} photographs of {found.children()} children, "
        f"{found.photographs() / found.children():.1f} a child. Were all photographs independent, each score would "
        f"be uncertain by {narrowest.min():.1f} to {narrowest.max():.1f} points either way; the gap of {gap:.2f} "
        "points between the first and the last row is smaller than that.\n\n"
    )
    caption = (
        "Half the width of each score's 95 % interval against the correlation within children, and the gap."
    )
    alt = "Four nearly equal curves that rise with the correlation; all lie above a dotted line, the gap."
    title = "95 % intervals on all of CAFE, percent, by correlation within children"
    return (
        text
        + html_table(table, title)
        + "\n"
        + figures.show("published-interval-width", drawing, curve, caption, alt)
    )


def difference_part(figures: PageFigures) -> str:
    """Return McNemar's verdict on the gap by how many photographs the two networks disagree on."""
    independent = found.expected_discordant()
    table = found.verdicts_by_disagreement((*DISAGREEMENTS, independent))
    table = table[table["net"] == table["net"].max()]
    fewer, more = found.net_photographs()
    shown = table.assign(
        share=[f"{100 * s:.1f} %" for s in table["share"]],
        significant=["yes" if p < examined.ALPHA else "no" for p in table["p_value"]],
        p_value=["below 0.001" if p < 0.001 else f"{p:.3f}" for p in table["p_value"]],
    )[["discordant", "share", "p_value", "significant"]]
    shown.columns = pd.Index(
        ["read right by one network only", "share of CAFE", "p-value", "significant at 5 %"]
    )
    return (
        _told_apart(fewer, more, independent)
        + html_table(shown, f"A difference of {more} photographs, by how many the networks disagree on")
        + "\n"
        + _difference_drawn(figures, range(more, independent, 2))
    )


def _told_apart(fewer: int, more: int, independent: int) -> str:
    most = {net: examined.most_discordant(net) or 0 for net in (fewer, more)}
    needed = examined.least_net(independent) or 0
    return (
        f"On {found.photographs():,} photographs, {published('below-reference'):.2f} points are {fewer} or {more} "
        f"photographs. The two networks can be told apart only if they disagree on very few: up to {most[fewer]} "
        f"photographs for a difference of {fewer}, up to {most[more]} for one of {more}, which is "
        f"{100 * most[more] / found.photographs():.1f} % of the set. Two networks of these scores whose errors had "
        f"nothing in common would disagree on about {independent}; a difference would then have to be {needed} "
        f"photographs, {100 * needed / found.photographs():.1f} points, to be significant.\n\n"
    )


def _difference_drawn(figures: PageFigures, disagreements: Sequence[int]) -> str:
    curve = found.verdicts_by_disagreement(tuple(disagreements))
    curve = curve.assign(series=curve["net"].astype(str) + " photographs more read right").rename(
        columns={"discordant": "photographs read right by one network only", "p_value": "p-value (McNemar)"}
    )
    drawing = plots.curves(
        curve, x="photographs read right by one network only", y="p-value (McNemar)", level=examined.ALPHA,
        level_label=f"significant below {examined.ALPHA:.2f}", logarithmic=True,
    )  # fmt: skip
    caption = "McNemar's exact p-value of the gap against the number of photographs on which the two networks disagree."
    alt = (
        "Two curves that rise from near zero, cross the dotted line of significance early, and go on rising."
    )
    return figures.show("published-mcnemar", drawing, curve, caption, alt)


def fractions_part(_: PageFigures) -> str:
    """Return which printed scores are a whole number of photographs, and the readings of the one that is not."""
    n, score = found.photographs(), published("accuracy-all")
    table = found.fractions()
    shown = table.assign(
        percent=[f"{p:.2f} %" for p in table["percent"]],
        numerator=["none" if pd.isna(k) else f"{k} of {n:,}" for k in table["numerator"]],
    )
    shown.columns = pd.Index(["score", "printed", "called", "fraction that prints so"])
    rate = examined.base_rate(n)
    accuracies = table[table["metric"] == "accuracy"]
    missing = [f"{p:.2f} %" for p in accuracies.loc[accuracies["numerator"].isna(), "percent"]]
    hits = len(accuracies) - len(missing)
    near = examined.denominators([score], found.NEAR)
    fits_all = examined.denominators(accuracies["percent"], found.NEAR)
    text = (
        f"Of all percentages with two decimals, {100 * rate:.1f} % (one in {1 / rate:.1f}) are some whole number "
        f"of {n:,}. Of the abstract's {len(accuracies)} accuracies {hits} are; by coincidence, {hits} or more would "
        f"be {100 * examined.coincidence(hits, len(accuracies), rate):.1f} % of the time. No whole number of {n:,} "
        f"prints as {listed(missing)}, rounded up or down.\n\n"
    )
    span = f"{found.NEAR.start:,} to {found.NEAR.stop - 1:,}"
    readings = (
        f"\nReadings of {score:.2f} % that remain, none of which can be chosen from the abstract:\n\n"
        f"- Another number of photographs. {len(near)} of the {len(found.NEAR)} numbers from {span} have a "
        f"fraction that prints so ({listed(near)}), where coincidence alone "
        f"gives about {len(found.NEAR) * rate:.0f}. {listed(fits_all)} would fit all {len(accuracies)} accuracies; "
        f"coincidence gives {len(found.NEAR) * rate ** len(accuracies):.1f} such numbers.\n"
        "- A balanced accuracy, as the reference network's score is. A mean of seven recalls of different "
        "denominators can print as almost anything; a check needs CAFE's photographs by expression, which its "
        "own spreadsheet holds, and how many of each were read right.\n"
        f"- A mean over runs. The mean of {found.fewest_runs(score)} runs or more could print so, that of fewer "
        "could not.\n- A slip in typing or rounding.\n"
    )
    return text + html_table(shown, f"Whole numbers of {n:,} behind the printed scores") + readings


def by_correlation(tidy: pd.DataFrame, rows: list[str], values: str) -> pd.DataFrame:
    """Return a wide table for readers: a column a correlation, rows in the order given."""
    wide = tidy.pivot_table(index=rows, columns="correlation", values=values, aggfunc="first", sort=False)
    wide.columns = pd.Index(["independent" if c == 0 else f"{c:g}" for c in wide.columns])
    return wide.reset_index()


def named_for_axes(curve: pd.DataFrame) -> pd.DataFrame:
    """Return a curve with its columns named as the axes are labelled."""
    return curve.rename(columns={"correlation": CORRELATION, "half_width": HALF_WIDTH})


def listed(words: Sequence[object]) -> str:
    """Return words as a sentence lists them."""
    names = [str(word) for word in words]
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else "".join(names) or "None"
