"""What of a study is made and what is due: Snakemake's dry run, one line a kind of job."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from face_sets.folders import PROJECT_FOLDER
from fer_utils.stages import STAGES, workflow_config, workflow_environment
from fer_utils.study import Study


def due_jobs(profile: str, overrides: Mapping[str, Any], project: Path = PROJECT_FOLDER) -> dict[str, int]:
    """Return how many jobs of each rule would run now; empty when everything is up to date.

    Raises RuntimeError with Snakemake's own words when it cannot read the workflow.
    """
    command = [
        sys.executable, "-m", "snakemake", "--snakefile", str(project / "Snakefile"), "--directory", str(project),
        "--nolock", "--dry-run", "--cores", "1", "--quiet", "rules", "host",
        "--workflow-profile", str(project / "workflow" / "profiles" / "default"),
        "--config", *workflow_config(profile, overrides),
    ]  # fmt: skip
    answer = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=project, env=workflow_environment()
    )
    said = answer.stdout + answer.stderr
    if answer.returncode != 0:
        reason = [
            line for line in said.splitlines() if line and not line.startswith(("Using workflow", "  File"))
        ]
        raise RuntimeError(f"the workflow cannot be read: {' '.join(reason)}")
    statistics = re.search(r"^job +count\n[- ]+\n(.*?)^total ", said, re.MULTILINE | re.DOTALL)
    rows = [line.split() for line in statistics[1].splitlines()] if statistics else []
    jobs: dict[str, int] = {}
    for rule, count in rows:  # rules by network are called train_..., compress_...
        jobs[rule.split("_")[0]] = jobs.get(rule.split("_")[0], 0) + int(count)
    return {step: count for step, count in jobs.items() if step != "all"}


def summary(study: Study, overrides: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row a kind of job: how many the study has, how many are up to date, how many are due."""
    due = due_jobs(study.profile, overrides)
    networks = len(study.architectures)
    jobs = {
        "faces": 1, "train": networks, "compress": networks, "sweep": networks * study.sweeps,
        "photographs": 1, "external": networks, "few_shot": 1, "measure": 1, "stage": len(STAGES), "book": 1,
    }  # fmt: skip
    rows = [(rule, count, count - due.get(rule, 0), due.get(rule, 0)) for rule, count in jobs.items()]
    return pd.DataFrame(rows, columns=["step", "jobs", "up to date", "due"])
