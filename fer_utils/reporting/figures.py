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
from matplotlib.figure import Figure

from face_sets.files import atomic_path, write_bytes
from fer_utils.reporting.gate import without_small_cells
from fer_utils.reporting.provenance import Provenance

_NAME: Final = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True)
class SavedFigure:
    """A saved figure: Jupyter and the book show its picture, the book also its source line."""

    png: bytes
    source_line: str

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"image/png": base64.b64encode(self.png).decode(), "text/plain": self.source_line}


def save_figure(
    figure: Figure, name: str, data: pd.DataFrame, *, folder: Path, source: Provenance
) -> SavedFigure:
    """Write `name.png` and `name.csv`, the table behind it, into a stage's folder; return what to show.

    `folder` is `paths.figures(stage)`. The links of the source line are relative to the executed notebook, in
    the results folder as in the book. Raises ValueError for a name that is not lower case and hyphens, or
    for an empty table.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"figure name {name!r}: use lower case letters, digits and hyphens only")
    if data.empty:
        raise ValueError(f"figure {name!r} has no data behind it: say so in words instead of an empty figure")
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})  # same data, same bytes
    write_bytes(folder / f"{name}.png", picture.getvalue())
    is_row_number = isinstance(data.index, pd.RangeIndex) and data.index.name is None
    with atomic_path(folder / f"{name}.csv") as path:
        without_small_cells(data).to_csv(path, index=not is_row_number)
    links = f"[notebook]({folder.name}.ipynb), [data (CSV)](../figures/{folder.name}/{name}.csv)"
    return SavedFigure(picture.getvalue(), f"{source.line()} {links}")
