"""The book in a browser, on a desk and on a phone: it asks its own server only and fits the screen."""

import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import sync_playwright

pytestmark = [pytest.mark.results, pytest.mark.browser]

WIDTHS = (1280, 390)


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
def browser():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.fail(
            "Chromium is not installed: `apt-get install chromium`, or run without `-m browser` tests"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """A page seen in a window of its own, with what it asked for elsewhere and what it complained of."""

    def __init__(self, browser, origin, width, scheme="light"):
        self.foreign, self.complaints, self.origin = [], [], origin
        self.page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
        self.page.on("request", self._request)
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _request(self, request):
        if not request.url.startswith((f"{self.origin}/", "data:", "blob:")):
            self.foreign.append(request.url)

    def open(self, name):
        self.page.goto(f"{self.origin}/{name}")
        self.page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_and_asks_nothing_of_others(width, browser, origin, pages):
    visit = Visit(browser, origin, width)
    wide = []
    for name in sorted(
        set(pages) - {"index.html"}
    ):  # leads on by itself, which would race; its test is below
        visit.open(name)
        if (needed := visit.page.evaluate("document.documentElement.scrollWidth")) > width:
            wide.append(f"{name}: {needed} pixels")
    visit.page.close()
    assert visit.foreign == []
    assert visit.complaints == []
    assert wide == []


def test_search_finds_a_page_without_other_origins(browser, origin):
    visit = Visit(browser, origin, WIDTHS[0])
    visit.open("search.html?q=compression")
    visit.page.wait_for_selector("#search-results li a")
    visit.page.close()
    assert visit.foreign == []


def test_figures_stay_on_white_in_the_dark(browser, origin, pages):
    visit = Visit(browser, origin, WIDTHS[1], scheme="dark")
    seen = 0
    for name in [name for name, page in pages.items() if page.select("figure img")]:
        visit.open(name)
        backgrounds = visit.page.eval_on_selector_all(
            "figure img", "images => images.map(i => getComputedStyle(i).backgroundColor)"
        )
        assert set(backgrounds) == {"rgb(255, 255, 255)"}, name
        assert visit.page.evaluate("document.documentElement.dataset.theme") == "dark"
        seen += len(backgrounds)
    visit.page.close()
    assert seen


def test_the_front_door_leads_to_the_book(browser, origin):
    visit = Visit(browser, origin, WIDTHS[0])
    visit.open("index.html")
    visit.page.wait_for_url(f"{origin}/book/index.html")
    visit.page.close()
