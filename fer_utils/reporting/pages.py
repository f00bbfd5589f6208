"""Tables for readers: HTML with header cells, for notebooks and for the generated pages."""

import html
import re
from typing import Any, Final

import pandas as pd
from IPython.display import HTML

from fer_utils.reporting import style
from fer_utils.reporting.gate import without_small_cells

NAMED: Final = ("architecture", "cohort", "technique", "ethnicity", "group", "measure")
"""Columns whose values have another name for readers."""

ABSENT: Final = "—"

HEADINGS: Final = {
    "run_id": "network", "macro_f1": "macro F1", "weighted_f1": "weighted F1", "two_way_accuracy": "two-way accuracy",
    "size_kb": "size, kB", "gzip_kb": "zipped, kB", "size_bytes": "bytes", "size_gzip_bytes": "zipped bytes",
    "latency_ms_median": "median latency, ms", "latency_ms_p90": "90th percentile, ms",
    "interval_low_ms": "lower end, ms", "interval_high_ms": "upper end, ms", "peak_memory_mib": "peak memory, MiB",
    "p_value": "p-value", "p_holm": "Holm p", "hit_rate": "detection rate", "hard_swish": "hard-swish",
    "accuracy_raf_db": "accuracy, RAF-DB shares",
}  # fmt: skip
"""Columns whose heading is not their name with blanks for underscores."""

MOST_ROWS: Final = 9
"""A longer table is folded: a desk's screen would show nothing else."""

ADDRESS: Final = re.compile(r"https?://[^\s<>()]*[^\s<>().,:;]")
"""A web address in a text: without the stop, comma or bracket that may follow it."""


def show(
    frame: pd.DataFrame, caption: str | None = None, *, decimals: int = 3, folded: bool | None = None
) -> HTML:
    """Return a table to end a notebook cell with; see `html_table`."""
    return HTML(html_table(frame, caption, decimals=decimals, folded=folded))


def fold(title: str, *parts: HTML) -> HTML:
    """Return tables that are not folded, and notes, behind one line that opens them all: one keyboard stop."""
    return HTML(_details(title, f"{len(parts)} tables", "".join(part.data for part in parts)))


def html_table(
    frame: pd.DataFrame, caption: str | None = None,
    *, decimals: int = 3, cards: bool = False, folded: bool | None = None,
) -> str:  # fmt: skip
    """Return a table as HTML: a header cell for every column, values escaped, addresses as links.

    The index is left out. Missing values are dashes, floats have `decimals` digits, and the ends of an interval stand
    in brackets beside its middle. With `cards` a narrow screen shows each row as a card, which suits long texts; else
    the table scrolls sideways, in a region of its own. More than MOST_ROWS rows are folded unless `folded` says
    otherwise; `book.js` sorts what is folded and saves it as CSV.
    """
    frame = without_small_cells(frame)
    frame = _with_intervals(frame, decimals)
    heads = "".join(f'<th scope="col">{_escape(_title(column))}</th>' for column in frame.columns)
    rows = "".join(
        "<tr>" + "".join(_cell(str(c), row[c], decimals) for c in frame.columns) + "</tr>\n"
        for row in frame.to_dict("records")
    )
    is_folded = (len(frame) > MOST_ROWS and not cards) if folded is None else folded
    title = f"<caption>{_escape(caption)}</caption>" if caption and not is_folded else ""
    named = f'aria-label="{_escape(caption or f"Table of {_title(frame.columns[0])}")}"'
    table = (
        f'<div class="table-scroll" role="region" {named}><table class="table{" cards" if cards else ""}">{title}\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
    )
    return _details(caption or "Table", f"{len(frame)} rows", table) if is_folded else table


def _details(title: str, size: str, content: str) -> str:
    summary = f"{_escape(title)} <small>({size})</small>"
    return f'<details class="long-table"><summary>{summary}</summary>\n{content}</details>\n'


def _with_intervals(frame: pd.DataFrame, decimals: int) -> pd.DataFrame:
    """Put `x_low` and `x_high` into the column `x`, or `low` and `high` into the column before them, in brackets."""
    shown = frame.copy()
    columns = [str(column) for column in frame.columns]
    for middle, low, high in zip(columns, columns[1:], columns[2:], strict=False):
        is_interval = (low, high) in (("low", "high"), (f"{middle}_low", f"{middle}_high"))
        if not (is_interval and frame.columns.is_unique and pd.api.types.is_numeric_dtype(frame[middle])):
            continue
        parts = zip(frame[middle], frame[low], frame[high], strict=True)
        shown[middle] = [_interval(*(_text(each, decimals) for each in part)) for part in parts]
        shown = shown.drop(columns=[low, high]).rename(columns={middle: f"{middle} [interval]"})
    return shown


def _interval(middle: str, low: str, high: str) -> str:
    return middle if low == high == ABSENT else f"{middle} [{low}, {high}]"


def _cell(column: str, value: Any, decimals: int) -> str:
    if column == "run_id":
        value = ", ".join(map(style.name, str(value).split(".")))
    known = column in NAMED and isinstance(value, str)
    text = _escape(style.name(value) if known else _text(value, decimals))
    text = ADDRESS.sub(r'<a href="\g<0>">\g<0></a>', text)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return f'<td data-label="{_escape(_title(column))}"{" class=number" if number else ""}>{text}</td>'


def _text(value: Any, decimals: int) -> str:
    if pd.isna(value):
        return ABSENT
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.{decimals}f}" if isinstance(value, float) else str(value)


def _title(column: Any) -> str:
    return HEADINGS.get(str(column), str(column).replace("_", " "))


def _escape(text: str) -> str:
    return html.escape(text).replace("\n", " ")
