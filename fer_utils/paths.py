"""Where a study's results lie, and the environment variables that name folders."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from face_sets.folders import RESULTS_VARIABLE, results_folder
from fer_utils.study import Study

DATA_VARIABLE: Final = "FER_DATA"
"""Names the folder that holds data sets in their owners' layout: the photographs of the external test lie in it."""

WEIGHTS_VARIABLE: Final = "FER_WEIGHTS"
"""Names the folder that holds Keras' ImageNet weights, for machines that cannot fetch them."""

FOLDER_VARIABLES: Final = (RESULTS_VARIABLE, DATA_VARIABLE, WEIGHTS_VARIABLE)


@dataclass(frozen=True)
class Paths:
    """Where a study's results lie: one folder a study, one subfolder a step, names decided here alone."""

    root: Path
    study: Study

    @classmethod
    def of(cls, study: Study, results: Path | None = None) -> "Paths":
        """Return the paths below `results`, by default `results_folder()`."""
        return cls((results or results_folder()) / study.name, study)

    @property
    def results(self) -> Path:
        """The folder of all results: that of studies, and of the data sets that they share."""
        return self.root.parent

    @property
    def validation(self) -> Path:
        """The simulation study in full, the same for all studies: what `fer validate` writes."""
        return self.results / "validation" / "simulations.csv"

    @property
    def study_file(self) -> Path:
        """The study itself as JSON, for programs that come later."""
        return self.root / "study.json"

    @property
    def faces(self) -> Path:
        """The `faces` table of the study; images lie beside it."""
        return self.root / "faces" / "faces.parquet"

    @property
    def dropped(self) -> Path:
        """Faces of the study that were not found, with the reason."""
        return self.root / "faces" / "dropped.parquet"

    @property
    def external_dropped(self) -> Path:
        """Photographs of the external test in which no face was found, with the reason."""
        return self.root / "external" / "dropped.parquet"

    @property
    def external_faces(self) -> Path:
        """The `faces` table of the external test (empty when the photographs are not there)."""
        return self.root / "external" / "faces.parquet"

    def external_predictions(self, architecture: str) -> Path:
        """What the copies and files of one network say of the external test's faces."""
        return self.root / "external" / architecture / "predictions.parquet"

    def trained(self, table: str, architecture: str) -> Path:
        """A table written by training one network: runs, predictions, curves or features."""
        return self.root / "train" / architecture / f"{table}.parquet"

    def compressed(self, table: str, architecture: str) -> Path:
        """A table written by compressing one network; `steps.compress` lists them."""
        return self.root / "compress" / architecture / f"{table}.parquet"

    def swept(self, table: str, architecture: str) -> Path:
        """A table written by one network's sweep of sparsities and cluster counts: runs, predictions or curves."""
        return self.root / "sweep" / architecture / f"{table}.parquet"

    def all_trained(self, table: str) -> list[Path]:
        """A table of training, of every network."""
        return [self.trained(table, architecture) for architecture in self.study.architectures]

    def all_compressed(self, table: str) -> list[Path]:
        """A table of compression, of every network."""
        return [self.compressed(table, architecture) for architecture in self.study.architectures]

    def all_swept(self, table: str) -> list[Path]:
        """A table of the sweeps, of every network; none if the study sweeps nothing."""
        if not self.study.sweeps:
            return []
        return [self.swept(table, architecture) for architecture in self.study.architectures]

    def all_external_predictions(self) -> list[Path]:
        """What every network's models say of the external test's faces."""
        return [self.external_predictions(architecture) for architecture in self.study.architectures]

    @property
    def few_shot(self) -> Path:
        """The `few_shot` table: last layers trained again on few children, asked about others."""
        return self.root / "few_shot" / "few_shot.parquet"

    @property
    def measurements(self) -> Path:
        """The `measurements` table of this machine: timings and predictions of every exported file."""
        return self.root / "profile" / "measurements.parquet"

    @property
    def operators(self) -> Path:
        """The `operators` table of this machine: where the time of each uncompressed file goes."""
        return self.root / "profile" / "operators.parquet"

    def of_device(self, table: str, device: str) -> Path:
        """A table measured on another device, `measurements` say: outside the workflow, which cannot make it again."""
        return self.root / "profile" / "devices" / device / f"{table}.parquet"

    def all_measurements(self) -> list[Path]:
        """The `measurements` of this machine and of every other device that was measured."""
        devices = self.of_device("measurements", "any").parents[1]
        return [self.measurements, *sorted(devices.glob("*/measurements.parquet"))]

    @property
    def emulations(self) -> Path:
        """The `emulations`: outside the workflow too, which cannot make them everywhere."""
        return self.of_device("emulations", "cortex-a53-emulated")

    @property
    def packs(self) -> Path:
        """The folder of exported models packed for app developers."""
        return self.root / "packs"

    def duration(self, job: str) -> Path:
        """How long a job of the workflow took: Snakemake's benchmark file."""
        return self.root / "durations" / f"{job}.tsv"

    def log(self, job: str) -> Path:
        """What a job of the workflow said on its standard error."""
        return self.root / "logs" / f"{job}.txt"

    def notebook(self, stage: str) -> Path:
        """The executed notebook of a stage."""
        return self.root / "notebooks" / f"{stage}.ipynb"

    def figures(self, stage: str) -> Path:
        """The folder of a stage's figures and of the data behind them."""
        return self.root / "figures" / stage
