"""Size, latency, peak memory and operator times of .tflite files on the machine that runs this.

The Python interpreter of LiteRT offers no profiler; the C interface in the same wheel does (`libLiteRt.so`), and its
summary is the text that `benchmark_model` prints. That interface changes between versions, and a mistake with it
ends the process: so it is called in a process of its own, `python -m arm_latency.host`.
"""

import ctypes
import gzip
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ctypes import byref, c_char_p, c_int, c_int32, c_size_t, c_void_p
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from arm_latency.benchmark_output import operator_times
from arm_latency.interpreters import ProfilingError, open_at
from arm_latency.programs import peak_memory_mib, random_input, run_program
from face_sets.computer import host_device
from face_sets.processes import usable_cores

GZIP_LEVEL: Final = (
    6  # the default of the program gzip; level 9 saves 0.4 % of these files and takes four times as long
)
_THREADS: Final = 1  # steady where other work shares the machine, and comparable between machines
_PROFILED_WARM_UPS: Final = 3
_PROFILED_RUNS: Final = 20
_END: Final = "\f"  # of a file's summary, which is text in lines
_SECONDS: Final = 300  # for a file: the slowest network needs a few
_CPU: Final = 1  # kLiteRtHwAcceleratorCpu, litert_common.h
_OPTIONS: Final = {
    b"runtime_options_string": b"enable_profiling = true\n",
    b"cpu_options_string": b"num_threads = 1\n",
}
_TENSOR_TYPE: Final = (
    c_int32 * 128
)  # LiteRtRankedTensorType, with room to spare: element type, rank, strides flag, sides
_SIDES_AT: Final = 3


def measure_files(files: Mapping[str, Path], *, image_size: int, warm_ups: int, runs: int) -> pd.DataFrame:
    """Return a `measurements` table of this machine, one row per file (run id to .tflite), one thread, XNNPACK.

    `image_size` is the side of the square input, pixels; a graph of another size is resized. Each file runs
    `warm_ups` times unmeasured, then `runs` times. Raises ProfilingError, in one sentence, for a file that is
    absent, is not a model or cannot take that size.
    """
    if runs < 1 or warm_ups < 0:
        raise ProfilingError(
            f"runs={runs}, warm_ups={warm_ups}: expected at least one run, no negative warm-up"
        )
    key = _key(image_size)
    times = [
        latencies_ms(open_at(path, image_size, threads=_THREADS), warm_ups=warm_ups, runs=runs)
        for path in files.values()
    ]
    with ThreadPoolExecutor(usable_cores()) as pool:  # timing is over: sizes and memory may use every core
        sizes = pool.map(lambda path, each: timing_columns(path, each, warm_ups), files.values(), times)
        memory = pool.map(lambda path: peak_memory_mib(path, image_size), files.values())
        rows = [
            {"run_id": run_id, **key, **columns, "peak_memory_mib": peak}
            for run_id, columns, peak in zip(files, sizes, memory, strict=True)
        ]
    return pd.DataFrame(rows)


def file_sizes(path: Path) -> tuple[int, int]:
    """Return the bytes of a file raw and gzipped (its usual level, no time stamp, so equal files give equal sizes)."""
    content = path.read_bytes()
    return len(content), len(gzip.compress(content, GZIP_LEVEL, mtime=0))


def timing_columns(
    path: Path, times_ms: NDArray[np.float64] | list[float], warm_ups: int
) -> dict[str, float | int]:
    """Return the columns of `measurements` that any timed file has: its latencies, runs and sizes."""
    size, compressed = file_sizes(path)
    return {
        "latency_ms_median": float(np.median(times_ms)),
        "latency_ms_p90": float(np.quantile(times_ms, 0.9)),
        "runs": np.size(times_ms),
        "warm_ups": warm_ups,
        "size_bytes": size,
        "size_gzip_bytes": compressed,
    }


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


def _key(image_size: int, backend: str = "") -> dict[str, Any]:
    return {
        "device": host_device(), "device_kind": "host", "threads": _THREADS, "image_size": image_size,
        "backend": f"litert-xnnpack {version('ai-edge-litert')}{backend}",
    }  # fmt: skip


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


def measure_operators(files: Mapping[str, Path], *, image_size: int) -> pd.DataFrame:
    """Return an `operators` table of this machine: means of 20 inferences, one thread, profiler on.

    The profiler disturbs: read shares from it, and latencies from `host.measure_files`.
    Raises ProfilingError for a file that cannot be run at that size, or where the installed LiteRT cannot profile.
    """
    if not files:
        return pd.DataFrame()
    key = _key(image_size, ", profiler on")
    summaries = zip(files, _summaries(list(files.values()), image_size), strict=True)
    parts = [operator_times(summary).assign(run_id=run_id, **key) for run_id, summary in summaries]
    return pd.concat(parts, ignore_index=True)


