"""The Sphinx extension that puts the source line under each figure's caption, with its links.

`save_figure` sends the line as the picture's plain text, which MyST-NB drops when it shows the picture. Here
it is taken out before that happens. A second output in the cell would become a second figure
 of the same name.
"""

from typing import Any

from docutils import nodes
from markdown_it import MarkdownIt
from sphinx.application import Sphinx


def add_source_lines(_: Sphinx, document: nodes.document) -> None:
    """Move each figure's source line from the output's plain text into the figure's legend."""
    for figure in document.findall(nodes.figure):
        for container in list(figure.findall(nodes.container)):
            if container.get("mime_type") == "text/plain" and container.astext().startswith("Source: "):
                line = MarkdownIt().renderInline(container.astext())
                html = nodes.raw("", f'<p class="source-line">{line}</p>', format="html")
                figure += nodes.legend("", html)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("doctree-read", add_source_lines)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
