"""Step `emulate`: run exported files on emulated ARM64 kernels; what is measured is kept file by file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from face_sets.expressions import EXPRESSIONS
from face_sets.files import digest
from fer_utils import tables
from fer_utils.models.face_images import load_pixels
from fer_utils.paths import Paths
from fer_utils.profiling.arm64 import DEVICE, agrees, emulation
from fer_utils.steps.devices import chosen_files, is_kept, put_rows
from fer_utils.study import Study


def measure_emulated(study: Study, paths: Paths, *, run_ids: list[str], tell: Callable[[str], None]) -> Path:
    """Run the exported files of a study (some, if `run_ids` names them) under emulation; return where the rows are.

    Both machines are asked about one test face an expression. Files that were run with the same versions, size and
    content are left alone. `tell` gets a line a file. Raises EmulationError, in one sentence, if something is missing.
    """
    files = chosen_files(study, paths, run_ids)
    table = paths.emulations
    with emulation() as here:
        faces = _one_test_face_an_expression(study, paths)
        for run_id, path in files.items():
            wanted = {
                "run_id": run_id, "device": DEVICE, "backend": here.backend, "image_size": study.profiled_size,
                "file_digest": digest(path),
            }  # fmt: skip
            if not is_kept("emulations", table, wanted):
                row = here.measure(run_id, path, faces, study.profiled_size)
                put_rows(row, "emulations", table)
                tell(_line(row))
    return table


def _one_test_face_an_expression(study: Study, paths: Paths) -> NDArray[np.uint8]:
    """The first test face of each expression, uint8 (7, S, S, 3): so that each is an answer once."""
    faces = tables.read("faces", paths.faces)
    tested = faces[(faces["dataset"] == study.test_set) & (faces["split"] == "test")].sort_values("face_id")
    chosen = pd.concat(tested[tested["expression"] == expression].head(1) for expression in EXPRESSIONS)
    return load_pixels(chosen, paths.faces.parent, study.image_size)


def _line(row: pd.DataFrame) -> str:
    answers = "same answers" if agrees(row).iloc[0] else "OTHER ANSWERS than on this machine"
    return (
        f"{row['run_id'].iloc[0]:50} {row['instructions'].iloc[0] / 1e6:8.1f} million instructions, {answers}"
    )
