"""The book in a browser, on a desk and on a phone: it asks its own server only and fits the screen."""

import time
from contextlib import suppress

import pytest
from local_server import Quiet, serving
from visits import Visit

pytestmark = [pytest.mark.results, pytest.mark.browser]

WIDTHS = (1280, 390)
SHIFTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(shifted))))"
MOST_SHIFTED = 0.1  # "good" by https://web.dev/articles/cls


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_and_asks_nothing_of_others(width, browser, origin, pages):
    visit = Visit(browser, origin, width)
    wide = []
    for name in sorted(
        set(pages) - {"index.html"}
    ):  # leads on by itself, which would race; its test is below
        visit.open_until_silent(name)
        if (needed := visit.page.evaluate("document.documentElement.scrollWidth")) > width:
            wide.append(f"{name}: {needed} pixels")
    visit.page.close()
    assert visit.foreign == []
    assert visit.complaints == []
    assert wide == []


class SlowScripts(Quiet):
    """Sends pages at once and scripts and pictures later, and lets none be kept: each page is seen without them first."""

    def do_GET(self):
        if self.path.split("?")[0].endswith((".js", ".svg", ".png")):
            time.sleep(0.1)
        with suppress(BrokenPipeError):  # the reader has left for the next page
            super().do_GET()

    def end_headers(self):
        self.send_header("Cache-Control", "no-store")
        super().end_headers()


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_moves_under_its_reader_while_it_loads(width, browser, html, pages):
    with serving(html, SlowScripts) as origin:
        visit = Visit(browser, origin, width)
        shifted = {}
        for name in sorted(set(pages) - {"index.html"}):
            visit.page.goto(f"{origin}/{name}")
            shifted[name] = visit.page.evaluate(SHIFTED)
        visit.page.close()
    assert {name: shift for name, shift in shifted.items() if shift >= MOST_SHIFTED} == {}


@pytest.mark.parametrize("sought", ["compression", "65.78", "1,192", "11.56"])
def test_search_finds_a_page_without_other_origins(browser, origin, sought):
    visit = Visit(browser, origin, WIDTHS[0])
    visit.open(f"search.html?q={sought}")
    visit.page.wait_for_selector("#search-results li a")
    visit.page.close()
    assert visit.foreign == []


COLOURS = """images => images.map(i => [i.src.endsWith('.png'), getComputedStyle(i).backgroundColor])"""


def test_photographs_stay_on_white_in_dark_mode_and_drawings_take_the_page(browser, origin, pages):
    visit = Visit(browser, origin, WIDTHS[1], scheme="dark")
    seen = set()
    for name in [name for name, page in pages.items() if page.select("figure img")]:
        visit.open(name)
        seen |= {tuple(each) for each in visit.page.eval_on_selector_all("figure img", COLOURS)}
        assert visit.page.evaluate("document.documentElement.dataset.theme") == "dark"
    visit.page.close()
    assert seen == {(True, "rgb(255, 255, 255)"), (False, "rgba(0, 0, 0, 0)")}


def test_the_front_door_leads_to_the_book(browser, origin):
    visit = Visit(browser, origin, WIDTHS[0])
    visit.page.goto(f"{origin}/index.html")
    visit.page.wait_for_url(f"{origin}/book/index.html")
    visit.page.close()
