"""One cell of step `compress`, in a process of its own: a technique, its exports, and what explains a loss."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from face_sets.expressions import EXPRESSIONS, PROBABILITY_COLUMNS
from face_sets.files import write_bytes
from fer_utils import tables
from fer_utils.compression.export import REPRESENTATIVE_FACES, quantized, to_tflite, with_activation_ranges
from fer_utils.compression.exported_files import file_name, file_weights
from fer_utils.compression.metadata import describe
from fer_utils.compression.quantization_errors import (
    MORE_FACES,
    Variant,
    candidate_fixes,
    layer_errors,
    whole_hard_swish,
)
from fer_utils.compression.techniques import CompressionError, compress
from fer_utils.models.backbones import build_network, keras
from fer_utils.models.prediction import predict_keras, predict_tflite, prediction_rows
from fer_utils.models.training import Trained, TrainingSet, set_up
from fer_utils.paths import Paths
from fer_utils.steps.compress import Cell, Rows
from fer_utils.steps.learning import StudyFaces, run_row
from fer_utils.steps.train import save_weights
from fer_utils.study import BASE_TECHNIQUES, Architecture, Precision, Study, Technique

NO_FLOAT_EXPORT: Final = (
    "a quantization-aware network holds its rounding in the graph: only its int8 file is the model"
)

ABOUT: Final = (
    "Names one of seven posed facial expressions; a posed expression is not a felt emotion, and this is not a "
    "diagnosis. Trained on"
)
"""What every exported file says of itself, before the kind of faces that it learned from."""

A_POINT: Final = 0.01
"""A loss of accuracy that is looked into."""


def compress_cell(
    architecture: Architecture, study: Study, paths: Paths, folder: Path, made: frozenset[str], cell: Cell
) -> Rows:
    """Make one cell's files in `folder`; return the parts of its tables. `made` are the runs made before."""
    work = Compression(architecture, study, paths, folder, made, cell)
    work.add()
    return work.rows


