"""The verdict on each claim, and the scoreboard: what was published, what we have, from which kind of data.

An interval gives one of three verdicts: it allows only what the claim says (reproduced), only what differs from it by
the smallest amount of interest or more (contradicted), or both (cannot tell). `simulation.operating_characteristics`
shows how often each verdict is given in worlds whose truth is known.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from expression_scores.copies import TRAINING_SD
from expression_scores.printed_scores import ALPHA
from fer_utils.analysis.claims import READINGS, Claim, ClaimError, Quantity, Rule
from fer_utils.analysis.estimates import Estimate
from fer_utils.analysis.evidence import Evidence, Tables, Unavailable, compute, training_sets

REPRODUCED: Final = "reproduced"
CONTRADICTED: Final = "contradicted"
CANNOT_TELL: Final = "cannot tell"
PARTLY_TESTABLE: Final = "partly testable"
NOT_TESTABLE: Final = "not testable here"
VERDICTS: Final = (REPRODUCED, CONTRADICTED, CANNOT_TELL, PARTLY_TESTABLE, NOT_TESTABLE)

DECIDING: Final = ("licensed", "phone")
"""The kinds of data that may settle a claim: licensed faces, and times measured on a real Moto G6."""

TRAINING_SETS_CLAIM: Final = "training-sets"
NOTHING: Final = "—"

UNITS: Final = {"count": "", "latency": "ms", "score": "%", "lowest_group": "%", "score_on_phone": "%"}
"""Of each kind of quantity; all others are in points."""


class Decision(NamedTuple):
    """What an interval must be for a verdict, given published number and margin, and that in words."""

    reproduced: Callable[[Estimate | Evidence, float, float], bool]
    contradicted: Callable[[Estimate | Evidence, float, float], bool]
    words: str
    without_margin: str = ""
    """The words where the margin is zero, if they differ."""


RULES: Final[Mapping[str, Decision]] = {
    "equal": Decision(
        lambda ours, published, _: ours.value == published,
        lambda ours, published, _: ours.value != published,
        "reproduced if equal to the published value, contradicted if not",
    ),
    "within": Decision(
        lambda ours, published, margin: published - margin < ours.low and ours.high < published + margin,
        lambda ours, published, margin: ours.low >= published + margin or ours.high <= published - margin,
        "reproduced if the whole interval lies less than {margin} from the published value, contradicted if all of it lies "
        "farther away",
    ),
    "at least": Decision(
        lambda ours, published, margin: ours.low >= published - margin,
        lambda ours, published, margin: ours.high < published - margin,
        "reproduced if the whole interval lies no more than {margin} below the published value, contradicted if all of it "
        "lies lower",
        "reproduced if no part of the interval lies below the published value, contradicted if all of it does",
    ),
    "above zero": Decision(
        lambda ours, _, margin: ours.low > 0 and ours.high >= margin,
        lambda ours, _, margin: ours.high < margin and ours.low <= 0,
        "reproduced if the whole interval lies above zero and reaches {margin}, contradicted if it does not and all of it "
        "lies below {margin}",
        "reproduced if the whole interval lies above zero, contradicted if all of it lies below zero",
    ),
    "gap": Decision(
        lambda ours, published, _: (
            ours.p_value <= ALPHA and ours.named_worst and ours.low <= published <= ours.high
        ),
        lambda ours, _, margin: ours.high < margin,
        "reproduced if a permutation test at the level of {alpha} finds that groups differ, a named group is the worst and "
        "the interval contains the published value; contradicted if the whole interval lies below {margin}",
    ),
    "runs": Decision(
        lambda ours, published, margin: ours.value >= published - margin,
        lambda *_: False,
        "reproduced if the file that was timed is no more than {margin} below the published value; never contradicted",
    ),
}
"""The rules that decide a verdict, by `claims.Rule.kind`."""


def judge(rule: Rule, published: float | None, ours: Estimate | Evidence) -> str:
    """Return what a rule says of an interval: reproduced, contradicted or cannot tell; the last also without ends."""
    if np.isnan([ours.value, ours.low, ours.high]).any():
        return CANNOT_TELL
    decision, values = RULES[rule.kind], (ours, published or 0.0, rule.margin)
    if decision.reproduced(*values):
        return CANNOT_TELL if rule.never_reproduced else REPRODUCED
    return CONTRADICTED if decision.contradicted(*values) else CANNOT_TELL


def of_readings(quantity: Quantity) -> list[Quantity]:
    """Return a quantity by every reading of the word that the abstract uses for its metric."""
    metric = getattr(quantity, "metric", None)
    return (
        [quantity.model_copy(update={"metric": each}) for each in READINGS[metric]] if metric else [quantity]
    )


def agreed(words: Sequence[str]) -> str:
    """Return the verdict that all readings give; cannot tell where they differ.

    >>> agreed(["reproduced", "cannot tell"])
    'cannot tell'
    """
    return words[0] if len(set(words)) == 1 else CANNOT_TELL


def scoreboard(claims: Sequence[Claim], tables: Tables) -> pd.DataFrame:
    """Return one row per claim: claim_id, statement, published, ours, ours_low, ours_high, data_kind, verdict, reason.

    `published` and `ours` are texts with their unit, `ours` with its interval and the kind of data it is from;
    the ends are in the claim's unit. Where a claim cannot be tested its synthetic analogue is shown, and named so.
    """
    needed = [claim.published for claim in claims if claim.id == TRAINING_SETS_CLAIM]
    if not needed or needed[0] is None:
        raise ClaimError(f"the claims lack {TRAINING_SETS_CLAIM!r}: how many sets a full test needs")
    return pd.DataFrame([_row(claim, tables, int(needed[0])) for claim in claims])


def verdict(claim: Claim, evidence: Evidence, sets: int, needed_sets: int) -> tuple[str, str]:
    """Return the verdict word for evidence of the claim's own quantity, and the reason in words.

    `sets` of the `needed_sets` licensed training sets are there. This is the only place that gives a verdict.
    """
    if claim.rule is None:
        return NOT_TESTABLE, str(claim.untestable)
    if evidence.data_kind not in DECIDING:
        return NOT_TESTABLE, f"needs {claim.needs}; what is here is {evidence.data_kind}"
    shortfalls = list(evidence.shortfalls)
    if evidence.data_kind == "licensed" and sets < needed_sets:
        shortfalls.append(f"{sets} of {needed_sets} licensed training sets are here")
    if shortfalls:
        return PARTLY_TESTABLE, "; ".join(shortfalls)
    reasons = [rule_in_words(claim)]
    if evidence.trainings == 1:
        sd = f"{100 * TRAINING_SD:g}"
        reasons.append(
            f"one training of each network: the interval allows for a standard deviation of {sd} points"
        )
    return judge(claim.rule, claim.published, evidence), "; ".join(reasons)


def rule_in_words(claim: Claim) -> str:
    """Return which verdict an interval gives, in words; empty for a claim that no table could test."""
    if claim.rule is None:
        return ""
    unit = claim.unit if claim.unit not in ("%", "") else "points"
    decision = RULES[claim.rule.kind]
    words = decision.words if claim.rule.margin else decision.without_margin or decision.words
    return f"rule: {words.format(margin=f'{claim.rule.margin:g} {unit}', alpha=f'{100 * ALPHA:g} %')}"


def _row(claim: Claim, tables: Tables, needed_sets: int) -> dict[str, object]:
    readings = of_readings(claim.quantity) if claim.quantity else [None]
    attempts = [_attempt(each, tables) for each in readings]
    found = [evidence for evidence, _ in attempts if evidence is not None]
    if len(found) == len(attempts):
        given = [verdict(claim, each, len(training_sets(tables)), needed_sets) for each in found]
        word, reason = agreed([each for each, _ in given]), given[0][1]
        if len({each for each, _ in given}) > 1:
            said = [f"{_metric(q)}: {each}" for q, (each, _) in zip(readings, given, strict=True)]
            reason = f"the readings of the paper's word differ ({', '.join(said)}); {reason}"
    else:
        word = NOT_TESTABLE
        reason = claim.untestable or f"needs {claim.needs}; {attempts[0][1] or attempts[-1][1]}"
    unmatched = _attempt(claim.unmatched, tables)[0]
    if not found and unmatched and unmatched.data_kind in DECIDING:
        word = PARTLY_TESTABLE
    shown = found[0] if found else unmatched or _attempt(claim.synthetic_analogue, tables)[0]
    ours = NOTHING if shown is None else _in_words(shown, claim, bool(found))
    if unmatched:
        plain = f"{_in_words(unmatched, claim, is_own=True)} between copies that are not matched"
        ours = f"{ours}, {plain}" if found else plain
    return {
        "claim_id": claim.id, "statement": claim.statement,
        "published": "in words" if claim.published is None else _with_unit(claim.published, claim),
        "ours": ours,
        "ours_low": np.nan if shown is None else shown.low,
        "ours_high": np.nan if shown is None else shown.high,
        "data_kind": "none" if shown is None else shown.data_kind,
        "verdict": word, "reason": reason,
    }  # fmt: skip


def _metric(quantity: Quantity | None) -> str:
    return str(getattr(quantity, "metric", "")).replace("_", " ")


def _attempt(quantity: Quantity | None, tables: Tables) -> tuple[Evidence | None, str]:
    if quantity is None:
        return None, "nothing here is like it"
    try:
        return compute(quantity, tables), ""
    except Unavailable as lack:
        return None, str(lack)


def _in_words(evidence: Evidence, claim: Claim, is_own: bool) -> str:
    shown = claim.quantity if is_own else claim.synthetic_analogue
    kind = shown.kind if shown else ""
    unit = UNITS.get(kind, "points")
    has_ends = evidence.low < evidence.high
    ends = f" [{evidence.low:.1f}, {evidence.high:.1f}]" if has_ends else ""
    number = f"{evidence.value:.{0 if kind == 'count' else 1}f}"
    return f"{number}{' ' if unit else ''}{unit}{ends} ({evidence.data_kind})"


def _with_unit(number: float, claim: Claim) -> str:
    plain = f"{number:g}" if number == round(number) else f"{number:.2f}"
    return f"{plain} {claim.unit}".strip()
