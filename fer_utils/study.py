"""What a study is: a frozen, validated `Study`.

A profile is a YAML file in `fer_utils/profiles/` that holds only what differs from the defaults below, each
line with its reason. Papermill parameters and `fer` options override a profile field by field.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from face_sets.files import digest
from face_sets.set_names import LICENSED_SETS, OWN_SET
from face_sets.validation import read_yaml

PROFILES_FOLDER: Final = Path(__file__).parent / "profiles"
Architecture = Literal[
    "mobilenet_v3_small", "mobilenet_v2", "efficientnet_b0", "mobilenet_v3_large", "nasnet_mobile"
]
Cohort = Literal[
    "children", "adults", "known_adults", "all", "size_matched_children", "size_matched_adults",
    "domain_matched_children", "domain_matched_adults", "class_matched_children", "class_matched_adults",
]  # fmt: skip
Technique = Literal[
    "none", "pruning", "clustering", "quantization_aware", "pruning_clustering", "pruning_quantization_aware",
    "clustering_quantization_aware", "pruning_clustering_quantization_aware",
]  # fmt: skip
Precision = Literal["float32", "float16", "dynamic", "int8"]
ARCHITECTURES: Final[tuple[Architecture, ...]] = get_args(Architecture)
COHORTS: Final[tuple[Cohort, ...]] = get_args(Cohort)
TECHNIQUES: Final[tuple[Technique, ...]] = get_args(Technique)
PRECISIONS: Final[tuple[Precision, ...]] = get_args(Precision)

MATCHED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "size_matched": (), "domain_matched": ("domain",), "class_matched": ("domain", "expression"),
}  # fmt: skip
"""The ladder of matched cohorts: in which columns of `faces` children and adults are equally many, besides in all."""

BASE_TECHNIQUES: Final[Mapping[Technique, Technique]] = {
    "pruning_clustering": "pruning",
    "pruning_quantization_aware": "pruning",
    "clustering_quantization_aware": "clustering",
    "pruning_clustering_quantization_aware": "pruning_clustering",
}
"""The technique whose result a combination goes on from; its zeros or shared values are kept."""

Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]
Share = Annotated[float, Field(ge=0, le=1)]

SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "faces": (
        "faces_seed", "face_source", "sets", "face_size", "training_replicates", "test_replicates", "images_per_expression",
        "difficulty", "child_shift", "planted_gap",
    ),
    "training": (
        "seed", "cohorts", "initial_weights", "image_size", "epochs", "batch_size", "learning_rate", "dropout",
        "augmentation", "unknown_age_is_adult", "device", "threads",
        "head_epochs", "head_learning_rate", "warm_up_epochs", "weight_decay", "label_smoothing", "weight_average",
        "balanced_sampling", "faces_per_epoch", "chosen_epoch", "sharpness_radius", "erasing", "temperature_scaling",
    ),
    "compression": (
        "techniques", "shared_jobs", "precisions", "compression_epochs", "compression_learning_rate", "sparsity", "clusters",
    ),
    "sweep": ("sparsity_sweep", "clusters_sweep"),
    "profiling": ("profiled_size", "timed_runs", "warm_up_runs"),
    "luck": ("further_seeds",),
    "analysis": ("resampling_seed", "bootstrap_draws"),
    "scope": ("profile", "architectures"),
}  # fmt: skip
"""Parts of a study; each step of `fer_utils.graph` names those that decide it (a test compares that with what its code
reads): a change of analysis trains nothing again."""


class StudyError(ValueError):
    """A profile or parameter is not what a study accepts; the message says what is."""


class Study(BaseModel):
    """Everything that decides a result; two equal studies on one machine give equal results."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    profile: str = Field(description="name of the profile that this study came from")
    seed: Seed = Field(default=2023, description="seed of training the copies that are compressed and shown")
    further_seeds: tuple[Seed, ...] = Field(
        default=(),
        description="seeds from which every copy is trained once more: how much of a score is luck",
    )
    faces_seed: Seed = Field(
        default=2023, description="seed of splits: which faces are tested and which are learned from"
    )
    resampling_seed: Seed = Field(default=2023, description="seed of bootstraps and permutations")

    # Faces
    face_source: Literal["synthetic", "licensed"] = Field(
        default="synthetic", description="synthetic faces, or those of data sets that were ingested"
    )
    sets: tuple[str, ...] = Field(
        default=LICENSED_SETS, min_length=1, description="the licensed data sets; missing ones are left out"
    )
    face_size: int = Field(default=112, ge=32, le=512, description="side of a stored face crop, pixels")
    training_replicates: int = Field(
        default=2, ge=1, description="training subjects in each cell of age group x tone x group (100 cells)"
    )
    test_replicates: int = Field(
        default=2, ge=1, description="how often CAFE's 154 children are tested, and adults in each cell"
    )
    images_per_expression: int = Field(
        default=2, ge=1, le=12, description="of each training subject; test children have CAFE's at 2"
    )
    difficulty: Share = Field(default=0.2, description="0 clean and distinct, 1 blurred and ambiguous")
    child_shift: float = Field(
        default=0.8, ge=0.2, le=1, description="children's expression intensity as a share of adults'"
    )
    planted_gap: float = Field(
        default=0.4, ge=0.2, le=1, description="group E's expression intensity in the set with a planted gap"
    )

    # Networks and training
    architectures: tuple[Architecture, ...] = Field(
        default=ARCHITECTURES, min_length=1, description="the networks to study"
    )
    cohorts: tuple[Cohort, ...] = Field(
        default=("children", "adults", "all"),
        min_length=1,
        description="copies, by whose faces they learn from",
    )
    initial_weights: Literal["imagenet", "random", "auto"] = Field(
        default="imagenet", description="one initialisation for all networks; auto: imagenet if available"
    )
    image_size: int = Field(
        default=224, ge=32, le=512, multiple_of=32, description="side of the networks' square input, pixels"
    )
    epochs: int = Field(default=10, ge=1, description="epochs of training")
    batch_size: int = Field(default=32, ge=2, description="faces in a training step")
    learning_rate: float = Field(default=1e-3, gt=0, le=1, description="learning rate of training")
    device: Literal["cpu", "gpu"] = Field(
        default="cpu", description="what networks are trained on; a GPU that is asked for must be there"
    )
    threads: int = Field(
        default=1, ge=1, le=64, description="cores of each training; they decide the last bits of its result"
    )
    dropout: Share = Field(default=0.2, description="dropout rate before the last layer")
    head_epochs: int = Field(
        default=0, ge=0, description="epochs before the others in which the last layer learns alone"
    )
    head_learning_rate: float = Field(default=1e-3, gt=0, le=1, description="learning rate of those epochs")
    warm_up_epochs: int = Field(
        default=0, ge=0, description="epochs in which the learning rate rises in equal steps to its value"
    )
    weight_decay: float = Field(default=0.0, ge=0, le=1, description="of kernels, decoupled (AdamW)")
    label_smoothing: Share = Field(default=0.0, description="share of each label spread over all expressions")
    weight_average: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0, description="decay of a moving average of the weights, which is used; 0: the last ones"
    )
    balanced_sampling: bool = Field(
        default=False,
        description="whether data sets, age groups, expressions and mouths are shown equally often",
    )
    faces_per_epoch: int = Field(
        default=0, ge=0, description="faces shown in an epoch at most, sampled anew in each; 0: all"
    )
    chosen_epoch: Literal["last", "best"] = Field(
        default="last", description="whose weights are used; best: by accuracy on validation children"
    )
    augmentation: Share = Field(
        default=1.0, description="strength of shifts, zooms, turns and exposure in training"
    )
    erasing: Share = Field(
        default=0.0, description="share of training faces of which a rectangle is filled with noise"
    )
    sharpness_radius: float = Field(
        default=0.0, ge=0, le=1, description="of sharpness-aware minimisation, often 0.05; 0: without"
    )
    temperature_scaling: bool = Field(
        default=False, description="whether probabilities are fitted to the validation children"
    )
    unknown_age_is_adult: bool = Field(
        default=False,
        description="whether faces of unknown age train the adult copy too; known_adults never has them",
    )

    # Compression
    techniques: tuple[Technique, ...] = Field(
        default=("none", "pruning", "clustering", "quantization_aware"), description="compression techniques"
    )
    precisions: tuple[Precision, ...] = Field(
        default=PRECISIONS, min_length=1, description="number formats of the exported files"
    )
    compression_epochs: int = Field(default=3, ge=1, description="fine-tuning epochs of each technique")
    compression_learning_rate: float = Field(
        default=1e-4, gt=0, le=1, description="a tenth of training's: the network only settles again"
    )
    shared_jobs: bool = Field(
        default=True, description="whether techniques that train the plain network share a job: one trace"
    )
    sparsity: Share = Field(default=0.5, description="share of weights that pruning sets to zero")
    clusters: int = Field(default=16, ge=2, le=256, description="distinct weights per layer after clustering")
    sparsity_sweep: tuple[Share, ...] = Field(default=(), description="further sparsities to prune to")
    clusters_sweep: tuple[Annotated[int, Field(ge=2, le=256)], ...] = Field(
        default=(), description="further numbers of clusters"
    )

    # Profiling and analysis
    profiled_size: int = Field(
        default=224, ge=32, le=512, multiple_of=32, description="input side of the timed graphs, pixels"
    )
    timed_runs: int = Field(default=50, ge=5, description="timed inferences of each file")
    warm_up_runs: int = Field(default=10, ge=1, description="inferences before the timed ones")
    bootstrap_draws: int = Field(default=2000, ge=100, description="bootstrap samples of each interval")

    @field_validator("*", mode="before")
    @classmethod
    def _as_given_in_yaml(cls, value: Any) -> Any:
        return tuple(map(_number, value)) if isinstance(value, list) else _number(value)

    @field_validator("*")
    @classmethod
    def _without_repeats(cls, value: Any) -> Any:
        if isinstance(value, tuple) and len(set(value)) != len(value):
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

    @field_validator("cohorts", "techniques")
    @classmethod
    def _with_the_plain_copy(cls, value: tuple[str, ...], field: ValidationInfo) -> tuple[str, ...]:
        wanted = {"cohorts": "all", "techniques": "none"}[str(field.field_name)]
        if wanted not in value:
            raise ValueError(f"others go on from the uncompressed copy trained on all faces: list {wanted}")
        return value

    @field_validator("warm_up_epochs")
    @classmethod
    def _shorter_than_training(cls, value: int, known: ValidationInfo) -> int:
        if value and value >= known.data.get("epochs", 1):
            raise ValueError("the learning rate must rise before the last epoch: choose fewer than epochs")
        return value

    @field_validator("further_seeds")
    @classmethod
    def _other_seeds(cls, value: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        if info.data.get("seed") in value:
            raise ValueError("the study's own seed is among the further ones: name others")
        return value

    @field_validator("sets")
    @classmethod
    def _known_sets(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = (*LICENSED_SETS, OWN_SET)
        if unknown := [name for name in value if name not in known]:
            raise ValueError(f"unknown data set {', '.join(unknown)}: known are {', '.join(known)}")
        return value

    @property
    def technique_groups(self) -> dict[str, tuple[Technique, ...]]:
        """The techniques of each job of compression, by its name: with `shared_jobs` all that train the plain network,
        bases before their combinations, share one process and one graph; each other one has its own."""
        asked = [each for each in TECHNIQUES if each in self.techniques]
        plain = tuple(each for each in asked if self.shared_jobs and not each.endswith("quantization_aware"))
        groups: dict[str, tuple[Technique, ...]] = {"plain": plain} if plain else {}
        return groups | {each: (each,) for each in asked if each not in plain}

    @property
    def sweeps(self) -> bool:
        """Whether techniques are tried at several settings, for the frontier of accuracy and size."""
        return bool(self.swept_settings)

    @property
    def swept_settings(self) -> tuple[str, ...]:
        """The settings of the sweep by name: technique and strength, `pruning-0.75` say."""
        sparsities = (f"pruning-{share}" for share in self.sparsity_sweep)
        return (*sparsities, *(f"clustering-{count}" for count in self.clusters_sweep))

    @property
    def test_set(self) -> str:
        """The data set whose test faces answer the study's questions."""
        return "synthetic" if self.face_source == "synthetic" else "cafe"

    @property
    def kind_of_faces(self) -> Literal["synthetic faces", "licensed photographs"]:
        """What the faces are, as stated beside every result."""
        return "synthetic faces" if self.face_source == "synthetic" else "licensed photographs"

    def settings(self, *sections: str) -> dict[str, Any]:
        """Return the fields of some sections, as JSON values; what a step's results depend on."""
        fields = {field for section in sections for field in SECTIONS[section]}
        return self.model_dump(mode="json", include=fields)

    @property
    def changes(self) -> dict[str, Any]:
        """The fields that differ from the profile, as JSON values."""
        profile = _checked(_profile_fields(self.profile)).model_dump(mode="json")
        return {name: value for name, value in self.model_dump(mode="json").items() if value != profile[name]}

    @property
    def name(self) -> str:
        """The profile's name, with a digest of what was overridden if anything was."""
        return f"{self.profile}-{digest(changes)[:8]}" if (changes := self.changes) else self.profile


def load_study(profile: Any, /, **overrides: Any) -> Study:
    """Return the study of a profile, with fields overridden; None leaves a field as the profile has it.

    Raises StudyError, in one sentence, for an unknown profile, an unknown field or a value that does not fit.
    """
    if "profile" in overrides:
        raise StudyError("the profile is what overrides change, and none of them: name it (--profile)")
    given = {name: value for name, value in overrides.items() if value is not None}
    return _checked({**_profile_fields(profile), **given})


def parameters() -> list[dict[str, str]]:
    """Return what can be set, one row per field of a study: parameter, accepts, default, meaning, all as text."""
    fields = Study.model_json_schema()["properties"].items()
    return [
        {
            "parameter": name,
            "accepts": _accepted(field),
            "default": json.dumps(field["default"]),
            "meaning": field["description"],
        }
        for name, field in fields
        if "default" in field  # every field but the profile, which is asked for by itself
    ]


def _accepted(schema: Mapping[str, Any]) -> str:
    """Return in words what a JSON schema of a field accepts."""
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    if schema["type"] == "array":
        return f"list, each {_accepted(schema['items'])}"
    kinds = {"integer": "whole number", "number": "number", "boolean": "true or false", "string": "text"}
    limits = {
        "minimum": "at least",
        "exclusiveMinimum": "above",
        "maximum": "at most",
        "multipleOf": "multiple of",
    }
    return ", ".join(
        [
            kinds[schema["type"]],
            *(f"{words} {schema[key]}" for key, words in limits.items() if key in schema),
        ]
    )


def profile_names() -> list[str]:
    """Return the names of the profiles that can be asked for."""
    return sorted(path.stem for path in PROFILES_FOLDER.glob("*.yml"))


def _number(value: Any) -> Any:
    """PyYAML takes `1e-3` for text (YAML 1.1 asks for a point and a sign); YAML 1.2 and JSON take it for a number."""
    if not isinstance(value, str) or not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+", value, re.ASCII):
        return value
    number = float(value)
    return int(number) if number.is_integer() else number


def _profile_fields(profile: str) -> dict[str, Any]:
    if profile not in profile_names():
        raise StudyError(f"unknown profile {profile!r}: choose one of {', '.join(profile_names())}")
    try:
        return {"profile": profile, **read_yaml(PROFILES_FOLDER / f"{profile}.yml")}
    except ValueError as error:
        raise StudyError(f"profile {profile}: {error}") from error


def _checked(fields: Mapping[str, Any]) -> Study:
    try:
        return Study(**fields)
    except ValidationError as error:
        raise StudyError(_sentence(error.errors()[0])) from None  # one sentence: the first problem


def _sentence(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"unknown parameter {where!r}: a study has {', '.join(Study.model_fields)}"
    if error["type"] == "tuple_type":
        return f"parameter {where!r}: expected a list such as {[error['input']]}, given {error['input']!r}"
    return f"parameter {where!r}: {error['msg'].removeprefix('Value error, ')}, given {error['input']!r}"
