"""Render the book: notebooks and pages from templates go into `book/stages/`, Jupyter Book does the rest.

The module is also a Sphinx extension, which puts a figure's result into its caption and its source line below: both are
the picture's plain text, which MyST-NB drops when it shows the picture.
"""

import gzip
import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from face_sets.files import write_bytes, write_text
from face_sets.folders import PROJECT_FOLDER, remember
from fer_utils.paths import BOOKS, Paths
from fer_utils.reporting.pages import html_table
from fer_utils.reporting.provenance import edition
from fer_utils.reporting.style import named

if TYPE_CHECKING:
    from docutils.nodes import document
    from sphinx.application import Sphinx

STAGES_FOLDER: Final = Path("book", "stages")
"""What the run on show contributes to the book's sources; not in git."""

FILES_FOLDER: Final = STAGES_FOLDER / "files"
"""What the book offers for download; `html_extra_path` of `_config.yml` puts its contents at the book's root."""

COMPRESSED: Final = ".gzip"
"""Ends the place of a served file that is to lie there compressed: plain servers send files as they are."""

_VIEW: Final = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')  # of an SVG: its width and height
_MARKUP: Final = re.compile(r"[!-/:-@\[-`{-~]")  # ASCII punctuation: plain after a backslash (CommonMark)
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")  # Jupyter Book colours its log without a terminal, too

TEMPLATES: Final = Path(__file__).with_name("templates")
"""The prose of the generated pages; Python computes only what is filled in."""


class BookError(RuntimeError):
    """The book could not be rendered; the message says why and what to do."""


def render(template: str, **values: Any) -> str:
    """Return a page from `templates/`, filled with values; tables are shown by the filter `html_table`.

    Raises jinja2.UndefinedError, naming it, for a value that the template asks for and does not get.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["html_table"] = html_table
    environment.filters["named"] = named
    environment.filters["literal"] = lambda text: _MARKUP.sub(r"\\\g<0>", text)
    return environment.get_template(template).render(values)


def build_book(
    paths: Paths, pages: Mapping[str, str], project: Path = PROJECT_FOLDER, served: Mapping[Path, Path] | None = None
) -> Path:  # fmt: skip
    """Render the book of a study into `project/_build/html` and return its `index.html`.

    `pages` are the generated pages, MyST text by name; `served` are files that pages fetch, place below the book's
    root to path. The old book stays until the new one is complete. Raises BookError if a notebook that `_toc.yml`
    names has not run, or with Jupyter Book's first complaint.
    """
    if paths.study.face_source == "licensed":
        remember(paths.root.resolve(), project / BOOKS)
    gather(paths, pages, project, served=served)
    scratch = project / ".cache"
    scratch.mkdir(exist_ok=True)
    for left in scratch.glob("book-*"):  # by a rendering that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix="book-") as folder:
        _run_jupyter_book(project, Path(folder))
        if (project / "_build").exists():  # moved, not deleted: killed here, there is a whole book or none
            os.replace(project / "_build", Path(folder, "old"))
        os.replace(Path(folder, "_build"), project / "_build")
    return project / "_build" / "html" / "index.html"


def gather(
    paths: Paths, pages: Mapping[str, str], project: Path = PROJECT_FOLDER, served: Mapping[Path, Path] | None = None
) -> None:  # fmt: skip
    """Put notebooks, figures with their data, generated pages and served files where the book's sources expect them.

    Raises BookError, before anything is changed, naming the first page of `_toc.yml` that is missing.
    """
    stages, files = project / STAGES_FOLDER, project / FILES_FOLDER
    notebooks = {path.stem: path for path in sorted(paths.notebook("x").parent.glob("*.ipynb"))}
    stage_pages = (Path(file) for file in pages_in_order(project))
    for name in (page.name for page in stage_pages if page.parent == STAGES_FOLDER):
        if name not in notebooks and name not in pages:
            raise BookError(f"{name} has not run for profile {paths.study.name}: `make book` runs it")
    shutil.rmtree(stages, ignore_errors=True)
    (files / STAGES_FOLDER).mkdir(parents=True)
    for path in notebooks.values():
        shutil.copy(path, stages)
        shutil.copy(path, files / STAGES_FOLDER)  # the links below each figure lead to it, as in the results
    figures = paths.figures("x").parent
    if figures.is_dir():
        shutil.copytree(figures, files / STAGES_FOLDER.parent / "figures")
    for place, path in (served or {}).items():
        (files / place).parent.mkdir(parents=True, exist_ok=True)
        if place.name == path.name + COMPRESSED:
            write_bytes(files / place, gzip.compress(path.read_bytes(), mtime=0))
        else:
            shutil.copy(path, files / place)
    for name, text in pages.items():
        write_text(stages / f"{name}.md", text)


def pages_in_order(project: Path = PROJECT_FOLDER) -> list[str]:
    """Return the book's pages as `_toc.yml` lists them, the first page first: paths without an ending."""
    contents = yaml.safe_load((project / "_toc.yml").read_text(encoding="utf-8"))
    return [
        contents["root"],
        *(chapter["file"] for part in contents["parts"] for chapter in part["chapters"]),
    ]


