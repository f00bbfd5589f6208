"""Snakemake, called for a study: to make files, or to say in a dry run what is due."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from face_sets.folders import PROJECT_FOLDER
from face_sets.processes import RUN_VARIABLE, end_family, one_at_a_time, usable_cores
from fer_utils.graph import BOOK, STEPS
from fer_utils.paths import settle_folders
from fer_utils.study import Study
from workflow_runs.slurm import (
    JOB_STEP_MB,
    PROFILES_FOLDER,
    cancel_jobs_left_over,
    check_plugin,
    in_progress_words,
    job_prefix,
    profile_folder,
    uses_slurm,
)

if TYPE_CHECKING:
    from workflow_runs.progress import Progress

LOCK: Final = PROJECT_FOLDER / ".snakemake" / "fer.lock"

_QUIET: Final = ("all",)
_QUIET_CLUSTER: Final = ("host",)  # jobs print on their nodes: what became of them is in Snakemake's lines
_TALKATIVE: Final = ("progress", "host", "reason")
_NOISE: Final = (
    "Using workflow specific profile", "Assuming unrestricted shared", "Building DAG of jobs", "Using shell:",
)  # fmt: skip


class WorkflowError(RuntimeError):
    """The workflow cannot be read, or stopped; the message says why or where to look."""


def make(
    targets: list[Path], profile: str, overrides: Mapping[str, Any], cores: int | None = None,
    workflow_profile: str = "default",
) -> bool:  # fmt: skip
    """Have Snakemake make files of a study that are absent or out of date; what is there is left alone.

    What is due, what runs and what is done is told as it happens. `workflow_profile` says how Snakemake runs jobs: on
    this machine, or on a cluster (`slurm.profile_folder`). Returns whether there was anything to do.
    Raises BusyError while another run is at work, WorkflowError when a job fails; the lines before say which and why.
    """
    settle_folders()
    folder = profile_folder(workflow_profile)
    slurm = uses_slurm(folder)
    cores = cores or (None if slurm else usable_cores())

    def run(quiet: tuple[str, ...], lock: int) -> tuple[int, "Progress"]:
        # Snakemake's own locks outlive a process that is killed; ours does not, and guards the same
        options = ["--nolock", "--quiet", *quiet, *(["--cores", str(cores)] if cores else [])]
        options += ["--slurm-jobname-prefix", job_prefix()] if slurm else []
        translate = in_progress_words if slurm and quiet != _TALKATIVE else iter
        command = _snakemake(profile, overrides, targets, options, folder, JOB_STEP_MB if slurm else 0)
        return _run(command, cores, lock, translate)

    if slurm:
        check_plugin()
    with one_at_a_time(LOCK) as lock:
        if slurm and (left := cancel_jobs_left_over()):
            print(f"cancelled {left} of this clone's jobs that an earlier run left in the queue", flush=True)
        code, told = run(_QUIET_CLUSTER if slurm else _QUIET, lock)
        if code > 0 and not told.failed:  # no job's fault: once more, in Snakemake's own words
            code, told = run(_TALKATIVE, lock)
    if code < 0:
        raise WorkflowError(
            f"the workflow was ended by signal {-code} (often for want of memory): "
            "run the same command again, which goes on from there"
        )
    if code > 0:
        if told.failed:
            raise WorkflowError(
                "the workflow stopped; the lines above name the job and the reason; fix it and run again"
            )
        raise WorkflowError("the workflow stopped; the lines above are Snakemake's reason")
    return bool(told.due)


def _run(
    command: list[str], cores: int | None, lock: int, translate: Callable[[Iterable[str]], Iterable[str]]
) -> tuple[int, "Progress"]:
    """Run Snakemake, which holds the lock too; return its exit status and what it told of its jobs."""
    from workflow_runs.progress import Progress

    environment = {**os.environ, RUN_VARIABLE: str(os.getpid())}
    with (
        Progress(cores) as progress,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            env=environment, pass_fds=[lock],
        ) as workflow,
    ):  # fmt: skip
        try:
            for line in translate(workflow.stdout or ()):
                if not line.startswith(_NOISE):
                    progress.read(line.rstrip("\n"))
        except BaseException:  # Ctrl-C, say: nothing goes on behind the reader's back
            end_family(workflow.pid)
            raise
    return workflow.returncode, progress


def due_jobs(profile: str, overrides: Mapping[str, Any]) -> dict[str, int]:
    """Return how many jobs of each step would run now; empty when everything is up to date.

    Raises WorkflowError with Snakemake's own words when it cannot read the workflow.
    """
    settle_folders()
    options = ["--nolock", "--dry-run", "--cores", "1", "--quiet", "rules", "host"]
    command = _snakemake(profile, overrides, [BOOK], options)
    answer = subprocess.run(command, check=False, capture_output=True, text=True, cwd=PROJECT_FOLDER)
    output = answer.stdout + answer.stderr
    if answer.returncode != 0:
        if protected := re.search(r"ProtectedOutputException in rule (\S+)", output):
            raise WorkflowError(f"{protected[1]} is due but write-protected: others cannot be counted")
        lines = (line for line in output.splitlines() if line and not line.startswith((*_NOISE, "  File")))
        raise WorkflowError(f"the workflow cannot be read: {' '.join(lines)}")
    statistics = re.search(r"^job +count\n[- ]+\n(.*?)^total ", output, re.MULTILINE | re.DOTALL)
    jobs: Counter[str] = Counter()
    for line in statistics[1].splitlines() if statistics else ():
        job, count = line.split()
        jobs[job.split("-")[0]] += int(count)
    return dict(jobs)


def summary(study: Study, overrides: Mapping[str, Any]) -> dict[str, tuple[int, int, int]]:
    """Return by step: how many jobs the study has, how many of them are up to date, how many are due."""
    due = due_jobs(study.profile, overrides)
    counts = {name: len(list(step.cells(study))) for name, step in STEPS.items()}
    return {name: (count, count - due.get(name, 0), due.get(name, 0)) for name, count in counts.items()}


def _snakemake(
    profile: str, overrides: Mapping[str, Any], targets: Sequence[Path], options: list[str],
    workflow_profile: Path = PROFILES_FOLDER / "default", job_step_mb: int = 0,
) -> list[str]:  # fmt: skip
    """The command for a study. Its overrides are JSON, quoted as in an address: of plain JSON Snakemake would make text."""
    given = json.dumps(dict(overrides))
    return [
        sys.executable, "-m", "fer_utils.snakemake_process", profile, given,
        "--snakefile", str(PROJECT_FOLDER / "Snakefile"), "--directory", str(PROJECT_FOLDER), *options,
        "--workflow-profile", str(workflow_profile),
        "--config", f"profile={profile}", f"overrides={quote(given)}", f"job_step_mb={job_step_mb}",
        "--", *(os.path.relpath(target, PROJECT_FOLDER) for target in targets),
    ]  # fmt: skip
