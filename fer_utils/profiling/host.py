"""Size, latency and peak memory of .tflite files on the machine that runs this."""

import gzip
import os
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from fer_utils import tables
from fer_utils.profiling.interpreters import ProfilingError, open_at, random_input
from fer_utils.profiling.peak_memory import peak_memory_mib

_THREADS: Final = 1  # steady where other work shares the machine, and comparable between machines


def measure_files(files: Mapping[str, Path], *, image_size: int, warm_ups: int, runs: int) -> pd.DataFrame:
    """Return a `measurements` table of this machine, a row a file (run id to .tflite), one thread, XNNPACK.

    `image_size` is the side of the square input, pixels; a graph of another size is resized. Each file runs
    `warm_ups` times unmeasured, then `runs` times. Raises ProfilingError, in one sentence, for a file that is
    absent, is not a model or cannot take that size.
    """
    if runs < 1 or warm_ups < 0:
        raise ProfilingError(
            f"runs={runs}, warm_ups={warm_ups}: expected at least one run, no negative warm-up"
        )
    rows = [
        {"run_id": run_id, **_measured(path, image_size, warm_ups, runs)} for run_id, path in files.items()
    ]
    return tables.conform(pd.DataFrame(rows, columns=list(tables.COLUMNS["measurements"])), "measurements")


def file_sizes(path: Path) -> tuple[int, int]:
    """Return the bytes of a file raw and gzipped (level 9, no time stamp, so equal files give equal sizes)."""
    content = path.read_bytes()
    return len(content), len(gzip.compress(content, compresslevel=9, mtime=0))


def latencies_ms(interpreter: Interpreter, *, warm_ups: int, runs: int) -> NDArray[np.float64]:
    """Return the milliseconds of each of `runs` inferences on random input, on one pinned core if possible."""
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], random_input(interpreter))
    times = np.empty(runs)
    with one_core():
        for _ in range(warm_ups):
            interpreter.invoke()
        for run in range(runs):
            start = time.perf_counter_ns()
            interpreter.invoke()
            times[run] = (time.perf_counter_ns() - start) / 1e6
    return times


def host_device() -> str:
    """Return a plain description of this machine: processor model and operating system, no host name."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.processor() or "unknown processor"
    return f"{processor}, {platform.machine()}, {platform.system()}"


def _measured(path: Path, image_size: int, warm_ups: int, runs: int) -> dict[str, Any]:
    interpreter = open_at(path, image_size, threads=_THREADS)
    times = latencies_ms(interpreter, warm_ups=warm_ups, runs=runs)
    size, compressed = file_sizes(path)
    return {
        "device": host_device(),
        "device_kind": "host",
        "backend": f"litert-xnnpack {version('ai-edge-litert')}",
        "threads": _THREADS,
        "image_size": image_size,
        "latency_ms_median": float(np.median(times)),
        "latency_ms_p90": float(np.quantile(times, 0.9)),
        "runs": runs,
        "warm_ups": warm_ups,
        "size_bytes": size,
        "size_gzip_bytes": compressed,
        "peak_memory_mib": peak_memory_mib(path, image_size),
    }


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process on one core, where the system can, so that it does not wander between caches."""
    if not hasattr(os, "sched_setaffinity"):  # macOS, Windows
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
