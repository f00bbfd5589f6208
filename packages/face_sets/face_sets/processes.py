"""Processes: one at a time where two would harm each other, and nothing that outlives the command that started it."""

import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread, Timer
from typing import Any, Final, NoReturn

import psutil

RUN_VARIABLE: Final = "FER_RUN"
"""Names the process of the run that a job belongs to."""

GRACE_SECONDS: Final = 1.0
"""What a process may take to tidy up before it is killed: with it, all has ended well within five seconds."""


class BusyError(RuntimeError):
    """Another run is at work; the message names its process."""


@contextmanager
def one_at_a_time(lock: Path) -> Iterator[int]:
    """Hold a lock, or raise BusyError; yields its descriptor, which a child process that inherits it holds too.

    The system frees it when the last holder ends, however it ends: a lock is never left behind.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = holder(lock) or "of another user or computer"
            raise BusyError(
                f"another run is at work on {lock.parent}, {who}: wait for its end, or end it (`kill` and its number)"
            ) from None
        except OSError:
            pass  # a file system without locks: there nothing can tell whether another run is at work
        yield file.fileno()


def holder(lock: Path) -> str | None:
    """Return which other process has a lock's file open, the eldest if several have; None if none can be seen."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # ended meanwhile, or another user's
            if process.pid != os.getpid() and str(lock.resolve()) in {f.path for f in process.open_files()}:
                found.append((process.create_time(), process.pid))
    return f"process {min(found)[1]}" if found else None


def end_family(number: int, *, itself: bool = True) -> None:
    """End a process and all that it started: asked first, killed after GRACE_SECONDS. It may be gone already."""
    everyone = _family(number)[0 if itself else 1 :]
    for process in everyone:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, left = psutil.wait_procs(everyone, timeout=GRACE_SECONDS)
    for process in {each for root in left for each in _family(root.pid)}:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=GRACE_SECONDS)


def _family(number: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(number)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def end_at_once() -> NoReturn:
    """End this process, whose work is written, with status 0: the system frees its memory, the interpreter does not.

    Freeing a traced network object by object takes a second or two. Nothing that was left for the end (`atexit`) runs.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def end_all_when_terminated() -> None:
    """From now on SIGTERM (and SIGHUP, unless it is ignored) ends what this process started, then this process."""

    def stop(number: int, _: Any) -> None:
        signal.signal(number, signal.SIG_IGN)
        end_family(os.getpid(), itself=False)
        hurry = Timer(GRACE_SECONDS, os._exit, (128 + number,))  # a pool waits for its processes, even these
        hurry.daemon = True
        hurry.start()
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, stop)


def end_with_run() -> None:
    """In a job: end it, and what it started, as soon as the run that wants it is gone, however that ended."""
    if run := os.environ.get(RUN_VARIABLE):
        Thread(target=_wait_for_end_of, args=(int(run),), daemon=True).start()


def _wait_for_end_of(run: int) -> None:
    while _is_alive(run):
        time.sleep(0.5)
    end_family(os.getpid(), itself=False)
    os._exit(1)


def _is_alive(number: int) -> bool:
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def usable_cores() -> int:
    """Return how many cores this process may use: those of its allocation, not those of the machine, where one is told."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
