"""The rendered book, which `make book` makes."""

import shutil

import pytest
from bs4 import BeautifulSoup
from local_server import serving
from playwright.sync_api import sync_playwright

from face_sets.folders import PROJECT_FOLDER
from printed_book.printing import BROWSERS

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


@pytest.fixture(scope="module")
def origin(html):
    with serving(html) as address:
        yield address


@pytest.fixture(scope="session")
def chromium():
    """The program's path."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.fail(
            "Chromium is not installed: `apt-get install chromium`, or run without `-m browser` tests"
        )
    return found


@pytest.fixture(scope="module")
def launched(chromium):
    """A function that starts Chromium with options of its own; at the end all are closed.

    Not for the whole session: while Playwright is open no other test can run an event loop of its own.
    """
    with sync_playwright() as playwright:
        browsers = []

        def launch(*options):
            arguments = ["--no-sandbox", *options]
            browsers.append(playwright.chromium.launch(executable_path=chromium, args=arguments))
            return browsers[-1]

        yield launch
        for browser in browsers:
            browser.close()


@pytest.fixture(scope="module")
def browser(launched):
    """Chromium as it is."""
    return launched()


@pytest.fixture(scope="module")
def window(browser):
    """A window for the tabs of a file's tests: to open one costs Chromium several times what a tab does."""
    window = browser.new_context()
    window.new_page()  # without a tab it would close
    return window