def _summaries(paths: Sequence[Path], image_size: int) -> list[str]:
    """Run the profiler on files in a fresh process and return its texts; LiteRT's own chatter goes to standard error."""
    for path in paths:
        open_at(path, image_size)  # says in a sentence what is wrong with a file
    command = [sys.executable, "-m", __name__, str(image_size), *map(str, paths)]
    litert = f"ai-edge-litert {version('ai-edge-litert')}"
    which = paths[0].name if len(paths) == 1 else f"{len(paths)} files"
    failure = f"operators of {which} cannot be profiled with {litert}"
    return run_program(command, failure, seconds=_SECONDS * len(paths)).split(_END)[:-1]


class _LiteRt:
    """The C library: a call that does not answer 0 is an error."""

    def __init__(self) -> None:
        package = find_spec("ai_edge_litert")
        if package is None or package.origin is None:
            raise ProfilingError("ai-edge-litert is not installed")
        self.library = ctypes.CDLL(str(Path(package.origin).with_name("libLiteRt.so")))

    def call(self, name: str, *arguments: Any) -> None:
        status = getattr(self.library, name)(*arguments)
        if status != 0:
            raise ProfilingError(f"{name} answered {status}")

    def made(self, name: str, *arguments: Any) -> c_void_p:
        """Call a function whose last argument receives what it makes."""
        result = c_void_p()
        self.call(name, *arguments, byref(result))
        return result


def _main(image_size: int, paths: Sequence[Path]) -> None:
    """Print the profiler's summary of each file."""
    runtime = _LiteRt()
    environment = runtime.made("LiteRtCreateEnvironment", 0, None)
    for path in paths:
        try:
            print(_profiled(runtime, environment, path, image_size), end=_END)
        except ProfilingError as error:
            raise ProfilingError(f"{path.name}: {error}") from error


def _profiled(runtime: _LiteRt, environment: c_void_p, path: Path, image_size: int) -> str:
    """Resize the graph's input, run it, return the profiler's summary."""
    model = runtime.made("LiteRtCreateModelFromFile", environment, os.fsencode(path))
    compiled = runtime.made("LiteRtCreateCompiledModel", environment, model, _options(runtime))
    shape = (c_int * 4)(1, image_size, image_size, 3)
    first = c_size_t(0)
    runtime.call("LiteRtCompiledModelResizeInputTensorNonStrict", compiled, first, first, shape, c_size_t(4))
    buffers = [
        _buffer(runtime, environment, model, compiled, kind, image_size) for kind in ("Input", "Output")
    ]
    given, answered = ((c_void_p * 1)(buffer) for buffer in buffers)
    profiler = runtime.made("LiteRtCompiledModelGetProfiler", compiled)
    with one_core():
        for run in range(_PROFILED_WARM_UPS + _PROFILED_RUNS):
            if run == _PROFILED_WARM_UPS:
                runtime.call("LiteRtStartProfiler", profiler)
            one = c_size_t(1)
            runtime.call("LiteRtRunCompiledModel", compiled, first, one, given, one, answered)
    summary = c_char_p()
    runtime.call("LiteRtGetProfileSummary", profiler, compiled, byref(summary))
    text = (summary.value or b"").decode()
    for kind, made in (
        ("CompiledModel", compiled),
        ("Model", model),
    ):  # else all files' memory would be held at once
        getattr(runtime.library, f"LiteRtDestroy{kind}")(made)
    return text


def _options(runtime: _LiteRt) -> c_void_p:
    """One thread, profiler on. The runtime keeps and frees the texts: they are copies from C's own store."""
    options = runtime.made("LiteRtCreateOptions")
    runtime.call("LiteRtSetOptionsHardwareAccelerators", options, _CPU)
    c = ctypes.CDLL(None)
    c.strdup.restype = c_void_p
    for name, text in _OPTIONS.items():
        copy, free = c_void_p(c.strdup(text)), ctypes.cast(c.free, c_void_p)
        runtime.call(
            "LiteRtAddOpaqueOptions", options, runtime.made("LiteRtCreateOpaqueOptions", name, copy, free)
        )
    return options


def _buffer(
    runtime: _LiteRt, environment: c_void_p, model: c_void_p, compiled: c_void_p, kind: str, image_size: int
) -> c_void_p:
    """A buffer for the only input or output, zeros: what is in it does not change which kernels run."""
    first, graph, tensor, described = c_size_t(0), c_void_p(), c_void_p(), _TENSOR_TYPE()
    runtime.call("LiteRtGetModelSubgraph", model, first, byref(graph))
    runtime.call(f"LiteRtGetSubgraph{kind}", graph, first, byref(tensor))
    runtime.call("LiteRtGetRankedTensorType", tensor, described)
    if kind == "Input":  # the file's own sides stand there, batch first
        described[_SIDES_AT] = described[_SIDES_AT + 1] = image_size
    needed = runtime.made(f"LiteRtGetCompiledModel{kind}BufferRequirements", compiled, first, first)
    return runtime.made("LiteRtCreateManagedTensorBufferFromRequirements", environment, described, needed)


if __name__ == "__main__":
    try:
        _main(int(sys.argv[1]), [Path(path) for path in sys.argv[2:]])
    except (ProfilingError, OSError, AttributeError) as error:  # AttributeError: the library lacks a function
        sys.exit(str(error))  # one sentence instead of a traceback
