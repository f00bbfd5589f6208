"""Step `measure`: size, memory and latency of every exported file, here and predicted for the Moto G6."""

from pathlib import Path
from typing import Final

import pandas as pd

from fer_utils import tables
from fer_utils.compression.files import exported_files
from fer_utils.profiling.cortex_a53 import predict_files
from fer_utils.profiling.host import measure_files
from fer_utils.study import Paths, Study

PREDICTED_THREADS: Final = (1, 4)
"""The paper does not say how many threads its 90 ms took: the published measurements know these two."""


def measure(study: Study, paths: Paths) -> None:
    """Measure every exported file on this machine and predict it for the phone; write `measurements`.

    All graphs are timed at `study.profiled_size`, which only resizes their input: weights stay as trained.
    """
    files: dict[str, Path] = {}
    for architecture in study.architectures:
        files |= exported_files(architecture, paths)
    parts = [
        measure_files(
            files, image_size=study.profiled_size, warm_ups=study.warm_up_runs, runs=study.timed_runs
        ),
        *(
            predict_files(files, image_size=study.profiled_size, threads=threads)
            for threads in PREDICTED_THREADS
        ),
    ]
    tables.write(pd.concat(parts, ignore_index=True), "measurements", paths.measurements)
