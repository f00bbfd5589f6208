"""Run programs, and measure the memory of two inferences of a .tflite file.

`python -m arm_latency.programs` is the program that runs the two inferences in a process of its own.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from arm_latency.interpreters import ProfilingError, open_at
from face_sets.validation import last_line

BYTE_LIKE: Final = {np.dtype(np.uint8): (0, 256), np.dtype(np.int8): (-128, 128)}

_STATUS: Final = Path("/proc/self/status")
_SECONDS: Final = 300  # the slowest network needs well under one


def random_input(interpreter: Interpreter, seed: int = 0) -> NDArray[np.generic]:
    """Return a seeded random array of the input's shape and type: floats and bytes over the range of pixels."""
    details = interpreter.get_input_details()[0]
    generator = np.random.default_rng(seed)
    kind = np.dtype(details["dtype"])
    if kind in BYTE_LIKE:
        return generator.integers(*BYTE_LIKE[kind], size=details["shape"], dtype=kind)
    return generator.uniform(0, 255, details["shape"]).astype(kind)


def peak_memory_mib(path: Path, image_size: int) -> float | None:
    """Return the MiB by which a fresh process's peak rises from before the model is opened to two inferences.

    None on a system without /proc. The first inference repacks weights, the second may still grow buffers.
    Raises ProfilingError if the file cannot be run at that input size.
    """
    command = [sys.executable, "-m", __name__, str(path), str(image_size)]
    failure = f"the peak memory of {path.name} cannot be measured"
    kibibytes = run_program(command, failure, seconds=_SECONDS).strip()
    return int(kibibytes) / 1024 if kibibytes else None


def run_program(
    command: Sequence[str],
    failure: str,
    *,
    seconds: int,
    environment: Mapping[str, str] | None = None,
    error: type[ProfilingError] = ProfilingError,
) -> str:
    """Run a program and return its standard output.

    Raises `error`, in one sentence that begins with `failure`, if the program fails or is not done in time.
    """
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise error(f"{failure}: not done within {seconds} seconds") from late
    if done.returncode != 0:
        raise error(f"{failure} (code {done.returncode}): {last_line(done.stderr)}")
    return done.stdout


def _peak_kibibytes() -> int:
    """The peak resident size since this program started.

    Not getrusage's ru_maxrss: that keeps the size of the parent from before exec, several hundred MiB when
    the parent has TensorFlow loaded (Linux proc(5), VmHWM; getrusage(2)).
    """
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1])


def _run_twice(path: Path, image_size: int) -> None:
    if not _STATUS.exists():
        return
    before = _peak_kibibytes()
    interpreter = open_at(path, image_size)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], random_input(interpreter))
    for _ in range(2):
        interpreter.invoke()
    print(_peak_kibibytes() - before)


if __name__ == "__main__":
    try:
        _run_twice(Path(sys.argv[1]), int(sys.argv[2]))
    except ProfilingError as error:
        sys.exit(str(error))  # one sentence instead of a traceback
