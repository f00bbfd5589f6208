"""Published numbers that stand outside the paper's abstract: what each is, in which unit, from which source.

`data_manifests/published.yml` is the only place that they come from; the abstract's own are in `claims.yml`.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from face_sets.folders import PROJECT_FOLDER

PUBLISHED_FILE: Final = PROJECT_FOLDER / "data_manifests" / "published.yml"

Words = Annotated[str, Field(min_length=1)]


class PublishedError(ValueError):
    """The file of published numbers is not what it should be; the message names the entry and the remedy."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Printed(_Entry):
    """One number as it was printed."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    what: Words
    printed: str = Field(pattern=r"^\d+(\.\d+)?$", description="the digits as printed, quoted in the file")
    unit: Literal["%", "share", "ms", "times", "photographs", "children"]
    metric: Words | None = None
    group: Words | None = Field(default=None, description="the ethnic group that a count is of")
    source: str = Field(pattern=r"^[a-z]+[0-9]{4}[a-z]*$", description="key in book/references.bib")
    secondary: bool = Field(
        default=False, description="known from a summary of the source, which was not read"
    )

    @property
    def value(self) -> float:
        """The number, in `unit`."""
        return float(self.printed)


class Counted(_Entry):
    """The parameters of one network's graph, counted by this project."""

    network: Words
    head: Literal["common", "own"]
    outputs: int = Field(ge=2)
    parameters: int = Field(ge=1)


class Published(_Entry):
    """The whole file."""

    numbers: list[Printed] = Field(min_length=1)
    counted: list[Counted] = Field(min_length=1)

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        ids = [number.id for number in self.numbers]
        if repeated := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"the id {repeated[0]!r} is given to more than one number; rename one")
        return self


@cache
def load_published(path: Path = PUBLISHED_FILE) -> Published:
    """Return the numbers of a file, checked, in its order.

    Raises PublishedError, in one sentence, for a file that is not YAML, an entry with a missing, unknown or
    ill-typed field, or an id that is repeated.
    """
    try:
        return Published.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise PublishedError(f"{path} is not readable as YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise PublishedError(
            f"{path}: {where}: {first['msg'].removeprefix('Value error, ')} (entries are counted from 0)"
        ) from None


def printed(number_id: str) -> Printed:
    """Return one number of the project's file; raises PublishedError for an unknown id."""
    known = {number.id: number for number in load_published().numbers}
    if number_id not in known:
        raise PublishedError(f"no published number under {number_id!r}; there are {', '.join(known)}")
    return known[number_id]


def children_by_group() -> dict[str, int]:
    """Return how many children CAFE has in each ethnic group, in the order of the file."""
    return {number.group: int(number.value) for number in load_published().numbers if number.group}
