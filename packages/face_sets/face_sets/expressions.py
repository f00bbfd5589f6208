"""The seven expressions and their order, and the mapping of any data set's codes onto them."""

from collections.abc import Mapping
from typing import Final

EXPRESSIONS: Final = ("neutral", "fear", "happiness", "sadness", "surprise", "anger", "disgust")
"""The order of the paper's abstract; class `k` of every model is `EXPRESSIONS[k]`."""

CHANCE: Final = 1 / len(EXPRESSIONS)
"""Accuracy of guessing among seven equally frequent expressions."""

PROBABILITY_COLUMNS: Final = tuple(f"p_{expression}" for expression in EXPRESSIONS)
"""Columns of the `predictions` table, in class order."""


def check_codes(codes: Mapping[str, str | None], where: str) -> None:
    """Check a data set's label codes: each maps onto one of the seven or onto None, which drops it.

    Raises ValueError naming `where` (the manifest, say) and the offending code.
    """
    for code, expression in codes.items():
        if expression is not None and expression not in EXPRESSIONS:
            raise ValueError(
                f"{where}: code {code!r} maps onto {expression!r}, which is not one of the seven expressions "
                f"({', '.join(EXPRESSIONS)}); use null to drop it"
            )
