"""Measurements of a study's exported files on other devices: a phone, a browser, emulated ARM64 kernels.

Rows are kept file by file, so that an interrupted run goes on where it stopped.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from arm_latency.benchmark_tool import WARM_UPS, PhoneSession, session
from arm_latency.browser_results import browser_measurements, read_browser_result
from arm_latency.host import timing_columns
from arm_latency.interpreters import ProfilingError
from arm_latency.phone import Phone, PhoneError, PhoneLost
from face_sets.expressions import EXPRESSIONS
from face_sets.face_images import load_pixels
from face_sets.files import digest
from fer_utils import tables
from fer_utils.compression.exported_files import exported_files
from fer_utils.paths import Paths
from fer_utils.profiling.arm64 import DEVICE, agrees, prepare_emulation
from fer_utils.study import Study


def measure_on_phone(
    study: Study, paths: Paths, phone: Phone, benchmark: Path,
    *, threads: int, run_ids: list[str], report: Callable[[str], None],
) -> Path:  # fmt: skip
    """Measure the exported files of a study (some, if `run_ids` names them) and return where the rows are.

    Files that this phone was timed with before, with the same tool, cores and content, are left alone. `report` gets
    one line per file. Raises PhoneError, in one sentence, when the phone goes away: what was measured is kept.
    """
    files = _chosen_files(study, paths, run_ids)
    done = 0
    with session(phone, benchmark, threads) as here:
        folder = re.sub(r"[^a-z0-9]+", "-", here.device.lower())
        kept = {table: paths.of_device(table, folder) for table in ("measurements", "operators")}
        key = {"backend": here.backend, "threads": here.threads, "image_size": study.profiled_size}
        for run_id, path in files.items():
            wanted = {"run_id": run_id, "file_digest": digest(path), **key}
            if not _is_kept("measurements", kept["measurements"], wanted):
                try:
                    timed, operators = _timed_on_phone(here, run_id, path, study)
                except PhoneLost as lost:
                    raise PhoneError(
                        f"{lost}; {done} of {len(files)} file(s) are measured and kept: plug it in and run "
                        "the same command again, which goes on from there"
                    ) from lost
                _put_rows(operators, "operators", kept["operators"])
                _put_rows(timed, "measurements", kept["measurements"])  # last: the file is done
                report(_timing_line(timed.iloc[0]))
            done += 1
    return kept["measurements"]


def _timed_on_phone(
    here: PhoneSession, run_id: str, path: Path, study: Study
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A file's row of `measurements`, and its rows of `operators`."""
    timed = here.time(path, study.profiled_size, study.timed_runs)
    key: dict[str, Any] = {
        "run_id": run_id, "device": here.device, "device_kind": "phone", "backend": here.backend,
        "threads": here.threads, "image_size": study.profiled_size,
    }  # fmt: skip
    row = {
        **key, **timing_columns(path, timed.times_ms, WARM_UPS), "peak_memory_mib": timed.peak_memory_mib,
        "file_digest": digest(path), "remark": timed.remark,
    }  # fmt: skip
    operators = tables.conform(timed.operators.assign(**key), "operators")
    return tables.conform(pd.DataFrame([row]), "measurements"), operators


def measure_emulated(
    study: Study, paths: Paths, *, run_ids: list[str], report: Callable[[str], None]
) -> Path:
    """Run the exported files of a study (some, if `run_ids` names them) under emulation; return where the rows are.

    Both machines are asked about one test face per expression. Files that were run with the same versions and content
    are left alone. `report` gets one line per file. Raises EmulationError, in one sentence, if something is missing.
    """
    files = _chosen_files(study, paths, run_ids)
    here, faces = prepare_emulation(), _one_test_face_per_expression(study, paths)
    key = {"device": DEVICE, "backend": here.backend, "image_size": study.image_size}
    for run_id, path in files.items():
        wanted = {"run_id": run_id, "file_digest": digest(path), **key}
        if not _is_kept("emulations", paths.emulations, wanted):
            row = here.measure(run_id, path, faces)
            _put_rows(row, "emulations", paths.emulations)
            answers = "same answers" if agrees(row).iloc[0] else "OTHER ANSWERS than on this machine"
            report(f"{run_id:50} {answers}")
    return paths.emulations


def add_browser_result(study: Study, paths: Paths, path: Path) -> pd.DataFrame:
    """Add the timings in a file to the study's measurements and return their rows; the same again replaces them.

    Raises BrowserResultError, and changes nothing, for a file that is no result or was measured with other models.
    """
    result = read_browser_result(path, study.name)
    rows = browser_measurements(result, exported_files(study.architectures, paths), study.image_size)
    folder = f"browser-{re.sub(r'[^a-z0-9]+', '-', result.device_name.lower()).strip('-')}"
    table = paths.of_device("measurements", folder)
    _put_rows(rows, "measurements", table, same=tables.KEYS["measurements"])
    return rows


def _chosen_files(study: Study, paths: Paths, run_ids: list[str]) -> dict[str, Path]:
    """Exported files by run id: those that `run_ids` names, or all. Raises ProfilingError for an unknown name."""
    files = exported_files(study.architectures, paths)
    if unknown := sorted(set(run_ids) - set(files)):
        raise ProfilingError(
            f"no exported file {', '.join(unknown)} is here; there are {', '.join(files) or 'none'}"
        )
    return {run_id: path for run_id, path in files.items() if not run_ids or run_id in run_ids}


def _is_kept(table: str, path: Path, wanted: dict[str, object]) -> bool:
    if not path.exists():
        return False
    rows = tables.read(table, path)
    return bool((rows[list(wanted)] == pd.Series(wanted)).all(axis=1).any())


def _put_rows(
    rows: pd.DataFrame, table: str, path: Path, same: Sequence[str] = ("run_id", "threads", "image_size")
) -> None:
    """Put rows in the place of those with the same values in the columns `same`, or at the end."""
    if path.exists():
        old = tables.read(table, path)
        replaced = old.set_index(list(same)).index.isin(rows.set_index(list(same)).index)
        rows = pd.concat([old[~replaced], rows], ignore_index=True)
    tables.write(rows, table, path)


def _one_test_face_per_expression(study: Study, paths: Paths) -> NDArray[np.uint8]:
    """The first test face of each expression, uint8 (7, S, S, 3): so that each is an answer once."""
    faces = tables.read("faces", paths.faces)
    tested = faces[(faces["dataset"] == study.test_set) & (faces["split"] == "test")].sort_values("face_id")
    chosen = pd.concat(tested[tested["expression"] == expression].head(1) for expression in EXPRESSIONS)
    return load_pixels(chosen, paths.faces.parent, study.image_size)


def _timing_line(row: "pd.Series") -> str:
    remark = f" ({row['remark']})" if pd.notna(row["remark"]) else ""
    return f"{row['run_id']:50} {row['latency_ms_median']:8.1f} ms{remark}"
