"""Exported files: their names, which exist, what their kernels hold, and whether they agree with their network."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from face_sets.expressions import PROBABILITY_COLUMNS
from fer_utils import tables
from fer_utils.paths import Paths
from fer_utils.study import Architecture


def file_name(run_id: str, image_size: int) -> str:
    """Return the name of an exported file: network, cohort, technique, precision and input side in pixels."""
    return f"{run_id}.{image_size}.tflite"


def exported_files(
    architectures: Sequence[Architecture],
    paths: Paths,
    table: str = "runs",
    only: Sequence[str] | None = None,
) -> dict[str, Path]:
    """Return the TFLite files of some networks, by run id; none of a network not yet compressed.

    `table` is "runs", or "variant_runs" for other 8-bit files of the same networks; `only` names runs. Raises
    TableError for a file that is not as it was written.
    """
    return tflite_files(paths.all_compressed(table, architectures), only)


def tflite_files(runs_tables: Sequence[Path], only: Sequence[str] | None = None) -> dict[str, Path]:
    """Return the TFLite files beside some `runs` tables, as `exported_files`."""
    files: dict[str, Path] = {}
    for path in filter(Path.exists, runs_tables):
        runs = tables.read("runs", path)
        done = tables.with_file(runs[runs["status"] == "done"])
        rows = done if only is None else done[done["run_id"].isin(only)]
        files |= {str(row["run_id"]): tables.file_of(row, path) for row in rows.to_dict("records")}
    return files


@dataclass(frozen=True)
class KernelWeights:
    """Of all convolution (not depthwise) and dense kernels, as stored.

    sparsity: share of zeros, 0 to 1. distinct_values: the most that any output channel of any kernel holds
    (8-bit kernels have one scale per channel, so a value that channels share is stored as several).
    """

    sparsity: float
    distinct_values: int

    @classmethod
    def of(cls, kernels: Sequence[np.ndarray]) -> "KernelWeights":
        """Return what kernels hold, output channel first. Raises ValueError if there are none."""
        if not kernels:
            raise ValueError("there is no convolution or dense kernel: expected an exported network")
        zeros = sum(int((kernel == 0).sum()) for kernel in kernels)
        channels = (channel for kernel in kernels for channel in kernel.reshape(len(kernel), -1))
        distinct = max(len(np.unique(channel)) for channel in channels)
        return cls(zeros / sum(kernel.size for kernel in kernels), distinct)


def file_weights(model: bytes) -> KernelWeights:
    """Return what the kernels of a TFLite file, given as its bytes, hold. Raises ValueError if it has none."""
    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(model_content=model, experimental_op_resolver_type=plain)
    operators = interpreter._get_ops_details()
    # Kernels of a float16 file are inputs of the operator that widens them
    widened = {each["outputs"][0]: each["inputs"][0] for each in operators if each["op_name"] == "DEQUANTIZE"}
    used = [each["inputs"][1] for each in operators if each["op_name"] in ("CONV_2D", "FULLY_CONNECTED")]
    kernels = sorted({widened.get(index, index) for index in used})
    return KernelWeights.of([interpreter.get_tensor(index) for index in kernels])


def parity(predictions: pd.DataFrame, exported: pd.DataFrame) -> pd.DataFrame:
    """Return one row per exported run: how its probabilities differ from its parent's on the same faces.

    `predictions` holds both runs' answers, `exported` the rows of `runs` (parent_run_id names the network).
    Columns: run_id, architecture, technique, precision, faces, largest_difference (of any probability, 0 to 1),
    same_class (share of faces with the same most probable expression).
    Raises ValueError for a run whose parent has no predictions of the same faces.

    >>> parity(predictions, runs[runs["precision"] == "int8"])["same_class"]  # doctest: +SKIP
    0    0.985
    """
    columns = list(PROBABILITY_COLUMNS)
    by_run = predictions.set_index("face_id").sort_index().groupby("run_id", observed=True)
    answers = {str(run): part[columns].astype(float) for run, part in by_run}
    rows = []
    for run in exported.itertuples():
        file, network = answers.get(str(run.run_id)), answers.get(str(run.parent_run_id))
        if file is None or network is None or not file.index.equals(network.index):
            raise ValueError(f"{run.run_id} and {run.parent_run_id} need predictions of the same faces")
        same = file.to_numpy().argmax(1) == network.to_numpy().argmax(1)
        rows.append((len(file), float((file - network).abs().to_numpy().max()), float(same.mean())))
    compared = pd.DataFrame(rows, columns=["faces", "largest_difference", "same_class"])
    known = exported[["run_id", "architecture", "technique", "precision"]]
    return known.astype(str).reset_index(drop=True).join(compared)
