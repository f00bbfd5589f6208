"""Where a study's results lie, and the environment variables that name folders."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from face_sets.folders import PROJECT_FOLDER, RESULTS_VARIABLE, results_folder
from fer_utils.study import Architecture, Study, Technique

DATA_VARIABLE: Final = "FER_DATA"
"""Names the folder that holds data sets in their owners' layout: the photographs of the external test lie in it."""

WEIGHTS_VARIABLE: Final = "FER_WEIGHTS"
"""Names the folder that holds Keras' ImageNet weights, for machines that cannot fetch them."""

FOLDER_VARIABLES: Final = (RESULTS_VARIABLE, DATA_VARIABLE, WEIGHTS_VARIABLE)

LONDON_FOLDER: Final = "london_faces"
"""The photographs of the external test, below FER_DATA."""

SITTERS_FOLDER: Final = "open_faces"
"""The photographs of neutral adults with landmarks, of which skins are blended, below FER_DATA."""


class FolderError(ValueError):
    """A variable names a folder that is not there or cannot be used; the message says which and why."""


def settle_folders() -> None:
    """Write the folders that variables name in full: `~` is the home, and they stay the same wherever work is done.

    Snakemake and Jupyter need a home that can be written to: where there is none, a folder of the project serves.
    Raises FolderError for the home of somebody who is not known here.
    """
    for name in FOLDER_VARIABLES:
        if given := os.environ.get(name):
            home = os.path.expanduser(given)
            if home.startswith("~"):
                raise FolderError(f"{name}={given}: no home folder of {home.split(os.sep)[0]} is known here")
            os.environ[name] = os.path.abspath(home)
    if not os.access(os.path.join(os.path.expanduser("~"), "."), os.W_OK):
        os.environ["HOME"] = str(PROJECT_FOLDER / ".cache" / "home")
        os.makedirs(os.environ["HOME"], exist_ok=True)


def check_folders(*, write: bool = True) -> None:
    """Raise FolderError for a named folder that does not exist or, to `write`, if results cannot be written to theirs."""
    for name in (DATA_VARIABLE, WEIGHTS_VARIABLE):
        folder = os.environ.get(name)
        if folder and not os.path.isdir(folder):
            missing = "a link to nowhere" if os.path.islink(folder) else "not there, or no folder"
            raise FolderError(f"{name} names {folder}, which is {missing}: correct it, or unset {name}")
    results = Path(os.path.abspath(results_folder()))
    if {"{", "}"} & set(os.path.relpath(results, PROJECT_FOLDER)):
        raise FolderError(f"{results} cannot be used: Snakemake takes what stands in braces for wildcards")
    there = next(folder for folder in (results, *results.parents) if os.path.lexists(folder))
    if there.is_dir() and not write:
        return
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise FolderError(f"results cannot be written to {results} ({there}: {error.strerror})") from None


def remarks_on_folders() -> list[str]:
    """Return what a reader of results should know of the variables: names that nothing reads, photographs not found."""
    known = {*FOLDER_VARIABLES, "FER_DETECTOR", "FER_IN_WORKFLOW", "FER_RUN"}
    unknown = sorted(name for name in os.environ if name.startswith("FER_") and name not in known)
    found = [f"{name} is set, and nothing reads it; known: {', '.join(FOLDER_VARIABLES)}" for name in unknown]
    data = os.environ.get(DATA_VARIABLE)
    if data and not os.path.isdir(os.path.join(data, LONDON_FOLDER)):
        found.append(f"{DATA_VARIABLE}={data} holds no {LONDON_FOLDER}: the external test has no photographs")
    return found


def data_folder(name: str) -> Path | None:
    """Return a folder below `FER_DATA`, or None if the variable is not set or the folder is not there."""
    data = os.environ.get(DATA_VARIABLE)
    return folder if data and (folder := Path(data, name)).is_dir() else None


BOOKS: Final = Path(".cache", "books.txt")
"""Below the project: the licensed studies, one a line, whose results are in the rendered book or its sources."""

TRAINED: Final = ("runs", "predictions", "curves", "features")
"""The tables that training one network writes."""

TRAINED_AGAIN: Final = ("runs", "predictions")
"""Those that it writes from a further seed."""

COMPRESSED: Final = ("runs", "predictions", "curves", "variant_runs", "variant_predictions", "layer_errors")
"""The tables that compressing one network by one technique writes."""

SWEPT: Final = ("runs", "predictions", "curves")
"""The tables that one setting of a sweep writes."""


