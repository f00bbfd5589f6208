"""Peak memory of two inferences, measured in a process of its own: `python -m fer_utils.profiling.peak_memory`."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from fer_utils.profiling.interpreters import ProfilingError, open_at, random_input

_STATUS: Final = Path("/proc/self/status")
_SECONDS: Final = 300  # the slowest network needs well under one


def peak_memory_mib(path: Path, image_size: int) -> float | None:
    """Return the MiB by which a fresh process's peak rises from before the model is opened to two inferences.

    None where the system does not tell (no /proc). The first inference repacks weights, the second may still
    grow buffers. Raises ProfilingError if the file cannot be run at that input size.
    """
    command = [sys.executable, "-m", __name__, str(path), str(image_size)]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise ProfilingError(f"two inferences of {path.name} took more than {_SECONDS} seconds") from error
    if answer.returncode != 0:
        reason = (answer.stderr.strip().splitlines() or ["the process was killed"])[-1]
        raise ProfilingError(f"peak memory of {path.name} cannot be measured: {reason}")
    kibibytes = answer.stdout.strip()
    return int(kibibytes) / 1024 if kibibytes else None


def _peak_kibibytes() -> int:
    """The peak resident size since this program started.

    Not getrusage's ru_maxrss: that keeps the size of the parent from before exec, several hundred MiB when
    the parent has TensorFlow loaded (Linux proc(5), VmHWM; getrusage(2)).
    """
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1])


def _main(path: Path, image_size: int) -> None:
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
        _main(Path(sys.argv[1]), int(sys.argv[2]))
    except ProfilingError as error:
        sys.exit(str(error))  # one sentence instead of a traceback
