"""What was published: the abstract's claims, each with the rule for a verdict on it, and numbers from other sources.

`data_manifests/claims.yml` holds every number and every comparative statement of the abstract, each restated in our
words, and `data_manifests/published.yml` the numbers that stand elsewhere. Published numbers come from nowhere else.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from face_sets.folders import PROJECT_FOLDER
from face_sets.validation import first_problem, yaml_content
from fer_utils.study import Architecture, Cohort, Precision, Technique

CLAIMS_FILE: Final = PROJECT_FOLDER / "data_manifests" / "claims.yml"
PUBLISHED_FILE: Final = PROJECT_FOLDER / "data_manifests" / "published.yml"

Metric = Literal["accuracy", "balanced_accuracy", "macro_f1", "weighted_f1"]
READINGS: Final[dict[Metric, tuple[Metric, ...]]] = {
    "accuracy": ("accuracy", "balanced_accuracy"),
    "macro_f1": ("macro_f1", "weighted_f1"),
}
"""What the abstract's "accuracy" and "F1" may mean, for it names no average; a claim is judged by every reading."""

Unit = Literal["%", "points", "ms", "times", ""]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
Words = Annotated[str, Field(min_length=1)]
Source = Annotated[str, Field(pattern=r"^[a-z]+[0-9]{4}[a-z]*$", description="key in book/references.bib")]
E = TypeVar("E", bound=BaseModel)
V = TypeVar("V")


class ClaimError(ValueError):
    """A file of published numbers is not what it should be; the message names the entry and the remedy."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OfFaces(_Entry):
    """Something computed from float networks' predictions of the test children of one data set."""

    dataset: str
    cohort: Cohort
    metric: Metric
    children: Literal["sample", "fixed"] = Field(
        default="sample",
        description="the tested children stand for others like them, or for themselves alone",
    )


class OfRun(OfFaces):
    """Something computed from one network's predictions, or from those of copies of it."""

    architecture: Architecture


class OfGroups(OfRun):
    """Something computed from one network's predictions of the groups of a column."""

    column: str


class Score(OfRun):
    """A metric of one network, %."""

    kind: Literal["score"]


class ScoreDifference(OfRun):
    """A metric of one network trained on one cohort minus that of its copy trained on another, points."""

    kind: Literal["score_difference"]
    minus: Cohort


class LeadOverOthers(OfRun):
    """A metric of one network minus that of the best of the others, same cohort, points."""

    kind: Literal["lead_over_others"]
    networks: int = Field(ge=2, description="how many networks there must be")


class SmallestDifference(OfFaces):
    """A metric of the copy trained on one cohort minus that of the copy trained on another, where it is least, points."""

    kind: Literal["smallest_difference"]
    minus: Cohort
    networks: int = Field(ge=2, description="how many networks there must be")


class LowestGroup(OfGroups):
    """A metric in the group where it is lowest, %."""

    kind: Literal["lowest_group"]


class GroupDifference(OfGroups):
    """A metric over the higher groups minus that over the lower ones, points; if no higher ones are named, all others."""

    kind: Literal["group_difference"]
    lower: tuple[str, ...] = Field(min_length=1)
    higher: tuple[str, ...] = ()


class LargestGap(OfGroups):
    """The best group's metric minus the worst's, points; if lower groups are named, the worst is one of them."""

    kind: Literal["largest_gap"]
    lower: tuple[str, ...] = ()


class OfFile(_Entry):
    """Something measured of one exported file on a device."""

    architecture: Architecture
    cohort: Cohort
    technique: Technique
    precision: Precision
    image_size: int = Field(ge=32)
    threads: int = Field(ge=1)
    device_kind: Literal["phone", "host", "predicted", "browser"]


class Latency(OfFile):
    """The median time of one inference of one exported file, ms."""

    kind: Literal["latency"]


class ScoreOnPhone(OfFile):
    """A metric of the very file that was timed, %; it says nothing of other children or training runs."""

    kind: Literal["score_on_phone"]
    dataset: str
    metric: Metric


class Count(_Entry):
    """How many of the things named the study had; a training cohort counts if every network has it."""

    kind: Literal["count"]
    among: tuple[Cohort, ...] = ()
    of: Literal[
        "licensed training sets", "networks", "training cohorts", "expressions", "network and technique pairs"
    ]


Quantity = Annotated[
    Score | ScoreDifference | LeadOverOthers | SmallestDifference | LowestGroup | GroupDifference | LargestGap
    | Latency | ScoreOnPhone | Count,
    Field(discriminator="kind"),
]  # fmt: skip


class Rule(_Entry):
    """Which verdict an interval gives; `fer_utils.analysis.verdicts` applies it.

    `margin` is the smallest difference of interest, in the claim's unit. equal: a count is. within: from the published
    value. at least: below the published value. above zero: above zero. gap: between groups. runs: below the published
    value, of a file that ran.
    """

    kind: Literal["equal", "within", "at least", "above zero", "gap", "runs"]
    margin: float = Field(default=0.0, ge=0)
    because: str = Field(min_length=1)
    never_reproduced: bool = Field(
        default=False, description="the interval may contradict the claim, and no more"
    )


