"""How often each rule gives each verdict in worlds whose truth is known: boards of CAFE's size, judged as real ones are.

A photograph is classified correctly where the sum of its child's ease, its own and the network's luck exceeds a threshold
(a probit model; Emrich & Piedmonte 1991). The child's ease is the same for all networks, so that photographs of a child
and networks on a photograph resemble each other. A training with another seed moves all of a network's scores.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from expression_scores.copies import Answers, Copy
from expression_scores.metrics import Counts, Floats, scores_of_confusions
from expression_scores.printed_scores import ALPHA
from face_sets.code_digests import own_code_digest
from face_sets.expressions import EXPRESSIONS
from face_sets.files import atomic_path, digest
from face_sets.folders import MANIFESTS_FOLDER
from face_sets.processes import usable_cores
from fer_utils.analysis import claims
from fer_utils.analysis.claims import Claim, load_claims, published
from fer_utils.analysis.estimates import Estimate, estimate
from fer_utils.analysis.verdicts import CANNOT_TELL, CONTRADICTED, REPRODUCED, agreed, judge, of_readings
from fer_utils.simulation.simulated_predictions import SHARED, faces_of, like_cafe
from fer_utils.study import ARCHITECTURES

TABLE: Final = MANIFESTS_FOLDER / "operating_characteristics.csv"
"""The shipped table; `fer validate --rules` makes it."""

RULES_CODE: Final = (
    "fer_utils.analysis.verdicts",
    "fer_utils.analysis.estimates",
    "expression_scores.copies",
    __name__,
)
"""The modules whose code the table is keyed by, with the claims; boards judged again tell of code below them."""

BOARDS: Final = 1000
"""A rate of 5 % is then known to 1.4 points either way (95 %)."""

FIRST: Final = 5
"""Boards of each cell that are judged again by `make test`."""

DRAWS: Final = 199
"""Of the permutation test; with one they make its level exact (Phipson & Smyth 2010)."""

ALIKE: Final = 0.3
"""Correlation of a child's photographs in the probit model: that of being right is then 0.2, within the 0.1 to 0.25
that photographs of one child show (design of `simulated_predictions`)."""

LEAST_RATIO: Final = 5.0
"""A verdict for which the evidence is less than five times as likely where the paper is true is worth little; our choice,
above the 3 that Jeffreys (1961) calls barely worth mentioning."""

MATCHED: Final = "class_matched_"
"""Cohorts that claims about the age of training faces are judged by."""

NAMED: Final = ("South Asian", "African American")
BEST: Final = "mobilenet_v3_large"
LEAD: Final = 3.0
"""Of the best network over the others, points, where the paper is true: it prints none, so our choice."""

COLUMNS: Final = ("claim_id", "world", "training_sd", "trainings", "truth", "boards", REPRODUCED, CONTRADICTED,
                  CANNOT_TELL, "first", "rules")  # fmt: skip
"""Of the table: counts of boards by verdict; `first` are those of the first boards, by their initials."""


@dataclass(frozen=True)
class World:
    """What is true, in % and points: the best network's copies, its lead, and how far the named groups stay behind.

    `studio` is how much of the children's copy's lead over the adults' is of their pictures: matched copies lack it.
    """

    all: float
    children: float
    adults: float
    lead: float = 0.0
    gap: float = 0.0
    studio: float = 0.0

    def accuracy(self, copy: Copy) -> float:
        """Return the accuracy of a copy, architecture and cohort, %; a matched copy learned as much as the whole one."""
        architecture, cohort = copy
        level = float(getattr(self, cohort.removeprefix(MATCHED))) - (architecture != BEST) * self.lead
        return level + (cohort == f"{MATCHED}adults") * self.studio

    def of_groups(self, copy: Copy) -> dict[str, float]:
        """Return the accuracy of a copy in every group, %; their mean over children is its accuracy."""
        sizes = dict(like_cafe().groups)
        others = self.accuracy(copy) + self.gap * sum(sizes[name] for name in NAMED) / sum(sizes.values())
        return {name: others - self.gap * (name in NAMED) for name in sizes}


@cache
def worlds() -> dict[str, World]:
    """Return the worlds by name, the first as published."""
    everything, children, adults = (published(f"accuracy-{each}") for each in ("all", "children", "adults"))
    gap, less = published("accuracy-gap"), 3.0
    return {
        "as published": World(everything, children, adults, LEAD, gap),
        "three points lower": World(everything - less, children - less, adults - less, LEAD, gap - less),
        "effects three points smaller": World(
            everything - less, children, adults + less, LEAD - less, gap - less
        ),
        "no effect": World(children, children, children),
        "studio, not age": World(everything, children, adults, LEAD, gap, studio=children - adults),
        "reversed": World(adults + children - everything, adults, children, -LEAD, -gap),
    }


def cells() -> list[tuple[str, float, int]]:
    """Return world, standard deviation of trainings (points) and number of trainings, for each row of a claim."""
    noise = {name: (0.0, 3.0) for name in worlds()} | {"as published": (0.0, 1.0, 2.0, 3.0)}
    return [(name, sd, k) for k, name in product((1, 5), worlds()) for sd in noise[name]]


@cache
def judged_claims() -> tuple[Claim, ...]:
    """Return the claims that are judged from predictions; counts have no luck, and a time is that of one phone."""
    return tuple(
        claim for claim in load_claims() if claim.rule and isinstance(claim.quantity, claims.OfFaces)
    )


def copies() -> list[Copy]:
    """Return the copies that claims are judged by: the best network's, and of all networks those that are compared."""
    compared = product(ARCHITECTURES, ("all", f"{MATCHED}children", f"{MATCHED}adults"))
    return [*compared, (BEST, "children"), (BEST, "adults")]


