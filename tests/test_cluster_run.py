"""A study of two networks, run to its book by a SLURM cluster of one node (`make slurm`; `.ci/slurm_node start`)."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from threading import Thread

import psutil
import pytest
import yaml
from project_copy import copy_sources, python_path

from face_sets.folders import PROJECT_FOLDER
from fer_utils import tables
from fer_utils.graph import jobs
from fer_utils.paths import Paths
from fer_utils.study import load_study
from workflow_runs.slurm import PROFILES_FOLDER

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SMALL = {
    "architectures": ["mobilenet_v3_small", "mobilenet_v2"], "cohorts": ["children", "all"], "techniques": ["none"],
    "image_size": 64, "images_per_expression": 1, "epochs": 1, "timed_runs": 5, "bootstrap_draws": 100,
}  # fmt: skip
FAILING = "compress-mobilenet_v3_small-plain"
PATIENCE = 60  # seconds in which a failure is to be named


def asked(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def node():
    """The cluster's only node, by name."""
    try:
        name, state = asked("sinfo", "--noheader", "--format=%n %T").split()
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("no SLURM answers here: .ci/slurm_node starts a cluster of one node")
    assert state in {"idle", "mixed", "allocated"}
    return name


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    copy_sources(root)
    (root / ".cache").symlink_to(PROJECT_FOLDER / ".cache")  # the rendered head and the face detector
    return root


begun = []


@pytest.fixture(autouse=True)
def no_run_left():
    yield
    for run in begun:
        if run.process.poll() is None:
            run.kill()


