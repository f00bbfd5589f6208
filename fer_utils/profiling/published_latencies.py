"""Published latencies of other people's Cortex-A53 boards, and the costs of the networks they timed.

`cortex_a53_latencies.csv`, runtime ncnn: fastest of the repeats in Tencent/ncnn (BSD-3-Clause),
benchmark/README.md at commit a4d2ea1d, the line named in each row. Boards: those whose measured cores are
Cortex-A53 (of the RK3399, its little cores; its second entry, the OrangePi 4, is the same chip and left out).
Networks: the nine small image classifiers; detectors and networks that are mostly 3x3 convolutions (ResNet,
GoogLeNet, EfficientNetV2), which run other kernels than a phone's classifier, are left out.
`cortex_a53_networks.csv`: their costs, counted from the tensor shapes in benchmark/models/*.param there.
Rows of runtime xnnpack are google/XNNPACK (BSD-3-Clause), README.md, Raspberry Pi table of 8 February 2022.
`phone_latencies.csv`: what others published of the study's networks on phones with faster cores than the Moto G6's,
the source in each row. Of the second source only networks of the study's own width; it does not say how many threads.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, Literal

import pandas as pd

from fer_utils.profiling.graph_costs import GraphCosts

Threads = Literal[1, 4]

_LATENCIES: Final = Path(__file__).with_name("cortex_a53_latencies.csv")
_NETWORKS: Final = Path(__file__).with_name("cortex_a53_networks.csv")
_PHONES: Final = Path(__file__).with_name("phone_latencies.csv")


def published(threads: Threads) -> pd.DataFrame:
    """Return the published float32 measurements of ncnn with one or four threads, with their sources."""
    rows = pd.read_csv(_LATENCIES)
    return rows[(rows["runtime"] == "ncnn") & (rows["threads"] == threads)].reset_index(drop=True)


def on_phones() -> pd.DataFrame:
    """Return others' latencies on phones, 224 pixels.

    Columns: architecture, phone, threads (missing if not said), precision, ms, source.
    """
    return pd.read_csv(_PHONES).astype({"threads": "Int64", "ms": float})


@cache
def network_costs() -> Mapping[str, GraphCosts]:
    """Return the graph costs of the published networks, by name."""
    rows = pd.read_csv(_NETWORKS, index_col="network").drop(columns="source").to_dict("index")
    return {
        str(name): GraphCosts(**{str(column): value for column, value in row.items()})
        for name, row in rows.items()
    }


@cache
def int8_ratios() -> tuple[float, ...]:
    """Return int8 by float32 latency of each network that XNNPACK published both of on a Cortex-A53."""
    rows = pd.read_csv(_LATENCIES).query("runtime == 'xnnpack'")
    wide = rows.pivot(index="network", columns="precision", values="min_ms")
    return tuple(float(ratio) for ratio in wide["int8"] / wide["float32"])
