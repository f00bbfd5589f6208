"""What of a study is made: Snakemake's own summary, one line a step."""

import io
import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pandas as pd

from fer_utils.study import PROJECT_FOLDER


def summary(profile: str, overrides: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row a rule of the workflow: how many files it makes, how many are there, how many are due.

    Raises RuntimeError with Snakemake's own words when it cannot read the workflow.
    """
    command = [
        sys.executable, "-m", "snakemake", "--snakefile", str(PROJECT_FOLDER / "Snakefile"), "--nolock",
        "--directory", str(PROJECT_FOLDER), "--summary", "--config", f"profile={profile}",
        f"overrides={json.dumps(dict(overrides))}",
    ]  # fmt: skip
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    if answer.returncode != 0:
        raise RuntimeError(answer.stderr.strip().splitlines()[-1])
    files = pd.read_csv(io.StringIO(answer.stdout), sep="\t")
    there = files["status"] != "missing"
    grouped = files.assign(there=there, due=files["plan"] == "update pending").groupby("rule", sort=False)
    return grouped.agg(
        files=("output_file", "size"), there=("there", "sum"), due=("due", "sum")
    ).reset_index()
