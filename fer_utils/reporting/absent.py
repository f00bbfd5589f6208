"""What a page shows in place of missing results: a sentence and what to do, never a substitute value."""

import html
import re

import pandas as pd
from IPython.display import HTML

from fer_utils.reporting.pages import show

PHOTOGRAPHS = "The London photographs are not available: set FER_DATA to the folder that holds london_faces and run again."
"""In the place of every result of the external test."""

PRIVATE = "The faces of this study may not be shown: the terms of their data sets keep them private."
"""In the place of sample faces."""


def note(sentence: str) -> HTML:
    """Return a visible note for a notebook's cell; the sentence names the command or setting that changes it.

    In the place of a figure, `save_figure` and the book leave out its caption and keep its name, so that links to the
    figure lead to the note.
    """
    return HTML(f'<p class="absent"><strong>Not available here.</strong> {_in_html(sentence)}</p>')


def nothing(sentence: str) -> HTML:
    """Return a sentence in the place of a table that has no rows since there is nothing to list."""
    return HTML(f"<p>{_in_html(sentence)}</p>")


def _in_html(sentence: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(sentence))


def show_or_say(
    frame: pd.DataFrame, caption: str, otherwise: str, *, decimals: int = 3, folded: bool | None = None
) -> HTML:
    """Return the frame as a table, or, where it has no rows, the sentence that says how to get what is absent.

    `caption`, `decimals` and `folded` are those of `pages.show`.
    """
    return show(frame, caption, decimals=decimals, folded=folded) if len(frame) else note(otherwise)
