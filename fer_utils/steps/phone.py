"""Step `phone`: time exported files on an attached phone; what is measured is kept file by file."""

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from fer_utils import tables
from fer_utils.compression.files import exported_files
from fer_utils.files import digest
from fer_utils.profiling.adb import Phone, PhoneError, PhoneLost
from fer_utils.profiling.phone import PhoneSession, session
from fer_utils.study import Paths, Study


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
    files = _chosen(study, paths, run_ids)
    done = 0
    with session(phone, benchmark, threads) as here:
        folder = re.sub(r"[^a-z0-9]+", "-", here.device.lower())
        kept = {table: paths.of_device(table, folder) for table in ("measurements", "operators")}
        for run_id, path in files.items():
            if not _is_measured(kept["measurements"], here, run_id, path, study.profiled_size):
                try:
                    timed, operators = here.measure(run_id, path, study.profiled_size, study.timed_runs)
                except PhoneLost as lost:
                    raise PhoneError(
                        f"{lost}; {done} of {len(files)} file(s) are measured and kept: plug it in and run "
                        "the same command again, which goes on from there"
                    ) from lost
                _add(operators, "operators", kept["operators"])
                _add(timed, "measurements", kept["measurements"])  # last: it says that the file is done
                tell(_line(timed.iloc[0]))
            done += 1
    return kept["measurements"]


def _chosen(study: Study, paths: Paths, run_ids: list[str]) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for architecture in study.architectures:
        files |= exported_files(architecture, paths)
    if unknown := sorted(set(run_ids) - set(files)):
        raise PhoneError(
            f"no exported file {', '.join(unknown)} is here; there are {', '.join(files) or 'none'}"
        )
    return {run_id: path for run_id, path in files.items() if not run_ids or run_id in run_ids}


def _is_measured(table: Path, here: PhoneSession, run_id: str, path: Path, image_size: int) -> bool:
    if not table.exists():
        return False
    wanted = {
        "run_id": run_id, "backend": here.backend, "threads": here.threads, "image_size": image_size,
        "file_digest": digest(path),
    }  # fmt: skip
    rows = tables.read("measurements", table)
    return bool((rows[list(wanted)] == pd.Series(wanted)).all(axis=1).any())


def _add(rows: pd.DataFrame, table: str, path: Path) -> None:
    """Put rows in the place of those of the same file, or at the end."""
    if path.exists():
        same = ["run_id", "threads", "image_size"]
        old = tables.read(table, path)
        replaced = old.set_index(same).index.isin(rows.set_index(same).index)
        rows = pd.concat([old[~replaced], rows], ignore_index=True)
    tables.write(rows, table, path)


def _line(row: "pd.Series") -> str:
    speaks_against = f" ({row['remark']})" if pd.notna(row["remark"]) else ""
    return f"{row['run_id']:50} {row['latency_ms_median']:8.1f} ms{speaks_against}"
