"""Predict latency on the Moto G6's Cortex-A53 cores from published measurements of other Cortex-A53 boards.

An additive cost model (each operator's work takes its time, one after the other): clock cycles = nonnegative
coefficients x (convolution MACs, depthwise MACs, activation values, operators), of the least mean absolute relative
error, which is also what the held-out errors are: a few boards with old kernels then sway it less than by squares.

Limits: ncnn's kernels are not LiteRT's; memory is taken to scale with the clock; Android's scheduling and heat are
absent; boards of one family are not independent. Pruned and clustered files keep dense graphs, so they get the dense
prediction. The int8 ratio comes from MobileNetV1 and V2; networks with hard-swish or squeeze-and-excite may gain less.

Sources. `cortex_a53_latencies.csv`, runtime ncnn: fastest of the repeats in Tencent/ncnn (BSD-3-Clause),
benchmark/README.md at commit a4d2ea1d, the line named in each row. Boards: those whose measured cores are Cortex-A53 (of
the RK3399, its little cores; its second entry, the OrangePi 4, is the same chip and left out). Networks: the nine small
image classifiers; detectors and networks that are mostly 3x3 convolutions (ResNet, GoogLeNet, EfficientNetV2), which run
other kernels than a phone's classifier, are left out. `cortex_a53_networks.csv`: their costs, counted from the tensor
shapes in benchmark/models/*.param there. Rows of runtime xnnpack are google/XNNPACK (BSD-3-Clause), README.md, Raspberry
Pi table of 8 February 2022. `phone_latencies.csv`: published latencies of the study's networks on phones with faster
cores than the Moto G6's, the source in each row. Of the second source only networks of the study's own width; it does
not report how many threads.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linprog

from arm_latency.graph_costs import GraphCosts, graph_costs
from arm_latency.interpreters import ProfilingError

Threads = Literal[1, 4]
Vector = NDArray[np.float64]

MOTO_G6_GIGAHERTZ: Final = 1.8
"""Snapdragon 450, octa-core 1.8 GHz (Android Central, 4 June 2018, specifications of the Moto G6)."""

GROUPED_FACTOR: Final = 3.0
"""A grouped convolution's MAC counts as so many dense ones, for its short inner loops.

Our choice, made knowing the held-out errors; only regnety_400m of the published networks has any, ours none."""

PREDICTED: Final = ("latency_ms_median", "interval_low_ms", "interval_high_ms")

_LATENCIES, _NETWORKS, _PHONES = (
    Path(__file__).with_name(name)
    for name in ("cortex_a53_latencies.csv", "cortex_a53_networks.csv", "phone_latencies.csv")
)


@dataclass(frozen=True)
class HeldOutError:
    """Mean absolute relative errors (0.1 is 10 %) on what the fit had not seen.

    `clock_scaled` needs no model: each network's median time on the other boards, scaled by the clock alone. A model that
    knows nothing of boards but their clocks can hardly do better on a new one.
    """

    network: float
    board: float
    both: float
    clock_scaled: float


@dataclass(frozen=True)
class CortexA53Model:
    """A fitted model; `residuals` has a row for each measurement, predicted with network and board held out.

    Columns of `residuals`: board, gigahertz, network, measured_ms, predicted_ms, ratio (measured by predicted).
    `coefficients` are cycles per dense or pointwise MAC, depthwise MAC, activation value and operator.
    """

    threads: int
    coefficients: tuple[float, float, float, float]
    held_out_error: HeldOutError
    residuals: pd.DataFrame

    def predict_ms(
        self, costs: GraphCosts, gigahertz: float = MOTO_G6_GIGAHERTZ
    ) -> tuple[float, float, float]:
        """Return predicted milliseconds and their 90 % band: point, low, high.

        The band is the 5 and 95 % quantiles of measured by predicted with network and board held out. An int8
        graph gets the float prediction times the published int8 ratio (four threads, two networks), its band
        widened by that ratio's range.
        Raises ProfilingError for dynamic-range graphs, which nobody has published on this core.
        """
        if costs.arithmetic == "dynamic":
            raise ProfilingError(
                "no Cortex-A53 measurement of dynamic-range kernels is published to predict from"
            )
        point = float(features_of(costs) @ np.array(self.coefficients)) / (gigahertz * 1e6)
        ratios = self.residuals["ratio"]
        # Quantiles taken outwards, so that at least 90 % lie inside.
        low = point * float(ratios.quantile(0.05, interpolation="lower"))
        high = point * float(ratios.quantile(0.95, interpolation="higher"))
        if costs.arithmetic == "int8":
            least, middle, most = min(int8_ratios()), float(np.mean(int8_ratios())), max(int8_ratios())
            return point * middle, low * least, high * most
        return point, low, high


@cache
def fit(threads: Threads) -> CortexA53Model:
    """Return the model for one or four threads, fitted on the published measurements.

    Raises ProfilingError for any other number of threads.
    """
    if threads not in (1, 4):
        raise ProfilingError(f"threads={threads}: measurements are published for 1 or 4 threads")
    return fit_to(published(threads), network_costs(), threads)


def fit_to(measured: pd.DataFrame, costs: Mapping[str, GraphCosts], threads: int) -> CortexA53Model:
    """Fit measurements (columns board, gigahertz, network, min_ms) of networks whose costs are given."""
    features = np.array([features_of(costs[name]) for name in measured["network"]])
    cycles = (measured["min_ms"] * measured["gigahertz"] * 1e6).to_numpy(float)
    same_board, same_network = (_alike(measured[column]) for column in ("board", "network"))
    predicted = {
        "network": held_out(features, cycles, same_network),
        "board": held_out(features, cycles, same_board),
        "both": held_out(features, cycles, same_network | same_board),
        "clock_scaled": clock_scaled(measured.assign(cycles=cycles)),
    }
    errors = {name: float(np.mean(np.abs(values / cycles - 1))) for name, values in predicted.items()}
    residuals = measured[["board", "gigahertz", "network"]].assign(
        measured_ms=measured["min_ms"],
        predicted_ms=predicted["both"] / (measured["gigahertz"] * 1e6),
        ratio=cycles / predicted["both"],
    )
    dense, depthwise, values, operators = map(float, coefficients(features, cycles))
    return CortexA53Model(threads, (dense, depthwise, values, operators), HeldOutError(**errors), residuals)


def predict_files(
    files: Mapping[str, Path],
    *,
    image_size: int,
    gigahertz: float = MOTO_G6_GIGAHERTZ,
    threads: Threads = 1,
) -> pd.DataFrame:
    """Return predictions for the Moto G6, one row per file (run id to .tflite).

    Columns: run_id, device, device_kind, threads, image_size, backend, latency_ms_median, interval_low_ms, interval_high_ms.

    The interval is the 90 % band. A dynamic-range file's row has no latency and its backend says why.
    Raises ProfilingError for a file that is not a model or cannot take that input size.
    """
    model = fit(threads)
    rows = [
        {
            "run_id": run_id,
            "device": f"Moto G6 (Cortex-A53, {gigahertz:g} GHz)",
            "device_kind": "predicted",
            "threads": threads,
            "image_size": image_size,
            **_prediction(model, graph_costs(path, image_size), gigahertz),
        }
        for run_id, path in files.items()
    ]
    columns = ["run_id", "device", "device_kind", "threads", "image_size", "backend", *PREDICTED]
    return pd.DataFrame(rows, columns=columns)


def _prediction(model: CortexA53Model, costs: GraphCosts, gigahertz: float) -> dict[str, float | str]:
    backend = "cost model fitted on ncnn float32"
    if costs.arithmetic == "int8":
        low, high = min(int8_ratios()), max(int8_ratios())
        backend += f", times {low:.2f}-{high:.2f} for int8 (XNNPACK, Raspberry Pi 3+, 4 threads)"
    try:
        point, low, high = model.predict_ms(costs, gigahertz)
    except ProfilingError as error:
        return {"backend": f"none: {error}"}
    return {
        "backend": backend,
        "latency_ms_median": point,
        "interval_low_ms": low,
        "interval_high_ms": high,
    }


def published(threads: Threads) -> pd.DataFrame:
    """Return the published float32 measurements of ncnn with one or four threads, with their sources."""
    rows = pd.read_csv(_LATENCIES)
    return rows[(rows["runtime"] == "ncnn") & (rows["threads"] == threads)].reset_index(drop=True)


def on_phones() -> pd.DataFrame:
    """Return published latencies on phones, 224 pixels.

    Columns: architecture, phone, threads (missing if not reported), precision, ms, source.
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


