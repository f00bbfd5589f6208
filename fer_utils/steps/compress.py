"""Step `compress`: one network's all-data copy through every technique and precision, failures told."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import pandas as pd

from face_sets.files import write_bytes, write_text
from fer_utils import tables
from fer_utils.compression.golden import golden_files
from fer_utils.compression.metadata import LABELS_FILE, labels
from fer_utils.paths import Paths
from fer_utils.study import Architecture, Study, Technique

KINDS: Final = {"variant_runs": "runs", "variant_predictions": "predictions"}
"""Tables of other 8-bit files: what kind of table each is."""

COMPRESSED: Final = ("runs", "predictions", "curves", *KINDS, "layer_errors")
"""The tables that the step writes."""

Rows = dict[str, list[pd.DataFrame]]
"""Parts of the tables that cells give: runs, predictions, curves, and what explains losses by 8-bit arithmetic."""


@dataclass(frozen=True)
class Cell:
    """One technique with its settings; `name` tells its runs from others of the same technique.

    With `explained`, a loss of its int8 file is looked into: layer errors, and files made otherwise.
    """

    name: str
    technique: Technique
    study: Study
    step: str = "compress"
    explained: bool = False


def compress_network(architecture: Architecture, study: Study, paths: Paths) -> None:
    """Compress one network's all-data copy and write its runs, predictions (test faces) and curves.

    Every technique and precision of the study gives rows: done, failed with the reason of the attempt, or
    not attempted with the reason why. Weights and TFLite files lie beside the tables, with labels and a golden
    pair. What explains losses by 8-bit arithmetic is written as well: `layer_errors`, and runs and predictions of
    variants of int8 files.
    """
    cells = [Cell(technique, technique, study, explained=True) for technique in study.techniques]
    place = partial(paths.compressed, architecture=architecture)
    rows = compress_cells(architecture, study, paths, cells, place("runs").parent)
    write_tables(rows, COMPRESSED, place)


def compress_cells(
    architecture: Architecture, study: Study, paths: Paths, cells: list[Cell], folder: Path
) -> Rows:
    """Compress one network's all-data copy by every cell, with files in `folder`; return the parts of the tables.

    Each cell has a process of its own: TensorFlow gives back what a wrapped network took only at its end, and
    four of NASNetMobile in one process took 6 GB.
    """
    rows: Rows = {}
    for cell in cells:
        runs = tables.concatenated(rows.get("runs", []))
        made = frozenset() if runs.empty else frozenset(runs.loc[runs["status"] == "done", "run_id"])
        found = in_own_process(_compress_cell, architecture, study, paths, folder, made, cell)
        for table, parts in found.items():
            rows.setdefault(table, []).extend(parts)
    write_for_apps(folder, tables.conform(tables.concatenated(rows["runs"]), "runs"), study.image_size)
    return rows


def write_for_apps(folder: Path, runs: pd.DataFrame, image_size: int) -> None:
    """Write beside the exported files of `runs` what an app developer needs with any of them: labels, a golden pair."""
    made = runs[(runs["status"] == "done") & runs["artefact"].str.endswith(".tflite").fillna(False)]
    models = {folder / run["artefact"]: run["precision"] for run in made.to_dict("records")}
    write_text(folder / LABELS_FILE, labels())
    for name, content in golden_files(models, image_size).items():
        write_bytes(folder / name, content)


def write_tables(rows: Rows, names: Sequence[str], place: Callable[[str], Path]) -> None:
    """Write the named tables from their parts where `place` says; one without parts is written empty."""
    for name in names:
        kind = KINDS.get(name, name)
        tables.write(tables.concatenated([tables.empty(kind), *rows.get(name, [])]), kind, place(name))


def in_own_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function of a module returns, called in a fresh process that ends with it."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def _compress_cell(*arguments: Any) -> Rows:
    """Import what needs TensorFlow in the cell's process only: this one just waits."""
    from fer_utils.steps.compression_cell import compress_cell

    return compress_cell(*arguments)
