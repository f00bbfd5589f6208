"""Step `compress`: one network's all-data copy through every technique and precision, failures told."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from fer_utils import tables
from fer_utils.compression.export import REPRESENTATIVE_FACES, to_tflite
from fer_utils.compression.file_weights import file_weights
from fer_utils.compression.files import file_name
from fer_utils.compression.golden import golden_files
from fer_utils.compression.metadata import LABELS_FILE, describe, labels
from fer_utils.compression.techniques import CompressionError, compress
from fer_utils.files import write_bytes, write_text
from fer_utils.models.backbones import build_network, keras
from fer_utils.models.prediction import predict_keras, predict_tflite, prediction_rows
from fer_utils.models.training import Trained, TrainingSet, set_up
from fer_utils.steps.learning import StudyFaces, run_row
from fer_utils.steps.train import save_weights
from fer_utils.study import BASE_TECHNIQUES, Architecture, Paths, Precision, Study, Technique

NO_FLOAT_EXPORT: Final = (
    "a quantization-aware network holds its rounding in the graph: only its int8 file is the model"
)


ABOUT: Final = (
    "Names one of seven posed facial expressions; a posed expression is not a felt emotion, and this is not a "
    "diagnosis. Trained on"
)
"""What every exported file says of itself, before the kind of faces that it learned from."""


@dataclass(frozen=True)
class Cell:
    """One technique with its settings; `name` tells its runs from others of the same technique."""

    name: str
    technique: Technique
    study: Study


class Compression:
    """One network's compression: what it starts from, and the rows that it collects."""

    def __init__(
        self, architecture: Architecture, study: Study, paths: Paths, folder: Path, made: frozenset[str]
    ) -> None:
        self.architecture, self.study, self.folder, self.made = architecture, study, folder, made
        faces = StudyFaces.read(study, paths)
        parents = tables.read("runs", paths.trained("runs", architecture))
        self.parent = parents[parents["cohort"] == "all"].iloc[0]
        in_training = faces.learned["split"] == "train"
        self.training = TrainingSet.of(faces.learned, faces.learned_images, in_training)
        self.validation = TrainingSet.of(faces.learned, faces.learned_images, ~in_training)
        self.tested, self.tested_images = faces.tested, faces.tested_images
        drawn = np.random.default_rng(study.seed).permutation(len(self.training.labels))
        self.representative = self.training.images[drawn[:REPRESENTATIVE_FACES]]
        set_up(study)
        self.network = build_network(architecture, study, None)
        self.network.load_weights(paths.trained("runs", architecture).parent / self.parent["artefact"])
        self.runs: list[dict[str, object]] = []
        self.predictions: list[pd.DataFrame] = []
        self.curves: list[pd.DataFrame] = []

    def add(self, cell: Cell) -> None:
        """Apply a technique and export its result in every precision; a failure becomes a row with its reason."""
        run_id = f"{self.parent['run_id']}.{cell.name}"
        trained = self._attempt(cell, "float32", run_id, lambda: self._compressed(cell, run_id))
        if trained is None:
            return
        for precision in self.study.precisions:
            exported = f"{run_id}.{precision}"
            if cell.technique.endswith("quantization_aware") and precision != "int8":
                self._add_row(cell, precision, exported, "not attempted", reason=NO_FLOAT_EXPORT)
            else:
                export = partial(self._export, trained, cell, precision, exported)
                self._attempt(cell, precision, exported, export)

    def _compressed(self, cell: Cell, run_id: str) -> Trained:
        if cell.technique == "none":
            return Trained(self.network, pd.DataFrame(), 0.0, 0)
        start = self._start(cell.technique)
        keras.utils.set_random_seed(self.study.seed)
        trained = compress(start, cell.technique, run_id, self.training, self.validation, cell.study)
        artefact = f"{run_id}.h5"
        save_weights(trained, self.folder / artefact)
        answers = predict_keras(trained.network, self.tested_images)
        self.predictions.append(prediction_rows(run_id, self.tested, answers))
        self.curves.append(trained.curves)
        self._add_row(cell, "float32", run_id, "done", trained=trained, artefact=artefact)
        return trained

    def _start(self, technique: Technique) -> Any:
        """The network that a technique goes on from: the trained one, or a combination's base."""
        if technique not in BASE_TECHNIQUES:
            return self.network
        base = BASE_TECHNIQUES[technique]
        run_id = f"{self.parent['run_id']}.{base}"
        if run_id not in self.made:
            raise CompressionError(f"{technique} goes on from {base}, which failed: see its row")
        network = build_network(self.architecture, self.study, None)
        network.load_weights(self.folder / f"{run_id}.h5")
        return network

    def _export(self, trained: Trained, cell: Cell, precision: Precision, run_id: str) -> Trained:
        artefact = file_name(run_id, self.study.image_size)
        model = to_tflite(trained.network, precision, self.representative)
        write_bytes(self.folder / artefact, describe(model, run_id, f"{ABOUT} {self.study.kind_of_faces}."))
        answers = predict_tflite(self.folder / artefact, self.tested_images)
        weights = file_weights(self.folder / artefact)
        self.predictions.append(prediction_rows(run_id, self.tested, answers))
        self._add_row(
            cell, precision, run_id, "done", trained=trained, artefact=artefact,
            parent_run_id=self._exported_from(cell), **asdict(weights),
        )  # fmt: skip
        return trained

    def _exported_from(self, cell: Cell) -> str:
        """The network of which a file is the export: the trained one itself, or what the technique made of it."""
        trained = str(self.parent["run_id"])
        return trained if cell.technique == "none" else f"{trained}.{cell.name}"

    def _attempt(
        self, cell: Cell, precision: Precision, run_id: str, action: Callable[[], Trained]
    ) -> Trained | None:
        try:
            return action()
        except Exception as error:  # noqa: BLE001 - whatever a toolkit raises is this cell's result
            reason = (
                f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
            )
            self._add_row(cell, precision, run_id, "failed", reason=reason)
            return None

    def _add_row(
        self, cell: Cell, precision: Precision, run_id: str, status: str,
        *, trained: Trained | None = None, **known: Any,
    ) -> None:  # fmt: skip
        inherited = {name: self.parent[name] for name in ("initial_weights", "parameters", "data_digest")}
        row = {
            "parent_run_id": self.parent["run_id"], "architecture": self.architecture, "cohort": "all",
            "technique": cell.technique, "precision": precision, "status": status,
            "train_seconds": trained.seconds if trained else None, "epochs": trained.epochs if trained else None,
        }  # fmt: skip
        self.runs.append(run_row(self.study, "compress", run_id=run_id, **inherited, **{**row, **known}))


