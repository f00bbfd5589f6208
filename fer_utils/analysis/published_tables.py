"""Tables of published numbers: scores and gaps on CAFE examined by `printed_scores`, latencies beside this project's own.

Shares are in percent, gaps in points, times in milliseconds.
"""

from itertools import product
from typing import Final

import numpy as np
import pandas as pd

from arm_latency.cortex_a53 import on_phones
from expression_scores import printed_scores as examined
from expression_scores.groups import Clustering, detectable_gap
from fer_utils import tables
from fer_utils.analysis.claims import children_by_group, load_published, printed, published
from fer_utils.study import ARCHITECTURES

CORRELATIONS: Final = (0.0, 0.05, 0.1, 0.2, 0.3)
"""Correlations within children that tables show: none, and up to where a third of the variance is the child's."""

CURVE: Final = tuple(np.linspace(0, 0.5, 51))
"""Correlations that figures show."""

SCORES: Final = (("accuracy-all", "trained on everything"), ("accuracy-children", "trained on children"),
                 ("accuracy-adults", "trained on adults"))  # fmt: skip
"""The abstract's three accuracies on all of CAFE, by claim and by what the network was trained on."""

SUSPECTED: Final = ("South Asian", "African American")
"""The groups of which the abstract says that they score lower."""


def photographs() -> int:
    """Return how many photographs CAFE has."""
    return int(printed("cafe-photographs").value)


def children() -> int:
    """Return how many children CAFE has."""
    return int(printed("cafe-children").value)


def score_intervals(correlations: tuple[float, ...] = CORRELATIONS) -> pd.DataFrame:
    """Return one row per score on CAFE and correlation: series, percent, metric, correlation, low, high, half_width."""
    reference = printed("reference-score")
    scores = [(f"{what}, {published(claim):.2f} %", published(claim), "accuracy") for claim, what in SCORES]
    scores += [(f"reference network, {reference.printed} %", reference.value, str(reference.metric))]
    rows = []
    for (series, percent, metric), correlation in product(scores, correlations):
        effective = examined.effective_photographs(photographs(), children(), correlation)
        ends = examined.wilson(percent / 100, effective)
        rows.append((series, percent, metric, correlation, 100 * ends.low, 100 * ends.high,
                     50 * (ends.high - ends.low)))  # fmt: skip
    columns = ["series", "percent", "metric", "correlation", "low", "high", "half_width"]
    return pd.DataFrame(rows, columns=columns)


def by_correlation(tidy: pd.DataFrame, rows: list[str], values: str) -> pd.DataFrame:
    """Return a wide table for readers: one column per correlation, rows in the order given."""
    wide = tidy.pivot_table(index=rows, columns="correlation", values=values, aggfunc="first", sort=False)
    wide.columns = pd.Index(["independent" if c == 0 else f"{c:g}" for c in wide.columns])
    return wide.reset_index()


def net_photographs() -> tuple[int, int]:
    """Return between which whole numbers of photographs the printed gap to the reference network lies."""
    exact = published("below-reference") / 100 * photographs()
    return int(np.floor(exact)), int(np.ceil(exact))


def significance_by_disagreement(discordant: tuple[int, ...]) -> pd.DataFrame:
    """Return McNemar's p-values: net, discordant (or the next possible count), share of CAFE from 0 to 1, p_value."""
    rows = []
    for net in net_photographs():
        counts = dict.fromkeys(max(net, d + (d - net) % 2) for d in discordant)
        rows += [(net, each, each / photographs(), examined.mcnemar_p(each, net)) for each in counts]
    return pd.DataFrame(rows, columns=["net", "discordant", "share", "p_value"])


