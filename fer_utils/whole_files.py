"""What Snakemake does not see of a study's results: files that tables name, and what made results that clones share.

Snakemake keeps what a job was made from in the clone that ran it. Here it is kept beside the results too, so that
another clone, with other code, which uses the same results finds what its code would make differently.
"""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, Final

from face_sets.files import digest, write_text
from fer_utils import tables
from fer_utils.graph import STEPS, Job, job_name, jobs
from fer_utils.paths import Paths
from fer_utils.study import Study

RUNS_TABLES: Final = ("runs", "variant_runs")


def broken_jobs(study: Study, paths: Paths) -> list[str]:
    """Return the names of a study's jobs whose tables are there while a file that they name is absent or not whole."""
    return [
        job_name(step.name, cell)
        for step in STEPS.values()
        for cell in step.cells(study)
        if any(
            path.stem in RUNS_TABLES and path.exists() and broken_files(path)
            for path in step.writes(paths, *cell)
        )
    ]


def changed_jobs(study: Study, paths: Paths) -> list[str]:
    """Return the names of jobs whose results were made by other code, settings or data than this clone's.

    Jobs without a record (made before there were records) and results outside the study's folder are left to Snakemake.
    """
    return [
        job.name for job in jobs(study, paths) if _recorded(job, paths) not in {None, digest(job.watched)}
    ]


def record_job(job: Job, paths: Paths) -> None:
    """Write beside the results what a job depended on besides its inputs, as a digest."""
    write_text(paths.record(job.name), digest(job.watched) + "\n")


def _recorded(job: Job, paths: Paths) -> str | None:
    outputs = [Path(output).resolve() for output in job.outputs]
    inside = all(output.is_relative_to(paths.root.resolve()) and output.exists() for output in outputs)
    record = paths.record(job.name)
    return record.read_text("utf-8", errors="replace").strip() if inside and record.is_file() else None


def broken_files(table: Path) -> list[str]:
    """Return the names of the files beside a table of runs that are absent or not whole; its own if it is damaged."""
    try:
        runs = tables.read("runs", table)
    except tables.TableError:
        return [table.name]
    files = runs.dropna(subset="artefact").to_dict("records")
    return [str(run["artefact"]) for run in files if _is_broken(run, table)]


def _is_broken(run: dict[Hashable, Any], table: Path) -> bool:
    try:
        return not tables.file_of(run, table).is_file()
    except tables.TableError:
        return True