class Claim(_Entry):
    """One number or one comparison of the abstract."""

    id: Name
    statement: Words
    published: float | None
    unit: Unit = ""
    metric: Words = Field(description="what is measured, as far as the source says it")
    needs: Words = Field(description="what a test of the claim needs")
    source: Source
    shown: str = Field(
        pattern=r"^[a-z0-9_]+#[a-z0-9-]+$", description="page#figure or page#section of the book"
    )
    quantity: Quantity | None = None
    rule: Rule | None = None
    unmatched: Quantity | None = Field(
        default=None, description="the same between copies that learned from unlike sets: shown, never judged"
    )
    untestable: Words | None = Field(default=None, description="why no table here could test it")
    synthetic_analogue: Quantity | None = None
    beside: tuple[Name, ...] = Field(
        default=(), description="numbers of others, by id, that are shown with it"
    )

    @model_validator(mode="after")
    def _testable_or_not(self) -> Self:
        if (self.quantity is None) != (self.rule is None):
            raise ValueError("`quantity` and `rule` come together")
        if (self.quantity is None) == (self.untestable is None):
            raise ValueError("give either `quantity` with `rule`, or `untestable` with the reason")
        if self.rule and self.rule.kind != "above zero" and self.published is None:
            raise ValueError(f"the rule {self.rule.kind!r} needs a published number")
        return self


class Printed(_Entry, strict=True):
    """One number as it was printed."""

    id: Name
    what: Words
    printed: str = Field(pattern=r"^\d+(\.\d+)?$", description="the digits as printed, quoted in the file")
    unit: Literal["%", "share", "ms", "times", "photographs", "children"]
    metric: Words | None = None
    group: Words | None = Field(default=None, description="the ethnic group that a count is of")
    source: Source
    secondary: bool = Field(default=False, description="known from a summary; the source was not read")

    @property
    def value(self) -> float:
        """The number, in `unit`."""
        return float(self.printed)


class Counted(_Entry, strict=True):
    """The parameters of one network's graph, counted by this project."""

    network: Words
    head: Literal["common", "own"]
    outputs: int = Field(ge=2)
    parameters: int = Field(ge=1)


class Published(_Entry, strict=True):
    """The whole file of numbers that stand outside the abstract."""

    numbers: list[Printed] = Field(min_length=1)
    counted: list[Counted] = Field(min_length=1)


@cache
def load_claims(path: Path = CLAIMS_FILE) -> list[Claim]:
    """Return the claims of a file, checked, in its order.

    Raises ClaimError, in one sentence, for a file that is not YAML, a claim with a missing, unknown or ill-typed
    field, or an id that is repeated.
    """
    entries = _read(path)
    if not isinstance(entries, list) or not entries:
        raise ClaimError(f"{path} should hold a list of claims")
    names = [entry.get("id") if isinstance(entry, dict) else None for entry in entries]
    named = zip(names, entries, strict=True)
    claims = [_checked(Claim, e, f"{path}, claim {name or entries.index(e) + 1}") for name, e in named]
    _check_ids([claim.id for claim in claims], "claim", path)
    return claims


@cache
def load_published(path: Path = PUBLISHED_FILE) -> Published:
    """Return the numbers of a file, checked, in its order (entries are counted from 0); errors as `load_claims`."""
    found = _checked(Published, _read(path), str(path))
    _check_ids([number.id for number in found.numbers], "number", path)
    return found


def published(claim_id: str) -> float:
    """Return the published number of a claim, in the claim's unit; raises ClaimError where there is none."""
    known = {claim.id: claim.published for claim in load_claims() if claim.published is not None}
    return _known(known, claim_id)


def printed(number_id: str) -> Printed:
    """Return one number that stands outside the abstract; raises ClaimError for an unknown id."""
    return _known({number.id: number for number in load_published().numbers}, number_id)


def children_by_group() -> dict[str, int]:
    """Return how many children CAFE has in each ethnic group, in the order of the file."""
    return {number.group: int(number.value) for number in load_published().numbers if number.group}


def _read(path: Path) -> object:
    try:
        return yaml_content(path)
    except ValueError as error:
        raise ClaimError(str(error)) from error


def _checked(kind: type[E], entry: object, place: str) -> E:
    try:
        return kind.model_validate(entry)
    except ValidationError as error:
        raise ClaimError(f"{place}: {first_problem(error)}") from None


def _check_ids(ids: list[str], thing: str, path: Path) -> None:
    if repeated := sorted({name for name in ids if ids.count(name) > 1}):
        raise ClaimError(f"{path}: the id {repeated[0]!r} is given to more than one {thing}; rename one")


def _known(values: dict[str, V], name: str) -> V:
    if name not in values:
        raise ClaimError(f"no published number under {name!r}; there are {', '.join(values)}")
    return values[name]