def board(world: str, sd: float, trainings: int, number: int) -> tuple[Answers, dict[Copy, Floats]]:
    """Return one board of answers, and what each copy of the published world is expected to answer to its children.

    The expected counts, (7, 7) by copy, are those that numbers printed for the same photographs come from.
    """
    key = (*world.encode(), int(sd), trainings, number)
    generator = np.random.default_rng(np.random.SeedSequence(0, spawn_key=key))
    child, truth, groups = _photographs()
    common = np.sqrt(ALIKE) * generator.normal(size=len(groups))[child]
    common += np.sqrt((1 - ALIKE) * SHARED) * generator.normal(size=len(child))
    own = float(np.sqrt((1 - ALIKE) * (1 - SHARED)))
    counts: dict[Copy, Counts] = {}
    expected: dict[Copy, Floats] = {}
    for copy in copies():
        moved = sd * generator.normal(size=(trainings, 1))
        threshold = _ease(worlds()[world], copy, moved)[:, child]
        luck = generator.standard_normal((trainings, len(child)), dtype=np.float32)
        right = common + own * luck > -threshold
        wrong = (truth + generator.integers(1, len(EXPRESSIONS), right.shape, dtype=np.int8)) % len(
            EXPRESSIONS
        )
        counts[copy] = _counted(child, truth, np.where(right, truth, wrong), len(groups))
        if copy[0] == BEST and not copy[1].startswith(MATCHED):
            ease = _ease(worlds()["as published"], copy, np.zeros((1, 1)))[0, child]
            expected[copy] = _expected(truth, ndtr((common + ease) / own))
    return Answers(counts, groups, DRAWS, seed=0), expected


def verdicts_of(claim: Claim, answers: Answers, expected: Mapping[Copy, Floats]) -> str:
    """Return the verdict on a claim from one board, by all readings of its metric."""
    words = []
    for q in of_readings(claim.quantity):  # type: ignore[arg-type]
        printed = claim.published
        if isinstance(q, claims.Score):
            printed = 100 * float(scores_of_confusions(expected[q.architecture, q.cohort])[q.metric])
        words.append(judge(claim.rule, printed, estimate(q, answers)))  # type: ignore[arg-type]
    return agreed(words)


def truth_of(claim: Claim, world: World) -> str:
    """Return the verdict that the truth itself would get: "cannot tell" between nothing and the smallest of interest."""
    q, as_published = claim.quantity, next(iter(worlds().values()))
    value = _true_value(q, world)
    if isinstance(q, claims.Score | claims.LargestGap):  # by how much it differs from what is printed
        value += float(claim.published or 0.0) - _true_value(q, as_published)
    value = round(value, 6)
    if claim.rule and claim.rule.kind == "above zero" and value <= 0:
        return CONTRADICTED  # also of the best network, for whose lead no smallest size is set
    rule = claim.rule and claim.rule.model_copy(update={"never_reproduced": False})
    known = Estimate(value, value, value, 0.0 if world.gap else 1.0, named_worst=world.gap > 0)
    return judge(rule, claim.published, known)  # type: ignore[arg-type]


def rows_of(cell: tuple[str, float, int], boards: int) -> pd.DataFrame:
    """Return the rows of one cell, a row per claim."""
    given: dict[str, list[str]] = {claim.id: [] for claim in judged_claims()}
    for number in range(boards):
        drawn = board(*cell, number)
        for claim in judged_claims():
            given[claim.id].append(verdicts_of(claim, *drawn))
    return pd.DataFrame(
        [
            (claim.id, *cell, truth_of(claim, worlds()[cell[0]]), boards,
             *(given[claim.id].count(word) for word in (REPRODUCED, CONTRADICTED, CANNOT_TELL)),
             initials(given[claim.id][:FIRST]), rules_digest())
            for claim in judged_claims()
        ],
        columns=list(COLUMNS),
    )  # fmt: skip


def initials(words: list[str]) -> str:
    """Return verdicts as letters.

    >>> initials(["reproduced", "cannot tell", "contradicted"])
    'r?c'
    """
    return "".join({REPRODUCED: "r", CONTRADICTED: "c", CANNOT_TELL: "?"}[word] for word in words)