def _run_jupyter_book(project: Path, folder: Path) -> None:
    program = str(Path(sys.executable).with_name("jupyter-book"))
    command = [program, "build", ".", "--path-output", str(folder), "--all", "-n", "-W", "--keep-going"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BookError(f"the book was not rendered: {first_complaint(done.stdout + done.stderr, project)}")


def first_complaint(log: str, project: Path) -> str:
    """Return the first warning or error of Jupyter Book's log, with paths relative to the project."""
    lines = [line.strip() for line in _COLOUR.sub("", log).splitlines() if line.strip()]
    complaints = [line for line in lines if "WARNING" in line or "ERROR" in line]
    first = [*complaints, *reversed(lines), "no reason given"][0]
    return first.replace(f"{project.resolve()}{os.sep}", "")


def tell_results(_: "Sphinx", document: "document") -> None:
    """Put each figure's result into its caption and alternative text and its source line below; show a note bare.

    `SavedFigure` sends the source line, and below it the result, as the output's plain text.
    """
    from docutils import nodes
    from markdown_it import MarkdownIt

    for figure in list(document.findall(nodes.figure)):
        for container in list(figure.findall(nodes.container)):
            if container.get("mime_type") == "text/plain" and container.astext().startswith("Source: "):
                source, _, result = container.astext().partition("\n")
                line = MarkdownIt().renderInline(source)
                legend = nodes.raw("", f'<p class="source-line">{line}</p>', format="html")
                figure += nodes.legend("", legend)
                for caption in figure.findall(nodes.caption):
                    caption.insert(0, nodes.Text(f"{result} "))
                for image in figure.findall(nodes.image):
                    image["alt"] = f"{result} {image.get('alt', '')}".strip()
        if not any(figure.findall(nodes.image)):
            note = nodes.container("", *(each for each in figure if not isinstance(each, nodes.caption)))
            note["ids"], note["names"] = figure["ids"], figure["names"]
            figure.replace_self(note)


def add_edition(app: "Sphinx", config: Any) -> None:
    """Put the edition into each page's footer; with a repository's address, also links to it and launch buttons."""
    this, options = edition(Path(app.srcdir)), config.html_theme_options
    links = ""
    if this.repository:
        places = {
            "Repository": this.repository,
            "How to cite": f"{this.repository}/blob/main/CITATION.cff",
            "PDF, models and tables": f"{this.repository}/releases/latest",
        }
        links = "".join(f' <a href="{html.escape(place)}">{text}</a>.' for text, place in places.items())
        options["repository_url"], options["repository_branch"] = this.repository, "main"
        options["use_repository_button"] = True
        options["launch_buttons"] = {
            "binderhub_url": "https://mybinder.org",
            "notebook_interface": "jupyterlab",
        }
    told = f"Version {this.version}, {this.date}, commit {this.commit}."
    options["extra_footer"] = f"{options.get('extra_footer', '')}<p>{html.escape(told)}{links}</p>"


def launch_sources(_app: "Sphinx", _page: str, _template: str, context: dict[str, Any], _: Any) -> None:
    """Let launch buttons open the notebooks' sources: the executed copies that the book shows are not in git."""
    for group in context.get("header_buttons", ()):
        for button in group.get("buttons", ()):
            if "url" in button:
                button["url"] = button["url"].replace(f"lab/tree/{STAGES_FOLDER}/", "lab/tree/notebooks/")


def defer_scripts(_app: "Sphinx", page: str, _template: str, context: dict[str, Any], _: Any) -> None:
    """Let a page appear before its scripts are there, but for those that scripts inside the page call at once."""
    at_once = {"documentation_options.js", *(["doctools.js"] if page == "search" else [])}
    for script in context.get("script_files", ()):
        if script.filename and Path(str(script.filename)).name not in at_once:
            script.attributes["defer"] = "defer"
        else:
            script.attributes.pop("defer", None)  # all pages share these entries


def keep_room(translator: Any, node: Any) -> None:
    """Write a picture with its proportions: the page keeps its room, and nothing moves when the picture comes."""
    file = Path(translator.builder.srcdir, node["uri"])
    type(translator).visit_image(translator, node)
    drawn = _VIEW.search(file.read_text(encoding="utf-8")) if file.suffix == ".svg" else None
    width, height = drawn.groups() if drawn else Image.open(file).size
    image = translator.body.pop()
    translator.body.append(image.replace("<img ", f'<img style="aspect-ratio: auto {width} / {height}" ', 1))


def setup(app: "Sphinx") -> dict[str, Any]:
    """Register the Sphinx extension."""
    from docutils import nodes

    app.add_node(nodes.image, override=True, html=(keep_room, lambda *_: None))
    app.connect("doctree-read", tell_results)
    app.connect("config-inited", add_edition)
    app.connect("html-page-context", defer_scripts)
    app.connect("html-page-context", launch_sources, priority=502)  # the theme adds its buttons at 501
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
