"""The book's build on a small book of one page, with the project's own configuration and looks."""

import shutil

import nbformat
import pandas as pd
import pytest
import yaml
from bs4 import BeautifulSoup
from loaded_python import loaded_python
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from face_sets.folders import PROJECT_FOLDER
from fer_utils.paths import Paths
from fer_utils.reporting import build
from fer_utils.reporting.build import BookError, build_book, first_complaint
from fer_utils.reporting.figures import save_figure
from fer_utils.reporting.provenance import provenance
from fer_utils.study import load_study

FIGURE = {
    "mystnb": {"figure": {"name": "dots", "caption": "Some dots."}, "image": {"alt": "Two dots on a line."}}
}


def small_project(folder):
    """Write the sources of a book of one page and one stage."""
    (folder / "book").mkdir(parents=True)
    for name in ("_config.yml", "CITATION.cff"):
        shutil.copy(PROJECT_FOLDER / name, folder)
    for name in ("_static", "_root"):
        shutil.copytree(PROJECT_FOLDER / "book" / name, folder / "book" / name)
    shutil.copy(PROJECT_FOLDER / "book" / "references.bib", folder / "book")
    chapters = [{"file": "book/stages/01_data"}]
    contents = {"format": "jb-book", "root": "book/index", "parts": [{"caption": "A", "chapters": chapters}]}
    (folder / "_toc.yml").write_text(yaml.safe_dump(contents))
    (folder / "book" / "index.md").write_text(
        "# Start\n\nBest {glue:text}`stages/01_data.ipynb::best:.2f`.\n\n```{include} stages/table.md\n```\n"
    )
    return folder


