"""Step `measure`: size, memory, latency and operators of exported files, here and predicted for the Moto G6."""

import sys
from pathlib import Path
from typing import Final

import pandas as pd

from arm_latency.cortex_a53 import predict_files
from arm_latency.host import measure_files, measure_operators
from arm_latency.interpreters import ProfilingError
from fer_utils import tables
from fer_utils.compression.exported_files import exported_files
from fer_utils.paths import Paths
from fer_utils.study import Study

PREDICTED_THREADS: Final = (1, 4)
"""The paper does not say how many threads its 90 ms took: the published measurements know these two."""


def measure(study: Study, paths: Paths) -> None:
    """Measure every exported file on this machine and predict it for the phone; write `measurements`, `operators`.

    All graphs are timed at `study.profiled_size`, which only resizes their input: weights stay as trained. Variants
    of int8 files are timed here and not predicted: the prediction knows whole int8 graphs only.
    """
    files = exported_files(study.architectures, paths)
    variants = exported_files(study.architectures, paths, "variant_runs")
    timed, size = files | variants, study.profiled_size
    here = measure_files(timed, image_size=size, warm_ups=study.warm_up_runs, runs=study.timed_runs)
    predicted = [predict_files(files, image_size=size, threads=threads) for threads in PREDICTED_THREADS]
    # Weights do not change which operators run: the uncompressed files stand for all
    plain = {run_id: path for run_id, path in timed.items() if ".none." in run_id}
    tables.write(_operators(plain, size), "operators", paths.operators)
    tables.write(
        tables.concatenated([tables.empty("measurements"), here, *predicted]),
        "measurements",
        paths.measurements,
    )


def _operators(files: dict[str, Path], image_size: int) -> pd.DataFrame:
    """An empty table where this system's LiteRT does not profile: the page then says so."""
    try:
        return measure_operators(files, image_size=image_size)
    except ProfilingError as error:
        print(f"no operator times: {error}", file=sys.stderr)
        return tables.empty("operators")
