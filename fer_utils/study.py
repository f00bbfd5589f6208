"""What a study is: a frozen, checked `Study`, and the `Paths` of its results, computed from it once.

A profile is a YAML file in `fer_utils/profiles/` that holds only what differs from the defaults below, each
line with its reason. Papermill parameters and `fer` options override a profile field by field.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from fer_utils.files import digest

PROFILES_FOLDER: Final = Path(__file__).parent / "profiles"
PROJECT_FOLDER: Final = Path(__file__).parent.parent
RESULTS_VARIABLE: Final = "FER_RESULTS"
"""Names a folder for results where the project's own disk is too small, or may not hold licensed faces."""

DATA_VARIABLE: Final = "FER_DATA"
"""Names the folder that holds data sets in their owners' layout: the photographs of the reality check lie in it."""

WEIGHTS_VARIABLE: Final = "FER_WEIGHTS"
"""Names the folder that holds Keras' ImageNet weights, for machines that cannot fetch them."""

FOLDER_VARIABLES: Final = (RESULTS_VARIABLE, DATA_VARIABLE, WEIGHTS_VARIABLE)

LICENSED_SETS: Final = (
    "affectnet", "fer2013", "raf_db", "expw", "ckplus", "jaffe", "kdef", "rafd", "nimh_chefs", "ddcf",
    "childefes", "liris_cse", "guesswhat", "cafe",
)  # fmt: skip
"""The twelve public sets that this project declares (the abstract does not name its twelve), GuessWhat, CAFE."""

OWN_SET: Final = "own"
"""A reader's own pictures, which a study may learn from as well; they settle no claim."""

Architecture = Literal[
    "mobilenet_v3_small", "mobilenet_v2", "efficientnet_b0", "mobilenet_v3_large", "nasnet_mobile"
]
ARCHITECTURES: Final[tuple[Architecture, ...]] = (
    "mobilenet_v3_small", "mobilenet_v2", "efficientnet_b0", "mobilenet_v3_large", "nasnet_mobile",
)  # fmt: skip
Cohort = Literal["children", "adults", "known_adults", "all"]
Technique = Literal[
    "none", "pruning", "clustering", "quantization_aware", "pruning_clustering", "pruning_quantization_aware",
    "clustering_quantization_aware", "pruning_clustering_quantization_aware",
]  # fmt: skip
BASE_TECHNIQUES: Final[Mapping[Technique, Technique]] = {
    "pruning_clustering": "pruning",
    "pruning_quantization_aware": "pruning",
    "clustering_quantization_aware": "clustering",
    "pruning_clustering_quantization_aware": "pruning_clustering",
}
"""The technique whose result a combination goes on from; its zeros or shared values are kept."""

Precision = Literal["float32", "float16", "dynamic", "int8"]
Share = Annotated[float, Field(ge=0, le=1)]

SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "faces": (
        "seed", "face_source", "sets", "face_size", "training_replicates", "test_replicates", "images_per_expression",
        "difficulty", "child_shift", "planted_gap",
    ),
    "training": (
        "seed", "cohorts", "initial_weights", "image_size", "epochs", "batch_size", "learning_rate", "dropout",
        "augmentation", "unknown_age_is_adult",
    ),
    "compression": (
        "techniques", "precisions", "compression_epochs", "compression_learning_rate", "sparsity", "clusters",
    ),
    "sweep": ("sparsity_sweep", "clusters_sweep"),
    "profiling": ("profiled_size", "timed_runs", "warm_up_runs"),
    "analysis": ("seed", "bootstrap_draws"),
    "scope": ("profile", "architectures"),
}  # fmt: skip
"""Which part of a study decides which steps: a change of analysis trains nothing again (a test compares this
with what each step's code reads)."""


class StudyError(ValueError):
    """A profile or parameter is not what a study accepts; the message says what is."""


