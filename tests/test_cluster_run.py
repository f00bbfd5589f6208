"""A study of two networks, run to its book by a SLURM cluster of one node (`make slurm`; `.ci/slurm_node` starts one)."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from project_copy import copy_sources, python_path

from face_sets.folders import PROJECT_FOLDER
from fer_utils.graph import jobs
from fer_utils.paths import Paths
from fer_utils.study import load_study

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SMALL = {
    "architectures": ["mobilenet_v3_small", "mobilenet_v2"], "cohorts": ["children", "all"], "techniques": ["none"],
    "epochs": 1, "timed_runs": 5, "bootstrap_draws": 100,
}  # fmt: skip


def asked(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def cluster():
    try:
        state = asked("sinfo", "--noheader", "--format=%T")
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("no SLURM answers here: .ci/slurm_node starts a cluster of one node")
    assert state.strip() in {"idle", "mixed", "allocated"}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    copy_sources(root)
    (root / ".cache").symlink_to(PROJECT_FOLDER / ".cache")  # the rendered head and the face detector
    return root


def start(project, *targets, **changes):
    """`fer run` on the cluster, in the copy; its output is a pipe."""
    command = [
        sys.executable, "-m", "fer_utils.cli", "run", *targets, "--workflow-profile", "slurm",
        "--overrides", json.dumps({**SMALL, **changes}),
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": python_path(project)}
    return subprocess.Popen(
        command, cwd=project, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip


def finished(running):
    told, _ = running.communicate()
    return running.returncode, told


def queue(*states):
    """Jobs in the queue, or of some states, by number: what each was for."""
    lines = asked("squeue", "--all", "--noheader", "--format=%i %k", *(f"--states={each}" for each in states))
    return dict(line.split(maxsplit=1) for line in lines.splitlines())


def wait_for(found, seconds=120):
    for _ in range(seconds):
        if answer := found():
            return answer
        time.sleep(1)
    raise AssertionError(f"nothing after {seconds} s")


def test_a_cancelled_job_is_named_and_what_a_killed_run_left_is_cancelled(cluster, project):
    running = start(project, "01_data")
    number = next(iter(wait_for(lambda: queue("RUNNING"))))
    asked("scancel", number)
    line = wait_for(lambda: next((each for each in running.stdout if f"SLURM job {number}" in each), ""))
    assert "was cancelled" in line
    left = wait_for(lambda: queue("RUNNING", "PENDING"))  # it is tried again
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    assert left.keys() & queue("RUNNING", "PENDING").keys()
    code, told = finished(start(project, "01_data"))
    assert code == 0, told
    assert re.search(r"cancelled \d+ of this clone's jobs", told)
    assert not left.keys() & queue("RUNNING", "PENDING", "COMPLETED").keys()


def test_a_study_of_two_networks_runs_to_its_book_each_job_by_itself(cluster, project):
    before = set(queue("COMPLETED"))
    code, told = finished(start(project))
    assert code == 0, told
    assert (project / "_build" / "html" / "index.html").is_file()
    study = load_study("quick", **SMALL)
    expected = {job.name for job in jobs(study, Paths.of(study))}
    named = {
        f"rule_{name}" for name in expected if name not in {"faces", "external_faces", "notebook-01_data"}
    }
    ran = [what for number, what in queue("COMPLETED").items() if number not in before]
    assert sorted(ran) == sorted(named)
    code, told = finished(start(project))
    assert code == 0
    assert "Nothing to do" in told
