"""The tables of the chapter on published numbers: printed numbers and CAFE's sizes through `published`.

Nothing here is measured by this project, and no prediction is needed. Shares are in percent, gaps in points.
"""

from typing import Final

import numpy as np
import pandas as pd

from fer_utils.analysis.claims import published
from fer_utils.published import scores as examined
from fer_utils.published.numbers import children_by_group, counted, printed

CORRELATIONS: Final = (0.0, 0.05, 0.1, 0.2, 0.3)
"""Correlations within children that tables show: none, and up to where a third of the variance is the child's."""

CURVE: Final = tuple(np.linspace(0, 0.5, 51))
"""Correlations that figures show."""

SCORES: Final = (("accuracy-all", "trained on everything"), ("accuracy-children", "on children"),
                 ("accuracy-adults", "on adults"))  # fmt: skip
"""The abstract's three accuracies on all of CAFE, by claim and by what the network was trained on."""

SUSPECTED: Final = ("South Asian", "African American")
"""The groups of which the abstract says that they score lower."""

NEAR: Final = range(1000, 1301)
"""Numbers of photographs near CAFE's that are tried as denominators: a sixth fewer to a tenth more."""

MOST_RUNS: Final = 100
"""Up to how many runs an average is tried; beyond about ten, averages print as anything."""


def photographs() -> int:
    """Return how many photographs CAFE has."""
    return int(printed("cafe-photographs").value)


def children() -> int:
    """Return how many children CAFE has."""
    return int(printed("cafe-children").value)


def compared_scores() -> pd.DataFrame:
    """Return the four scores on all of CAFE that are examined: series, percent, metric."""
    rows = [(f"{what}, {published(claim):.2f} %", published(claim), "accuracy") for claim, what in SCORES]
    reference = printed("reference-score")
    rows.append((f"reference network, {reference.printed} %", reference.value, str(reference.metric)))
    return pd.DataFrame(rows, columns=["series", "percent", "metric"])


def score_intervals(correlations: tuple[float, ...] = CORRELATIONS) -> pd.DataFrame:
    """Return one row a score and correlation: series, percent, metric, correlation, low, high, half_width."""
    rows = []
    for score in compared_scores().to_dict("records"):
        for correlation in correlations:
            effective = examined.effective_photographs(photographs(), children(), correlation)
            ends = examined.wilson(score["percent"] / 100, effective)
            rows.append({**score, "correlation": correlation, "low": 100 * ends.low, "high": 100 * ends.high,
                         "half_width": 50 * (ends.high - ends.low)})  # fmt: skip
    return pd.DataFrame(rows)


def net_photographs() -> tuple[int, int]:
    """Return between which whole numbers of photographs the printed gap to the reference network lies."""
    exact = published("below-reference") / 100 * photographs()
    return int(np.floor(exact)), int(np.ceil(exact))


def verdicts_by_disagreement(discordant: tuple[int, ...]) -> pd.DataFrame:
    """Return one row a net difference and discordant count (or the next one that can be): McNemar's p-value.

    Columns: net, discordant, share of CAFE's photographs from 0 to 1, p_value.
    """
    rows = [
        (net, each, each / photographs(), examined.mcnemar_p(each, net))
        for net in net_photographs()
        for each in dict.fromkeys(max(net, d + (d - net) % 2) for d in discordant)
    ]
    return pd.DataFrame(rows, columns=["net", "discordant", "share", "p_value"])


def expected_discordant() -> int:
    """Return the discordant photographs to expect if the two networks' errors had nothing in common."""
    shares = (published("accuracy-all") / 100, printed("reference-score").value / 100)
    return round(examined.discordant_if_independent(shares, photographs()))


def fractions() -> pd.DataFrame:
    """Return one row a two-decimal score on all of CAFE: what, percent, metric, numerator (missing if none)."""
    scores = [(f"MobileNetV3-Large, {what}", published(c), "accuracy") for c, what in SCORES]
    preprint = printed("preprint-score")
    rows = [
        (what, percent, metric, next(iter(examined.numerators(percent, photographs())), None))
        for what, percent, metric in [
            *scores,
            ("MobileNetV2, preprint", preprint.value, str(preprint.metric)),
        ]
    ]
    return pd.DataFrame(rows, columns=["what", "percent", "metric", "numerator"]).astype(
        {"numerator": "Int64"}
    )


def fewest_runs(percent: float) -> int | None:
    """Return the fewest runs over all of CAFE whose mean accuracy prints as the percentage, up to `MOST_RUNS`."""
    runs = range(1, MOST_RUNS + 1)
    return next((n for n in runs if examined.numerators(percent, n * photographs())), None)


