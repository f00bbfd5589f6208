"""What is known of each data set: one Croissant file a set, read and checked beyond what `mlcroissant` checks.

Croissant 1.1 (MLCommons) with its RAI vocabulary describes the set and the table that this project makes of it,
never its images. What only this project asks stands under the one key `fer:study`, plain JSON.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from face_sets.croissant import STUDY_KEY, ManifestError, check_document, read_document
from face_sets.expressions import EXPRESSIONS, check_codes
from face_sets.folders import MANIFESTS_FOLDER

OPEN_LICENCES: Final = (
    "https://creativecommons.org/licenses/by/",
    "https://creativecommons.org/publicdomain/",
    "https://www.apache.org/licenses/",
)
"""Licences that let a picture be shown or a model be given away; any other leaves both flags false."""


class StudyFields(BaseModel):
    """What this project asks of a data set and Croissant has no property for (the key `fer:study`)."""

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

    @field_validator("counts")
    @classmethod
    def _counts_known(cls, value: dict[str, int]) -> dict[str, int]:
        if unknown := sorted(set(value) - set(EXPRESSIONS)):
            raise ValueError(f"{', '.join(unknown)} not among {', '.join(EXPRESSIONS)}")
        return value

    @model_validator(mode="after")
    def _counts_agree(self) -> Self:
        if strange := sorted(set(self.counts) - set(self.expressions)):
            raise ValueError(f"counts: no code maps onto {', '.join(strange)}")
        if self.published_images is not None and sum(self.counts.values()) > self.published_images:
            raise ValueError("counts: they add up to more than published_images")
        return self


class Manifest(BaseModel):
    """A data set: Croissant's own properties that the book shows, `rai` as it stands, and the study's fields."""

    model_config = ConfigDict(frozen=True, strict=True)

    name: str = Field(min_length=1)
    description: str = Field(min_length=1)
    url: str = Field(pattern=r"^(https?://|urn:)\S+$")
    license: str = Field(pattern=r"^(https?://|urn:)\S+$")
    conditions: str = Field(min_length=1, alias="conditionsOfAccess")
    citation: str = Field(min_length=1, alias="citeAs")
    published: str = Field(pattern=r"^\d{4}(-\d{2}-\d{2})?$", alias="datePublished")
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    creators: list[str] = Field(min_length=1)
    rai: dict[str, str | list[str]]
    study: StudyFields

    @property
    def short_name(self) -> str:
        """The name up to its first comma, for tables."""
        return self.name.partition(",")[0]

    @model_validator(mode="after")
    def _flags_allowed(self) -> Self:
        flags = self.study.may_publish or self.study.may_release_model
        if flags and self.study.access != "own" and not self.license.startswith(OPEN_LICENCES):
            raise ValueError("may_publish and may_release_model need an open licence; set both to false")
        return self


def manifest_names() -> list[str]:
    """Return the names of the data sets that have a manifest."""
    return sorted(path.stem for path in MANIFESTS_FOLDER.glob("*.json"))


@cache
def load_manifest(name: str) -> Manifest:
    """Return the checked manifest of a data set.

    Raises ManifestError, in one sentence, for an unknown name or a file that is not a manifest.
    """
    path = MANIFESTS_FOLDER / f"{name}.json"
    if not path.is_file():
        raise ManifestError(f"no manifest {name!r}: there are {', '.join(manifest_names()) or 'none'}")
    return read_manifest(path)


def read_manifest(path: Path) -> Manifest:
    """Return the manifest in a file, checked in what `mlcroissant` lets pass.

    That is: name, description, url, creator and licence, the project's own fields, and `face_sets.croissant`.
    """
    document = read_document(path)
    check_document(document, path.name)
    creators = document.get("creator")
    fields = {
        **document,
        "creators": [_name_of(c, path.name) for c in creators] if isinstance(creators, list) else creators,
        "rai": {key: value for key, value in document.items() if key.startswith("rai:")},
        "study": document[STUDY_KEY],
    }
    try:
        return Manifest.model_validate(fields)
    except ValidationError as error:
        raise ManifestError(f"{path.name}: {_sentence(error)}") from None


def validate_manifest(path: Path) -> Manifest:
    """Check a manifest file by `mlcroissant` and by `read_manifest`; return it.

    Raises ManifestError with the first thing to mend.
    """
    import mlcroissant  # a second to import, and only this check needs it

    manifest = read_manifest(path)
    try:
        mlcroissant.Dataset(jsonld=str(path))
    except (mlcroissant.ValidationError, ValueError, KeyError, TypeError) as error:
        lines = [line.strip(" -") for line in str(error).splitlines() if line.strip().startswith("-")]
        raise ManifestError(f"{path.name}: not valid Croissant: {(lines or [str(error)])[0]}") from error
    return manifest


def manifest_of(dataset: str) -> Manifest:
    """Return the manifest that answers for a name in the tables' column `dataset`.

    Raises ManifestError if none does: a set that nobody described is not used.
    """
    for name in manifest_names():
        if dataset in load_manifest(name).study.datasets:
            return load_manifest(name)
    raise ManifestError(
        f"no manifest describes the data set {dataset!r}: write data_manifests/{dataset}.json"
    )


def _name_of(creator: Any, where: str) -> str:
    if not isinstance(creator, dict) or not creator.get("name"):
        raise ManifestError(f"{where}: each creator needs a name")
    return str(creator["name"])


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    message = str(first["msg"]).removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
