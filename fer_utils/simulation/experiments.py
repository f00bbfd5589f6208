"""Control experiments on made-up predictions: each analysis put to worlds whose truth is known, many times.

A scenario is a world and the questions asked of every draw of it. Where nothing is planted, speaking is a false
alarm; where something is, the interval should hold the truth. How often is a share of the repeats, so it has an
interval of its own (Clopper & Pearson 1934), at 99 %, since there are many rows to read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from fer_utils.published.scores import ALPHA
from fer_utils.simulation.worlds import World, draw

COVERAGE_NEEDED: Final = 0.93
"""How often a 95 % interval must hold the truth: bootstrap intervals are approximate, two points are allowed."""

SURENESS: Final = 0.99
"""Confidence level of the share of repeats itself."""


class Kind(StrEnum):
    """What a yes means, which decides how often it may come."""

    ALARM_OF_TEST = "false alarm of a test"
    ALARM_OF_INTERVAL = "false alarm of an interval"
    ALARM_OF_ONE_SIDE = "false alarm of one side of an interval"
    HOLDS_TRUTH = "interval holds the truth"
    FOUND = "found what was planted"
    WARNING = "what the analysis would do if it were made otherwise"


ALLOWED: Final = {
    Kind.ALARM_OF_TEST: (0.0, ALPHA),
    Kind.ALARM_OF_INTERVAL: (0.0, 1 - COVERAGE_NEEDED),
    Kind.ALARM_OF_ONE_SIDE: (0.0, (1 - COVERAGE_NEEDED) / 2),
    Kind.HOLDS_TRUTH: (COVERAGE_NEEDED, 1.0),
}
"""The share of repeats that is allowed; kinds that are not here are for information."""


@dataclass(frozen=True)
class Draw:
    """One draw of a world: predictions joined with faces, and the draws and seed for the analysis."""

    joined: pd.DataFrame
    world: World
    draws: int
    seed: int


@dataclass(frozen=True)
class Scenario:
    """A world, what is true in it, and the questions (words, kind) that `ask` answers by yes or no in their order.

    `in_full_only` marks those that take too long for every build of the book.
    """

    name: str
    truth: str
    size: str
    world: World
    questions: tuple[tuple[str, Kind], ...]
    ask: Callable[[Draw], tuple[bool, ...]]
    in_full_only: bool = False


def simulate(scenario: Scenario, repeats: range, draws: int, seed: int) -> pd.DataFrame:
    """Return the answers of some repeats of a scenario: one row a repeat, one bool column a question.

    A repeat depends on the seed, the scenario's name and its own number alone.
    """
    rows = []
    for repeat in repeats:
        key = (*scenario.name.encode(), repeat)
        own, inner = np.random.SeedSequence(seed, spawn_key=key).generate_state(2).tolist()
        rows.append(scenario.ask(Draw(draw(scenario.world, own), scenario.world, draws, inner)))
    return pd.DataFrame(rows, columns=[words for words, _ in scenario.questions], index=repeats)


def rates(scenario: Scenario, answers: pd.DataFrame) -> pd.DataFrame:
    """Return one row a question: how often it was answered by yes, the interval of that share, and whether it may be.

    Columns: scenario, truth, size, question, kind, yes, repeats, rate, low, high, allowed_low, allowed_high, kept.
    Shares are from 0 to 1. `kept` is False only if the whole interval lies outside what is allowed; it is missing
    where nothing is asked for.
    """
    rows = []
    for words, kind in scenario.questions:
        yes, repeats = int(answers[words].sum()), len(answers)
        share = binomtest(yes, repeats).proportion_ci(SURENESS, method="exact")
        least, most = ALLOWED.get(kind, (np.nan, np.nan))
        kept = bool(share.low <= most and share.high >= least) if kind in ALLOWED else None
        rows.append((scenario.name, scenario.truth, scenario.size, words, str(kind), yes, repeats, yes / repeats,
                     float(share.low), float(share.high), least, most, kept))  # fmt: skip
    columns = ["scenario", "truth", "size", "question", "kind", "yes", "repeats", "rate", "low", "high",
               "allowed_low", "allowed_high", "kept"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).astype({"kept": "boolean"})


def controls(scenarios: Sequence[Scenario], repeats: int, draws: int, seed: int = 0) -> pd.DataFrame:
    """Return the rates of scenarios, each repeated so often, in this process.

    `draws` are those of each bootstrap and of each shuffling test; for tests to be exact at their level, one more
    than them times the level should be a whole number (Phipson & Smyth 2010): 99 or 999, say.
    """
    return pd.concat(
        [rates(scenario, simulate(scenario, range(repeats), draws, seed)) for scenario in scenarios],
        ignore_index=True,
    )