def reference_sizes(on_top: int = 0) -> pd.DataFrame:
    """Return one row per network and head: what its printed ratio implies for the reference network's size.

    Columns: network, head, outputs, parameters, times, implied, low, high; sizes in millions, ends from the ratio's
    rounding. `on_top` is 1 where the ratio is read as on top of the network itself.
    """
    preprint = printed("preprint-reference-parameters").value
    ratios = {"MobileNetV3-Large": published("reference-parameters"), "MobileNetV2": preprint}
    sizes = pd.DataFrame([graph.model_dump() for graph in load_published().counted])
    sizes = sizes[sizes["network"].isin(ratios)].reset_index(drop=True)
    sizes["parameters"] /= 1e6
    sizes["times"] = sizes["network"].map(ratios)
    for end, rounding in {"implied": 0, "low": -0.005, "high": 0.005}.items():
        sizes[end] = (on_top + sizes["times"] + rounding) * sizes["parameters"]
    return sizes


def heads_that_agree(sizes: pd.DataFrame) -> int:
    """Return how many pairs of heads make the two ratios of `reference_sizes` imply one size within rounding."""
    article, preprint = (sizes[sizes["network"] == name] for name in ("MobileNetV3-Large", "MobileNetV2"))
    pairs = article.merge(preprint, how="cross", suffixes=("", "_preprint"))
    return int(((pairs["low"] <= pairs["high_preprint"]) & (pairs["low_preprint"] <= pairs["high"])).sum())


def nearest_sizes(sizes: pd.DataFrame) -> tuple[float, float, float]:
    """Return the sizes that the article's and the preprint's ratio imply with the common head, and the article's
    size by the head that comes nearest to the preprint's, in millions."""
    common = sizes[sizes["head"] == "common"].set_index("network")["implied"]
    preprint = float(common["MobileNetV2"])
    article = sizes.loc[sizes["network"] == "MobileNetV3-Large", "implied"]
    nearest = float(min(article, key=lambda size: abs(size - preprint)))
    return float(common["MobileNetV3-Large"]), preprint, nearest


def effective_by_group(correlation: float) -> dict[str, float]:
    """Return each group's effective photographs, if its children have as many photographs each as CAFE's mean."""
    groups, whole, everyone = children_by_group(), photographs(), children()
    sizes = {group: (count * whole / everyone, count) for group, count in groups.items()}
    return {group: examined.effective_photographs(*size, correlation) for group, size in sizes.items()}


def group_intervals(correlations: tuple[float, ...] = CORRELATIONS) -> pd.DataFrame:
    """Return half the width of each group's interval, in points: group, children, photographs, correlation."""
    rows = []
    for correlation in correlations:
        for group, effective in effective_by_group(correlation).items():
            ends = examined.wilson(published("accuracy-all") / 100, effective)
            size = children_by_group()[group]
            rows.append((group, size, size * photographs() / children(), correlation,
                         50 * (ends.high - ends.low)))  # fmt: skip
    return pd.DataFrame(rows, columns=["group", "children", "photographs", "correlation", "half_width"])


def pair_gaps(correlations: tuple[float, ...] = CORRELATIONS) -> pd.DataFrame:
    """Return what can be detected, in points: lower, other, correlation, half_width of the interval, detectable."""
    share, sizes = published("accuracy-all") / 100, children_by_group()
    others, rows = [group for group in sizes if group not in SUSPECTED], []
    for correlation, lower, other in product(correlations, SUSPECTED, others):
        effective = effective_by_group(correlation)
        half_width = examined.smallest_detectable_gap(share, (effective[lower], effective[other]), power=0.5)
        cluster = Clustering(share, correlation, photographs() / children(), 0.0)
        detectable = detectable_gap(cluster, (sizes[lower], sizes[other]))
        rows.append((lower, other, correlation, 100 * half_width, 100 * detectable))
    return pd.DataFrame(rows, columns=["lower", "other", "correlation", "half_width", "detectable"])


def chance_gaps(correlations: tuple[float, ...] = CORRELATIONS) -> pd.DataFrame:
    """Return how wide the largest of five groups' gaps is when no group differs, in points.

    Columns: correlation, median, upper (exceeded once in twenty), as_wide (share that reaches the published gap).
    """
    rows = []
    for correlation in correlations:
        effective = list(effective_by_group(correlation).values())
        gaps = 100 * examined.gaps_by_chance(published("accuracy-all") / 100, effective)
        rows.append((correlation, np.median(gaps), np.quantile(gaps, 1 - examined.ALPHA),
                     np.mean(gaps >= published("accuracy-gap"))))  # fmt: skip
    return pd.DataFrame(rows, columns=["correlation", "median", "upper", "as_wide"])


