"""Snakemake's process: `python -m fer_utils.snakemake_process PROFILE OVERRIDES ARGUMENTS`, the last being Snakemake's own.

Snakemake knows times, parameters and what this clone did: jobs that are due for another reason are named to it. They are
looked for in this process since the Snakefile needs the same imports and digests.
"""

import json
import sys
from collections.abc import Sequence

from fer_utils.graph import jobs, jobs_for
from fer_utils.paths import Paths
from fer_utils.study import StudyError, load_study
from fer_utils.whole_files import overlooked_jobs


def forced(profile: str, overrides: str, targets: Sequence[str]) -> list[str]:
    """Return the options that name the overlooked jobs of a study's files; `overrides` are JSON."""
    try:
        study = load_study(profile, **json.loads(overrides))
    except StudyError:  # which the Snakefile meets too, and Snakemake reports
        return []
    paths = Paths.of(study)
    due = overlooked_jobs(jobs_for(list(jobs(study, paths)), *targets), paths)
    return ["--forcerun", *due] if due else []


if __name__ == "__main__":
    from snakemake.cli import main

    _, profile, overrides, *arguments = sys.argv
    main([*forced(profile, overrides, arguments[arguments.index("--") + 1 :]), *arguments])