def compress_network(architecture: Architecture, study: Study, paths: Paths) -> None:
    """Compress one network's all-data copy and write its runs, predictions (test faces) and curves.

    Every technique and precision of the study gives rows: done, failed with the reason of the attempt, or
    not attempted with the reason why. Weights and TFLite files lie beside the tables, with labels and a golden pair.
    """
    cells = [Cell(technique, technique, study) for technique in study.techniques]
    compress_cells(architecture, study, paths, cells, partial(paths.compressed, architecture=architecture))


def compress_cells(
    architecture: Architecture, study: Study, paths: Paths, cells: list[Cell], place: Callable[[str], Path]
) -> None:
    """Compress one network's all-data copy by every cell; write the tables where `place` says.

    Each cell has a process of its own: TensorFlow gives back what a wrapped network took only at its end, and
    four of NASNetMobile in one process took 6 GB.
    """
    rows: dict[str, list[pd.DataFrame]] = {"runs": [], "predictions": [], "curves": []}
    for cell in cells:
        runs = tables.concatenated(rows["runs"])
        made = frozenset() if runs.empty else frozenset(runs.loc[runs["status"] == "done", "run_id"])
        for table, part in in_own_process(
            compress_cell, architecture, study, paths, place("runs").parent, made, cell
        ).items():
            rows[table] += part
    runs = tables.conform(tables.concatenated(rows["runs"]), "runs")
    write_for_apps(place("runs").parent, runs, study.image_size)
    for table, parts in rows.items():
        tables.write(tables.concatenated(parts), table, place(table))


def write_for_apps(folder: Path, runs: pd.DataFrame, image_size: int) -> None:
    """Write beside the exported files of `runs` what an app developer needs with any of them: labels, a golden pair."""
    made = runs[(runs["status"] == "done") & runs["artefact"].str.endswith(".tflite").fillna(False)]
    models = {folder / run["artefact"]: run["precision"] for run in made.to_dict("records")}
    write_text(folder / LABELS_FILE, labels())
    for name, content in golden_files(models, image_size).items():
        write_bytes(folder / name, content)


def compress_cell(
    architecture: Architecture, study: Study, paths: Paths, folder: Path, made: frozenset[str], cell: Cell
) -> dict[str, list[pd.DataFrame]]:
    """Make one cell's files in `folder`; return the parts of its tables. `made` are the runs made before."""
    work = Compression(architecture, study, paths, folder, made)
    work.add(cell)
    return {"runs": [pd.DataFrame(work.runs)], "predictions": work.predictions, "curves": work.curves}


def in_own_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function of a module returns, called in a fresh process that ends with it."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()