def reference_sizes(on_top: int = 0) -> pd.DataFrame:
    """Return one row a network and head: what its printed ratio implies for the reference network's size.

    Columns: network, head, outputs, parameters, times, implied, low, high; sizes in millions of parameters, ends
    from the ratio's rounding. `on_top` is 1 where so many times more is read as on top of the network itself.
    """
    ratios = {
        "MobileNetV3-Large": published("reference-parameters"),
        "MobileNetV2": printed("preprint-reference-parameters").value,
    }
    rows = []
    for graph in counted():
        if graph.network in ratios:
            size = examined.implied_size(graph.parameters, on_top + (times := ratios[graph.network]))
            rows.append((graph.network, graph.head, graph.outputs, graph.parameters / 1e6, times,
                         size.estimate / 1e6, size.low / 1e6, size.high / 1e6))  # fmt: skip
    return pd.DataFrame(
        rows,
        columns=["network", "head", "outputs", "parameters", "times", "implied", "low", "high"],
    )


def heads_that_agree(sizes: pd.DataFrame) -> int:
    """Return how many pairs of heads make the two ratios of `reference_sizes` imply one size within rounding."""
    article, preprint = (sizes[sizes["network"] == name] for name in ("MobileNetV3-Large", "MobileNetV2"))
    pairs = article.merge(preprint, how="cross", suffixes=("", "_preprint"))
    return int(((pairs["low"] <= pairs["high_preprint"]) & (pairs["low_preprint"] <= pairs["high"])).sum())


def effective_by_group(correlation: float) -> dict[str, float]:
    """Return each group's effective photographs, if its children have as many photographs each as CAFE's mean."""
    return {
        group: examined.effective_photographs(count * photographs() / children(), count, correlation)
        for group, count in children_by_group().items()
    }


def group_intervals(correlations: tuple[float, ...] = CORRELATIONS) -> pd.DataFrame:
    """Return half the width of each group's interval, in points: group, children, photographs, correlation."""
    share = published("accuracy-all") / 100
    rows = []
    for correlation in correlations:
        for group, effective in effective_by_group(correlation).items():
            ends = examined.wilson(share, effective)
            size = children_by_group()[group]
            rows.append((group, size, size * photographs() / children(), correlation,
                         50 * (ends.high - ends.low)))  # fmt: skip
    return pd.DataFrame(rows, columns=["group", "children", "photographs", "correlation", "half_width"])


def pair_gaps(correlations: tuple[float, ...] = CORRELATIONS) -> pd.DataFrame:
    """Return, for each of the groups that are said to score lower beside each other group, what can be seen, in points.

    Columns: lower, other, correlation, half_width of the difference's interval, detectable gap.
    """
    share = published("accuracy-all") / 100
    rows = []
    for correlation in correlations:
        sizes = effective_by_group(correlation)
        for lower in SUSPECTED:
            for other in (group for group in sizes if group not in SUSPECTED):
                pair = (sizes[lower], sizes[other])
                rows.append((lower, other, correlation, 100 * examined.half_width_of_difference(share, pair),
                             100 * examined.smallest_detectable_gap(share, pair)))  # fmt: skip
    return pd.DataFrame(rows, columns=["lower", "other", "correlation", "half_width", "detectable"])


def chance_gaps(correlations: tuple[float, ...] = CORRELATIONS) -> pd.DataFrame:
    """Return how wide the largest of five groups' gaps comes out when no group differs, in points.

    Columns: correlation, median, upper (exceeded once in twenty), as_wide (how often, from 0 to 1, it reaches
    the published gap).
    """
    rows = []
    for correlation in correlations:
        effective = list(effective_by_group(correlation).values())
        gaps = 100 * examined.gaps_by_chance(published("accuracy-all") / 100, effective)
        rows.append((correlation, np.median(gaps), np.quantile(gaps, 1 - examined.ALPHA),
                     np.mean(gaps >= published("accuracy-gap"))))  # fmt: skip
    return pd.DataFrame(rows, columns=["correlation", "median", "upper", "as_wide"])


def versions() -> pd.DataFrame:
    """Return the preprint and the article side by side: a fact a row, columns fact, preprint, article."""
    scores = [
        ("best network", "MobileNetV2", "MobileNetV3-Large"),
        ("score on CAFE", f"{printed('preprint-score').printed} %", f"{published('accuracy-all'):.2f} %"),
        ("what the score is called", str(printed("preprint-score").metric), "accuracy"),
        ("F1", f"{printed('preprint-f1').printed} %", f"{published('f1-all'):.2f} %"),
        ("behind the reference network",
         f"{printed('reference-score').value - printed('preprint-score').value:.2f} points",
         f"{published('below-reference'):.2f} points"),
        ("time on a Moto G6", f"{printed('preprint-latency').printed} ms", f"{published('latency'):g} ms"),
        ("reference network is larger", f"{printed('preprint-reference-parameters').printed} times",
         f"{published('reference-parameters'):.2f} times"),
    ]  # fmt: skip
    return pd.DataFrame(scores, columns=["fact", "preprint, 2021", "article, 2023"])
