"""What is left of processes that were killed, with real ones: nothing, and no lock."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from face_sets import processes
from face_sets.processes import BusyError, holder, one_at_a_time

PARENT = """
import subprocess, sys, time
from face_sets import processes
processes.GRACE_SECONDS = 0.3
processes.{begin}()
stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
child = "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', sys.argv[1]]); p.wait()"
apart = subprocess.Popen([sys.executable, "-c", child, stubborn], start_new_session=True)  # as kernels of notebooks are
time.sleep(60)
"""


def start(code, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )


def family(process, count=3):
    """The process and its descendants, of which the youngest has said that it is ready."""
    assert process.stdout.readline() == "ready\n"
    known = psutil.Process(process.pid)
    found = [known, *known.children(recursive=True)]
    assert len(found) == count
    return found


def alive(found):
    return [each for each in found if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.system
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_terminated_process_soon_ends_all_that_it_started(number):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # where nohup has it ignored, children would ignore it too
    process = start(PARENT.format(begin="end_all_when_terminated"))
    found = family(process)
    process.send_signal(number)
    assert process.wait(timeout=10) == 128 + number  # half a second, on a machine that is not busy
    assert alive(found) == []


def test_a_process_that_ends_at_once_has_said_all_and_frees_nothing():
    code = """
import atexit, sys
from face_sets.processes import end_at_once
atexit.register(print, "freed")
print("said")
sys.stderr.write("warned")
end_at_once()
print("went on")
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "said\n", "warned")


@pytest.mark.system
def test_a_job_ends_with_its_run_even_if_that_was_killed():
    run = start("import time; print('ready', flush=True); time.sleep(60)")
    job = start(PARENT.format(begin="end_with_run"), FER_RUN=str(run.pid))
    found = family(job)
    run.kill()  # and not waited for: it stays a zombie
    assert job.wait(timeout=8) == 1
    assert alive(found) == []
    run.wait()


def test_a_lock_names_the_process_that_holds_it_and_is_free_when_that_was_killed(tmp_path):
    lock = tmp_path / "new folder" / "run.lock"
    code = "import sys, time; from pathlib import Path; from face_sets.processes import one_at_a_time\n"
    code += f"with one_at_a_time(Path({str(lock)!r})): print('ready', flush=True); time.sleep(60)"
    other = start(code)
    assert other.stdout.readline() == "ready\n"
    assert holder(lock) == f"process {other.pid}"
    with pytest.raises(BusyError, match=f"another run is at work on .*, process {other.pid}: wait"):
        with one_at_a_time(lock):
            pass
    other.kill()
    other.wait()
    assert holder(lock) is None
    with one_at_a_time(lock):
        pass
    with one_at_a_time(lock):
        pass


def test_what_inherits_a_lock_holds_it_on(tmp_path):
    """Snakemake goes on for a moment where `fer` was killed: until it ends, no other run begins."""
    lock = tmp_path / "run.lock"
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    with one_at_a_time(lock) as descriptor:
        child = subprocess.Popen(sleep, pass_fds=[descriptor])
    with pytest.raises(BusyError, match=f"process {child.pid}"), one_at_a_time(lock):
        pass
    child.kill()
    child.wait()
    with one_at_a_time(lock):
        pass


def test_a_file_system_without_locks_locks_nobody_out(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("operation not supported")

    monkeypatch.setattr(processes.fcntl, "flock", refuse)
    with one_at_a_time(tmp_path / "run.lock"):
        pass
