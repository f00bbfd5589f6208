"""The book in a browser, on a desk and on a phone: every page is loaded once for each, and looked at from all sides."""

import gzip
import re
import time
from itertools import cycle
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import pytest
from local_server import AXE, AXE_ADDRESS, Quiet, serving
from visits import DESK, FIRST, PHONE, Visit, stages

pytestmark = [pytest.mark.results, pytest.mark.browser]

LONG = ("book/how_to_run.html", "book/stages/model_cards.html")
HIGHEST = {DESK: 8000, PHONE: 12000}  # of a stage page and the longest others; the first page is shorter
HIGHEST_FIRST = {DESK: 4500, PHONE: 5000}
MOST_SHIFTED = 0.1  # "good" by https://web.dev/articles/cls
MOST_BYTES_GZIPPED, MOST_BYTES = 800_000, 1_200_000
MOST_STOPS = 60
SMALLEST_LETTERS = 9  # pixels, of a figure
LETTERS = re.compile(r"font-size: ([\d.]+)px")
RULES_OF_COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules of axe-core that the mode can change; the others are the same page's.

They take most of the time. Every text is judged by them in the light on a desk and in the dark on a phone; what changes
colour with the width could only be the theme's own, which is on the first page too: it is judged in both at both.
"""
OTHERS = {"rules": {rule: {"enabled": False} for rule in RULES_OF_COLOURS}}

PAINTED = "images => images.map(i => [i.src.endsWith('.png'), getComputedStyle(i).backgroundColor])"
SHIFTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(shifted))))"
SEEN = """() => ({
  wide: document.documentElement.scrollWidth,
  high: document.documentElement.scrollHeight,
  figures: [...document.querySelectorAll('figure img')].filter(i => i.src.endsWith('.svg'))
    .map(i => [i.src.split('/').pop(), i.clientWidth / i.naturalWidth]),
  stops: [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')]
    .filter(e => e.tabIndex >= 0 && !e.disabled && e.checkVisibility({visibilityProperty: true})).length,
})"""
UNFOLD = "document.querySelectorAll('details').forEach(fold => { fold.open = true })"
SEEN_UNFOLDED = """() => ({
  wideUnfolded: document.documentElement.scrollWidth,
  unnamed: [...document.querySelectorAll('article table')]
    .filter(t => t.scrollWidth > document.documentElement.clientWidth - 20)
    .filter(t => !t.closest("[role='region'][aria-label]")).map(t => t.innerText.slice(0, 40)),
})"""


class SlowScripts(Quiet):
    """Sends pages at once and scripts and pictures later, and lets none be kept: each page is seen without them first."""

    def do_GET(self):
        if self.path != AXE_ADDRESS and self.path.split("?")[0].endswith((".js", ".svg", ".png")):
            time.sleep(0.1)
        super().do_GET()

    def end_headers(self):
        if self.path != AXE_ADDRESS:
            self.send_header("Cache-Control", "no-store")
        super().end_headers()


@pytest.fixture(scope="module", params=(DESK, PHONE), ids=("desk", "phone"))
def width(request):
    return request.param


@pytest.fixture(scope="module")
def seen(width, window, html, pages):
    """What is seen of each page at a width; `index.html` leads on by itself, which would race: its test is below."""
    if not AXE.is_file():
        pytest.fail("axe-core is not installed: `python -m arm_latency.litert_js`")
    with serving(html, SlowScripts) as origin:
        # Two tabs by turns: what a page asks for late is noted while the next one is looked at
        visits, names = [Visit(window, origin, width) for _ in range(2)], sorted(set(pages) - {"index.html"})
        seen = {name: look_at(visit, name) for name, visit in zip(names, cycle(visits), strict=False)}
        for visit in visits:
            visit.page.wait_for_load_state("networkidle")
            visit.page.close()
    return seen


def look_at(visit, name):
    page = visit.page
    page.wait_for_load_state("networkidle")  # the last one asked for nothing for half a second
    visit.foreign, visit.complaints, visit.loaded = [], [], []
    page.goto(f"{visit.origin}/{name}")
    shifted = page.evaluate(SHIFTED)
    visit.add_axe()
    page.add_style_tag(content="* { transition: none !important }")  # a colour halfway is no colour
    width = page.viewport_size["width"]
    violations = visit.violations(**({} if width == DESK or name == FIRST else OTHERS))
    found = page.evaluate(SEEN)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    found["painted"] = page.eval_on_selector_all("figure img", PAINTED)
    if width == PHONE or name == FIRST:
        violations += visit.violations(runOnly=RULES_OF_COLOURS)
    page.evaluate(UNFOLD)
    found |= page.evaluate(SEEN_UNFOLDED)
    return SimpleNamespace(
        **found,
        shifted=shifted,
        violations=sorted(set(violations)),
        foreign=visit.foreign,
        complaints=visit.complaints,
        loaded=visit.loaded,
    )


def test_no_page_violates_a_rule_of_axe(seen):
    assert {name: page.violations for name, page in seen.items() if page.violations} == {}


def test_every_page_fits_and_asks_nothing_of_others(seen, width):
    assert {name: page.foreign for name, page in seen.items() if page.foreign} == {}
    assert {name: page.complaints for name, page in seen.items() if page.complaints} == {}
    assert {name: page.wide for name, page in seen.items() if page.wide > width} == {}


def test_no_page_moves_under_its_reader_while_it_loads(seen):
    assert {name: page.shifted for name, page in seen.items() if page.shifted >= MOST_SHIFTED} == {}


def test_the_first_page_the_stages_and_other_long_pages_are_not_too_long(seen, width, pages):
    limits = {FIRST: HIGHEST_FIRST[width]} | dict.fromkeys([*stages(pages), *LONG], HIGHEST[width])
    assert {name: seen[name].high for name in limits if seen[name].high >= limits[name]} == {}


def test_every_table_fits_or_scrolls_in_a_named_region(seen, width):
    assert {name: page.unnamed for name, page in seen.items() if page.unnamed} == {}
    assert {name: page.wideUnfolded for name, page in seen.items() if page.wideUnfolded > width} == {}


def test_letters_of_figures_can_be_read(seen, html):
    letters = {}
    for name, page in seen.items():
        for file, scale in page.figures:
            sizes = LETTERS.findall((html / "_images" / file).read_text(encoding="utf-8"))
            assert sizes, f"no size of letters is found in {file} of {name}"
            # matplotlib counts points as the SVG's user units; 4/3 of them are a pixel of its natural size
            letters[f"{name}: {file}"] = min(map(float, sizes)) * 4 / 3 * scale
    assert {figure: size for figure, size in letters.items() if size < SMALLEST_LETTERS} == {}
    assert letters


CUT = """() => {
  const {left, right, top, bottom} = document.documentElement.getBoundingClientRect();
  const wide = 0.03 * (right - left);  // where Arial is lacking, letters are wider than matplotlib took them to be
  const out = b => b.left < left - wide || b.right > right + wide || b.top < top - 1 || b.bottom > bottom + 1;
  return [...document.querySelectorAll('text')].filter(t => out(t.getBoundingClientRect())).map(t => t.textContent);
}"""


def test_no_letters_of_figures_are_cut_at_their_edges(window, origin, html):
    page, cut = window.new_page(), {}
    figures = sorted((html / "_images").glob("*.svg"))
    for file in figures:
        page.goto(f"{origin}/_images/{file.name}")
        cut[file.name] = page.evaluate(CUT)
    page.close()
    assert figures
    assert {file: words for file, words in cut.items() if words} == {}


def test_pages_are_light(seen, html):
    heavy = []
    for name in sorted(set(seen) - {"book/your_device.html"}):
        files = [html / unquote(urlsplit(url).path)[1:] for url in seen[name].loaded]
        assert html / name in files
        size = sum(
            len(gzip.compress(file.read_bytes())) if name == FIRST else file.stat().st_size for file in files
        )
        if size > (MOST_BYTES_GZIPPED if name == FIRST else MOST_BYTES):
            heavy.append(f"{name}: {size:,} bytes")
    assert heavy == []


def test_no_page_loads_a_chart_unasked(seen):
    charts = {
        name: [url for url in page.loaded if "/charts/" in url or urlsplit(url).path.endswith(".vl.json")]
        for name, page in seen.items()
    }
    assert {name: urls for name, urls in charts.items() if urls} == {}


def test_a_stage_page_has_few_keyboard_stops(seen, pages):
    assert {name: seen[name].stops for name in stages(pages) if seen[name].stops >= MOST_STOPS} == {}


@pytest.mark.parametrize("sought", ["compression", "65.78", "1,192", "11.56"])
def test_search_finds_a_page_without_other_origins(window, origin, sought):
    visit = Visit(window, origin, DESK)
    visit.open(f"search.html?q={sought}")
    visit.page.wait_for_selector("#search-results li a")
    visit.page.close()
    assert visit.foreign == []


def test_photographs_stay_on_white_in_dark_mode_and_drawings_take_the_page(seen):
    painted = {tuple(picture) for page in seen.values() for picture in page.painted}
    assert painted == {(True, "rgb(255, 255, 255)"), (False, "rgba(0, 0, 0, 0)")}


def test_a_reader_who_prefers_the_dark_gets_it(window, origin):
    visit = Visit(window, origin, PHONE, scheme="dark")
    visit.open(FIRST)
    assert visit.page.evaluate("document.documentElement.dataset.theme") == "dark"
    visit.page.close()


def test_the_front_door_leads_to_the_book(window, origin):
    visit = Visit(window, origin, DESK)
    visit.page.goto(f"{origin}/index.html")
    visit.page.wait_for_url(f"{origin}/book/index.html")
    visit.page.close()
