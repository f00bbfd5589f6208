"""Open a .tflite file at the input size to be profiled, run programs, and measure the memory of two inferences.

`python -m fer_utils.profiling.interpreters` is the program that runs the two inferences in a process of its own.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

BYTE_LIKE: Final = {np.dtype(np.uint8): (0, 256), np.dtype(np.int8): (-128, 128)}

_STATUS: Final = Path("/proc/self/status")
_SECONDS: Final = 300  # the slowest network needs well under one


class ProfilingError(ValueError):
    """A model file cannot be profiled as asked; the message says which file and why."""


def open_at(path: Path, image_size: int, *, threads: int = 1, delegate: bool = True) -> Interpreter:
    """Return an allocated interpreter of `path` whose single input is (1, image_size, image_size, 3).

    A graph of another input size is resized, which works for fully convolutional networks. `delegate` chooses
    LiteRT's default XNNPACK kernels; without it inner shapes can be read (under a delegate they keep the
    file's own size). Raises ProfilingError if the file is not a model, or its graph cannot be resized.
    """
    kind = OpResolverType.AUTO if delegate else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    try:
        content = path.read_bytes()
        interpreter = Interpreter(
            model_content=content, num_threads=threads, experimental_op_resolver_type=kind
        )
    except (ValueError, OSError) as error:
        raise ProfilingError(f"{path.name} cannot be opened as a .tflite file: {error}") from error
    _resize(interpreter, path, image_size)
    return interpreter


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


def last_line(output: str) -> str:
    """Return the last line of a program's output that is not blank."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else "nothing was printed"


def _resize(interpreter: Interpreter, path: Path, image_size: int) -> None:
    inputs = interpreter.get_input_details()
    wanted = [1, image_size, image_size, 3]
    if len(inputs) != 1 or len(inputs[0]["shape"]) != 4 or inputs[0]["shape"][3] != 3:
        shapes = ", ".join(str(list(map(int, i["shape"]))) for i in inputs)
        raise ProfilingError(f"{path.name} has input(s) {shapes}; expected one batch of RGB images")
    before = _output_shapes(interpreter)
    try:
        if list(inputs[0]["shape"]) != wanted:
            interpreter.resize_tensor_input(inputs[0]["index"], wanted)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise _not_resizable(path, image_size, str(error).splitlines()[0]) from error
    if (after := _output_shapes(interpreter)) != before:  # a flattening graph makes a batch of the new pixels
        raise _not_resizable(path, image_size, f"its output would change from {before} to {after}")


def _output_shapes(interpreter: Interpreter) -> list[list[int]]:
    return [[int(side) for side in output["shape"]] for output in interpreter.get_output_details()]


def _not_resizable(path: Path, image_size: int, reason: str) -> ProfilingError:
    return ProfilingError(
        f"{path.name} cannot be resized to {image_size} pixels ({reason}); export it at that size"
    )


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