class _Below:
    """An attribute of Paths: a file or folder below the study's own."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, paths: "Paths", owner: type) -> Path:
        return paths.root / self.name


@dataclass(frozen=True)
class Paths:
    """Where a study's results lie: one folder per study, one subfolder per step; names are decided here alone."""

    root: Path
    study: Study

    faces = _Below("faces/faces.parquet")
    """The `faces` table of the study; images lie beside it. `dropped`: faces that were not found, with the reason."""
    dropped = _Below("faces/dropped.parquet")

    external_faces = _Below("external/faces.parquet")
    """The same of the external test; empty without the photographs."""
    external_dropped = _Below("external/dropped.parquet")
    external_predictions = _Below("external/predictions.parquet")
    """What trained copies predict for them; `external_compressed_predictions`: what exported files do."""
    external_compressed_predictions = _Below("external/compressed_predictions.parquet")

    few_shot = _Below("few_shot/few_shot.parquet")
    measurements = _Below("profile/measurements.parquet")
    """Timings and predictions of every exported file on this machine; `operators`: where the time goes."""
    operators = _Below("profile/operators.parquet")
    emulations = _Below("profile/devices/cortex-a53-emulated/emulations.parquet")
    """Outside the workflow, which cannot make them everywhere."""

    durations = _Below("durations")
    """The folder of what each job of the workflow cost: see `workflow_runs.accounting`."""
    packs = _Below("packs")
    """The folder of exported models packed for app developers."""

    @classmethod
    def of(cls, study: Study, results: Path | None = None) -> "Paths":
        """Return the paths below `results`, by default `results_folder()`."""
        return cls((results or results_folder()) / study.name, study)

    @property
    def results(self) -> Path:
        """The folder of all results: that of studies, and of the data sets that they share."""
        return self.root.parent

    def table(self, step: str, table: str, *cell: str) -> Path:
        """Return where a step writes a table, for one cell of the study (network, technique) if it has several."""
        return self.root.joinpath(step, *cell, f"{table}.parquet")

    def trained(self, table: str, architecture: Architecture) -> Path:
        """A table of training one network; see TRAINED."""
        return self.table("train", table, architecture)

    def trained_again(self, table: str, architecture: Architecture, seed: int | str) -> Path:
        """A table of training one network from one of `Study.further_seeds`: `runs` or `predictions`."""
        return self.table("train", table, architecture, f"seed-{seed}")

    def compressed(self, table: str, architecture: Architecture, technique: Technique = "none") -> Path:
        """A table of compressing one network by one technique; see COMPRESSED."""
        return self.table("compress", table, architecture, technique)

    def swept(self, table: str, architecture: Architecture, setting: str) -> Path:
        """A table of one of `Study.swept_settings` of one network; see SWEPT."""
        return self.table("sweep", table, architecture, setting)

    def all_trained(self, table: str) -> list[Path]:
        """A table of training, of every network."""
        return [self.trained(table, network) for network in self.study.architectures]

    def all_trained_again(self, table: str) -> list[Path]:
        """A table of training from further seeds, of every network and seed; none if the study has no further seeds."""
        networks, seeds = self.study.architectures, self.study.further_seeds
        return [self.trained_again(table, network, seed) for network in networks for seed in seeds]

    def all_compressed(self, table: str, networks: Sequence[Architecture] | None = None) -> list[Path]:
        """A table of compression, of every technique and network, or of some networks only."""
        networks, techniques = networks or self.study.architectures, self.study.techniques
        return [self.compressed(table, network, each) for network in networks for each in techniques]

    def all_swept(self, table: str) -> list[Path]:
        """A table of the sweeps, of every network and setting; none if the study sweeps nothing."""
        networks, settings = self.study.architectures, self.study.swept_settings
        return [self.swept(table, network, each) for network in networks for each in settings]

    def of_device(self, table: str, device: str) -> Path:
        """A table measured on another device, `measurements` say: outside the workflow, which cannot make it again."""
        return self.root / "profile" / "devices" / device / f"{table}.parquet"

    def all_measurements(self) -> list[Path]:
        """The `measurements` of this machine and of every other device that was measured."""
        devices = self.of_device("measurements", "any").parents[1]
        return [self.measurements, *sorted(devices.glob("*/measurements.parquet"))]

    def record(self, job: str) -> Path:
        """What a job depended on besides its inputs: see whole_files."""
        return self.root / "records" / f"{job}.txt"

    def log(self, job: str) -> Path:
        """What a job of the workflow wrote to its standard error."""
        return self.root / "logs" / f"{job}.txt"

    def notebook(self, stage: str) -> Path:
        """The executed notebook of a stage."""
        return self.root / "notebooks" / f"{stage}.ipynb"

    def figures(self, stage: str) -> Path:
        """The folder of a stage's figures and of the data behind them."""
        return self.root / "figures" / stage