def small_run(folder):
    """Write what a run of that stage leaves."""
    paths = Paths.of(load_study("quick"), folder)
    paths.faces.parent.mkdir(parents=True)
    paths.faces.write_bytes(b"faces")
    source = provenance(paths.study, {"faces": paths.faces})
    data = pd.DataFrame({"x": [1, 2]})
    saved = save_figure(Figure(figsize=(2, 1)), "dots", data, folder=paths.figures("01_data"), source=source)
    shown = new_output("execute_result", saved._repr_mimebundle_(), execution_count=1)
    prefix = "application/papermill.record/"
    stored = {"scrapbook": {"name": "best", "mime_prefix": prefix}}
    glued = new_output("display_data", {f"{prefix}text/plain": "0.625"}, metadata=stored)
    cells = [
        new_markdown_cell("(stage-data)=\n# Data\n\nSee {numref}`dots`."),
        new_code_cell("save_figure(...)", outputs=[shown], metadata=FIGURE, execution_count=1),
        new_code_cell("glue_number(...)", outputs=[glued], execution_count=2),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    paths.notebook("01_data").parent.mkdir()
    nbformat.write(new_notebook(cells=cells, metadata=kernel), paths.notebook("01_data"))
    return paths


PAGES = {"table": "<table><thead><tr><th>a</th></tr></thead></table>\n"}
LEFT = "book/stages/07_old.ipynb"


@pytest.fixture(autouse=True, scope="module")
def imported_once():
    """What Jupyter Book imports of others' libraries is imported once for all builds."""
    with pytest.MonkeyPatch.context() as patch, loaded_python(
        "jupyter_book.cli.main", "jupyter_book.sphinx", "myst_nb.sphinx_ext", "sphinx.builders.html",
        "sphinx_book_theme", "sphinxcontrib.bibtex", "pandas", "fairlearn.metrics", "seaborn", "pydantic",
        "ai_edge_litert.interpreter",
    ) as python:  # fmt: skip
        patch.setattr(build, "subprocess", python)
        yield


@pytest.fixture
def project(tmp_path):
    return small_project(tmp_path / "project")


@pytest.fixture
def paths(tmp_path):
    return small_run(tmp_path / "results")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The project with its book, the run that the book is of, and the book's first page.

    It is built once, for all tests that look at it; a page of an earlier run lay there before.
    """
    root = tmp_path_factory.mktemp("built")
    project, paths = small_project(root / "project"), small_run(root / "results")
    (project / LEFT).parent.mkdir()
    (project / LEFT).write_text("{}")
    return project, paths, build_book(paths, PAGES, project)


def test_the_book_shows_figure_number_source_line_and_generated_page(built):
    project, paths, index = built
    assert index == project / "_build" / "html" / "index.html"
    start = BeautifulSoup((index.parent / "book" / "index.html").read_text(), "html.parser")
    assert start.select_one(".pasted-text").text == "0.62"
    assert start.select_one("table th").text == "a"
    stage = index.parent / "book" / "stages" / "01_data.html"
    figure = BeautifulSoup(stage.read_text(), "html.parser").select_one("figure#dots")
    assert figure.img["alt"] == "Two dots on a line."
    assert figure.img["style"].startswith("aspect-ratio: auto 144")  # of two inches by one, in points
    assert "Some dots." in figure.figcaption.text
    line = figure.select_one("p.source-line")
    assert line.text.startswith("Source: profile quick, synthetic faces")
    notebook, data = (stage.parent / link["href"] for link in line.find_all("a"))
    assert notebook.read_bytes() == paths.notebook("01_data").read_bytes()
    assert data.read_bytes() == (paths.figures("01_data") / "dots.csv").read_bytes()
    assert not list((project / ".cache").iterdir())


def test_a_missing_number_stops_the_build_and_keeps_the_old_book(project, paths):
    old = project / "_build" / "html" / "index.html"
    old.parent.mkdir(parents=True)
    old.write_text("old")
    page = project / "book" / "index.md"
    page.write_text(page.read_text().replace("::best", "::worst"))
    with pytest.raises(BookError, match=r"not rendered: .*worst") as raised:
        build_book(paths, PAGES, project)
    assert str(project) not in str(raised.value)
    assert old.read_text() == "old"


def test_a_stage_that_has_not_run_is_named_before_anything_changes(project, paths):
    paths.notebook("01_data").unlink()
    with pytest.raises(BookError, match=r"01_data has not run for profile quick"):
        build_book(paths, PAGES, project)
    assert not (project / "book" / "stages").exists()


def test_what_an_earlier_run_left_is_gone(built):
    project, *_ = built
    assert not (project / LEFT).exists()


def test_the_first_complaint_has_a_relative_path(tmp_path):
    log = f"reading\n\x1b[91m{tmp_path}/book/a.md:3: WARNING: no such key\nWARNING: another\n"
    assert first_complaint(log, tmp_path) == "book/a.md:3: WARNING: no such key"
    assert first_complaint("Traceback\nKeyError: 'x'\n", tmp_path) == "KeyError: 'x'"


def test_each_page_names_its_edition_and_without_an_address_there_is_no_button(built):
    project, *_ = built
    for name in ("book/index.html", "book/stages/01_data.html"):
        text = (project / "_build" / "html" / name).read_text(encoding="utf-8")
        page = BeautifulSoup(text, "html.parser")
        assert page.select_one(".extra_footer").text.count("Version 0.1.0, ") == 1
        assert not page.select(".dropdown-launch-buttons, .dropdown-source-buttons")
        assert "mybinder" not in text


def test_with_an_address_notebooks_are_launched_from_their_sources(project, paths):
    cited = project / "CITATION.cff"
    cited.write_text(cited.read_text() + "repository-code: https://github.com/example/book\n")
    build_book(paths, {"table": "x\n"}, project)
    page = (project / "_build" / "html" / "book" / "stages" / "01_data.html").read_text(encoding="utf-8")
    links = [link["href"] for link in BeautifulSoup(page, "html.parser").select("a[href^='https:']")]
    binder = "https://mybinder.org/v2/gh/example/book/main?urlpath=lab/tree/notebooks/01_data.ipynb"
    assert {binder, "https://github.com/example/book/releases/latest"} <= set(links)
