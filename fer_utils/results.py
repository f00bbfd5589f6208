"""What every notebook asks of one study's results: tables, answers and scores of runs, figures, provenance."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from IPython.display import HTML
from matplotlib.figure import Figure

from expression_scores.external_test import PEERS_FILE, peers
from expression_scores.metrics import join
from expression_scores.run_scores import compare_runs, run_scores
from fer_utils import tables
from fer_utils.analysis.evidence import of_current_files
from fer_utils.paths import Paths
from fer_utils.profiling.arm64 import current_emulations
from fer_utils.reporting.figures import SavedFigure, save_figure
from fer_utils.reporting.gate import guard
from fer_utils.reporting.provenance import KindOfData, Provenance, provenance
from fer_utils.stages import begin
from fer_utils.study import Study
from table_charts.charts import Chart


def _lazy(table: str | None, files: Callable[[Paths], list[Path]]) -> "cached_property[pd.DataFrame]":
    """Return a property that reads and checks a table, in one or more files, when it is first used."""

    def read(results: "Results") -> pd.DataFrame:
        noted = [results._note(file) for file in files(results.paths)]
        return tables.read(table, *noted) if table else tables.read_sealed(noted[0])

    return cached_property(read)


@dataclass(frozen=True)
class Results:
    """The results of a study, as one notebook reads them; every table is a property that is read once."""

    study: Study
    paths: Paths
    stage: str
    _read: dict[str, Path] = field(default_factory=dict, repr=False)

    faces = _lazy("faces", lambda paths: [paths.faces])
    """One row per face of the study: face_id, dataset, subject_id, expression, age_group, ethnicity, split, ..."""
    dropped = _lazy(None, lambda paths: [paths.dropped])
    """One row per face left out of the study: dataset, reason, ..."""
    few_shot = _lazy("few_shot", lambda paths: [paths.few_shot])
    """One row per answer of a last layer retrained on few children: run_id, children, repeat, face_id, predicted."""

    runs = _lazy("runs", lambda paths: paths.all_trained("runs"))
    """One row per trained copy: run_id ("mobilenet_v2.all"), architecture, cohort, parameters, status, ..."""
    predictions = _lazy("predictions", lambda paths: paths.all_trained("predictions"))
    """One row per trained copy and test face: run_id, face_id and the probabilities of the seven expressions."""
    curves = _lazy("curves", lambda paths: paths.all_trained("curves"))
    """One row per trained copy and epoch: run_id, epoch, loss, accuracy, validation_loss, validation_accuracy."""

    runs_again = _lazy("runs", lambda paths: paths.all_trained_again("runs"))
    """As `runs`, trained again from each further seed: run_id "mobilenet_v2.all.seed-7"; for studies that have any."""
    predictions_again = _lazy("predictions", lambda paths: paths.all_trained_again("predictions"))
    """As `predictions`, of `runs_again`."""

    compressed_runs = _lazy("runs", lambda paths: paths.all_compressed("runs"))
    """As `runs`, of every attempt at compression: run_id "mobilenet_v2.all.pruning.int8", status, reason, ..."""
    compressed_predictions = _lazy("predictions", lambda paths: paths.all_compressed("predictions"))
    """As `predictions`, of compressed networks and exported files."""
    variant_runs = _lazy("runs", lambda paths: paths.all_compressed("variant_runs"))
    """As `runs`, of int8 files made in other ways, to explain what the usual ones lose."""
    variant_predictions = _lazy("predictions", lambda paths: paths.all_compressed("variant_predictions"))
    """As `predictions`, of the files of `variant_runs`."""
    layer_errors = _lazy("layer_errors", lambda paths: paths.all_compressed("layer_errors"))
    """One row per layer of each int8 file that loses accuracy: run_id, layer, error_steps, noise_share, ..."""
    swept_runs = _lazy("runs", lambda paths: paths.all_swept("runs"))
    """As `runs`, pruned and clustered to several strengths; only where `study.sweeps`."""
    swept_predictions = _lazy("predictions", lambda paths: paths.all_swept("predictions"))
    """As `predictions`, of the files of `swept_runs`."""

    operators = _lazy("operators", lambda paths: [paths.operators])
    """One row per operator of each uncompressed file, in the order of running: run_id, operator, mean_ms, ..."""

    external_faces = _lazy("faces", lambda paths: [paths.external_faces])
    """As `faces`, the photographs of the external test; no rows where they are not available."""
    external_dropped = _lazy(None, lambda paths: [paths.external_dropped])
    """One row per photograph of the external test in which no face was found."""
    external_predictions = _lazy("predictions", lambda paths: [paths.external_predictions])
    """As `predictions`, on `external_faces`."""
    external_compressed_predictions = _lazy(
        "predictions", lambda paths: [paths.external_compressed_predictions]
    )
    """As `external_predictions`, of exported files."""

    @cached_property
    def measurements(self) -> pd.DataFrame:
        """One row per file, as it is now, and device: run_id, device_kind, latency_ms_median, size_bytes, ..."""
        files = [self._note(file) for file in self.paths.all_measurements()]
        return of_current_files(tables.read("measurements", *files), self.compressed_runs)

    @cached_property
    def emulations(self) -> pd.DataFrame:
        """One row per file run on emulated ARM64 kernels; no rows where none was."""
        if self.paths.emulations.is_file():
            self._note(self.paths.emulations)
        return current_emulations(self.study, self.paths)

    @cached_property
    def open_networks(self) -> pd.DataFrame:
        """One row per network of others, measured by this project in the external test; see `external_test.peers`."""
        self._note(PEERS_FILE, "external/open networks")
        return peers()

    @property
    def test_children(self) -> pd.DataFrame:
        """The faces that answer the study's questions: children of the test set, whom no network has seen."""
        tested = (self.faces["dataset"] == self.study.test_set) & (self.faces["split"] == "test")
        return self.faces[tested & (self.faces["age_group"] == "child")]

    @property
    def untrained(self) -> list[str]:
        """The study's cohorts without a copy, since no face was there to learn from; pages name them."""
        return [cohort for cohort in self.study.cohorts if cohort not in set(self.runs["cohort"])]

    @property
    def exported(self) -> pd.DataFrame:
        """The rows of `compressed_runs` that are a TFLite file for a phone."""
        return tables.with_file(self.compressed_runs)

    @property
    def resampling(self) -> dict[str, int]:
        """The study's `draws` and `seed`, for analyses that resample: `by_group(..., **results.resampling)`."""
        return {"draws": self.study.bootstrap_draws, "seed": self.study.resampling_seed}

    def answers(
        self, runs: pd.DataFrame, faces: pd.DataFrame, predictions: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        """Return the `metrics.join` of these runs and faces; `predictions` are of the trained copies if not given."""
        given = self.predictions if predictions is None else predictions
        asked = given["run_id"].isin(runs["run_id"]) & given["face_id"].isin(faces["face_id"])
        return join(given[asked], faces)

    def scores(self, answers: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
        """Return the `run_scores` of these runs; no rows where there are no answers at all."""
        theirs = answers[answers["run_id"].isin(runs["run_id"])]
        return run_scores(theirs, runs if len(theirs) else runs.head(0), **self.resampling)

    def compare(self, answers: pd.DataFrame, pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
        """Return the first run's accuracy minus the second's for each pair of run ids, by `compare_runs`."""
        return compare_runs(answers, pairs, "accuracy", **self.resampling)

    def provenance(self, kind: KindOfData | None = None) -> Provenance:
        """Return the tables read so far with their digests; given a kind of data, those of that kind alone."""
        external = kind == "London photographs"
        read = {t: f for t, f in self._read.items() if kind is None or t.startswith("external/") == external}
        return provenance(self.study, read, kind=kind)

    def save_figure(
        self, figure: Figure | HTML, name: str, data: pd.DataFrame, kind: KindOfData | None = None,
        chart: Chart | None = None,
    ) -> SavedFigure | HTML:  # fmt: skip
        """Save `name.svg`, `name.csv` and the chart, if any, for this page; return what shows the figure.

        `kind` is that of its data.
        """
        source, folder = self.provenance(kind or self.study.kind_of_faces), self.paths.figures(self.stage)
        return save_figure(figure, name, data, folder=folder, source=source, chart=chart)

    def also_read(self, files: Mapping[str, Path]) -> None:
        """Add other files that a page reads, by the names that its provenance shows."""
        self._read.update(files)

    def _note(self, file: Path, name: str | None = None) -> Path:
        self._read[name or file.relative_to(self.paths.root).with_suffix("").as_posix()] = file
        return file


def open_results(names: Mapping[str, Any], stage: str) -> Results:
    """Return the results of the study that a notebook's parameters, in `globals()`, describe; errors as `begin`."""
    study, paths = begin(names, stage)
    guard(study)
    return Results(study, paths, stage)


def as_interval(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return the frame with a metric and its ends renamed as plots expect them; any other low and high are dropped.

    >>> frame = pd.DataFrame({"accuracy": [0.6], "accuracy_low": [0.5], "accuracy_high": [0.7]})
    >>> list(as_interval(frame, "accuracy").columns)
    ['estimate', 'low', 'high']
    """
    names = {metric: "estimate", f"{metric}_low": "low", f"{metric}_high": "high"}
    return scores.drop(columns=list(names.values()), errors="ignore").rename(columns=names)