class Run:
    """`fer run` on the cluster, in the copy; `told` are its lines so far."""

    def __init__(self, project, *targets, profile="slurm"):
        command = [
            sys.executable, "-m", "fer_utils.cli", "run", *targets, "--workflow-profile", str(profile),
            "--overrides", json.dumps(SMALL),
        ]  # fmt: skip
        environment = {**os.environ, "PYTHONPATH": python_path(project)}
        self.process = subprocess.Popen(
            command, cwd=project, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        self.told = []
        self._reader = Thread(target=lambda: self.told.extend(self.process.stdout), daemon=True)
        self._reader.start()
        begun.append(self)

    def kill(self):
        """As a login node's end does; what the cluster runs for it goes on."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def ended(self):
        """Wait for the end; return the exit status and all that was told."""
        self.process.wait()
        self._reader.join()
        return self.process.returncode, "".join(self.told)

    def line(self, start):
        return next((line for line in list(self.told) if line.startswith(start)), "")


def queue(*states):
    """Jobs in the queue, or of some states, by number: what each was for."""
    chosen = [f"--states={','.join(states)}"] if states else []  # given twice, the last one counts
    lines = asked("squeue", "--all", "--noheader", "--format=%i %k", *chosen)
    return dict(line.split(maxsplit=1) for line in lines.splitlines())


def wait_for(found, run=None, seconds=1200):
    """Return the first answer; fail where none comes, at once where the run that should give it ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended = run is not None and run.process.poll() is not None
        if answer := found():
            return answer
        assert not ended, f"the run ended: {run.ended()}"
        time.sleep(0.5)
    raise AssertionError(f"nothing after {seconds} s: {''.join(run.told) if run else ''}")


def has_words(process, words):
    try:
        command = process.cmdline()
    except psutil.Error:  # it ended meanwhile
        return False
    return any(command[place : place + len(words)] == words for place in range(len(command)))


@contextmanager
def too_little_memory(node, number, folder):
    """The profile gives it to the first attempt."""
    yield


@contextmanager
def too_little_time(node, number, folder):
    wanted = ["step", *FAILING.split("-")[:2]]
    for process in wait_for(lambda: [each for each in psutil.process_iter() if has_words(each, wanted)]):
        process.suspend()  # so that it does not end before its time
    asked("scontrol", "update", f"jobid={number}", "timelimit=1")
    yield


@contextmanager
def lost_node(node, number, folder):
    asked("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
    try:
        yield
    finally:  # unless it is back by itself
        subprocess.run(("scontrol", "update", f"nodename={node}", "state=resume"), check=False)


@contextmanager
def full_disk(node, number, folder):
    folder.mkdir(parents=True, exist_ok=True)
    asked("mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder))
    try:
        yield
    finally:
        asked("umount", "--lazy", str(folder))


@contextmanager
def cancelling(node, number, folder):
    asked("scancel", number)
    yield


FAILURES = {
    too_little_memory: "ended for want of memory",
    too_little_time: "ended at its time limit",
    lost_node: "lost its node",
    full_disk: "No space left on device",
    cancelling: "was cancelled",
}
"""What happens to the attempts at one job in turn, and what the user is told."""


def can_mount(folder):
    command = ("mount", "-t", "tmpfs", "none", str(folder))
    if shutil.which("mount") is None or subprocess.run(command, check=False, capture_output=True).returncode:
        return False
    asked("umount", str(folder))
    return True


def impatient(folder):
    """The profile `slurm` for jobs that fail on purpose: more attempts, and little memory for the first."""
    profile = yaml.safe_load((PROFILES_FOLDER / "slurm" / "config.yaml").read_text("utf-8"))
    profile["retries"] = len(FAILURES) + 1
    profile["set-resources"][FAILING] = {"mem_mb": "300 if attempt == 1 else 3000"}
    folder.mkdir()
    (folder / "config.yaml").write_text(yaml.safe_dump(profile))
    return folder


def test_what_a_killed_run_left_in_the_queue_is_cancelled_by_the_next(node, project):
    running = Run(project, "01_data")
    left = wait_for(lambda: queue("RUNNING", "PENDING"), running)
    running.kill()
    assert left.keys() & queue("RUNNING", "PENDING").keys()
    code, told = Run(project, "01_data").ended()
    assert code == 0, told
    assert re.search(r"cancelled \d+ of this clone's jobs", told)
    assert not left.keys() & queue("RUNNING", "PENDING", "COMPLETED").keys()


def test_a_study_runs_to_its_book_each_job_by_itself_and_failures_are_named_at_once(node, project, tmp_path):
    failures = dict(FAILURES)
    if not can_mount(tmp_path):
        del failures[full_disk]  # in most containers nobody has a disk of his own to fill up
    before = set(queue("COMPLETED"))
    study = load_study("quick", **SMALL)
    paths = Paths.of(study, project / "results")
    table = paths.compressed("runs", "mobilenet_v3_small", "none")
    running, seen = Run(project, profile=impatient(tmp_path / "profile")), set()
    for failure, words in failures.items():
        number = wait_for(
            lambda: [n for n, what in queue("RUNNING").items() if FAILING in what and n not in seen], running
        )[0]
        seen.add(number)
        with failure(node, number, table.parent):
            wait_for(lambda number=number: number not in queue("RUNNING", "COMPLETING"))
            gone = time.monotonic()
            line = wait_for(lambda number=number: running.line(f"{FAILING} (SLURM job {number})"), running)
            print(f"{failure.__name__}: named after {time.monotonic() - gone:.0f} s: {line.strip()}")
            assert time.monotonic() - gone < PATIENCE
        assert words in line
        assert not table.exists()
    code, told = running.ended()
    assert code == 0, told
    assert set(tables.read("runs", table)["status"]) == {"done"}
    assert (project / "_build" / "html" / "index.html").is_file()
    ran = [what for number, what in queue("COMPLETED").items() if number not in before]
    assert len(set(ran)) == len(ran), "no job ran to its end twice"
    expected = {f"rule_{job.name}" for job in jobs(study, paths)}
    before_this = {"rule_faces", "rule_external_faces", "rule_notebook-01_data"}  # perhaps, by the other test
    assert expected - before_this <= set(ran) <= expected
    code, told = Run(project).ended()
    assert code == 0
    assert "Nothing to do" in told