class Study(BaseModel):
    """Everything that decides a result; two equal studies on one machine give equal results."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    profile: str = Field(description="name of the profile that this study came from")
    seed: int = Field(default=2023, ge=0, le=2**31 - 1, description="seed of everything drawn at random")

    # Faces
    face_source: Literal["synthetic", "licensed"] = Field(
        default="synthetic", description="drawn faces, or those of data sets that were ingested"
    )
    sets: tuple[str, ...] = Field(
        default=LICENSED_SETS, min_length=1, description="the licensed data sets; those not here are left out"
    )
    face_size: int = Field(default=112, ge=32, le=512, description="side of a stored face crop, pixels")
    training_replicates: int = Field(
        default=2, ge=1, description="training subjects in each cell of cohort x tone x group (100 cells)"
    )
    test_replicates: int = Field(default=2, ge=1, description="the same for test subjects")
    images_per_expression: int = Field(
        default=2, ge=1, le=12, description="images of each subject and expression"
    )
    difficulty: Share = Field(default=0.2, description="0 clean and distinct, 1 blurred and ambiguous")
    child_shift: float = Field(
        default=0.8,
        ge=0.2,
        le=1,
        description="children's expression intensity as a share of adults': planted",
    )
    planted_gap: float = Field(
        default=0.4, ge=0.2, le=1, description="group E's expression intensity in the set with a planted gap"
    )

    # Networks and training
    architectures: tuple[Architecture, ...] = Field(default=ARCHITECTURES, min_length=1)
    cohorts: tuple[Cohort, ...] = Field(default=("children", "adults", "all"), min_length=1)
    initial_weights: Literal["imagenet", "random", "auto"] = Field(
        default="imagenet", description="one initialisation for all networks; auto: imagenet if to be had"
    )
    image_size: int = Field(
        default=224, ge=32, le=512, multiple_of=32, description="side of the networks' square input, pixels"
    )
    epochs: int = Field(default=10, ge=1)
    batch_size: int = Field(default=32, ge=2)
    learning_rate: float = Field(default=1e-3, gt=0, le=1)
    dropout: Share = Field(default=0.2)
    augmentation: Share = Field(
        default=1.0, description="strength of shifts, zooms, turns and exposure in training"
    )
    unknown_age_is_adult: bool = Field(
        default=False,
        description="whether faces of unknown age train the adult copy too; known_adults never has them",
    )

    # Compression
    techniques: tuple[Technique, ...] = Field(default=("none", "pruning", "clustering", "quantization_aware"))
    precisions: tuple[Precision, ...] = Field(default=("float32", "float16", "dynamic", "int8"))
    compression_epochs: int = Field(default=3, ge=1, description="fine-tuning epochs of each technique")
    compression_learning_rate: float = Field(
        default=1e-4, gt=0, le=1, description="a tenth of training's: the network only settles again"
    )
    sparsity: Share = Field(default=0.5, description="share of weights that pruning sets to zero")
    clusters: int = Field(default=16, ge=2, le=256, description="distinct weights a layer after clustering")
    sparsity_sweep: tuple[Share, ...] = Field(default=(), description="further sparsities to prune to")
    clusters_sweep: tuple[Annotated[int, Field(ge=2, le=256)], ...] = Field(
        default=(), description="further numbers of clusters"
    )

    # Profiling and analysis
    profiled_size: int = Field(
        default=224, ge=32, le=512, multiple_of=32, description="input side of the timed graphs, pixels"
    )
    timed_runs: int = Field(default=50, ge=5)
    warm_up_runs: int = Field(default=10, ge=1)
    bootstrap_draws: int = Field(default=2000, ge=100)

    @field_validator(
        "sets", "architectures", "cohorts", "techniques", "precisions", "sparsity_sweep", "clusters_sweep",
        mode="before",
    )  # fmt: skip
    @classmethod
    def _tuple_from_list(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @field_validator(
        "sets", "architectures", "cohorts", "techniques", "precisions", "sparsity_sweep", "clusters_sweep"
    )
    @classmethod
    def _without_repeats(cls, value: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(set(value)) != len(value):
            raise ValueError("an entry is repeated")
        return value

    @field_validator("techniques")
    @classmethod
    def _bases_first(cls, value: tuple[Technique, ...]) -> tuple[Technique, ...]:
        for place, technique in enumerate(value):
            base = BASE_TECHNIQUES.get(technique)
            if base is not None and base not in value[:place]:
                raise ValueError(f"{technique} goes on from {base}: list {base} before it")
        return value

    @field_validator("sets")
    @classmethod
    def _known_sets(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = (*LICENSED_SETS, OWN_SET)
        if unknown := [name for name in value if name not in known]:
            raise ValueError(f"unknown data set {', '.join(unknown)}: known are {', '.join(known)}")
        return value

    @property
    def sweeps(self) -> bool:
        """Whether techniques are tried at several settings, for the frontier of accuracy and size."""
        return bool(self.sparsity_sweep or self.clusters_sweep)

    @property
    def test_set(self) -> str:
        """The data set whose test faces answer the study's questions."""
        return "synthetic" if self.face_source == "synthetic" else "cafe"

    @property
    def kind_of_faces(self) -> Literal["synthetic faces", "licensed photographs"]:
        """What the faces are, in the words that stand beside every result."""
        return "synthetic faces" if self.face_source == "synthetic" else "licensed photographs"

    def settings(self, *sections: str) -> dict[str, Any]:
        """Return the fields of some sections, as JSON values; what a step's results depend on."""
        fields = {field for section in sections for field in SECTIONS[section]}
        return self.model_dump(mode="json", include=fields)

    @property
    def name(self) -> str:
        """The profile's name, with a digest of what was overridden if anything was."""
        changes = {
            field: value
            for field, value in self.model_dump().items()
            if value != _profile(self.profile)[field]
        }
        return self.profile if not changes else f"{self.profile}-{digest(changes)[:8]}"


