"""The paper's claims: what was published, what would test it, and the rule for a verdict, fixed before any run.

`data_manifests/claims.yml` holds every number and every comparative statement of the abstract, each restated in
our words. It is the only place that a published number may come from.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from face_sets.folders import PROJECT_FOLDER
from fer_utils.study import Architecture, Cohort, Precision, Technique

CLAIMS_FILE: Final = PROJECT_FOLDER / "data_manifests" / "claims.yml"

Metric = Literal["accuracy", "balanced_accuracy", "macro_f1", "weighted_f1"]
Unit = Literal["%", "points", "ms", "times", ""]


class ClaimError(ValueError):
    """The file of claims is not what it should be; the message names the claim and the remedy."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OfFaces(_Entry):
    """Something computed from float networks' predictions of the test children of one data set."""

    dataset: str
    cohort: Cohort
    metric: Metric


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
    """A metric of one network trained on `cohort`, minus that of its copy trained on `minus`, points."""

    kind: Literal["score_difference"]
    minus: Cohort


class LeadOverOthers(OfRun):
    """A metric of one network minus that of the best of the others, same cohort, points."""

    kind: Literal["lead_over_others"]
    networks: int = Field(ge=2, description="how many networks there must be")


class SmallestDifference(OfFaces):
    """A metric of the copy trained on `cohort` minus that of the copy trained on `minus`, where it is least, points."""

    kind: Literal["smallest_difference"]
    minus: Cohort
    networks: int = Field(ge=2, description="how many networks there must be")


class LowestGroup(OfGroups):
    """A metric in the group where it is lowest, %."""

    kind: Literal["lowest_group"]


class GroupDifference(OfGroups):
    """A metric over the groups `higher` minus that over the groups `lower`, points; none named: all others."""

    kind: Literal["group_difference"]
    lower: tuple[str, ...] = Field(min_length=1)
    higher: tuple[str, ...] = ()


class LargestGap(OfGroups):
    """The best group's metric minus the worst's, points; `lower`, if given, are those that may be worst."""

    kind: Literal["largest_gap"]
    lower: tuple[str, ...] = ()


class Latency(_Entry):
    """The median time of one inference of one exported file, ms."""

    kind: Literal["latency"]
    architecture: Architecture
    cohort: Cohort
    technique: Technique
    precision: Precision
    image_size: int = Field(ge=32)
    threads: int = Field(ge=1)
    device_kind: Literal["phone", "host", "predicted", "browser"]


class Count(_Entry):
    """A number of things that the study had."""

    kind: Literal["count"]
    of: Literal[
        "licensed training sets", "networks", "training cohorts", "expressions", "network and technique pairs"
    ]


Quantity = Annotated[
    Score | ScoreDifference | LeadOverOthers | SmallestDifference | LowestGroup | GroupDifference | LargestGap
    | Latency | Count,
    Field(discriminator="kind"),
]  # fmt: skip


class Rule(_Entry):
    """When a claim counts as reproduced.

    within: our value lies no further than `margin` from the published one, in its unit. at least: our value is
    no more than `margin` below the published one. above zero: our whole 95 % interval lies above zero.
    measured: there is a value.
    """

    kind: Literal["within", "at least", "above zero", "measured"]
    margin: float = Field(default=0.0, ge=0)
    because: str = Field(min_length=1)


class Claim(_Entry):
    """One number or one comparison of the abstract."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    statement: str = Field(min_length=1)
    published: float | None
    unit: Unit = ""
    metric: str = Field(min_length=1, description="what is measured, as far as the source says it")
    needs: str = Field(min_length=1, description="what a test of the claim needs")
    source: str = Field(pattern=r"^[a-z]+[0-9]{4}[a-z]*$", description="key in book/references.bib")
    shown: str = Field(
        pattern=r"^[a-z0-9_]+#[a-z0-9-]+$", description="page#figure of the book, or page#section"
    )
    quantity: Quantity | None = None
    rule: Rule | None = None
    untestable: str | None = Field(default=None, min_length=1, description="why no table here could test it")
    synthetic_analogue: Quantity | None = None

    @model_validator(mode="after")
    def _testable_or_not(self) -> "Claim":
        if (self.quantity is None) != (self.rule is None):
            raise ValueError("`quantity` and `rule` come together")
        if (self.quantity is None) == (self.untestable is None):
            raise ValueError("give either `quantity` with `rule`, or `untestable` with the reason")
        if self.rule and self.rule.kind in ("within", "at least") and self.published is None:
            raise ValueError(f"the rule {self.rule.kind!r} needs a published number")
        return self


def load_claims(path: Path = CLAIMS_FILE) -> list[Claim]:
    """Return the claims of a file, checked, in its order.

    Raises ClaimError, in one sentence, for a file that is not YAML, a claim with a missing, unknown or ill-typed
    field, or an id that is repeated.
    """
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ClaimError(f"{path} is not readable as YAML: {' '.join(str(error).split())}") from error
    if not isinstance(entries, list) or not entries:
        raise ClaimError(f"{path} should hold a list of claims")
    claims = [_checked(entry, number, path) for number, entry in enumerate(entries, start=1)]
    ids = [claim.id for claim in claims]
    if repeated := sorted({name for name in ids if ids.count(name) > 1}):
        raise ClaimError(f"{path}: the id {repeated[0]!r} is given to more than one claim; rename one")
    return claims


def published(claim_id: str) -> float:
    """Return the published number of a claim, in the claim's unit, for prose and figures.

    Raises ClaimError for an unknown claim or one that publishes no number.
    """
    known = _published_numbers()
    if claim_id not in known:
        raise ClaimError(f"no published number under {claim_id!r}; there are {', '.join(known)}")
    return known[claim_id]


@cache
def _published_numbers() -> dict[str, float]:
    return {claim.id: claim.published for claim in load_claims() if claim.published is not None}


def _checked(entry: object, number: int, path: Path) -> Claim:
    name = entry.get("id", f"number {number}") if isinstance(entry, dict) else f"number {number}"
    try:
        return Claim.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the claim"
        message = first["msg"].removeprefix("Value error, ")
        raise ClaimError(f"{path}, claim {name}: {where}: {message}") from None
