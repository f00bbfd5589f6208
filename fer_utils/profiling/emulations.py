"""The rows of `emulations` that are kept for a study: where they lie, and which still tell of the files that are here."""

from pathlib import Path

import pandas as pd

from fer_utils import tables
from fer_utils.compression.files import exported_files
from fer_utils.files import digest
from fer_utils.study import Paths, Study


def emulations_table(paths: Paths) -> Path:
    """Return where a study's `emulations` lie: outside the workflow, which cannot make them everywhere."""
    return paths.of_device("emulations", "cortex-a53-emulated")


def current_emulations(study: Study, paths: Paths) -> pd.DataFrame:
    """Return the `emulations` of a study's exported files as they are now; rows of earlier files are left out."""
    if not emulations_table(paths).is_file():
        return tables.empty("emulations")
    rows = tables.read("emulations", emulations_table(paths))
    files = {
        run: path
        for architecture in study.architectures
        for run, path in exported_files(architecture, paths).items()
    }
    known = {run: digest(files[run]) for run in set(rows["run_id"]) & set(files)}
    return rows[rows["run_id"].map(known) == rows["file_digest"]].reset_index(drop=True)