def in_full(path: Path = TABLE, boards: int = BOARDS) -> Iterator[str]:
    """Write the whole table to a CSV file once all is done, on all processors; yield the name of each cell."""
    parts = []
    with ProcessPoolExecutor(usable_cores()) as pool:
        for cell, rows in zip(cells(), pool.map(rows_of, cells(), [boards] * len(cells())), strict=True):
            parts.append(rows)
            yield "{}, {:g} points, {} training(s)".format(*cell)
    with atomic_path(path) as temporary:
        pd.concat(parts).to_csv(temporary, index=False)


def read_table(path: Path = TABLE) -> pd.DataFrame:
    """Return the shipped table; raises ValueError if it was made by other rules."""
    found = pd.read_csv(path, dtype={"rules": "str", "first": "str"})
    if set(found["rules"]) != {rules_digest()}:
        raise ValueError(f"{path.name} was made by other rules than today's: run `fer validate --rules`, and list "
                         "the change in data_manifests/rule_changes.csv")  # fmt: skip
    return found


@cache
def rules_digest() -> str:
    """Return a digest of the rules: their code without comments, and what the claims say to it."""
    said = [(c.id, c.published, c.quantity and c.quantity.model_dump(), c.rule and c.rule.model_dump(exclude={"because"}))
            for c in load_claims()]  # fmt: skip
    return digest(own_code_digest(*RULES_CODE), repr(said))[:12]


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Return by claim and number of trainings: power, false reproduced, false contradicted (0 to 1), likelihood ratio.

    Power is the share reproduced as published, least and most. A false "reproduced" is counted where the truth contradicts
    the claim, a false "contradicted" where the truth agrees with it; each is the largest of all cells. `ratio` is the
    least of power to false "reproduced" at one spread of trainings: infinite where nothing false was reproduced, not a
    number where nothing true was.
    """
    shares = rows.assign(
        yes=rows[REPRODUCED] / rows["boards"], no=rows[CONTRADICTED] / rows["boards"],
        is_published=rows["world"] == next(iter(worlds())), is_false=rows["truth"] == CONTRADICTED,
    )  # fmt: skip
    found = []
    for (claim, trainings), part in shares.groupby(["claim_id", "trainings"], sort=False):
        ours, false = part[part["is_published"]], part[part["is_false"]]
        pairs = ours.merge(false, on="training_sd", suffixes=("", "_false"))
        ratios = pairs["yes"] / pairs["yes_false"]
        found.append((claim, trainings, ours["yes"].min(), ours["yes"].max(), false["yes"].max(),
                      part.loc[part["truth"] == REPRODUCED, "no"].max(),
                      ratios[pairs["yes"] > 0].min()))  # fmt: skip
    columns = [
        "claim_id",
        "trainings",
        "least_power",
        "most_power",
        "false_reproduced",
        "false_contradicted",
        "ratio",
    ]
    return pd.DataFrame(found, columns=columns)


def _true_value(q: object, world: World) -> float:
    match q:
        case claims.Score():
            return world.accuracy((q.architecture, q.cohort))
        case claims.ScoreDifference():
            return world.accuracy((q.architecture, q.cohort)) - world.accuracy((q.architecture, q.minus))
        case claims.LeadOverOthers():
            return world.lead
        case claims.SmallestDifference():
            return world.accuracy((BEST, q.cohort)) - world.accuracy((BEST, q.minus))
        case claims.LowestGroup():
            return min(world.of_groups((q.architecture, q.cohort)).values())
        case claims.GroupDifference() | claims.LargestGap():
            return world.gap
    raise TypeError(f"no truth is known of {q}")


@cache
def _photographs() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.str_]]:
    """Each photograph's child and expression, and each child's group."""
    faces = faces_of(like_cafe())
    child = np.asarray(faces["subject_id"].astype(int), dtype=np.int64)
    expression = np.asarray(faces["expression"].cat.codes, dtype=np.int64)
    return (
        child,
        expression,
        np.asarray(faces.loc[~faces.duplicated("subject_id"), "ethnicity"], dtype=np.str_),
    )


def _ease(world: World, copy: Copy, moved: Floats) -> Floats:
    """Each training's and child's place on the probit scale, (trainings, children), moved by so many points."""
    accuracy = world.of_groups(copy)
    means = np.array([accuracy[name] for name in _photographs()[2]]) + moved
    return np.asarray(ndtri(np.clip(means / 100, ALPHA, 1 - ALPHA)))


def _counted(
    child: NDArray[np.int64], truth: NDArray[np.int64], answer: NDArray[np.int64], children: int
) -> Counts:
    size = len(EXPRESSIONS)
    places = ((np.arange(len(answer))[:, None] * children + child) * size + truth) * size + answer
    counts = np.bincount(places.ravel(), minlength=len(answer) * children * size * size)
    return counts.reshape(len(answer), children, size, size)


def _expected(truth: NDArray[np.int64], right: Floats) -> Floats:
    size = len(EXPRESSIONS)
    shown, read = (np.bincount(truth, weights, size) for weights in (None, right))
    off = (shown - read)[:, None] / (size - 1) * (1 - np.eye(size))
    return np.asarray(off + np.diag(read))
