"""Steps `compress` and `sweep`: one network's all-data copy by some techniques, in every precision, failures included."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from expression_scores.intervals import paired_confusions, paired_differences
from expression_scores.metrics import join
from face_sets.face_images import FaceImages
from face_sets.files import digest, write_bytes, write_text
from fer_utils import tables
from fer_utils.compression.export import (
    REFUSALS,
    REPRESENTATIVE_FACES,
    CompressionError,
    quantized,
    to_tflite,
    with_activation_ranges,
)
from fer_utils.compression.exported_files import file_name, file_weights
from fer_utils.compression.golden import golden_files
from fer_utils.compression.quantization_errors import (
    MORE_FACES,
    Variant,
    candidate_fixes,
    layer_errors,
    whole_hard_swish,
)
from fer_utils.compression.techniques import compress
from fer_utils.models.backbones import build_network
from fer_utils.models.prediction import predict_keras, predict_tflite, prediction_rows
from fer_utils.models.training import Trained, TrainingSet, set_up
from fer_utils.paths import COMPRESSED, SWEPT, Paths
from fer_utils.steps.train import StudyFaces, checkpoint_of, remove_checkpoints, run_row, save_weights
from fer_utils.study import BASE_TECHNIQUES, Architecture, Precision, Study
from tflite_files.metadata import LABELS_FILE, describe, labels

KINDS: Final = {"variant_runs": "runs", "variant_predictions": "predictions"}
"""Tables of other 8-bit files: what kind of table each is."""

NO_FLOAT_EXPORT: Final = (
    "a quantization-aware network holds its rounding in the graph: only its int8 file is the model"
)

ABOUT: Final = (
    "Names one of seven posed facial expressions; a posed expression is not a felt emotion, and this is not a "
    "diagnosis. Trained on"
)
"""What every exported file says of itself, before the kind of faces that it learned from."""

EXPLAINED_LOSS: Final = 0.01
"""An int8 file that loses more accuracy than this, and more than chance explains, has its layers compared and variants."""


def compress_network(architecture: Architecture, group: str, study: Study, paths: Paths) -> None:
    """Compress one network's all-data copy by each of a group of techniques and write their tables COMPRESSED.

    Every precision of the study gives a row: done, failed with the reason of the attempt, or not attempted with the
    reason why. Weights and TFLite files lie beside the tables, with labels and a golden pair. What explains losses by
    8-bit arithmetic is written as well: `layer_errors`, and runs and predictions of variants of int8 files.
    """
    set_up(study, study.technique_groups[group][0])  # before the network is built
    original = Original.read(architecture, study, paths)
    for technique in study.technique_groups[group]:
        place = partial(paths.compressed, architecture=architecture, technique=technique)
        work = Compression(original, technique, technique, study, paths, place("runs").parent)
        work.add(study, explained=True)
        work.write(COMPRESSED, place)


def sweep_network(architecture: Architecture, setting: str, study: Study, paths: Paths) -> None:
    """Compress one network at another strength, one of `study.swept_settings`; write the tables SWEPT."""
    technique, _, strength = setting.partition("-")
    changed = {"sparsity": float(strength)} if technique == "pruning" else {"clusters": int(strength)}
    place = partial(paths.swept, architecture=architecture, setting=setting)
    original = Original.read(architecture, study, paths)
    work = Compression(original, technique, setting, study, paths, place("runs").parent)
    work.add(study.model_copy(update=changed), explained=False)
    work.write(SWEPT, place)


@dataclass(frozen=True)
class Original:
    """A network's trained all-data copy: its row in `runs`, its weights, its answers to the test set; and faces.

    Of test faces, those of a set with a planted gap are left out: no page asks compressed networks about them.
    """

    architecture: Architecture
    run: pd.Series
    network: Any
    weights: list[np.ndarray]
    answers: pd.DataFrame
    training: TrainingSet
    validation: TrainingSet
    tested: pd.DataFrame
    tested_images: FaceImages

    @classmethod
    def read(cls, architecture: Architecture, study: Study, paths: Paths) -> "Original":
        """Read what `train` wrote."""
        faces = StudyFaces.read(study, paths)
        runs = tables.read("runs", paths.trained("runs", architecture))
        run = runs[runs["cohort"] == "all"].iloc[0]
        network = build_network(architecture, study, None)
        network.load_weights(tables.file_of(run, paths.trained("runs", architecture)))
        answers = tables.read("predictions", paths.trained("predictions", architecture))
        in_training = faces.learned["split"] == "train"
        training, validation = (
            TrainingSet.of(faces.learned, faces.learned_images, part) for part in (in_training, ~in_training)
        )
        asked = faces.tested["dataset"] == study.test_set
        tested = faces.tested[asked].reset_index(drop=True)
        mine = (answers["run_id"] == run["run_id"]) & answers["face_id"].isin(tested["face_id"])
        return cls(
            architecture, run, network, network.get_weights(), answers[mine], training, validation,
            tested, faces.tested_images.part(asked.to_numpy(dtype=bool)),
        )  # fmt: skip


class Compression:
    """One network's compression by one technique into `folder`; `name` distinguishes its runs from others of that technique.

    It uses the original's own network, so that its graph is traced once for all techniques; each begins with the
    original's weights and the study's seed. `rows` are the parts of the tables made so far.
    """

    def __init__(
        self, original: Original, technique: Any, name: str, study: Study, paths: Paths, folder: Path
    ) -> None:
        self.original, self.study, self.paths, self.folder = original, study, paths, folder
        self.technique, self.name = technique, name
        self.rows: dict[str, list[pd.DataFrame]] = {}
        self.answers = original.answers
        self.float_file: bytes | None = None
        set_up(study, technique)
        original.network.set_weights(original.weights)

    def add(self, settings: Study, explained: bool) -> None:
        """Apply the technique and export its result in every precision; a failure becomes a row with its reason.

        `settings` holds the technique's strength. With `explained`, a loss by the int8 file is looked into.
        """
        run_id = f"{self.original.run['run_id']}.{self.name}"
        trained = self._attempt("float32", run_id, lambda: self._compressed(run_id, settings))
        if trained is None:
            return
        for precision in self.study.precisions:
            exported = f"{run_id}.{precision}"
            if self._aware and precision != "int8":
                self._add_row("runs", precision, exported, "not attempted", reason=NO_FLOAT_EXPORT)
            elif precision == "int8":
                self._attempt(precision, exported, partial(self._export_int8, trained, exported, explained))
            else:
                self._attempt(precision, exported, partial(self._export, trained, precision, exported))

    def write(self, names: tuple[str, ...], place: Callable[[str], Path]) -> None:
        """Write the named tables where `place` says (one without rows is empty); before them labels and a golden pair."""
        runs = tables.conform(tables.concatenated(self.rows["runs"]), "runs")
        made = tables.with_file(runs[runs["status"] == "done"])
        models = {self.folder / run["artefact"]: run["precision"] for run in made.to_dict("records")}
        write_text(self.folder / LABELS_FILE, labels())
        for name, content in golden_files(models, self.study.image_size).items():
            write_bytes(self.folder / name, content)
        for name in names:
            kind = KINDS.get(name, name)
            rows = tables.concatenated([tables.empty(kind), *self.rows.get(name, [])])
            tables.write(rows, kind, place(name))
        remove_checkpoints(self.folder)

    @property
    def _aware(self) -> bool:
        return bool(self.technique.endswith("quantization_aware"))

    def _compressed(self, run_id: str, settings: Study) -> Trained:
        if self.technique == "none":
            return Trained(self.original.network, pd.DataFrame(), 0.0, 0)
        self._load_base()
        training, validation = self.original.training, self.original.validation
        trained = compress(
            self.original.network, self.technique, run_id, training, validation, settings,
            checkpoint_of(run_id, "compress", settings, self.original.run["data_digest"], self.folder),
        )  # fmt: skip
        artefact = f"{run_id}.h5"
        save_weights(trained, self.folder / artefact)
        answers = predict_keras(trained.network, self.original.tested_images)
        self.answers = self._add("predictions", prediction_rows(run_id, self.original.tested, answers))
        self._add("curves", trained.curves)
        self._add_row("runs", "float32", run_id, "done", trained=trained, artefact=artefact)
        return trained

    def _load_base(self) -> None:
        """Load the weights that a combination goes on from: those of its base."""
        base = BASE_TECHNIQUES.get(self.technique)
        if base is None:
            return
        table = self.paths.compressed("runs", self.original.architecture, base)
        runs = tables.read("runs", table).set_index("run_id").to_dict("index")
        run = runs[f"{self.original.run['run_id']}.{base}"]
        if run["status"] != "done":
            raise CompressionError(f"{self.technique} goes on from {base}, which failed: see its row")
        self.original.network.load_weights(tables.file_of(run, table))

    def _export(self, trained: Trained, precision: Precision, run_id: str) -> Trained:
        model = to_tflite(trained.network, precision, self._representative())
        if precision == "float32":
            self.float_file = model
        self._keep(model, precision, run_id, trained)
        return trained

    def _export_int8(self, trained: Trained, run_id: str, explained: bool) -> Trained:
        model = with_activation_ranges(trained.network, self._representative(), self.float_file)
        answers = self._keep(quantized(model), "int8", run_id, trained)
        if explained and not self._aware:
            explain = partial(self._explain, trained, model, run_id, self._loses(answers))
            self._attempt("int8", f"{run_id}.variants", explain, "variant_runs")
        return trained

    def _representative(self, times: int = 1) -> np.ndarray:
        """Training faces from which activation ranges are learned, sampled by the seed."""
        order = np.random.default_rng(self.study.seed).permutation(len(self.original.training.labels))
        return self.original.training.images[order[: times * REPRESENTATIVE_FACES]]

    def _explain(self, trained: Trained, model: bytes, run_id: str, loses: bool) -> Trained:
        """Add where an int8 file loses accuracy and what restores it, and what hard-swish in parts is worth."""
        variants: Iterator[Variant] = iter(())
        if self.technique == "none":
            variants = whole_hard_swish(trained.network, self._representative(), self.float_file)
        if loses:
            errors = layer_errors(model, self._representative())
            self._add("layer_errors", errors.assign(run_id=run_id))
            variants = chain(variants, candidate_fixes(model, errors, self._representative(MORE_FACES)))
        for variant in variants:
            name = f"{run_id}.{variant.name}"
            self._keep(variant.model, "int8", name, trained, "variant_", reason=variant.about)
        return trained

    def _loses(self, answers: pd.DataFrame) -> bool:
        """Whether an int8 file loses over EXPLAINED_LOSS on test children, the difference's 95 % interval below zero."""
        asked = self.original.tested[self.original.tested["age_group"] == "child"]
        both = [join(each[each["face_id"].isin(asked["face_id"])], asked) for each in (answers, self.answers)]
        if asked.empty:
            return False
        change = paired_differences(paired_confusions(*both))["accuracy"]
        return change.estimate < -EXPLAINED_LOSS and change.high < 0

    def _keep(
        self, model: bytes, precision: Precision, run_id: str, trained: Trained, kind: str = "", **known: Any
    ) -> pd.DataFrame:
        """Write a file, predict the test faces with it, add its rows; return its predictions."""
        artefact = file_name(run_id, self.study.image_size)
        described = describe(model, run_id, f"{ABOUT} {self.study.kind_of_faces}.")
        write_bytes(self.folder / artefact, described)
        answers = predict_tflite(self.folder / artefact, self.original.tested_images)
        parent = str(self.original.run["run_id"])
        parent = parent if self.technique == "none" else f"{parent}.{self.name}"
        self._add_row(
            f"{kind}runs", precision, run_id, "done", trained=trained, artefact=artefact,
            parent_run_id=parent, **asdict(file_weights(described)), **known,
        )  # fmt: skip
        return self._add(f"{kind}predictions", prediction_rows(run_id, self.original.tested, answers))

    def _attempt(
        self, precision: Precision, run_id: str, action: Callable[[], Trained], table: str = "runs"
    ) -> Trained | None:
        """What `action` returns; None if a toolkit refuses, which becomes a row. Any other error fails the job."""
        try:
            return action()
        except REFUSALS as error:
            first_line = next(iter(str(error).strip().splitlines()), "")
            self._add_row(table, precision, run_id, "failed", reason=f"{type(error).__name__}: {first_line}")
            return None

    def _add_row(
        self, table: str, precision: Precision, run_id: str, status: str,
        *, trained: Trained | None = None, **known: Any,
    ) -> None:  # fmt: skip
        original = self.original.run
        inherited = {name: original[name] for name in ("initial_weights", "parameters", "data_digest")}
        row = {
            "parent_run_id": original["run_id"], "architecture": self.original.architecture, "cohort": "all",
            "technique": self.technique, "precision": precision, "status": status,
            "train_seconds": trained.seconds if trained else None, "epochs": trained.epochs if trained else None,
        }  # fmt: skip
        if "artefact" in known:
            row["file_digest"] = digest(self.folder / known["artefact"])
        made = run_row(self.study, "compress", run_id=run_id, **inherited, **{**row, **known})
        self._add(table, pd.DataFrame([made]))

    def _add(self, table: str, part: pd.DataFrame) -> pd.DataFrame:
        self.rows.setdefault(table, []).append(part)
        return part
