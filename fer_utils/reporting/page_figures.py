"""Figures of generated pages: saved as a notebook's are, and shown by an ordinary figure directive."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from fer_utils.reporting.build import FILES_FOLDER
from fer_utils.reporting.figures import save_figure
from fer_utils.reporting.provenance import Provenance


@dataclass(frozen=True)
class PageFigures:
    """Where the figures of one page below `book/` are saved, and what its numbers are from.

    `folder` is `paths.figures(page)`, from which the build copies them to where the directive looks.
    """

    folder: Path
    source: Provenance

    def show(self, name: str, figure: Figure, data: pd.DataFrame, caption: str, alt: str) -> str:
        """Save a figure with the table behind it and return the MyST directive that shows it, source line included."""
        save_figure(figure, name, data, folder=self.folder, source=self.source)
        place = f"figures/{self.folder.name}/{name}"
        picture = (FILES_FOLDER.relative_to("book") / "book" / place).as_posix()
        line = f'{self.source.line()} <a href="{place}.csv">data (CSV)</a>'
        return (
            f"```{{figure}} {picture}.png\n:name: {name}\n:alt: {alt}\n\n{caption}\n\n"
            f'<p class="source-line">{line}</p>\n```\n'
        )
