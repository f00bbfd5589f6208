"""Step `compress`: one network's all-data copy through every technique and precision, failures told."""

import gc
from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd

from fer_utils import tables
from fer_utils.compression.export import REPRESENTATIVE_FACES, to_tflite
from fer_utils.compression.files import file_name
from fer_utils.compression.techniques import compress
from fer_utils.files import write_bytes
from fer_utils.models.backbones import build_network, keras
from fer_utils.models.prediction import predict_keras, predict_tflite, prediction_rows
from fer_utils.models.training import Trained, TrainingSet, set_up
from fer_utils.steps.learning import StudyFaces, run_row
from fer_utils.steps.train import save_weights
from fer_utils.study import Architecture, Paths, Precision, Study, Technique

NO_FLOAT_EXPORT: Final = (
    "a quantization-aware network holds its rounding in the graph: only its int8 file is the model"
)


class Compression:
    """One network's compression: what it starts from, and the rows that it collects."""

    def __init__(self, architecture: Architecture, study: Study, paths: Paths) -> None:
        self.architecture, self.study = architecture, study
        self.folder = paths.compressed("runs", architecture).parent
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

    def add_technique(self, technique: Technique) -> None:
        """Apply a technique and export its result in every precision; a failure becomes a row with its reason."""
        trained = self._attempt(
            technique, "float32", self._run_id(technique), lambda: self._compressed(technique)
        )
        if trained is None:
            return
        for precision in self.study.precisions:
            run_id = f"{self._run_id(technique)}.{precision}"
            if technique == "quantization_aware" and precision != "int8":
                self._add_row(run_id, technique, precision, "not attempted", reason=NO_FLOAT_EXPORT)
                continue
            self._attempt(technique, precision, run_id, self._exporter(trained, technique, precision, run_id))

    def _compressed(self, technique: Technique) -> Trained:
        run_id = self._run_id(technique)
        if technique == "none":
            return Trained(self.network, pd.DataFrame(), 0.0, 0)
        keras.utils.set_random_seed(self.study.seed)
        trained = compress(self.network, technique, run_id, self.training, self.validation, self.study)
        artefact = f"{run_id}.h5"
        save_weights(trained, self.folder / artefact)
        answers = predict_keras(trained.network, self.tested_images)
        self.predictions.append(prediction_rows(run_id, self.tested, answers))
        self.curves.append(trained.curves)
        self._add_row(run_id, technique, "float32", "done", trained=trained, artefact=artefact)
        return trained

    def _exporter(
        self, trained: Trained, technique: Technique, precision: Precision, run_id: str
    ) -> Callable[[], Trained]:
        def export() -> Trained:
            artefact = file_name(run_id, self.study.image_size)
            write_bytes(self.folder / artefact, to_tflite(trained.network, precision, self.representative))
            answers = predict_tflite(self.folder / artefact, self.tested_images)
            self.predictions.append(prediction_rows(run_id, self.tested, answers))
            self._add_row(run_id, technique, precision, "done", trained=trained, artefact=artefact)
            return trained

        return export

    def _attempt(
        self, technique: Technique, precision: Precision, run_id: str, action: Callable[[], Trained]
    ) -> Trained | None:
        try:
            return action()
        except Exception as error:  # noqa: BLE001 - whatever a toolkit raises is this cell's result
            reason = (
                f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
            )
            self._add_row(run_id, technique, precision, "failed", reason=reason)
            return None

    def _run_id(self, technique: Technique) -> str:
        return f"{self.parent['run_id']}.{technique}"

    def _add_row(
        self, run_id: str, technique: Technique, precision: Precision, status: str,
        *, reason: str | None = None, trained: Trained | None = None, artefact: str | None = None,
    ) -> None:  # fmt: skip
        is_export = run_id.endswith(f".{precision}") and technique != "none"
        parent = self.parent
        self.runs.append(
            run_row(
                self.study, "compress", run_id=run_id, technique=technique, precision=precision, status=status,
                parent_run_id=self._run_id(technique) if is_export else parent["run_id"],
                train_seconds=trained.seconds if trained else None, epochs=trained.epochs if trained else None,
                reason=reason, artefact=artefact, architecture=self.architecture, cohort="all",
                **{name: parent[name] for name in ("initial_weights", "parameters", "data_digest")},
            )
        )  # fmt: skip


def compress_network(architecture: Architecture, study: Study, paths: Paths) -> None:
    """Compress one network's all-data copy and write its runs, predictions (test faces) and curves.

    Every technique and precision of the study gives rows: done, failed with the reason of the attempt, or
    not attempted with the reason why. Weights and TFLite files lie beside the tables.
    """
    work = Compression(architecture, study, paths)
    for technique in study.techniques:
        work.add_technique(technique)
        keras.backend.clear_session()  # a wrapped network and its traces hold up to a gigabyte, in cycles
        gc.collect()
    tables.write(
        tables.concatenated(work.predictions), "predictions", paths.compressed("predictions", architecture)
    )
    tables.write(tables.concatenated(work.curves), "curves", paths.compressed("curves", architecture))
    tables.write(pd.DataFrame(work.runs), "runs", paths.compressed("runs", architecture))
