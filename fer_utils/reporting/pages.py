"""Tables for readers: HTML with header cells, for notebooks and for the generated pages."""

import html
import re
from typing import Any, Final, NamedTuple

import pandas as pd
from IPython.display import HTML

from fer_utils.reporting import style
from fer_utils.reporting.gate import without_small_cells

MARKED: Final = ("verdict", "data")
"""Columns whose words are shown as labels: they say what a row may claim."""

NAMED: Final = ("architecture", "cohort", "technique")
"""Columns whose values have another name for readers."""

ABSENT: Final = "—"

ADDRESS: Final = re.compile(r"https?://[^\s<>()]*[^\s<>().,:;]")
"""A web address in a text: without the stop, comma or bracket that may follow it."""


class Link(NamedTuple):
    """A text and its address; a cell may hold a tuple of them."""

    text: str
    address: str


def show(frame: pd.DataFrame, caption: str | None = None, *, decimals: int = 3) -> HTML:
    """Return a table to end a notebook cell with; see `html_table`."""
    return HTML(html_table(frame, caption, decimals=decimals))


def html_table(
    frame: pd.DataFrame, caption: str | None = None, *, decimals: int = 3, cards: bool = False
) -> str:
    """Return a table as HTML: a header cell for every column, values escaped, addresses as links.

    The index is left out. Missing values are dashes, floats have `decimals` digits. With `cards` a narrow screen
    shows each row as a card, which suits long texts; else the table scrolls sideways.
    """
    frame = without_small_cells(frame)
    heads = "".join(f'<th scope="col">{_escape(_title(column))}</th>' for column in frame.columns)
    rows = "".join(
        "<tr>" + "".join(_cell(str(c), row[c], decimals) for c in frame.columns) + "</tr>\n"
        for row in frame.to_dict("records")
    )
    title = f"<caption>{_escape(caption)}</caption>" if caption else ""
    region = f'role="region" aria-label="{_escape(caption or "table")}" tabindex="0"'  # keyboards scroll it
    return (
        f'<div class="table-scroll" {region}><table class="table{" cards" if cards else ""}">{title}\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
    )


def _cell(column: str, value: Any, decimals: int) -> str:
    if isinstance(value, tuple):
        return f'<td data-label="{_escape(_title(column))}">{_links(value)}</td>'
    known = column in NAMED and isinstance(value, str)
    text = _escape(style.name(value) if known else _text(value, decimals))
    if column in MARKED:
        text = f'<span class="label label-{re.sub("[^a-z]+", "-", text.lower())}">{text}</span>'
    else:
        text = ADDRESS.sub(r'<a href="\g<0>">\g<0></a>', text)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return f'<td data-label="{_escape(_title(column))}"{" class=number" if number else ""}>{text}</td>'


def _links(links: tuple[Link, ...]) -> str:
    return " ".join(f'<a href="{_escape(address)}">{_escape(text)}</a>' for text, address in links)


def _text(value: Any, decimals: int) -> str:
    if pd.isna(value):
        return ABSENT
    return f"{value:.{decimals}f}" if isinstance(value, float) else str(value)


def _title(column: Any) -> str:
    return str(column).replace("_", " ")


def _escape(text: str) -> str:
    return html.escape(text).replace("\n", " ")
