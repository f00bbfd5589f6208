"""Real runs in a folder whose name would mean something to a shell: killed, doubled, and gone on with."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial

import psutil
import pytest
from project_copy import copy_sources, python_path

from face_sets.folders import PROJECT_FOLDER

ODD = 'it\'s a $(touch EXECUTED); $HOME `touch EXECUTED` "dü" & {x} * # %'
ODD_RESULTS = "keep me; $(touch EXECUTED) 'ü' `touch EXECUTED` & ~"
STAGE = "07_published_numbers"  # reads no results: its run is one job

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("odd") / ODD / "pro ject"
    root.mkdir(parents=True)
    copy_sources(root)
    (root / ".cache").symlink_to(PROJECT_FOLDER / ".cache")
    (root / ".venv").symlink_to(sys.prefix)  # so that the interpreter's path is odd too
    return root


def environment(project, **more):
    ours = {name: value for name, value in os.environ.items() if not name.startswith("FER_")}
    return {**ours, "PYTHONPATH": python_path(project), "TMPDIR": "/tmp", **more}


def begin(project, *words, **more):
    return subprocess.Popen(
        [project / ".venv/bin/python", "-m", "fer_utils.cli", *words],
        cwd=project, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment(project, **more),
    )  # fmt: skip


def fer(project, *words, **more):
    process = begin(project, *words, **more)
    return process.communicate()[0], process.returncode


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()}


def of_run(process):
    """All processes that belong to a run, whoever their parent is by now."""
    found = []
    for each in psutil.process_iter():
        try:
            if each.environ().get("FER_RUN") == str(process.pid) and each.status() != psutil.STATUS_ZOMBIE:
                found.append(each)
        except psutil.Error:
            continue
    return found


def words(process):
    """A process's command line; empty if it has ended."""
    with suppress(psutil.NoSuchProcess):
        return process.cmdline()
    return []


def with_a_job(process):
    """Wait until a run's notebook is at work; return the run's processes."""
    for _ in range(600):
        found = of_run(process)
        if any("ipykernel_launcher" in " ".join(words(each)) for each in found):
            return found
        time.sleep(0.1)
    raise AssertionError(process.communicate()[0])


def ended(process, seconds):
    until = time.monotonic() + seconds
    while (left := of_run(process)) and time.monotonic() < until:
        time.sleep(0.1)
    return [words(each) for each in left]


def test_a_run_works_in_an_odd_folder_and_touches_nothing_beside_it(project):
    beside = project.parents[1] / "keep"
    beside.write_text("the user's own")
    results = project.parents[1] / ODD_RESULTS
    before = files(project.parents[1]).keys()
    said, code = fer(project, "run", STAGE, FER_RESULTS=str(results))
    assert code == 0, said
    assert (results / "quick/notebooks" / f"{STAGE}.ipynb").is_file()
    assert beside.read_text() == "the user's own"
    new = {path for path in files(project.parents[1]).keys() - before if "__pycache__" not in path.parts}
    ours = (results, project / ".snakemake")
    assert [path for path in new if not any(folder in path.parents for folder in ours)] == []
    assert "Nothing to do" in fer(project, "run", STAGE, FER_RESULTS=str(results))[0]
    said, code = fer(project, "status", FER_RESULTS=str(results))
    assert code == 0, said


def test_a_terminated_run_leaves_no_process_and_goes_on(project):
    run = begin(project, "run", STAGE)
    begun = with_a_job(run)
    assert len(begun) > 2
    kernels = [each for each in begun if "ipykernel_launcher" in " ".join(words(each))]
    assert kernels
    for kernel in kernels:
        kernel.suspend()  # lest the run end while it is asked about
    said, code = fer(project, "run", STAGE)
    assert code == 1
    assert "fer: another run is at work on " in said
    assert f"process {run.pid}: wait for its end" in said
    assert f"a run is at work here: process {run.pid}" in fer(project, "status")[0]
    for kernel in kernels:
        kernel.resume()
    run.terminate()
    assert run.wait(timeout=10) == 128 + signal.SIGTERM  # five seconds, on a machine that is not busy
    assert of_run(run) == []
    assert "a run is at work" not in fer(project, "status")[0]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
def test_interrupted_papermill_leaves_no_process_of_the_workflow_below_it(project, tmp_path, how):
    """Ctrl-C, `kill` and a crash: in five seconds, on a machine that is not busy, kernel, Snakemake and job have ended."""
    command = [
        project / ".venv/bin/python",
        "-m",
        "papermill",
        "notebooks/02_architectures.ipynb",
        tmp_path / "out.ipynb",
    ]
    # a shell lets what it starts in the background ignore Ctrl-C, and so would papermill where the tests run there
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    started = subprocess.Popen([*command, "-p", "seed", "5"], cwd=project, env=environment(project), preexec_fn=heard,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    root, family = psutil.Process(started.pid), []
    try:
        for _ in range(600):
            family = root.children(recursive=True)
            if any("step" in words(each) for each in family):
                break
            time.sleep(0.1)
        assert any("step" in words(each) for each in family), "no job began"
        started.send_signal(how)
        _, left = psutil.wait_procs(family, timeout=20)
        started.wait(timeout=30)
        assert [words(each) for each in left] == []
    finally:  # else the lock of what is left fails the tests after this one
        for each in [*family, root]:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        started.wait()


def test_after_a_kill_the_same_command_works(project):
    run = begin(project, "run", STAGE)
    for each in with_a_job(run):  # as where the machine has no memory left, or no power
        each.kill()
    run.kill()
    run.communicate()
    locks = project / ".snakemake" / "locks"
    locks.mkdir(exist_ok=True)  # as earlier versions and Snakemake by itself leave them
    (locks / "0.output.lock").write_text(f"results/quick/notebooks/{STAGE}.ipynb\n")
    run = begin(project, "run", STAGE)
    with_a_job(run)
    run.kill()  # it alone: the others notice
    assert ended(run, seconds=20) == []
    run.communicate()
    said, code = fer(project, "run", STAGE)
    assert code == 0, said
    assert "1 of 1 done" in said


def test_a_killed_job_is_said_to_be_killed(project):
    run = begin(project, "run", STAGE, "--overrides", '{"seed": 9}')
    for each in with_a_job(run):
        if {"step", "-m", "fer_utils.cli"} <= set(words(each)):
            each.kill()
    said = run.communicate()[0]
    assert run.returncode == 1
    assert "FAILED" in said
    assert "ended by signal 9, often for want of memory" in said


def test_snakemakes_own_reasons_reach_the_user(project):
    (project / "results/blocked").mkdir(parents=True)
    (project / "results/blocked/quick").write_text("a file where a folder is to be")
    said, code = fer(project, "run", STAGE, FER_RESULTS="results/blocked")
    assert code == 1
    assert "results/blocked/quick" in said
    assert "the lines above are Snakemake's reason" in said
