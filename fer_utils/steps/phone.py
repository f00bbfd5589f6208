"""Step `phone`: time exported files on an attached phone; what is measured is kept file by file."""

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from face_sets.files import digest
from fer_utils.paths import Paths
from fer_utils.profiling.adb import Phone, PhoneError, PhoneLost
from fer_utils.profiling.phone import PhoneSession, session
from fer_utils.steps.devices import chosen_files, is_kept, put_rows
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
    a line a file. Raises PhoneError, in one sentence, when the phone goes away: what was measured is kept.
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
                tell(_line(timed.iloc[0]))
            done += 1
    return kept["measurements"]


def _measured_with(here: PhoneSession, run_id: str, path: Path, image_size: int) -> dict[str, object]:
    return {
        "run_id": run_id, "backend": here.backend, "threads": here.threads, "image_size": image_size,
        "file_digest": digest(path),
    }  # fmt: skip


def _line(row: "pd.Series") -> str:
    speaks_against = f" ({row['remark']})" if pd.notna(row["remark"]) else ""
    return f"{row['run_id']:50} {row['latency_ms_median']:8.1f} ms{speaks_against}"
