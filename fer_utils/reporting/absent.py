"""What a page shows in place of something that is not here: a sentence and the remedy, never a stand-in value."""

import html

from IPython.display import HTML
from matplotlib.figure import Figure

from fer_utils.reporting import style

PHOTOGRAPHS = (
    "The London photographs are not here: set FER_DATA to the folder that holds london_faces and run again."
)

PRIVATE = (
    "The faces of this study may not be shown: the terms of the sets that they are from keep them private."
)


def note(sentence: str) -> HTML:
    """Return a visible note for a notebook's cell."""
    return HTML(f'<p class="absent"><strong>Not available here.</strong> {html.escape(sentence)}</p>')


def figure(sentence: str) -> Figure:
    """Return a figure that holds only the sentence, where a figure's place cannot stay empty."""
    drawing = Figure(figsize=(style.WIDTH, 1.2), layout="constrained")
    axes = drawing.subplots()
    axes.axis("off")
    axes.text(0.5, 0.5, f"Not available here.\n{sentence}", ha="center", va="center", wrap=True, fontsize=9)
    return drawing
