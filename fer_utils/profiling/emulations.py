"""The rows of `emulations` that are kept for a study and still tell of the files that are here."""

import pandas as pd

from face_sets.files import digest
from fer_utils import tables
from fer_utils.compression.exported_files import exported_files
from fer_utils.paths import Paths
from fer_utils.study import Study


def current_emulations(study: Study, paths: Paths) -> pd.DataFrame:
    """Return the `emulations` of a study's exported files as they are now; rows of earlier files are left out."""
    if not paths.emulations.is_file():
        return tables.empty("emulations")
    rows = tables.read("emulations", paths.emulations)
    files = exported_files(study.architectures, paths)
    known = {run: digest(files[run]) for run in set(rows["run_id"]) & set(files)}
    return rows[rows["run_id"].map(known) == rows["file_digest"]].reset_index(drop=True)
