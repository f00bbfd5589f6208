"""What measuring on other devices has in common: which files, and rows that take the place of older ones."""

from pathlib import Path

import pandas as pd

from fer_utils import tables
from fer_utils.compression.exported_files import exported_files
from fer_utils.paths import Paths
from fer_utils.profiling.interpreters import ProfilingError
from fer_utils.study import Study


def chosen_files(study: Study, paths: Paths, run_ids: list[str]) -> dict[str, Path]:
    """Return a study's exported files by run id: those that `run_ids` names, or all if it names none.

    Raises ProfilingError for a name that no exported file has.
    """
    files = exported_files(study.architectures, paths)
    if unknown := sorted(set(run_ids) - set(files)):
        raise ProfilingError(
            f"no exported file {', '.join(unknown)} is here; there are {', '.join(files) or 'none'}"
        )
    return {run_id: path for run_id, path in files.items() if not run_ids or run_id in run_ids}


def is_kept(table: str, path: Path, wanted: dict[str, object]) -> bool:
    """Return whether the table at `path` is there and has a row with the wanted values."""
    if not path.exists():
        return False
    rows = tables.read(table, path)
    return bool((rows[list(wanted)] == pd.Series(wanted)).all(axis=1).any())


def put_rows(rows: pd.DataFrame, table: str, path: Path) -> None:
    """Put rows in the place of those of the same file, threads and size, or at the end."""
    if path.exists():
        same = ["run_id", "threads", "image_size"]
        old = tables.read(table, path)
        replaced = old.set_index(same).index.isin(rows.set_index(same).index)
        rows = pd.concat([old[~replaced], rows], ignore_index=True)
    tables.write(rows, table, path)