PHONE: Final = "Moto G6"

SOURCES: Final = (
    "Moto G6, published", "Moto G6, predicted, 1 thread", "Moto G6, predicted, 4 threads", "phone, measured",
    "browser, measured", "this machine, measured", "other phones, published",
)  # fmt: skip
"""How a latency was obtained, in the order of a figure's legend."""

LATENCY_COLUMNS: Final = (
    "architecture",
    "source",
    "device",
    "threads",
    "ms",
    "low_ms",
    "high_ms",
    "reference",
)

_MEASURED: Final = {"phone": SOURCES[3], "browser": SOURCES[4], "host": SOURCES[5]}

_INTERVAL: Final = {"interval_low_ms": "low_ms", "interval_high_ms": "high_ms"}


def published_claims() -> pd.DataFrame:
    """Return the published latencies on the Moto G6: architecture, ms, reference; neither abstract names the threads."""
    rows = [
        ("mobilenet_v3_large", float(published("latency")), "the paper"),
        ("mobilenet_v2", printed("preprint-latency").value, "the preprint"),
    ]
    return pd.DataFrame(rows, columns=["architecture", "ms", "reference"])


def all_sources(timed: pd.DataFrame) -> pd.DataFrame:
    """Return latencies with their source: the columns of LATENCY_COLUMNS, milliseconds, by network and SOURCES' order.

    `timed` are rows of `measurements` with their `architecture`, of 224-pixel float32 files as trained. Raises ValueError
    for another size.
    """
    if odd := set(timed["image_size"].dropna()) - {224}:
        raise ValueError(f"given times of {sorted(odd)} pixels: only 224 pixels compare with published times")
    measured = timed[timed["latency_ms_median"].notna()]
    measured = measured.rename(columns={"latency_ms_median": "ms", **_INTERVAL})
    sources = [_source(kind, n) for kind, n in zip(measured["device_kind"], measured["threads"], strict=True)]
    rows = measured.assign(source=sources, reference="this run")
    claims = published_claims().assign(source=SOURCES[0], device=PHONE)
    peers = on_phones().rename(columns={"phone": "device", "source": "reference"})
    peers = peers[peers["architecture"].isin(set(timed["architecture"]))].assign(source=SOURCES[-1])
    parts = [part.reindex(columns=list(LATENCY_COLUMNS)) for part in (claims, rows, peers)]
    found = tables.concatenated(parts).astype({"ms": float, "low_ms": float, "high_ms": float})
    order = [*map(ARCHITECTURES.index, found["architecture"])], [*map(SOURCES.index, found["source"])]
    found["source"] = pd.Categorical(found["source"], categories=list(SOURCES))
    return found.iloc[np.lexsort(order[::-1])].reset_index(drop=True)


def claims_against_predictions(predicted: pd.DataFrame) -> pd.DataFrame:
    """Return, for each published latency and number of threads, whether it lies inside the prediction's interval.

    `predicted` are predicted rows of `measurements` with their `architecture`, float32 files as trained.
    """
    rows = predicted.rename(columns={"latency_ms_median": "predicted_ms", **_INTERVAL})
    rows = rows[["architecture", "threads", "predicted_ms", "low_ms", "high_ms"]]
    both = published_claims().rename(columns={"ms": "published_ms"}).merge(rows, on="architecture")
    columns = ["reference", "architecture", "published_ms", "threads", "predicted_ms", "low_ms", "high_ms"]
    return both[columns].assign(lies_inside=both["published_ms"].between(both["low_ms"], both["high_ms"]))


def _source(kind: str, threads: int) -> str:
    return SOURCES[1 if threads == 1 else 2] if kind == "predicted" else _MEASURED[kind]
