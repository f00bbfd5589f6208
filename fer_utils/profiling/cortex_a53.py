"""Predict latency on the Moto G6's Cortex-A53 cores from published measurements of other Cortex-A53 boards.

An additive cost model (each operator's work takes its time, one after the other): clock cycles = nonnegative
coefficients x (convolution MACs, depthwise MACs, activation values, operators), of the least mean absolute relative
error, which is also what the held-out errors are: a few boards with old kernels then sway it less than by squares.

What it cannot know: ncnn's kernels are not LiteRT's; memory is taken to scale with the clock; Android's
scheduling and heat are absent; boards of one family are not independent. Pruned and clustered files keep
dense graphs, so they get the dense prediction. The int8 ratio comes from MobileNetV1 and V2; networks with
hard-swish or squeeze-and-excite may gain less.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_utils import tables
from fer_utils.profiling.additive_costs import carried, coefficients, features_of, held_out
from fer_utils.profiling.graph_costs import GraphCosts, graph_costs
from fer_utils.profiling.interpreters import ProfilingError
from fer_utils.profiling.published_latencies import Threads, int8_ratios, network_costs, published

MOTO_G6_GIGAHERTZ: Final = 1.8
"""Snapdragon 450, octa-core 1.8 GHz (Android Central, 4 June 2018, specifications of the Moto G6)."""


@dataclass(frozen=True)
class HeldOutError:
    """Mean absolute relative errors (0.1 is 10 %) on what the fit had not seen.

    `carried` needs no model: each network's time carried to a board by the clock alone, from its median on the other
    boards. A model that knows nothing of boards but their clocks can hardly do better on a new one.
    """

    network: float
    board: float
    both: float
    carried: float


@dataclass(frozen=True)
class CortexA53Model:
    """A fitted model; `residuals` has a row for each measurement, predicted with network and board held out.

    Columns of `residuals`: board, gigahertz, network, measured_ms, predicted_ms, ratio (measured by predicted).
    `coefficients` are cycles a dense or pointwise MAC, a depthwise MAC, an activation value, an operator.
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
    boards, networks = measured["board"].to_numpy(), measured["network"].to_numpy()
    same: dict[str, Callable[[int], NDArray[np.bool_]]] = {
        "network": lambda row: networks == networks[row],
        "board": lambda row: boards == boards[row],
        "both": lambda row: (networks == networks[row]) | (boards == boards[row]),
    }
    predicted = {name: held_out(features, cycles, unseen) for name, unseen in same.items()}
    predicted["carried"] = carried(measured.assign(cycles=cycles))
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
    """Return a `measurements` table of predictions for the Moto G6, a row a file (run id to .tflite).

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
    return tables.conform(pd.DataFrame(rows, columns=list(tables.COLUMNS["measurements"])), "measurements")


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