def load_study(profile: str, **overrides: Any) -> Study:
    """Return the study of a profile, with fields overridden; None leaves a field as the profile has it.

    Raises StudyError, in one sentence, for an unknown profile, an unknown field or a value that does not fit.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    return _checked({**_profile_fields(profile), **given})


def profile_names() -> list[str]:
    """Return the names of the profiles that can be asked for."""
    return sorted(path.stem for path in PROFILES_FOLDER.glob("*.yml"))


def _profile(profile: str) -> dict[str, Any]:
    return _checked(_profile_fields(profile)).model_dump()


def _profile_fields(profile: str) -> dict[str, Any]:
    if profile not in profile_names():
        raise StudyError(f"unknown profile {profile!r}: choose one of {', '.join(profile_names())}")
    differing = yaml.safe_load((PROFILES_FOLDER / f"{profile}.yml").read_text(encoding="utf-8")) or {}
    return {"profile": profile, **differing}


def _checked(fields: Mapping[str, Any]) -> Study:
    try:
        return Study(**fields)
    except ValidationError as error:
        raise StudyError(_sentence(error.errors()[0])) from None  # one sentence: the first thing to mend


def _sentence(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"unknown parameter {where!r}: a study has {', '.join(Study.model_fields)}"
    return f"parameter {where!r}: {error['msg'].removeprefix('Value error, ')}, given {error['input']!r}"


def results_folder() -> Path:
    """Return the folder of all results, relative to where we are: what FER_RESULTS names, else the project's `results/`.

    The workflow knows files by their names, so that all must name them in one way.
    """
    return Path(os.path.relpath(os.environ.get(RESULTS_VARIABLE) or PROJECT_FOLDER / "results"))


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
    def calibration(self) -> Path:
        """The control experiments in full, the same for all studies: what `fer calibrate` writes."""
        return self.results / "calibration" / "controls.csv"

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
    def reality_dropped(self) -> Path:
        """Photographs of the reality check in which no face was found, with the reason."""
        return self.root / "reality" / "dropped.parquet"

    @property
    def reality_faces(self) -> Path:
        """The `faces` table of the reality check (empty when the photographs are not there)."""
        return self.root / "reality" / "faces.parquet"

    def reality_predictions(self, architecture: str) -> Path:
        """What the copies and files of one network say of the reality check's faces."""
        return self.root / "reality" / architecture / "predictions.parquet"

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

    def all_reality_predictions(self) -> list[Path]:
        """What every network's models say of the reality check's faces."""
        return [self.reality_predictions(architecture) for architecture in self.study.architectures]

    @property
    def recalibrations(self) -> Path:
        """The `recalibrations` table: last layers trained again on few children, asked about others."""
        return self.root / "recalibrate" / "recalibrations.parquet"

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
