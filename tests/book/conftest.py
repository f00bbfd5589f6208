"""The rendered book, which `make book` makes."""

import pytest
from bs4 import BeautifulSoup

from fer_utils.study import PROJECT_FOLDER

HTML = PROJECT_FOLDER / "_build" / "html"


@pytest.fixture(scope="session")
def html():
    """The folder of the rendered book."""
    if not (HTML / "index.html").is_file():
        pytest.fail("the book is not rendered: run `make book` first (`make test` does)")
    return HTML


@pytest.fixture(scope="session")
def pages(html):
    """Every page of the book, parsed, by its path; the theme's own templates are not pages."""
    paths = [path for path in sorted(html.rglob("*.html")) if "_static" not in path.parts]
    return {
        str(p.relative_to(html)): BeautifulSoup(p.read_text(encoding="utf-8"), "html.parser") for p in paths
    }
