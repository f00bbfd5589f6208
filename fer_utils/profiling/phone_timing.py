"""Time .tflite files on an attached Android phone with the vendor's `benchmark_model`.

The tool prints no median of single inferences (newer versions do, older do not), so each timed inference is a
short run of its own: a new process, warm-ups, one inference. That also shows how much a start of the app matters.
"""

import hashlib
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from arm_latency.interpreters import open_at
from face_sets.files import digest
from fer_utils import tables
from fer_utils.profiling.benchmark_output import inference_ms, operator_times, peak_memory_mib
from fer_utils.profiling.host import timing_columns
from fer_utils.profiling.phone import Phone, describe, fastest_cores, governors, read_state, remark

FOLDER: Final = "/data/local/tmp/fer_profile"
"""Ours alone on the phone, below the one folder where adb may store programs and run them."""

WARM_UPS: Final = 3
"""Before each timed inference: the first repacks weights, the second fills caches, the third is already steady."""

_PROFILED_RUNS: Final = 10  # their means are shares, not latencies, since the profiler disturbs


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

    def measure(
        self, run_id: str, path: Path, image_size: int, runs: int
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Time one file; return its row of `measurements` and its rows of `operators`.

        A graph of another input size is resized by the tool. The file does not stay on the phone.
        Raises PhoneLost when the phone goes away, ProfilingError for a file that cannot be run at that size.
        """
        command = self._command(path, image_size)
        self.phone.push(path, f"{FOLDER}/{path.name}")
        before = read_state(self.phone)
        outputs = [self.phone.shell(f"{command} --warmup_runs={WARM_UPS} --num_runs=1") for _ in range(runs)]
        after = read_state(self.phone)
        profile = self.phone.shell(
            f"{command} --warmup_runs={WARM_UPS} --num_runs={_PROFILED_RUNS} --enable_op_profiling=true"
        )
        self.phone.shell(f"rm {FOLDER}/{shlex.quote(path.name)}")
        times = [inference_ms(output) for output in outputs]
        key: dict[str, Any] = {
            "run_id": run_id, "device": self.device, "device_kind": "phone", "backend": self.backend,
            "threads": self.threads, "image_size": image_size,
        }  # fmt: skip
        row = {
            **key,
            **timing_columns(path, times, WARM_UPS),
            "peak_memory_mib": pd.Series(map(peak_memory_mib, outputs), dtype=float).median(),
            "file_digest": digest(path),
            "remark": remark(before, after, self.cores, times),
        }
        operators = operator_times(profile).assign(**key)
        return tables.conform(pd.DataFrame([row]), "measurements"), tables.conform(operators, "operators")

    def _command(self, path: Path, image_size: int) -> str:
        """The tool's own defaults run for a second at least, whatever number of runs is asked for."""
        name = open_at(path, image_size, delegate=False).get_input_details()[0]["name"]
        options = [
            f"--graph={FOLDER}/{path.name}", f"--num_threads={self.threads}", "--use_xnnpack=true",
            "--min_secs=0", "--warmup_min_secs=0", f"--input_layer={name}",
            f"--input_layer_shape=1,{image_size},{image_size},3",
        ]  # fmt: skip
        mask = f"{sum(1 << core for core in self.cores):x}"
        return shlex.join(["taskset", mask, f"{FOLDER}/benchmark_model", *options])


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
