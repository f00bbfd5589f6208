"""Simulation experiments: each analysis applied to many samples of a population whose truth is known.

A scenario is a population and the questions asked of every sample of it. Where nothing is planted, a positive answer is
a false positive; where something is, the interval should contain the truth. The rate of positive answers is a share of
the repeats with an interval of its own (Clopper & Pearson 1934), at 99 %, since there are many rows to read. Few repeats
seldom exceed a limit, however wrong an analysis is: each rate comes with the power to see a breach of `BREACH`, and is
said to keep its limit only where that power is four in five.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.stats import beta, binom, binomtest

from expression_scores.printed_scores import ALPHA, POWER

COVERAGE_NEEDED: Final = 0.93
"""Coverage required of a 95 % interval: bootstrap intervals are approximate, two points are allowed."""

CONFIDENCE: Final = 0.99
"""Confidence level of the rate's own interval."""


BREACH: Final = 0.03
"""Beyond its limit by so much, a rate must be noticed: an interval that covers 90 % instead of 93, say. Our choice."""


class Kind(StrEnum):
    """What a positive answer means, which decides how often it may occur."""

    FALSE_POSITIVE_OF_TEST = "false positive of a test"
    FALSE_POSITIVE_OF_INTERVAL = "false positive of an interval"
    FALSE_POSITIVE_OF_ONE_SIDE = "false positive of one side of an interval"
    COVERAGE = "coverage of an interval"
    POWER = "power to detect the planted effect"
    UNUSED = "false positive of an analysis that is not used"


ALLOWED: Final = {
    Kind.FALSE_POSITIVE_OF_TEST: (0.0, ALPHA),
    Kind.FALSE_POSITIVE_OF_INTERVAL: (0.0, 1 - COVERAGE_NEEDED),
    Kind.FALSE_POSITIVE_OF_ONE_SIDE: (0.0, (1 - COVERAGE_NEEDED) / 2),
    Kind.COVERAGE: (COVERAGE_NEEDED, 1.0),
}
"""The rate that is allowed; kinds that are not here are for information."""

RATES: Final = ("scenario", "truth", "size", "question", "kind", "yes", "repeats", "rate", "low", "high",
                "allowed_low", "allowed_high", "within_limit", "power")  # fmt: skip
"""Columns of a table of rates, which are from 0 to 1."""


@dataclass(frozen=True)
class Scenario:
    """What is true, in which sizes, and the questions (words, kind) that `ask` answers by yes or no in their order.

    `ask` takes the seed of a sample, the seed of its analysis and the number of resamples; processes must be able to
    share it. `in_full_only` marks those that take too long for every build of the book.
    """

    name: str
    truth: str
    size: str
    questions: tuple[tuple[str, Kind], ...]
    ask: Callable[[int, int, int], tuple[bool, ...]]
    in_full_only: bool = False


def simulate(scenario: Scenario, repeats: range, draws: int, seed: int) -> pd.DataFrame:
    """Return one row per repeat, which depends on seed, scenario and own number alone, and a bool column per question."""
    rows = []
    for repeat in repeats:
        key = (*scenario.name.encode(), repeat)
        own, inner = np.random.SeedSequence(seed, spawn_key=key).generate_state(2).tolist()
        rows.append(scenario.ask(own, inner, draws))
    return pd.DataFrame(rows, columns=[words for words, _ in scenario.questions], index=repeats)


def rates(scenario: Scenario, answers: pd.DataFrame) -> pd.DataFrame:
    """Return one row per question, columns `RATES`: the rate of positive answers, its interval, and its limits.

    `within_limit` is False only if the whole interval lies outside what is allowed; missing where no limit is set.
    `power` is the probability that so many repeats show a breach of `BREACH` (`kept` says what may be concluded).
    """
    rows = []
    for words, kind in scenario.questions:
        yes, repeats = int(answers[words].sum()), len(answers)
        share = binomtest(yes, repeats).proportion_ci(CONFIDENCE, method="exact")
        least, most = ALLOWED.get(kind, (np.nan, np.nan))
        within = bool(overlaps(share.low, share.high, least, most)) if kind in ALLOWED else None
        power = _power(repeats, least, most) if kind in ALLOWED else np.nan
        rows.append((scenario.name, scenario.truth, scenario.size, words, str(kind), yes, repeats, yes / repeats,
                     float(share.low), float(share.high), least, most, within, power))  # fmt: skip
    return pd.DataFrame(rows, columns=list(RATES)).astype({"within_limit": "boolean"})


def overlaps(low: Any, high: Any, least: Any, most: Any) -> Any:
    """Return whether an interval reaches into what is allowed, missing ends of which allow anything; arrays as well.

    >>> [bool(overlaps(low, 0.067, 0.0, 0.05)) for low in (0.046, 0.051)]
    [True, False]
    """
    return np.logical_not(np.logical_or(low > most, high < least))


def kept(rates: pd.DataFrame) -> pd.Series:
    """Return whether each rate keeps its limit: yes, no, cannot tell (too few repeats to see a breach), or no limit.

    >>> kept(pd.DataFrame({"within_limit": [True, True, False, None], "power": [0.9, 0.1, 0.1, None]})).to_list()
    ['yes', 'cannot tell', 'no', '']
    """
    limited, holds = rates["within_limit"].notna(), rates["within_limit"].fillna(False).astype(bool)
    words = np.where(holds, np.where(rates["power"] >= POWER, "yes", "cannot tell"), "no")
    return pd.Series(np.where(limited, words, ""), index=rates.index)


def _power(repeats: int, least: float, most: float) -> float:
    """The probability that the exact interval of so many repeats lies beyond the limit, where the rate does by BREACH."""
    yes = np.arange(repeats + 1)
    tail = (1 - CONFIDENCE) / 2
    low = np.where(yes > 0, beta.ppf(tail, yes, repeats - yes + 1), 0)
    high = np.where(yes < repeats, beta.ppf(1 - tail, yes + 1, repeats - yes), 1)
    true = least - BREACH if least > 0 else most + BREACH
    return float(binom.pmf(yes, repeats, true)[(low > most) | (high < least)].sum())


def run_scenarios(scenarios: Sequence[Scenario], repeats: int, draws: int, seed: int = 0) -> pd.DataFrame:
    """Return the rates of scenarios, each repeated so often, in this process.

    For tests to be exact at their level, `draws` and one times the level should be whole (Phipson & Smyth 2010): 99, say.
    """
    parts = [rates(each, simulate(each, range(repeats), draws, seed)) for each in scenarios]
    return pd.concat(parts, ignore_index=True)


def for_readers(rates: pd.DataFrame) -> pd.DataFrame:
    """Return rates as text for a table on a page: rate, interval and limit in percent."""
    limits = [
        "none" if pd.isna(low) else f"at most {100 * high:g} %" if low == 0 else f"at least {100 * low:g} %"
        for low, high in zip(rates["allowed_low"], rates["allowed_high"], strict=True)
    ]
    ends = zip(rates["low"], rates["high"], strict=True)
    return pd.DataFrame({
        "what is true": rates["truth"],
        "sizes of": rates["size"],
        "what is asked": rates["question"],
        "rate": [f"{100 * rate:.1f} %" for rate in rates["rate"]],
        f"{100 * CONFIDENCE:.0f} % interval": [f"{100 * low:.1f} to {100 * high:.1f} %" for low, high in ends],
        "limit": limits,
        "power of this check": ["none" if pd.isna(p) else f"{100 * p:.0f} %" for p in rates["power"]],
        "within limit": kept(rates),
    })  # fmt: skip
