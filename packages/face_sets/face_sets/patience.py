"""Commands that fetch over a slow network: run again after a pause when they fail.

Package managers try again when a connection is refused, but not all of them when a download breaks off half-way. What
they had fetched whole is in their caches, so another run goes on from there.

`make setup` runs this file by its path before anything is installed, so it needs the standard library alone:
`python -P patience.py "install the locked dependencies" command ...`.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

PAUSES: Final = (2, 5, 15)
"""Seconds between one run and the next, so there is one run more than there are pauses. Our choice: long enough for a
server that is restarted, short enough to wait for where there is no network at all."""


def run_patiently(command: Sequence[str], folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command until it succeeds, once more after each of `PAUSES`; return the last run with its output.

    Each failure but the last is announced on standard error by the last line that the command wrote there.
    """
    for number, pause in enumerate(PAUSES, start=1):
        done = _run(command, folder)
        if done.returncode == 0:
            return done
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        reason = lines[-1] if lines else f"exit status {done.returncode}"
        print(
            f"Attempt {number} of {len(PAUSES) + 1} failed ({reason}); the next in {pause} s", file=sys.stderr
        )
        time.sleep(pause)
    return _run(command, folder)


def _run(command: Sequence[str], folder: Path | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _main(purpose: str, *command: str) -> None:
    done = run_patiently(command)
    print(done.stdout, end="")
    print(done.stderr, end="", file=sys.stderr)
    if done.returncode != 0:
        sys.exit(
            f"error: could not {purpose}; the lines above say why. Run the same command again when the network is back: "
            "what was downloaded is kept, and it goes on from there"
        )


if __name__ == "__main__":
    _main(*sys.argv[1:])
