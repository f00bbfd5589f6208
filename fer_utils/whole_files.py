"""Files that tables of runs name, and that the workflow does not know: those missing or cut make their job due."""

import json
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import h5py

from fer_utils import tables
from fer_utils.compression.golden import GOLDEN_FILE
from fer_utils.graph import STEPS, job_name
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


def broken_files(table: Path) -> list[str]:
    """Return the names of the files beside a table of runs that are absent or not whole; its own if it is damaged."""
    try:
        names = tables.read("runs", table)["artefact"].dropna().astype(str)
        beside = table.with_name(GOLDEN_FILE)
        golden: dict[str, Any] = json.loads(beside.read_bytes())["answers"] if beside.exists() else {}
    except (tables.TableError, ValueError, KeyError, TypeError):
        return [table.name]
    return [n for n in names if not _is_whole(table.parent / n, golden.get(n, {}).get("sha256"))]


def _is_whole(path: Path, digest: str | None) -> bool:
    """By its digest where one was noted, else by its end: an exported file ends in a zip (`metadata.describe`)."""
    try:
        if digest:
            return sha256(path.read_bytes()).hexdigest() == digest
        if path.suffix == ".tflite":
            return zipfile.is_zipfile(path)
        with h5py.File(path):
            return True
    except OSError:
        return False
