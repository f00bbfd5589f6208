"""The claims as pages: the scoreboard with a way to each claim's rule, figure, table and notebook, and the rules."""

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from fer_utils.analysis.claims import Claim, Quantity, published
from fer_utils.analysis.verdicts import rule_in_words
from fer_utils.published.numbers import Printed, printed
from fer_utils.reporting.pages import Link, html_table
from fer_utils.reporting.provenance import Provenance

PAGE: Final = "claims"
"""Name of the page of rules, and of the folder that holds the scoreboard as data."""

NOT_SHOWN: Final = ("kind", "metric", "dataset")
"""Fields of a quantity that its sentence says already."""


@dataclass(frozen=True)
class Places:
    """Where the book shows a claim, as addresses relative to the folder `book/` of the rendered book."""

    rule: str
    figure: str
    table: str | None = None
    notebook: str | None = None

    @classmethod
    def of(cls, claim: Claim, figures: Path) -> "Places":
        """Return the places of a claim; `figures` is the folder of all pages' figures.

        A section that is no figure has its table in the text; a page that is no stage has no notebook.
        """
        rule = f"stages/{PAGE}.html#claim-{claim.id}"
        page, name = claim.shown.split("#")
        is_stage = page[:1].isdigit()
        behind = figures / page / f"{name}.csv"
        return cls(
            rule,
            figure=f"{'stages/' if is_stage else ''}{page}.html#{name}",
            table=f"figures/{page}/{name}.csv" if behind.is_file() else None,
            notebook=f"stages/{page}.ipynb" if is_stage else None,
        )

    def links(self, base: str = "") -> tuple[Link, ...]:
        """Return what there is as links, from a page that reaches the folder `book/` by `base`."""
        figure = "figure" if self.table or self.notebook else "section"
        named = {"rule": self.rule, figure: self.figure, "table": self.table, "notebook": self.notebook}
        return tuple(Link(name, base + address) for name, address in named.items() if address)


def scoreboard_page(board: pd.DataFrame, claims: Sequence[Claim], figures: Path) -> str:
    """Return the scoreboard as MyST Markdown, to be included in the book's first page.

    Columns of `board`: claim_id, statement, published, ours, data_kind, verdict, reason.
    """
    columns = {
        "statement": "claim", "published": "published", "ours": "here", "data_kind": "data",
        "verdict": "verdict", "reason": "why", "leads_to": "leads to",
    }  # fmt: skip
    places = {claim.id: Places.of(claim, figures).links() for claim in claims}
    linked = board.assign(leads_to=board["claim_id"].map(places))
    return html_table(linked[list(columns)].rename(columns=columns), cards=True)


def rules_page(board: pd.DataFrame, claims: Sequence[Claim], figures: Path, source: Provenance) -> str:
    """Return the page that tells for each claim what was published, what is computed, and the rule for a verdict."""
    rows = {str(row["claim_id"]): row for row in board.to_dict("records")}
    head = (
        f"({PAGE})=\n# The claims and their rules\n\nWhat was published, what a replication computes in its place, "
        "and the rule by which the one counts as the other. The rules stand in a file of the project that was written "
        "before any run on licensed faces; verdicts are computed from tables by these rules and by nothing else.\n\n"
        f'{source.line()} The scoreboard as <a href="../figures/{PAGE}/scoreboard.csv">data (CSV)</a>.\n\n'
    )
    return head + "\n".join(_section(c, rows[c.id], Places.of(c, figures)) for c in claims)


def _section(claim: Claim, row: Mapping[Hashable, Any], places: Places) -> str:
    ways = " · ".join(f'<a href="{link.address}">{link.text}</a>' for link in places.links("../")[1:])
    rule = (
        f"{rule_in_words(claim).removeprefix('rule: ')}. {_sentence(claim.rule.because)}"
        if claim.rule
        else ""
    )
    lines = {
        "Published": f"{row['published']} ({{cite:t}}`{claim.source}`)",
        "Called": claim.metric,
        "Computed in its place": quantity_in_words(claim.quantity) if claim.quantity else "",
        "Rule": _sentence(rule),
        "Why no table could test it": claim.untestable or "",
        "A test needs": claim.needs,
        "Here": f"{row['ours']}; {row['verdict']}",
        "Why": row["reason"] if claim.rule else "",
        "Where it is shown": ways,
    }
    listed = "".join(f"- *{name}:* {text}\n" for name, text in lines.items() if text)
    return f"(claim-{claim.id})=\n## {claim.statement}\n\n{listed}"


def quantity_in_words(quantity: Quantity) -> str:
    """Return what a quantity is: the sentence that describes its kind, and the values of its fields."""
    what = re.sub(r"\s+", " ", (type(quantity).__doc__ or "").strip()).replace("`", "")
    values: dict[str, Any] = quantity.model_dump()
    told = [f"{name.replace('_', ' ')} {_value(value)}" for name, value in values.items()
            if name not in NOT_SHOWN and value not in ((), None)]  # fmt: skip
    on = f"on {values['dataset']}, " if "dataset" in values else ""
    metric = f"{str(values['metric']).replace('_', ' ')}; " if "metric" in values else ""
    return f"{what} Here: {metric}{on}{'; '.join(told)}."


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value).replace("_", " ")


def _sentence(text: str) -> str:
    plain = text.strip()
    return plain[:1].upper() + plain[1:] + ("" if plain.endswith(".") or not plain else ".")


def comparators_part() -> str:
    """Return what others report on CAFE beside the study's best network, each with its measure and its source."""
    audit = [printed("audit-lowest"), printed("audit-highest")]
    rows = [_comparator(printed(name)) for name in ("before-reference", "reference-score", "preprint-score")]
    rows += [
        f"| MobileNetV3-Large of the study, trained on everything | {published('accuracy-all'):.2f} % | "
        "accuracy (not said whether balanced) | {cite:t}`banerjee2023` |",
        _comparator(printed("libreface-score")),
        _comparator(printed("libreface-raters")),
        f"| Five open networks that saw no children in training, lowest to highest | {audit[0].printed} to "
        f"{audit[1].printed} | {audit[0].metric} | {_source(audit[0])} |",
    ]
    return "| on CAFE | printed | called | source |\n| --- | --- | --- | --- |\n" + "\n".join(rows) + "\n"


def _comparator(number: Printed) -> str:
    return f"| {number.what} | {number.printed} {number.unit} | {number.metric} | {_source(number)} |"


def _source(number: Printed) -> str:
    return f"{{cite:t}}`{number.source}`" + (
        " (secondary: only a summary was read)" if number.secondary else ""
    )


def claims_pages(
    board: pd.DataFrame, claims: Sequence[Claim], figures: Path, source: Provenance
) -> Mapping[str, str]:
    """Return the generated pages about claims, MyST text by name; `figures` is the folder of all pages' figures."""
    return {
        "scoreboard": scoreboard_page(board, claims, figures),
        PAGE: rules_page(board, claims, figures, source),
        "comparators": comparators_part(),
    }
