"""Saving a figure: the picture, the table behind it, and what a notebook shows.

Caption, name and alternative text are cell metadata
(`mystnb.figure.caption`, `mystnb.figure.name`, `mystnb.image.alt`), because this toolchain takes them from
nowhere else.
"""

import base64
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
from IPython.display import HTML
from matplotlib.figure import Figure

from face_sets.files import atomic_path, write_bytes, write_text
from fer_utils.reporting import style
from fer_utils.reporting.gate import without_small_cells
from fer_utils.reporting.in_words import LEVEL
from fer_utils.reporting.provenance import Provenance
from table_charts.charts import Chart, Look, specification

_NAME: Final = re.compile(r"[a-z][a-z0-9-]*")
PHOTOGRAPHS_DPI: Final = 85
"""442 pixels across, nearly what a desk shows: a page with two sheets of faces stays below 1.2 MB."""

MIME: Final = {"svg": "image/svg+xml", "png": "image/png"}


@dataclass(frozen=True)
class SavedFigure:
    """A saved figure: Jupyter and the book show its picture, the book also its result in words and its source line."""

    picture: bytes
    kind: str
    result: str
    source_line: str

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        shown = self.picture.decode() if self.kind == "svg" else base64.b64encode(self.picture).decode()
        return {MIME[self.kind]: shown, "text/plain": f"{self.source_line}\n{self.result}"}


def save_figure(
    figure: Figure | HTML,
    name: str,
    data: pd.DataFrame,
    *,
    folder: Path,
    source: Provenance,
    chart: Chart | None = None,
) -> SavedFigure | HTML:
    """Write `name.svg` and `name.csv`, the table behind it, into a stage's folder; return what to show.

    A `chart` of that table, for readers who want to explore it, is written as `name.vl.json` and linked.
    Photographs are saved as PNG. A note in the figure's place (`absent.note`) is returned as it is; its table
    is written if it has rows. The figure's label is its result in words. `folder` is `paths.figures(stage)`. The links
    of the source line are relative to the executed notebook, in the results folder as in the book. Raises ValueError
    for a name that is not lower case and hyphens, or for a figure of an empty table.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"figure name {name!r}: use lower case letters, digits and hyphens only")
    if data.empty:
        if isinstance(figure, HTML):
            return figure
        raise ValueError(f"figure {name!r} has no data behind it: say so in words instead of an empty figure")
    is_named = any(data.index.names)
    has_index = is_named or not pd.api.types.is_integer_dtype(data.index)  # else a row's number elsewhere
    with atomic_path(folder / f"{name}.csv") as path:
        _documented(without_small_cells(data)).to_csv(
            path, index=has_index, index_label=None if is_named else "row"
        )
    if isinstance(figure, HTML):
        return figure
    picture, kind = _picture(figure)
    write_bytes(folder / f"{name}.{kind}", picture)
    place = f"../figures/{folder.name}/{name}"
    links = f"[notebook]({folder.name}.ipynb), [data (CSV)]({place}.csv)"
    if chart:
        look = Look(style.name, style.colour)
        write_text(folder / f"{name}.vl.json", specification(chart, data, f"{name}.csv", look))
        links += f", [chart (Vega-Lite)]({place}.vl.json)"
    return SavedFigure(picture, kind, str(figure.get_label()), f"{source.line()} {links}")


def _documented(data: pd.DataFrame) -> pd.DataFrame:
    """The table with the level of its intervals and the unit of its estimates: a file alone must say them.

    Times (`low_ms`) have levels by their source: predictions on a phone 90 %, repeats 95 %.
    """
    has_interval = any(re.search(r"(^|_)low$", str(column)) for column in data.columns)
    more: dict[str, float | str] = {"interval_level": 1 - LEVEL} if has_interval else {}
    if {"estimate", "difference"} & set(data.columns):
        more["unit"] = "share, 1 is 100 %"
    return data.assign(**{name: value for name, value in more.items() if name not in data})


def _picture(figure: Figure) -> tuple[bytes, str]:
    """A figure's file and its kind: SVG in the page's colours, light or dark, or PNG on white if it holds photographs."""
    picture = io.BytesIO()
    if any(axes.images for axes in figure.axes):
        figure.savefig(
            picture, format="png", facecolor="white", dpi=PHOTOGRAPHS_DPI, metadata={"Software": None}
        )
        return picture.getvalue(), "png"
    figure.savefig(picture, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    return picture.getvalue().replace(b"<defs>", f"{style.dark_rules()}<defs>".encode(), 1), "svg"
