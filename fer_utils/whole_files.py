"""What Snakemake does not see of a study's results: files that tables name, and what made results that clones share.

Snakemake keeps what a job was made from in the clone that ran it. Here it is kept beside the results too, so that
another clone, with other code, which uses the same results finds what its code would make differently.
"""

import os
from collections.abc import Hashable, Sequence
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
    of_job = {
        table: job_name(step.name, cell)
        for step in STEPS.values()
        for cell in step.cells(study)
        for table in step.writes(paths, *cell)
        if table.stem in RUNS_TABLES and table.exists()
    }
    return list(dict.fromkeys(of_job[table] for table in _broken(list(of_job))))


def changed_jobs(study: Study, paths: Paths) -> list[str]:
    """Return the names of jobs whose results were made by other code, settings or data than this clone's.

    Jobs without a record (made before there were records) and results outside the study's folder are left to Snakemake.
    """
    return [
        job.name for job in jobs(study, paths) if _recorded(job, paths) not in {None, digest(job.watched)}
    ]


def absent_jobs(study: Study, paths: Paths) -> list[str]:
    """Return the names of jobs of which a result is absent: Snakemake does not miss those between a source and a book."""
    steps = STEPS.values()
    made = {job_name(s.name, cell): s.writes(paths, *cell) for s in steps for cell in s.cells(study)}
    return [name for name, results in made.items() if not all(map(os.path.exists, results))]


def record_job(job: Job, paths: Paths) -> None:
    """Write beside the results what a job depended on besides its inputs, as a digest."""
    write_text(paths.record(job.name), digest(job.watched) + "\n")


def _recorded(job: Job, paths: Paths) -> str | None:
    outputs = [Path(output).resolve() for output in job.outputs]
    inside = all(output.is_relative_to(paths.root.resolve()) and output.exists() for output in outputs)
    record = paths.record(job.name)
    return record.read_text("utf-8", errors="replace").strip() if inside and record.is_file() else None


def _broken(runs_tables: Sequence[Path]) -> list[Path]:
    """Return which tables of runs are damaged, or name a file beside them that is absent or not whole."""
    try:
        parts = [tables.read_sealed(table) for table in runs_tables]
        tables.conform(tables.concatenated(parts), "runs")  # together, in a tenth of the time of one by one
    except tables.TableError:
        if len(runs_tables) < 2:
            return list(runs_tables)
        return [broken for table in runs_tables for broken in _broken([table])]
    return [
        table
        for table, part in zip(runs_tables, parts, strict=True)
        if any(_is_broken(run, table) for run in part.dropna(subset="artefact").to_dict("records"))
    ]


def _is_broken(run: dict[Hashable, Any], table: Path) -> bool:
    try:
        return not tables.file_of(run, table).is_file()
    except tables.TableError:
        return True
