"""The verdict on each claim, and the scoreboard: what was published, what we have, from which kind of data."""

from collections.abc import Sequence
from typing import Final

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


def scoreboard(claims: Sequence[Claim], tables: Tables) -> pd.DataFrame:
    """Return one row per claim: claim_id, statement, published, ours, ours_low, ours_high, data_kind, verdict, reason.

    `published` and `ours` are texts with their unit, `ours` with its interval and the kind of data it is from;
    the ends are in the claim's unit. Where a claim cannot be tested its synthetic analogue is shown, and named so.
    """
    needed = [claim.published for claim in claims if claim.id == TRAINING_SETS_CLAIM]
    if not needed or needed[0] is None:
        raise ClaimError(
            f"the claims lack {TRAINING_SETS_CLAIM!r}, which says how many sets a full test needs"
        )
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
    return (REPRODUCED if _holds(claim, evidence) else NOT_REPRODUCED), rule_in_words(claim)


def _holds(claim: Claim, evidence: Evidence) -> bool:
    rule, number = claim.rule, claim.published
    if rule is None or rule.kind == "measured":
        return rule is not None
    if rule.kind == "above zero" or number is None:
        return evidence.low > 0
    if rule.kind == "within":
        return abs(evidence.value - number) <= rule.margin
    return evidence.value >= number - rule.margin


def rule_in_words(claim: Claim) -> str:
    """Return when a claim counts as reproduced, in words; empty for one that no table could test."""
    if claim.rule is None:
        return ""
    margin, unit = claim.rule.margin, "points" if claim.unit == "%" else claim.unit
    words = {
        "within": f"no further than {margin:g} {unit} from" if margin else "equal to",
        "at least": f"no more than {margin:g} {unit} below" if margin else "no less than",
    }
    if claim.rule.kind in words:
        return f"rule: {words[claim.rule.kind]} the published value"
    return "rule: " + (
        "a time was measured" if claim.rule.kind == "measured" else "the whole interval above zero"
    )


def _row(claim: Claim, tables: Tables, needed_sets: int) -> dict[str, object]:
    own, lacking = _attempt(claim.quantity, tables)
    if own is not None:
        word, reason = verdict(claim, own, len(training_sets(tables)), needed_sets)
    else:
        word, reason = NOT_TESTABLE, claim.untestable or f"needs {claim.needs}; {lacking}"
    shown = own or _attempt(claim.synthetic_analogue, tables)[0]
    return {
        "claim_id": claim.id,
        "statement": claim.statement,
        "published": "in words" if claim.published is None else _with_unit(claim.published, claim),
        "ours": NOTHING if shown is None else _in_words(shown, claim),
        "ours_low": np.nan if shown is None else shown.low,
        "ours_high": np.nan if shown is None else shown.high,
        "data_kind": "none" if shown is None else shown.data_kind,
        "verdict": word,
        "reason": reason,
    }


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