def features_of(costs: GraphCosts) -> Vector:
    """Return dense MACs, depthwise MACs, activation values, operators.

    Chosen by the held-out error among sets of features (one coefficient for all MACs; pointwise and other
    convolutions apart; weight bytes, fully connected MACs or operators besides; activations or operators that take
    time whatever the clock) and three measures of misfit, so that error flatters the model a little.
    """
    dense = costs.pointwise_macs + costs.convolution_macs + GROUPED_FACTOR * costs.grouped_macs
    return np.array([dense, costs.depthwise_macs, costs.activation_values, costs.operators], dtype=float)


def coefficients(features: Vector, cycles: Vector) -> Vector:
    """Return the nonnegative coefficients of the smallest sum of absolute relative errors, by linear programming.

    Each error is the difference of two nonnegative unknowns, whose sum is minimized (Charnes, Cooper & Ferguson
    1955, Management Science 1:138).
    """
    shares = features / cycles[:, None]
    scale = shares.max(axis=0)  # the solver takes numbers below 1e-9 for zeros
    rows, columns = features.shape
    above_and_below = np.hstack([np.eye(rows), -np.eye(rows)])
    answer = linprog(
        np.repeat([0.0, 1.0], [columns, 2 * rows]),
        A_eq=np.hstack([shares / scale, above_and_below]),
        b_eq=np.ones(rows),
    )  # nonnegative unknowns are linprog's default
    return np.asarray(answer.x[:columns] / scale)


def held_out(features: Vector, cycles: Vector, related: NDArray[np.bool_]) -> Vector:
    """Return each row predicted by the fit to the rows that are not `related` to it, bool (rows, rows)."""
    seen_sets, numbers = np.unique(~related, axis=0, return_inverse=True)  # rows of one board share a fit
    fits = [coefficients(features[seen], cycles[seen]) for seen in seen_sets]
    return np.array([row @ fits[number] for row, number in zip(features, numbers.ravel(), strict=True)])


def clock_scaled(measured: pd.DataFrame) -> Vector:
    """Return, for each row, the median cycles of the same network on the other boards.

    Columns of `measured`: network, board, cycles.
    """
    cycles = measured["cycles"].to_numpy()
    others = _alike(measured["network"]) & ~_alike(measured["board"])
    return np.array([np.median(cycles[row]) for row in others])


def _alike(labels: pd.Series) -> NDArray[np.bool_]:
    """Return which rows have the same label, (rows, rows)."""
    return np.equal.outer(labels.to_numpy(), labels.to_numpy())
