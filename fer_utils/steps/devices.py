"""Exported files on other devices than this machine: an attached phone, emulated ARM64 kernels.

Outside the workflow, which cannot make these tables everywhere. What is measured is kept file by file.
"""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from face_sets.expressions import EXPRESSIONS
from face_sets.files import digest
from fer_utils import tables
from fer_utils.compression.files import exported_files
from fer_utils.models.face_images import load_pixels
from fer_utils.paths import Paths
from fer_utils.profiling.adb import Phone, PhoneError, PhoneLost
from fer_utils.profiling.arm64 import DEVICE, agrees, emulation
from fer_utils.profiling.interpreters import ProfilingError
from fer_utils.profiling.phone import PhoneSession, session
from fer_utils.study import Study


def measure_on_phone(
    study: Study,
    paths: Paths,
    phone: Phone,
    benchmark: Path,
    *,
    threads: int,
    run_ids: list[str],
    tell: Callable[[str], None],
) -> Path:
    """Measure the exported files of a study (some, if `run_ids` names them) and return where the rows are.

    Files that this phone was timed with before, with the same tool, cores and content, are left alone. `tell` gets
    a line per file. Raises PhoneError, in one sentence, when the phone goes away: what was measured is kept.
    """
    files = chosen_files(study, paths, run_ids)
    done = 0
    with session(phone, benchmark, threads) as here:
        folder = re.sub(r"[^a-z0-9]+", "-", here.device.lower())
        kept = {table: paths.of_device(table, folder) for table in ("measurements", "operators")}
        for run_id, path in files.items():
            wanted = _measured_with(here, run_id, path, study.profiled_size)
            if not is_kept("measurements", kept["measurements"], wanted):
                try:
                    timed, operators = here.measure(run_id, path, study.profiled_size, study.timed_runs)
                except PhoneLost as lost:
                    raise PhoneError(
                        f"{lost}; {done} of {len(files)} file(s) are measured and kept: plug it in and run "
                        "the same command again, which goes on from there"
                    ) from lost
                put_rows(operators, "operators", kept["operators"])
                put_rows(timed, "measurements", kept["measurements"])  # last: it says that the file is done
                tell(_timed_line(timed.iloc[0]))
            done += 1
    return kept["measurements"]


def measure_emulated(study: Study, paths: Paths, *, run_ids: list[str], tell: Callable[[str], None]) -> Path:
    """Run the exported files of a study (some, if `run_ids` names them) under emulation; return where the rows are.

    Both machines are asked about one test face per expression. Files that were run with the same versions, size and
    content are left alone. `tell` gets a line per file. Raises EmulationError, in one sentence, if something is missing.
    """
    files = chosen_files(study, paths, run_ids)
    table = paths.emulations
    with emulation() as here:
        faces = _one_test_face_per_expression(study, paths)
        for run_id, path in files.items():
            wanted = {
                "run_id": run_id, "device": DEVICE, "backend": here.backend, "image_size": study.profiled_size,
                "file_digest": digest(path),
            }  # fmt: skip
            if not is_kept("emulations", table, wanted):
                row = here.measure(run_id, path, faces, study.profiled_size)
                put_rows(row, "emulations", table)
                tell(_emulated_line(row))
    return table


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


def _measured_with(here: PhoneSession, run_id: str, path: Path, image_size: int) -> dict[str, object]:
    return {
        "run_id": run_id, "backend": here.backend, "threads": here.threads, "image_size": image_size,
        "file_digest": digest(path),
    }  # fmt: skip


def _timed_line(row: pd.Series) -> str:
    remark = f" ({row['remark']})" if pd.notna(row["remark"]) else ""
    return f"{row['run_id']:50} {row['latency_ms_median']:8.1f} ms{remark}"


def _one_test_face_per_expression(study: Study, paths: Paths) -> NDArray[np.uint8]:
    """The first test face of each expression, uint8 (7, S, S, 3): so that each is an answer once."""
    faces = tables.read("faces", paths.faces)
    tested = faces[(faces["dataset"] == study.test_set) & (faces["split"] == "test")].sort_values("face_id")
    chosen = pd.concat(tested[tested["expression"] == expression].head(1) for expression in EXPRESSIONS)
    return load_pixels(chosen, paths.faces.parent, study.image_size)


def _emulated_line(row: pd.DataFrame) -> str:
    answers = "same answers" if agrees(row).iloc[0] else "OTHER ANSWERS than on this machine"
    return (
        f"{row['run_id'].iloc[0]:50} {row['instructions'].iloc[0] / 1e6:8.1f} million instructions, {answers}"
    )
