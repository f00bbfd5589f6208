"""What is known of each data set: one card per set in `data_manifests/cards`, read and checked.

A card holds what differs between sets; `face_sets.croissant` makes of each the Croissant 1.1 file (MLCommons, with its
RAI vocabulary) that stands beside them. Both describe a set and the table that is made of it, never its images.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from face_sets.expressions import EXPRESSIONS, check_codes
from face_sets.folders import MANIFESTS_FOLDER
from face_sets.validation import first_problem, read_yaml

CARDS_FOLDER: Final = MANIFESTS_FOLDER / "cards"

OPEN_LICENCES: Final = (
    "https://creativecommons.org/licenses/by/",
    "https://creativecommons.org/publicdomain/",
    "https://www.apache.org/licenses/",
)
"""Licences that let a picture be shown or a model be given away; any other leaves both flags false."""

Text = Annotated[str, Field(pattern=r"\S")]
RaiKey = Literal[
    "rai:annotationsPerItem", "rai:annotatorDemographics", "rai:dataAnnotationAnalysis", "rai:dataAnnotationPlatform",
    "rai:dataAnnotationProtocol", "rai:dataBiases", "rai:dataCollection", "rai:dataCollectionMissingData",
    "rai:dataCollectionRawData", "rai:dataCollectionTimeframe", "rai:dataCollectionType",
    "rai:dataImputationProtocol", "rai:dataLimitations", "rai:dataManipulationProtocol",
    "rai:dataPreprocessingProtocol", "rai:dataReleaseMaintenancePlan", "rai:dataSocialImpact", "rai:dataUseCases",
    "rai:machineAnnotationTools", "rai:personalSensitiveInformation",
]  # fmt: skip
"""The properties of the Croissant RAI specification 1.0; `mlcroissant` lets unknown ones pass."""

REQUIRED_RAI_KEYS: Final = (
    "rai:personalSensitiveInformation", "rai:dataBiases", "rai:dataLimitations", "rai:dataCollection",
    "rai:dataAnnotationProtocol", "rai:dataUseCases", "rai:dataSocialImpact",
)  # fmt: skip
"""Those that a set of faces must state."""


class ManifestError(ValueError):
    """A card or manifest is absent or not what it must be; the message names the file and what to fix."""


class StudyFields(BaseModel):
    """What a study must know of a data set and Croissant has no property for (its key `fer:study`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    datasets: list[str] = Field(min_length=1, description="names in the tables' column `dataset`")
    use: Literal["training", "testing", "external"] = Field(
        description="the one thing it may serve: `testing` and `external` sets are never trained on"
    )
    role: str = Field(min_length=1, description="what the study uses it for")
    access: Literal["none", "download", "request", "agreement", "own"] = Field(
        description="what stands before it: nothing, a download, a request, a signed agreement; or it is the reader's"
    )
    terms: str = Field(min_length=1, description="licence and terms in plain words")
    how_to_get: str = Field(min_length=1, description="who may have it, and how")
    age_groups: list[Literal["child", "adult", "unknown"]] = Field(
        min_length=1, description="values of the tables' column `age_group` that its images may have"
    )
    ages: str = Field(min_length=1)
    posing: str = Field(min_length=1, description="how the expressions came about, in a few words")
    subjects: int | None = Field(ge=1, description="people, as published")
    published_images: int | None = Field(ge=1, description="how many `counted` there are, as published")
    counted: str = Field(min_length=1, description="what is counted: images, faces, clips, ...")
    codes: dict[str, str | None] = Field(
        min_length=1, description="owner's code to expression; null drops it"
    )
    dropped: str = Field(min_length=1, description="what of the set is not used, and why")
    counts: dict[str, Annotated[int, Field(ge=1)]] = Field(
        description="`counted` by expression, as published; empty if not known"
    )
    counts_source: str = Field(min_length=1, description="who counted, and where it is printed")
    may_publish: bool = Field(description="whether its pictures may be shown")
    credit: str = Field(min_length=1, description="line that stands beside every picture shown")
    may_release_model: bool = Field(description="whether a model trained on it may be given away")

    @property
    def expressions(self) -> list[str]:
        """The expressions that the set's codes reach, in class order."""
        return [expression for expression in EXPRESSIONS if expression in self.codes.values()]

    @field_validator("codes")
    @classmethod
    def _codes_known(cls, value: dict[str, str | None]) -> dict[str, str | None]:
        check_codes(value, "codes")
        return value

    @model_validator(mode="after")
    def _counts_agree(self) -> Self:
        if strange := sorted(set(self.counts) - set(self.expressions)):
            raise ValueError(
                f"counts: no code maps onto {', '.join(strange)}, one of {', '.join(self.expressions)} does"
            )
        if self.published_images is not None and sum(self.counts.values()) > self.published_images:
            raise ValueError("counts: they add up to more than published_images")
        return self


class Manifest(BaseModel):
    """A data set as its card describes it: the properties of Croissant that differ between sets, and the study's."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Text
    description: Text
    url: str = Field(pattern=r"^(https?://|urn:)\S+$")
    license: str = Field(pattern=r"^(https?://|urn:)\S+$")
    creators: list[Text] = Field(min_length=1)
    creator_type: Literal["Person", "Organization"] = "Person"
    published: str = Field(pattern=r"^\d{4}(-\d{2}-\d{2})?$", description="year or date")
    version: str = Field("1.0.0", pattern=r"^\d+\.\d+\.\d+$")
    citation: Text
    conditions: Text = Field(description="conditions of access")
    usage: dict[Annotated[str, Field(pattern=r"^DUO_\d{7}$")], Text] = Field(
        {}, description="terms of use by their code in the Data Use Ontology"
    )
    rai: dict[RaiKey, Text | Annotated[list[Text], Field(min_length=1)]]
    study: StudyFields

    @property
    def short_name(self) -> str:
        """The name up to its first comma, for tables."""
        return self.name.partition(",")[0]

    @field_validator("rai")
    @classmethod
    def _required_stated(cls, value: dict[RaiKey, str | list[str]]) -> dict[RaiKey, str | list[str]]:
        if absent := [key for key in REQUIRED_RAI_KEYS if key not in value]:
            raise ValueError(f"{', '.join(absent)} must be filled in")
        return value

    @model_validator(mode="after")
    def _flags_allowed(self) -> Self:
        flags = self.study.may_publish or self.study.may_release_model
        if flags and self.study.access != "own" and not self.license.startswith(OPEN_LICENCES):
            raise ValueError("may_publish and may_release_model need an open licence; set both to false")
        return self


def manifest_names() -> list[str]:
    """Return the names of the data sets that have a card."""
    return sorted(path.stem for path in CARDS_FOLDER.glob("*.yml"))


@cache
def load_manifest(name: str) -> Manifest:
    """Return the checked card of a data set.

    Raises ManifestError, in one sentence, for an unknown name or a card that is not sound.
    """
    path = CARDS_FOLDER / f"{name}.yml"
    if not path.is_file():
        raise ManifestError(f"no manifest {name!r}: there are {', '.join(manifest_names()) or 'none'}")
    return read_card(path)


def read_card(path: Path) -> Manifest:
    """Return the card in a file; raises ManifestError with the first thing to fix."""
    try:
        return Manifest.model_validate(read_yaml(path))
    except ValidationError as error:
        raise ManifestError(f"{path.name}: {first_problem(error)}") from None
    except ValueError as error:
        raise ManifestError(str(error)) from error


def manifest_of(dataset: str) -> Manifest:
    """Return the manifest that answers for a name in the tables' column `dataset`.

    Raises ManifestError if none does: a set that nobody described is not used.
    """
    for name in manifest_names():
        if dataset in load_manifest(name).study.datasets:
            return load_manifest(name)
    raise ManifestError(
        f"no manifest describes the data set {dataset!r}: write data_manifests/cards/{dataset}.yml"
    )
