"""Time .tflite files on an attached Android phone with the vendor's `benchmark_model`, of either generation.

The tool prints no median of single inferences (newer versions do, older do not), so each timed inference is a
short run of its own: a new process, warm-ups, one inference. That also shows how much a start of the app matters.
A file is timed at the input size that it states: the older tool resizes it when asked, today's cannot. What a tool
does not know it only warns of, so a run with such a warning gives no time.
"""

import hashlib
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from arm_latency.benchmark_output import (
    inference_ms,
    operator_times,
    peak_memory_mib,
    unconsumed_options,
)
from arm_latency.interpreters import ProfilingError, resized
from arm_latency.phone import (
    Phone,
    PhoneError,
    describe,
    fastest_cores,
    governors,
    read_state,
    remark,
)

FOLDER: Final = "/data/local/tmp/fer_profile"
"""Ours alone on the phone, below the one folder where adb may store programs and run them."""

WARM_UPS: Final = 3
"""Before each timed inference: the first repacks weights, the second fills caches, the third is already steady."""

_PROFILED_RUNS: Final = 10  # their means are shares, not latencies, since the profiler disturbs


@dataclass(frozen=True)
class _Generation:
    """The options by which a tool runs XNNPACK's kernels, and by which it profiles."""

    kernels: tuple[str, ...]
    profiler: str


_GENERATIONS: Final = (
    _Generation(("--use_xnnpack=true",), "--enable_op_profiling=true"),  # of TensorFlow Lite
    _Generation((), "--use_profiler=true"),  # of LiteRT: XNNPACK is what its `--use_cpu` means, the default
)


@dataclass(frozen=True)
class Timed:
    """One file on one phone: milliseconds of each inference, peak memory (None if not reported), operators, doubts.

    `operators` is as `operator_times` gives it, without rows where the tool prints no profile.
    """

    times_ms: list[float]
    peak_memory_mib: float | None
    operators: pd.DataFrame
    remark: str | None


@dataclass(frozen=True)
class PhoneSession:
    """A phone with the tool on it; `device` and `backend` say in every row what was measured with what."""

    phone: Phone
    device: str
    backend: str
    cores: tuple[int, ...]

    @property
    def threads(self) -> int:
        """One thread per core."""
        return len(self.cores)

    def time(self, path: Path, image_size: int, runs: int) -> Timed:
        """Time one file at an input side in pixels; a copy of that size is pushed, and does not stay on the phone.

        Raises PhoneLost when the phone goes away, PhoneError for a tool that does not know an option of either
        generation, ProfilingError for a file that cannot be run at that size.
        """
        name = f"{path.name.split('.tflite')[0]}.at-{image_size}.tflite"
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / name
            copy.write_bytes(resized(path, image_size))
            self.phone.push(copy, f"{FOLDER}/{name}")
        tool, profile = self._profile(name)
        before = read_state(self.phone)
        outputs = [self._run(name, 1, *tool.kernels) for _ in range(runs)]
        after = read_state(self.phone)
        self.phone.shell(f"rm {FOLDER}/{shlex.quote(name)}")
        if unknown := next(filter(None, map(unconsumed_options, outputs)), None):
            raise PhoneError(_refused(unknown))
        times = [inference_ms(output) for output in outputs]
        peak = pd.Series(map(peak_memory_mib, outputs), dtype=float).median()
        doubts = remark(before, after, self.cores, times)
        return Timed(times, None if pd.isna(peak) else float(peak), _operators(profile), doubts)

    def _profile(self, name: str) -> tuple[_Generation, str]:
        """What the tool's generation is, by the options that it knows, and what it prints when it profiles."""
        unknown: str | None = None
        for tool in _GENERATIONS:
            output = self._run(name, _PROFILED_RUNS, *tool.kernels, tool.profiler)
            if (unknown := unconsumed_options(output)) is None:
                return tool, output
        raise PhoneError(_refused(unknown))

    def _run(self, name: str, runs: int, *more: str) -> str:
        """The tool's own defaults run for a second at least, whatever number of runs is asked for."""
        options = [
            f"--graph={FOLDER}/{name}", f"--num_threads={self.threads}", "--min_secs=0", "--warmup_min_secs=0",
            f"--warmup_runs={WARM_UPS}", f"--num_runs={runs}", *more,
        ]  # fmt: skip
        mask = f"{sum(1 << core for core in self.cores):x}"
        return self.phone.shell(shlex.join(["taskset", mask, f"{FOLDER}/benchmark_model", *options]))


def _refused(unknown: str | None) -> str:
    return (
        f"this benchmark_model does not know what it was asked ({unknown}), so its times are not kept: "
        "take the one of LiteRT's or of TensorFlow Lite's own builds for Android"
    )


def _operators(profile: str) -> pd.DataFrame:
    try:
        return operator_times(profile)
    except ProfilingError:  # LiteRT's tool prints none where its runtime was built without a profiler
        return pd.DataFrame(columns=["position", "operator", "name", "mean_ms"])


@contextmanager
def session(phone: Phone, benchmark: Path, threads: int) -> Iterator[PhoneSession]:
    """Bring the tool onto the phone, choose as many of its fastest cores as threads, and clean up in the end.

    After an unplug nothing can be removed; the next session begins with that. Raises PhoneError for a phone that
    hides its cores or cannot store the tool, OSError if there is no such file `benchmark`.
    """
    program = benchmark.read_bytes()
    device, state = describe(phone), read_state(phone)
    cores = tuple(fastest_cores(state, threads))
    used = f"core {', '.join(map(str, cores))} ({governors(state, cores)})"
    backend = f"benchmark_model {hashlib.sha256(program).hexdigest()[:16]}, XNNPACK, {used}"
    try:
        phone.shell(f"rm -rf {FOLDER} && mkdir -p {FOLDER}")
        phone.push(benchmark, f"{FOLDER}/benchmark_model")
        yield PhoneSession(phone, device, backend, cores)
    finally:
        if phone.is_there():
            phone.shell(f"rm -rf {FOLDER}")
