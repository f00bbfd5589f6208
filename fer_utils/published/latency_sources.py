"""The latencies of one kind of file from all sources, published ones among them, labelled by how each was obtained."""

from typing import Final

import numpy as np
import pandas as pd

from arm_latency.cortex_a53 import on_phones
from fer_utils import tables
from fer_utils.analysis.claims import published
from fer_utils.published.numbers import printed
from fer_utils.study import ARCHITECTURES

PHONE: Final = "Moto G6"

SOURCES: Final = (
    "Moto G6, published", "Moto G6, predicted, 1 thread", "Moto G6, predicted, 4 threads", "phone, measured",
    "browser, measured", "this machine, measured", "other phones, published",
)  # fmt: skip
"""How a latency was obtained, in the order of a figure's legend."""

COLUMNS: Final = ("architecture", "source", "device", "threads", "ms", "low_ms", "high_ms", "reference")

_MEASURED: Final = {"phone": SOURCES[3], "browser": SOURCES[4], "host": SOURCES[5]}

_INTERVAL: Final = {"interval_low_ms": "low_ms", "interval_high_ms": "high_ms"}


def published_claims() -> pd.DataFrame:
    """Return the study's published latencies on the Moto G6: architecture, ms, reference.

    The paper's own is of MobileNetV3-Large; the preprint's of MobileNetV2. Neither abstract says how many threads.
    """
    rows = [
        ("mobilenet_v3_large", float(published("latency")), "the paper"),
        ("mobilenet_v2", printed("preprint-latency").value, "the preprint"),
    ]
    return pd.DataFrame(rows, columns=["architecture", "ms", "reference"])


def all_sources(timed: pd.DataFrame) -> pd.DataFrame:
    """Return latencies with their source: the columns of COLUMNS, milliseconds, by network and SOURCES' order.

    `timed` are rows of `measurements` with their `architecture`, of 224-pixel float32 files as trained: only those may
    stand beside the published times. Raises ValueError for another size.
    """
    if odd := set(timed["image_size"].dropna()) - {224}:
        raise ValueError(
            f"times of {sorted(odd)}-pixel graphs were given: only 224 pixels compare with published times"
        )
    measured = timed[timed["latency_ms_median"].notna()].rename(
        columns={"latency_ms_median": "ms", **_INTERVAL}
    )
    sources = [_source(kind, n) for kind, n in zip(measured["device_kind"], measured["threads"], strict=True)]
    rows = measured.assign(source=sources, reference="this run")
    claims = published_claims().assign(source=SOURCES[0], device=PHONE)
    peers = on_phones().rename(columns={"phone": "device", "source": "reference"})
    peers = peers[peers["architecture"].isin(set(timed["architecture"]))].assign(source=SOURCES[-1])
    parts = [part.reindex(columns=list(COLUMNS)) for part in (claims, rows, peers)]
    found = tables.concatenated(parts).astype({"ms": float, "low_ms": float, "high_ms": float})
    order = [*map(ARCHITECTURES.index, found["architecture"])], [*map(SOURCES.index, found["source"])]
    found["source"] = pd.Categorical(found["source"], categories=list(SOURCES))
    return found.iloc[np.lexsort(order[::-1])].reset_index(drop=True)


def claims_against_predictions(predicted: pd.DataFrame) -> pd.DataFrame:
    """Return, for each published latency and number of threads, whether it lies inside the prediction's interval.

    `predicted` are predicted rows of `measurements` with their `architecture`, float32 files as trained. Columns:
    reference, architecture, published_ms, threads, predicted_ms, low_ms, high_ms, lies_inside.
    """
    rows = predicted.rename(columns={"latency_ms_median": "predicted_ms", **_INTERVAL})
    rows = rows[["architecture", "threads", "predicted_ms", "low_ms", "high_ms"]]
    both = published_claims().rename(columns={"ms": "published_ms"}).merge(rows, on="architecture")
    columns = ["reference", "architecture", "published_ms", "threads", "predicted_ms", "low_ms", "high_ms"]
    return both[columns].assign(lies_inside=both["published_ms"].between(both["low_ms"], both["high_ms"]))


def _source(kind: str, threads: int) -> str:
    predicted = f"Moto G6, predicted, {threads} thread{'s' if threads > 1 else ''}"
    return predicted if kind == "predicted" else _MEASURED[kind]