class Compression:
    """One network's compression by one cell: what it starts from, and the rows that it collects."""

    def __init__(
        self, architecture: Architecture, study: Study, paths: Paths, folder: Path, made: frozenset[str],
        cell: Cell,
    ) -> None:  # fmt: skip
        self.architecture, self.study, self.folder, self.made = architecture, study, folder, made
        self.cell = cell
        faces = StudyFaces.read(study, paths)
        parents = tables.read("runs", paths.trained("runs", architecture))
        self.parent = parents[parents["cohort"] == "all"].iloc[0]
        in_training = faces.learned["split"] == "train"
        self.training = TrainingSet.of(faces.learned, faces.learned_images, in_training)
        self.validation = TrainingSet.of(faces.learned, faces.learned_images, ~in_training)
        self.tested, self.tested_images = faces.tested, faces.tested_images
        set_up(study)
        self.network = build_network(architecture, study, None)
        self.network.load_weights(paths.trained("runs", architecture).parent / self.parent["artefact"])
        self.rows: Rows = {}
        answers = tables.read("predictions", paths.trained("predictions", architecture))
        self.answers = answers[answers["run_id"] == self.parent["run_id"]]

    def add(self) -> None:
        """Apply the technique and export its result in every precision; a failure becomes a row with its reason."""
        run_id = f"{self.parent['run_id']}.{self.cell.name}"
        trained = self._attempt("float32", run_id, lambda: self._compressed(run_id))
        if trained is None:
            return
        for precision in self.study.precisions:
            exported = f"{run_id}.{precision}"
            if self._aware and precision != "int8":
                self._add_row("runs", precision, exported, "not attempted", reason=NO_FLOAT_EXPORT)
            else:
                self._attempt(precision, exported, partial(self._export, trained, precision, exported))

    @property
    def _aware(self) -> bool:
        return self.cell.technique.endswith("quantization_aware")

    def _compressed(self, run_id: str) -> Trained:
        if self.cell.technique == "none":
            return Trained(self.network, pd.DataFrame(), 0.0, 0)
        start = self._start(self.cell.technique)
        keras.utils.set_random_seed(self.study.seed)
        trained = compress(
            start, self.cell.technique, run_id, self.training, self.validation, self.cell.study
        )
        artefact = f"{run_id}.h5"
        save_weights(trained, self.folder / artefact)
        answers = predict_keras(trained.network, self.tested_images)
        self.answers = self._add("predictions", prediction_rows(run_id, self.tested, answers))
        self._add("curves", trained.curves)
        self._add_row("runs", "float32", run_id, "done", trained=trained, artefact=artefact)
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

    def _export(self, trained: Trained, precision: Precision, run_id: str) -> Trained:
        if precision != "int8":
            self._keep(
                to_tflite(trained.network, precision, self._representative()), precision, run_id, trained
            )
            return trained
        model = with_activation_ranges(trained.network, self._representative())
        answers = self._keep(quantized(model), precision, run_id, trained)
        if self.cell.explained and not self._aware:
            loss = self._accuracy(self.answers) - self._accuracy(answers)
            explain = partial(self._explain, trained, model, run_id, loss)
            self._attempt(precision, f"{run_id}.variants", explain, "variant_runs")
        return trained

    def _representative(self, times: int = 1) -> np.ndarray:
        """Training faces from which activation ranges are learned, drawn by the seed."""
        drawn = np.random.default_rng(self.study.seed).permutation(len(self.training.labels))
        return self.training.images[drawn[: times * REPRESENTATIVE_FACES]]

    def _explain(self, trained: Trained, model: bytes, run_id: str, loss: float) -> Trained:
        """Add what tells where an int8 file loses and what mends it, and what hard-swish in parts is worth."""
        variants: Iterator[Variant] = iter(())
        if self.cell.technique == "none":
            variants = whole_hard_swish(trained.network, self._representative())
        if loss > A_POINT:
            errors = layer_errors(model, self._representative())
            self._add("layer_errors", errors.assign(run_id=run_id))
            variants = chain(variants, candidate_fixes(model, errors, self._representative(MORE_FACES)))
        for variant in variants:
            self._keep(
                variant.model, "int8", f"{run_id}.{variant.name}", trained, "variant_", reason=variant.about
            )
        return trained

    def _accuracy(self, answers: pd.DataFrame) -> float:
        """Accuracy, 0 to 1, on the test children that answer the study's questions."""
        asked = self.tested[
            (self.tested["dataset"] == self.study.test_set) & (self.tested["age_group"] == "child")
        ]
        found = answers.set_index("face_id").loc[asked["face_id"], list(PROBABILITY_COLUMNS)]
        named = np.array(EXPRESSIONS)[found.to_numpy().argmax(1)]
        return float((named == asked["expression"].to_numpy(str)).mean())

    def _keep(
        self, model: bytes, precision: Precision, run_id: str, trained: Trained, kind: str = "", **known: Any
    ) -> pd.DataFrame:
        """Write a file, ask it about the test faces, add its rows; return its predictions."""
        artefact = file_name(run_id, self.study.image_size)
        described = describe(model, run_id, f"{ABOUT} {self.study.kind_of_faces}.")
        write_bytes(self.folder / artefact, described)
        answers = predict_tflite(self.folder / artefact, self.tested_images)
        self._add_row(
            f"{kind}runs", precision, run_id, "done", trained=trained, artefact=artefact,
            parent_run_id=self._exported_from(), **asdict(file_weights(described)), **known,
        )  # fmt: skip
        return self._add(f"{kind}predictions", prediction_rows(run_id, self.tested, answers))

    def _exported_from(self) -> str:
        """The network of which a file is the export: the trained one itself, or what the technique made of it."""
        trained = str(self.parent["run_id"])
        return trained if self.cell.technique == "none" else f"{trained}.{self.cell.name}"

    def _attempt(
        self, precision: Precision, run_id: str, action: Callable[[], Trained], table: str = "runs"
    ) -> Trained | None:
        try:
            return action()
        except Exception as error:  # noqa: BLE001 - whatever a toolkit raises is this cell's result
            reason = (
                f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
            )
            self._add_row(table, precision, run_id, "failed", reason=reason)
            return None

    def _add_row(
        self, table: str, precision: Precision, run_id: str, status: str,
        *, trained: Trained | None = None, **known: Any,
    ) -> None:  # fmt: skip
        inherited = {name: self.parent[name] for name in ("initial_weights", "parameters", "data_digest")}
        row = {
            "parent_run_id": self.parent["run_id"], "architecture": self.architecture, "cohort": "all",
            "technique": self.cell.technique, "precision": precision, "status": status,
            "train_seconds": trained.seconds if trained else None, "epochs": trained.epochs if trained else None,
        }  # fmt: skip
        made = run_row(self.study, self.cell.step, run_id=run_id, **inherited, **{**row, **known})
        self._add(table, pd.DataFrame([made]))

    def _add(self, table: str, part: pd.DataFrame) -> pd.DataFrame:
        self.rows.setdefault(table, []).append(part)
        return part
