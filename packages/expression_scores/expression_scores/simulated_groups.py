"""How often tests between groups err, and how often partly pooled intervals hold, in groups of children of given sizes.

Children's accuracies are beta distributed about their group's, so that photographs of one child correlate (Skellam 1948,
Journal of the Royal Statistical Society B 10); two networks meet the same children. The table is shipped, keyed by the
digest of the code whose results it holds.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import binomtest, norm

from expression_scores.group_tests import PRIMARY, group_tests
from expression_scores.groups import grouped_counts, largest_gap
from expression_scores.intervals import LEVEL, jackknife_errors, share_interval
from expression_scores.metrics import Floats, scores_of_confusions
from expression_scores.pooled_groups import pooled_groups
from expression_scores.printed_scores import ALPHA
from face_sets.code_digests import own_code_digest
from face_sets.expressions import EXPRESSIONS
from face_sets.files import atomic_path
from face_sets.folders import MANIFESTS_FOLDER
from face_sets.processes import usable_cores

TABLE: Final = MANIFESTS_FOLDER / "simulated_groups.csv"
"""The shipped table; `fer validate --groups` makes it."""

TRIED: Final = ("group_tests", "groups", "pooled_groups", "adjusted_groups", "intervals", "simulated_groups")
"""The modules of this package whose code the table is keyed by."""

ALIKE: Final = 0.2
"""Correlation between photographs of one child, within the 0.1 to 0.25 that are likely for CAFE."""

SHARE: Final = 0.6
GAP: Final = 0.2
"""Accuracy, and by how much the smallest group is read worse where a gap is planted: seen now and then by so few."""

SPREAD: Final = 0.2
"""Standard deviation between groups where they are pooled, in log odds: five points of accuracy."""

COVERAGE: Final = (0.93, 0.97)
NARROWER: Final = 0.75
"""What pooled intervals are held to: coverage, and the width at most of that of raw ones in the smallest group."""

FEW_CHILDREN: Final = 11
"""Up to so many pooled intervals have to be narrower; large groups gain little, and need not."""

REPEATS: Final = 2000
"""A rate of 5 % is then known to a point either way (95 %)."""

DRAWS: Final = 199
"""Of each permutation test; with one they make its level exact (Phipson & Smyth 2010)."""

BLOCK: Final = 50
FIRST: Final = 10  # repeats that a test does again
COLUMNS: Final = ("groups", "children", "photographs", "question", "value", "low", "high", "least", "most", "repeats",
                  "first", "code")  # fmt: skip


class Question(NamedTuple):
    """What is asked of each sample, and between which ends the mean of the answers is to lie."""

    words: str
    least: float
    most: float


NULL: Final = (
    Question("no group is read worse: the primary test is significant", 0.0, ALPHA),
    Question("no group is read worse: any test is significant", 0.0, ALPHA),
)
PLANTED: Final = (
    Question("the smallest group is read worse: a test is significant for two other groups", 0.0, ALPHA),
)
POOLED: Final = (
    Question("pooled intervals contain the truth, mean over groups", *COVERAGE),
    Question("the smallest group's raw interval contains the truth", *COVERAGE),
    Question("width of the smallest group's pooled interval, over that of the raw one", 0.0, NARROWER),
)
ASKED: Final = (*NULL, *PLANTED, *POOLED)


def sampled(
    generator: np.random.Generator,
    sizes: Sequence[int],
    photographs: int,
    accuracies: Floats,
    networks: int = 1,
) -> pd.DataFrame:
    """Return joined predictions of groups A, B, ... of so many children with so many photographs each."""
    child = np.arange(sum(sizes)).repeat(photographs)
    group = np.arange(len(sizes)).repeat(sizes)
    mean, strength = np.asarray(accuracies)[group], 1 / ALIKE - 1
    own = generator.beta(mean * strength, (1 - mean) * strength)[child]
    truth = np.arange(len(child)) % len(EXPRESSIONS)
    names = np.array(EXPRESSIONS)
    faces = pd.DataFrame({
        "face_id": np.arange(len(child)).astype(str), "dataset": "simulated", "subject_id": child.astype(str),
        "ethnicity": np.array([chr(ord("A") + code) for code in range(len(sizes))])[group][child],
        "expression": names[truth],
    })  # fmt: skip
    answers = [
        np.where(generator.random(len(child)) < own, truth, (truth + 1) % len(names)) for _ in range(networks)
    ]
    runs = [faces.assign(run_id=f"network {n}", predicted=names[each]) for n, each in enumerate(answers)]
    return pd.concat(runs, ignore_index=True)


def answers_of(sizes: Sequence[int], photographs: int, repeat: int) -> tuple[float, ...]:
    """Return the answers to `ASKED` of one repeat, which depends on the sizes and its number alone."""
    generator = np.random.default_rng([repeat, photographs, *sizes])
    smallest = int(np.argmin(sizes))
    alike = np.full(len(sizes), SHARE)
    none = _significant(sampled(generator, sizes, photographs, alike, 2), repeat)
    planted = sampled(generator, sizes, photographs, alike - GAP * (np.arange(len(sizes)) == smallest))
    found = _significant(planted, repeat)
    others = found["test"].str.contains(" and ") & ~found["test"].str.contains(
        chr(ord("A") + smallest), regex=False
    )
    truth = expit(logit(SHARE) + generator.normal(0, SPREAD, len(sizes)))
    joined = sampled(generator, sizes, photographs, truth)
    pooled = pooled_groups(joined, "ethnicity")
    low, high = pooled["low"].to_numpy(), pooled["high"].to_numpy()
    counts = list(grouped_counts(joined, "ethnicity")[0].values())[smallest]
    share = float(scores_of_confusions(counts.sum(axis=0))["accuracy"])
    raw = share_interval(share, jackknife_errors(counts, scores_of_confusions)["accuracy"], len(counts) - 1)
    return (
        float((none["role"] == PRIMARY).any()), float(len(none) > 0), float(others.any()),
        float(((low <= truth) & (truth <= high)).mean()), float(raw.low <= truth[smallest] <= raw.high),
        float((high - low)[smallest] / (raw.high - raw.low)),
    )  # fmt: skip


def _significant(joined: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return the significant rows of `group_tests`: none, and no others computed, where the primary one is silent."""
    first = joined[joined["run_id"] == "network 0"]
    if largest_gap(first, "ethnicity", "accuracy", DRAWS, seed).p_value > ALPHA:
        return pd.DataFrame({"role": [], "test": []}, dtype=str)
    found = group_tests(joined, "network 0", draws=DRAWS, seed=seed)
    return found[found["significant"]]


