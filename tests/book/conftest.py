"""The rendered book, which `make book` makes."""

import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright

from face_sets.folders import PROJECT_FOLDER

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


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format, *arguments):
        """Say nothing: the test reports."""


@pytest.fixture(scope="module")
def origin(html):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(html)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def launched():
    """A function that starts Chromium with options of its own; at the end all are closed.

    Not for the whole session: while Playwright is open no other test can run an event loop of its own.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.fail(
            "Chromium is not installed: `apt-get install chromium`, or run without `-m browser` tests"
        )
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
