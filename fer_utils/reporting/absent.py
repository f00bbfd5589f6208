"""What a page shows in place of missing results: a sentence and what to do, never a substitute value."""

import html

import pandas as pd
from IPython.display import HTML
from matplotlib.figure import Figure

from fer_utils.reporting import style
from fer_utils.reporting.pages import show

PHOTOGRAPHS = "The London photographs are not available: set FER_DATA to the folder that holds london_faces and run again."

PRIVATE = "The faces of this study may not be shown: the terms of their data sets keep them private."


def note(sentence: str) -> HTML:
    """Return a visible note for a notebook's cell."""
    return HTML(f'<p class="absent"><strong>Not available here.</strong> {html.escape(sentence)}</p>')


def show_or_say(frame: pd.DataFrame, caption: str, otherwise: str, *, decimals: int = 3) -> HTML:
    """Return the frame as a table, or, where it has no rows, the sentence that says how to get what is absent."""
    return show(frame, caption, decimals=decimals) if len(frame) else note(otherwise)


def figure(sentence: str) -> Figure:
    """Return a figure that holds only the sentence, where a figure cannot be left out."""
    drawing = Figure(figsize=(style.WIDTH, 1.2), layout="constrained")
    axes = drawing.subplots()
    axes.axis("off")
    axes.text(0.5, 0.5, f"Not available here.\n{sentence}", ha="center", va="center", wrap=True, fontsize=9)
    return drawing
