"""The claims as pages: the rules, what others report, and links to each claim's rule, figure, table and notebook."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from fer_utils.analysis.claims import Claim, Quantity, printed, published
from fer_utils.analysis.verdicts import rule_in_words
from fer_utils.reporting.build import render
from fer_utils.reporting.pages import Link
from fer_utils.reporting.provenance import Provenance

PAGE: Final = "claims"
"""Name of the page of rules, and of the folder that holds the scoreboard as data."""

NOT_SHOWN: Final = ("kind", "metric", "dataset")
"""Fields of a quantity that its sentence names already."""


def claims_pages(
    board: pd.DataFrame, claims: Sequence[Claim], figures: Path, source: Provenance
) -> Mapping[str, str]:
    """Return the generated pages about claims, MyST text by name: rules, and what others report.

    `board` is that of `analysis.verdicts`, `figures` the folder of all pages' figures.
    """
    rows = {str(row["claim_id"]): row for row in board.to_dict("records")}
    sections = [(c, rows[c.id], _rule(c), links(c, figures, "../")[1:]) for c in claims]
    return {
        PAGE: render("claims.md.j2", sections=sections, source=source, in_words=quantity_in_words),
        "comparators": comparators_part(),
    }


def links(claim: Claim, figures: Path, base: str = "") -> tuple[Link, ...]:
    """Return the links from a claim to its rule, figure, table and notebook, as far as they exist.

    `base` leads from the page of the links to the folder `book/`. A section that is not a figure has its table in the
    text and is linked as `section`.
    """
    page, name = claim.shown.split("#")
    is_stage = page[:1].isdigit()
    has_table = (figures / page / f"{name}.csv").is_file()
    shown = "figure" if has_table or is_stage else "section"
    addresses = {
        "rule": f"stages/{PAGE}.html#claim-{claim.id}",
        shown: f"{'stages/' if is_stage else ''}{page}.html#{name}",
        "table": f"figures/{page}/{name}.csv" if has_table else "",
        "notebook": f"stages/{page}.ipynb" if is_stage else "",
    }
    return tuple(Link(text, base + address) for text, address in addresses.items() if address)


def comparators_part() -> str:
    """Return what others report on CAFE beside the study's best network, each with its measure and its source."""
    return render("comparators.md.j2", printed=printed, published=published)


def quantity_in_words(quantity: Quantity) -> str:
    """Return what a quantity is: the sentence that describes its kind, and the values of its fields."""
    what = re.sub(r"\s+", " ", (type(quantity).__doc__ or "").strip()).replace("`", "")
    values: dict[str, Any] = quantity.model_dump()
    fields = [f"{name.replace('_', ' ')} {_value(value)}" for name, value in values.items()
              if name not in NOT_SHOWN and value not in ((), None)]  # fmt: skip
    on = f"on {values['dataset']}, " if "dataset" in values else ""
    metric = f"{str(values['metric']).replace('_', ' ')}; " if "metric" in values else ""
    return f"{what} Here: {metric}{on}{'; '.join(fields)}."


def _rule(claim: Claim) -> str:
    if claim.rule is None:
        return ""
    words = rule_in_words(claim).removeprefix("rule: ")
    return f"{_sentence(words)} {_sentence(claim.rule.because)}"


def _sentence(text: str) -> str:
    plain = text.strip().removesuffix(".")
    return f"{plain[:1].upper()}{plain[1:]}."


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value).replace("_", " ")
