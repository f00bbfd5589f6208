"""What Snakemake does not see of a study's results: files that tables name, and what made results that clones share.

Snakemake keeps what a job was made from in the clone that ran it. Here it is kept beside the results too, so that
another clone, with other code, which uses the same results finds what its code would make differently.
"""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import compress
from pathlib import Path
from typing import Final

import pandas as pd

from face_sets.files import digest, write_text
from fer_utils import tables
from fer_utils.graph import Job
from fer_utils.paths import Paths

RUNS_TABLES: Final = ("runs", "variant_runs")


def overlooked_jobs(declared: Sequence[Job], paths: Paths) -> list[str]:
    """Return the names of a study's jobs that are due for a reason that Snakemake overlooks."""
    return sorted({*broken_jobs(declared), *changed_jobs(declared, paths), *absent_jobs(declared)})


def broken_jobs(declared: Iterable[Job]) -> list[str]:
    """Return the names of jobs with a table that is damaged, or that names a file which is absent or not whole."""
    outputs = {Path(output): job.name for job in declared for output in job.outputs}
    there = [output for output in outputs if output.suffix == ".parquet" and output.exists()]
    runs = [table for table in there if table.stem in RUNS_TABLES]
    others = [table for table in there if table.stem not in RUNS_TABLES]
    with ThreadPoolExecutor() as threads:
        damaged = list(compress(others, threads.map(_is_damaged, others)))
    return list(dict.fromkeys(outputs[table] for table in (*_broken(runs), *damaged)))


def changed_jobs(declared: Iterable[Job], paths: Paths) -> list[str]:
    """Return the names of jobs whose results were made by other code, settings or data than this clone's.

    Jobs without a record (made before there were records) and results outside the study's folder are left to Snakemake.
    """
    return [job.name for job in declared if _recorded(job, paths) not in {None, digest(job.watched)}]


def absent_jobs(declared: Iterable[Job]) -> list[str]:
    """Return the names of jobs of which a result is absent: Snakemake does not miss those between a source and a book."""
    return [job.name for job in declared if not all(map(os.path.exists, job.outputs))]


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
    with ThreadPoolExecutor() as threads:  # digests of some hundred megabytes: on all cores
        return list(compress(runs_tables, threads.map(_names_a_broken_file, runs_tables, parts)))


def _is_damaged(table: Path) -> bool:
    try:
        tables.read_sealed(table)
    except tables.TableError:
        return True
    return False


def _names_a_broken_file(table: Path, runs: pd.DataFrame) -> bool:
    named = runs.dropna(subset="artefact").to_dict("records")
    try:
        return not all(tables.file_of(run, table).is_file() for run in named)
    except tables.TableError:
        return True