def rows_of(name: str, sizes: Sequence[int], photographs: int, answers: NDArray[np.float64]) -> pd.DataFrame:
    """Return the rows of one set of sizes from answers (repeats, questions): means with 95 % intervals, and limits.

    `first` is the mean of the first repeats, which tests do again.
    """
    rows = []
    for asked, given in zip(ASKED, answers.T, strict=True):
        reach = norm.ppf((1 + LEVEL) / 2) * given.std(ddof=1) / np.sqrt(len(given))
        low, high = given.mean() - reach, given.mean() + reach
        if set(given) <= {0.0, 1.0}:
            share = binomtest(int(given.sum()), len(given)).proportion_ci(method="exact")
            low, high = share.low, share.high
        most = np.nan if asked == POOLED[-1] and min(sizes) > FEW_CHILDREN else asked.most
        rows.append((name, " ".join(map(str, sizes)), photographs, asked.words, given.mean(), low, high, asked.least, most,
                     len(given), given[:FIRST].mean(), tried_code()))  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS)).round(4)


def in_full(
    sizes: Mapping[str, tuple[Sequence[int], int]], path: Path = TABLE, repeats: int = REPEATS
) -> Iterator[str]:
    """Write the table for sizes by name (children in each group, photographs of each child), on all processors.

    Yields each name when it is done; the file is written once all are.
    """
    parts = []
    with ProcessPoolExecutor(usable_cores()) as pool:
        for name, (groups, photographs) in sizes.items():
            one = [groups] * repeats, [photographs] * repeats, range(repeats)
            answers = np.array(list(pool.map(answers_of, *one, chunksize=BLOCK)))
            parts.append(rows_of(name, groups, photographs, answers))
            yield name
    with atomic_path(path) as temporary:
        pd.concat(parts).to_csv(temporary, index=False)


def for_readers(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table as text for a page: in percent, with intervals and limits."""
    limits = zip(table["least"], table["most"], strict=True)
    ends = zip(table["low"], table["high"], strict=True)
    return pd.DataFrame({
        "groups of children": table["groups"] + ": " + table["children"].str.replace(" ", ", "),
        "what is asked": table["question"],
        "answer, %": [f"{100 * value:.1f}" for value in table["value"]],
        "95 % interval": [f"{100 * low:.1f} to {100 * high:.1f}" for low, high in ends],
        "allowed, %": ["any" if pd.isna(most) else f"{100 * least:g} to {100 * most:g}" for least, most in limits],
    })  # fmt: skip


def read_table(path: Path = TABLE) -> pd.DataFrame:
    """Return the shipped table; raises ValueError if other code made it."""
    found = pd.read_csv(path, dtype={"code": "str"})
    if set(found["code"]) != {tried_code()}:
        raise ValueError(f"{path.name} was made by other code than today's: run `fer validate --groups`")
    return found


@cache
def tried_code() -> str:
    """Return the digest of the code that the table is keyed by."""
    return own_code_digest(*(f"expression_scores.{module}" for module in TRIED))[:12]
