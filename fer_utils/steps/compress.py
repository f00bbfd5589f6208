"""Step `compress`: one network's all-data copy through every technique and precision, failures told."""

import gc
from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd

from fer_utils import tables
from fer_utils.compression.export import to_tflite
from fer_utils.compression.files import file_name
from fer_utils.compression.techniques import compress
from fer_utils.data.batches import load_pixels
from fer_utils.data.leaks import check_no_leak
from fer_utils.files import write_bytes
from fer_utils.fingerprints import code_digest
from fer_utils.models.backbones import build_network, keras
from fer_utils.models.prediction import predict_keras, predict_tflite, prediction_rows
from fer_utils.models.training import Trained, TrainingSet, set_up
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
        faces = tables.read("faces", paths.faces)
        check_no_leak(faces)  # techniques train on
        parents = tables.read("runs", paths.trained("runs", architecture))
        self.parent = parents[parents["cohort"] == "all"].iloc[0]
        learned = faces[faces["split"].isin(["train", "validation"])].reset_index(drop=True)
        pixels = load_pixels(learned, paths.faces.parent, study.image_size)
        self.training = TrainingSet.of(learned, pixels, learned["split"] == "train")
        self.validation = TrainingSet.of(learned, pixels, learned["split"] == "validation")
        self.tested = faces[faces["split"] == "test"].reset_index(drop=True)
        self.tested_pixels = load_pixels(self.tested, paths.faces.parent, study.image_size)
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
        answers = predict_keras(trained.network, self.tested_pixels)
        self.predictions.append(prediction_rows(run_id, self.tested, answers))
        self.curves.append(trained.curves)
        self._add_row(run_id, technique, "float32", "done", trained=trained, artefact=artefact)
        return trained

    def _exporter(
        self, trained: Trained, technique: Technique, precision: Precision, run_id: str
    ) -> Callable[[], Trained]:
        def export() -> Trained:
            artefact = file_name(run_id, self.study.image_size)
            write_bytes(self.folder / artefact, to_tflite(trained.network, precision, self._representative()))
            answers = predict_tflite(self.folder / artefact, self.tested_pixels)
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

    def _representative(self) -> np.ndarray:
        chosen = np.random.default_rng(self.study.seed).permutation(len(self.training.pixels))
        return self.training.pixels[chosen]

    def _run_id(self, technique: Technique) -> str:
        return f"{self.parent['run_id']}.{technique}"

    def _add_row(
        self, run_id: str, technique: Technique, precision: Precision, status: str,
        *, reason: str | None = None, trained: Trained | None = None, artefact: str | None = None,
    ) -> None:  # fmt: skip
        is_export = run_id.endswith(f".{precision}") and technique != "none"
        self.runs.append(
            {
                "run_id": run_id,
                "parent_run_id": self._run_id(technique) if is_export else self.parent["run_id"],
                "architecture": self.architecture,
                "cohort": "all",
                "technique": technique,
                "precision": precision,
                "seed": self.study.seed,
                "initial_weights": self.parent["initial_weights"],
                "image_size": self.study.image_size,
                "parameters": self.parent["parameters"],
                "train_seconds": trained.seconds if trained else None,
                "epochs": trained.epochs if trained else None,
                "status": status,
                "reason": reason,
                "artefact": artefact,
                "data_digest": self.parent["data_digest"],
                "code_digest": code_digest("fer_utils.steps.compress"),
            }
        )


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
