"""The verdict on each claim, and the scoreboard: what was published, what we have, from which kind of data."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from fer_utils.analysis.claims import Claim, ClaimError, Quantity
from fer_utils.analysis.evidence import Evidence, Tables, Unavailable, compute, training_sets

REPRODUCED: Final = "reproduced"
NOT_REPRODUCED: Final = "not reproduced"
PARTLY_TESTABLE: Final = "partly testable"
NOT_TESTABLE: Final = "not testable here"
VERDICTS: Final = (REPRODUCED, NOT_REPRODUCED, PARTLY_TESTABLE, NOT_TESTABLE)

DECIDING: Final = ("licensed", "phone")
"""The kinds of data that may settle a claim: licensed faces, and times measured on a real Moto G6."""

TRAINING_SETS_CLAIM: Final = "training-sets"
NOTHING: Final = "—"

UNITS: Final = {"count": "", "latency": "ms", "score": "%", "lowest_group": "%"}
"""Of quantities whose claim publishes no number; all others are in points."""


class Decision(NamedTuple):
    """When a claim counts as reproduced: from evidence, published number and margin; in words without and with margin."""

    holds: Callable[[Evidence, float, float], bool]
    words: tuple[str, str]


RULES: Final[Mapping[str, Decision]] = {
    "within": Decision(
        lambda ours, published, margin: abs(ours.value - published) <= margin,
        ("equal to the published value", "no further than {margin} {unit} from the published value"),
    ),
    "at least": Decision(
        lambda ours, published, margin: ours.value >= published - margin,
        ("no less than the published value", "no more than {margin} {unit} below the published value"),
    ),
    "above zero": Decision(lambda ours, *_: ours.low > 0, ("the whole interval above zero",) * 2),
    "measured": Decision(lambda *_: True, ("a time was measured",) * 2),
}
"""The rules that decide a verdict, by `claims.Rule.kind`."""


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
    holds = RULES[claim.rule.kind].holds(evidence, claim.published or 0.0, claim.rule.margin)
    return (REPRODUCED if holds else NOT_REPRODUCED), rule_in_words(claim)


def rule_in_words(claim: Claim) -> str:
    """Return when a claim counts as reproduced, in words; empty for one that no table could test."""
    if claim.rule is None:
        return ""
    margin, unit = f"{claim.rule.margin:g}", "points" if claim.unit == "%" else claim.unit
    plain, with_margin = RULES[claim.rule.kind].words
    return f"rule: {with_margin.format(margin=margin, unit=unit) if claim.rule.margin else plain}"


def _row(claim: Claim, tables: Tables, needed_sets: int) -> dict[str, object]:
    own, lacking = _attempt(claim.quantity, tables)
    if own is not None:
        word, reason = verdict(claim, own, len(training_sets(tables)), needed_sets)
    else:
        word, reason = NOT_TESTABLE, claim.untestable or f"needs {claim.needs}; {lacking}"
    shown = own or _attempt(claim.synthetic_analogue, tables)[0]
    return {
        "claim_id": claim.id, "statement": claim.statement,
        "published": "in words" if claim.published is None else _with_unit(claim.published, claim),
        "ours": NOTHING if shown is None else _in_words(shown, claim),
        "ours_low": np.nan if shown is None else shown.low,
        "ours_high": np.nan if shown is None else shown.high,
        "data_kind": "none" if shown is None else shown.data_kind,
        "verdict": word, "reason": reason,
    }  # fmt: skip


def _attempt(quantity: Quantity | None, tables: Tables) -> tuple[Evidence | None, str]:
    if quantity is None:
        return None, "nothing here is like it"
    try:
        return compute(quantity, tables), ""
    except Unavailable as lack:
        return None, str(lack)


def _in_words(evidence: Evidence, claim: Claim) -> str:
    shown = claim.quantity or claim.synthetic_analogue
    kind = shown.kind if shown else ""
    unit = claim.unit or UNITS.get(kind, "points")
    ends = "" if np.isnan(evidence.low) else f" [{evidence.low:.1f}, {evidence.high:.1f}]"
    number = f"{evidence.value:.{0 if kind == 'count' else 1}f}"
    return f"{number}{' ' if unit else ''}{unit}{ends} ({evidence.data_kind})"


def _with_unit(number: float, claim: Claim) -> str:
    plain = f"{number:g}" if number == round(number) else f"{number:.2f}"
    return f"{plain} {claim.unit}".strip()
