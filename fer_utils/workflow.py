"""Snakemake, called for a study: to make files, or to say in a dry run what is due."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from face_sets.folders import PROJECT_FOLDER
from fer_utils.graph import STEPS
from fer_utils.paths import FOLDER_VARIABLES
from fer_utils.study import Study


class WorkflowError(RuntimeError):
    """The workflow cannot be read, or stopped; the message says why or where to look."""


def make(targets: list[Path], profile: str, overrides: Mapping[str, Any], cores: int | None = None) -> bool:
    """Have Snakemake make files of a study that are absent or out of date; what is there is left alone.

    What is due, what runs and what is done is told as it happens. Returns whether there was anything to do.
    Raises WorkflowError when a job fails; the lines before say which one and why.
    """
    from fer_utils.progress import Progress

    progress = Progress(cores or os.cpu_count() or 1)
    names = [os.path.relpath(target, PROJECT_FOLDER) for target in targets]
    command = [*_snakemake(profile, overrides, ["--cores", str(progress.cores)]), "--", *names]
    with (
        progress,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=workflow_environment()
        ) as workflow,
    ):
        for line in workflow.stdout or ():
            if not line.startswith("Using workflow specific profile"):
                progress.read(line.rstrip("\n"))
    if workflow.returncode != 0:
        raise WorkflowError(
            "the workflow stopped; the lines above name the job and the reason; fix it and run again"
            if progress.due
            else "Snakemake cannot read the workflow; `fer status` with the same options says why"
        )
    return bool(progress.due)


def due_jobs(profile: str, overrides: Mapping[str, Any]) -> dict[str, int]:
    """Return how many jobs of each step would run now; empty when everything is up to date.

    Raises WorkflowError with Snakemake's own words when it cannot read the workflow.
    """
    options = ["--nolock", "--dry-run", "--cores", "1", "--quiet", "rules", "host"]
    answer = subprocess.run(
        _snakemake(profile, overrides, options),
        check=False, capture_output=True, text=True, cwd=PROJECT_FOLDER, env=workflow_environment(),
    )  # fmt: skip
    output = answer.stdout + answer.stderr
    if answer.returncode != 0:
        lines = (line for line in output.splitlines() if line)
        reason = " ".join(line for line in lines if not line.startswith(("Using workflow", "  File")))
        raise WorkflowError(f"the workflow cannot be read: {reason}")
    statistics = re.search(r"^job +count\n[- ]+\n(.*?)^total ", output, re.MULTILINE | re.DOTALL)
    jobs: Counter[str] = Counter()
    for line in statistics[1].splitlines() if statistics else ():
        job, count = line.split()
        jobs[job.split("-")[0]] += int(count)
    return {step: count for step, count in jobs.items() if step != "all"}


def summary(study: Study, overrides: Mapping[str, Any]) -> dict[str, tuple[int, int, int]]:
    """Return by step: how many jobs the study has, how many of them are up to date, how many are due."""
    due = due_jobs(study.profile, overrides)
    counts = {name: len(list(step.cells(study))) for name, step in STEPS.items()}
    return {name: (count, count - due.get(name, 0), due.get(name, 0)) for name, count in counts.items()}


def workflow_environment() -> dict[str, str]:
    """Return the environment for Snakemake, which works in the project's folder: folders are named in full there."""
    folders = {name: os.environ.get(name) for name in FOLDER_VARIABLES}
    return {**os.environ, **{name: os.path.abspath(folder) for name, folder in folders.items() if folder}}


def _snakemake(profile: str, overrides: Mapping[str, Any], options: list[str]) -> list[str]:
    """The command for a study. Its overrides are JSON, quoted as in an address: of plain JSON Snakemake would make text."""
    return [
        sys.executable, "-m", "snakemake", "--snakefile", str(PROJECT_FOLDER / "Snakefile"),
        "--directory", str(PROJECT_FOLDER), *options,
        "--workflow-profile", str(PROJECT_FOLDER / "workflow" / "profiles" / "default"),
        "--config", f"profile={profile}", f"overrides={quote(json.dumps(dict(overrides)))}",
    ]  # fmt: skip
