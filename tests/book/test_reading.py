"""How the book reads: what comes first, how long pages are, what is folded, how much a page loads."""

import gzip
from urllib.parse import unquote, urlsplit

import pytest
from visits import Visit

from fer_utils.analysis.claims import load_claims
from fer_utils.analysis.verdicts import VERDICTS
from fer_utils.reporting.pages import MOST_ROWS

pytestmark = [pytest.mark.results, pytest.mark.browser]

DESK, PHONE = 1280, 390
FIRST = "book/index.html"
LONG = ("book/how_to_run.html", "book/stages/model_cards.html")
HIGHEST = {DESK: 8000, PHONE: 12000}  # of a stage page and the longest others; the first page is shorter
HIGHEST_FIRST = {DESK: 4500, PHONE: 5000}
MOST_BYTES_GZIPPED, MOST_BYTES = 800_000, 1_200_000
MOST_STOPS = 60
SMALLEST_LETTERS = 9  # pixels, of a figure on a phone
FIGURE_ON_A_PHONE = """images => images.filter(i => i.src.endsWith('.svg'))
    .map(i => [i.src.split('/').pop(), i.clientWidth / i.naturalWidth])"""
IN_TAB_ORDER = """() => [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')]
    .filter(e => e.tabIndex >= 0 && !e.disabled && e.checkVisibility({visibilityProperty: true})).length"""


def stages(pages):
    return [name for name in pages if name.startswith("book/stages/0")]


@pytest.fixture(params=(DESK, PHONE), ids=("desk", "phone"))
def visit(request, browser, origin):
    visit = Visit(browser, origin, request.param)
    visit.width = request.param
    yield visit
    visit.page.close()


def height(visit, name):
    visit.open(name)
    return visit.page.evaluate("document.documentElement.scrollHeight")


def test_the_first_page_the_stages_and_other_long_pages_are_not_too_long(visit, pages):
    limits = {FIRST: HIGHEST_FIRST[visit.width]} | dict.fromkeys(
        [*stages(pages), *LONG], HIGHEST[visit.width]
    )
    found = {name: height(visit, name) for name in limits}
    assert {name: pixels for name, pixels in found.items() if pixels >= limits[name]} == {}


def test_a_finding_is_on_the_first_screen_of_a_phone(browser, origin):
    visit = Visit(browser, origin, PHONE)
    visit.open(FIRST)
    box = visit.page.locator("ol.findings li").first.bounding_box()
    visit.page.close()
    assert box["y"] + box["height"] < 844


def test_every_table_fits_or_scrolls_in_a_named_region(visit, pages):
    unnamed = []
    for name in sorted(set(pages) - {"index.html", "search.html"}):
        visit.open(name)
        visit.page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
        unnamed += visit.page.eval_on_selector_all(
            "article table",
            """(tables, page) => tables.filter(t => t.scrollWidth > document.documentElement.clientWidth - 20)
            .filter(t => !t.closest("[role='region'][aria-label]")).map(t => page + ': ' + t.innerText.slice(0, 40))""",
            name,
        )
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= visit.width, name
    assert unnamed == []


def test_a_long_table_is_folded_sorts_and_can_be_saved(browser, origin, pages):
    name, table = next((n, t) for n, page in pages.items() for t in page.select("details.long-table table")
                       if len(t.select("tbody tr")) > MOST_ROWS)  # fmt: skip
    visit = Visit(browser, origin, DESK)
    visit.open(name)
    fold = visit.page.locator("details.long-table", has=visit.page.locator("tbody tr:nth-child(13)")).first
    fold.locator("summary").click()
    head = fold.locator("th").last
    head.locator("button").click()
    shown = fold.locator("tbody tr td:last-child").all_inner_texts()
    head.locator("button").click()
    reverse = fold.locator("tbody tr td:last-child").all_inner_texts()
    with visit.page.expect_download() as download:
        fold.locator("button.save").click()
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    visit.page.close()
    assert len(set(shown)) == 1 or shown != reverse
    assert sorted(shown) == sorted(reverse)
    assert len(lines) == len(shown) + 1 == len(table.select("tbody tr")) + 1


def test_no_long_table_stands_unfolded(pages):
    tables = [(n, t) for n in pages if n.startswith("book/") for t in pages[n].select("main table")]
    long = [f"{n}: {t.text[:40]}" for n, t in tables
            if len(t.select("tbody tr")) > MOST_ROWS and not t.find_parent("details")]  # fmt: skip
    assert long == []


def test_claims_are_counted_and_filtered(browser, origin, pages):
    chips = pages[FIRST].select(".verdict-counts .label")
    words = [chip.text.split(" ", 1)[1].strip() for chip in chips]
    assert words == list(VERDICTS)
    assert sum(int(chip.b.text) for chip in chips) == len(load_claims())
    visit = Visit(browser, origin, PHONE)
    visit.open(FIRST)
    visit.page.get_by_label("Filter claims by a word").fill("Moto G6")
    left = visit.page.locator(".claim:visible").all_inner_texts()
    visit.page.close()
    assert 0 < len(left) < len(load_claims())


def test_letters_of_figures_can_be_read_on_a_phone(browser, origin, pages):
    visit = Visit(browser, origin, PHONE)
    small = []
    for name in [name for name, page in pages.items() if page.select("figure img")]:
        visit.open(name)
        for file, scale in visit.page.eval_on_selector_all("figure img", FIGURE_ON_A_PHONE):
            points = visit.page.request.get(f"{origin}/_images/{file}").text()
            sizes = {float(part.split("px")[0].split()[-1]) for part in points.split("font: ")[1:]}
            # matplotlib counts points as the SVG's user units; 4/3 of them are a pixel of its natural size
            if sizes and min(sizes) * 4 / 3 * scale < SMALLEST_LETTERS:
                small.append(f"{name}: {file} {min(sizes) * 4 / 3 * scale:.1f}")
    visit.page.close()
    assert small == []


def test_pages_are_light(browser, origin, html, pages):
    heavy = []
    for name in sorted(set(pages) - {"index.html", "book/your_device.html"}):
        visit = Visit(browser, origin, DESK)
        loaded = []
        visit.page.on("requestfinished", lambda request, loaded=loaded: loaded.append(request.url))
        visit.open_until_silent(name)
        visit.page.close()
        files = [html / unquote(urlsplit(url).path)[1:] for url in loaded if url.startswith(origin)]
        assert html / name in files
        size = sum(
            len(gzip.compress(file.read_bytes())) if name == FIRST else file.stat().st_size for file in files
        )
        if size > (MOST_BYTES_GZIPPED if name == FIRST else MOST_BYTES):
            heavy.append(f"{name}: {size:,} bytes")
    assert heavy == []


def test_only_the_search_loads_its_index_and_no_script_holds_a_page_up(pages):
    asked = {name: [script["src"] for script in page.select("script[src]")] for name, page in pages.items()}
    assert [name for name, scripts in asked.items() if any("searchindex" in each for each in scripts)] == [
        "search.html"
    ]
    holding = [f"{name}: {script['src']}" for name, page in pages.items() if name != "search.html"
               for script in page.select("head script[src]:not([defer], [src*='documentation_options'])")]  # fmt: skip
    assert holding == []


def test_a_stage_page_has_few_keyboard_stops(browser, origin, pages):
    visit = Visit(browser, origin, DESK)
    stops = {}
    for name in stages(pages):
        visit.open(name)
        stops[name] = visit.page.evaluate(IN_TAB_ORDER)
    visit.page.close()
    assert {name: number for name, number in stops.items() if number >= MOST_STOPS} == {}


def test_each_stage_opens_with_its_question_and_its_result(pages):
    """The result is the first paragraph after the question, with numbers of the run, and short enough for a glance."""
    found = {name: pages[name].select("article p:not(summary p)")[:2] for name in stages(pages)}
    assert len(found) == 9
    results = {name: [p for p in shown if p.text.startswith("Result. ")] for name, shown in found.items()}
    assert [name for name, shown in results.items() if len(shown) != 1] == []
    assert [name for name, (p,) in results.items() if len(p.select(".pasted-text")) < 3] == []
    assert {name: len(p.text.split()) for name, (p,) in results.items() if len(p.text.split()) > 100} == {}


def test_captions_and_alternative_texts_tell_the_result(pages):
    figures = [(name, figure) for name, page in pages.items() for figure in page.select("figure")]
    silent = [f"{name}#{figure.get('id')}" for name, figure in figures
              for text in (figure.figcaption.text, figure.img["alt"]) if not any(map(str.isdigit, text))]  # fmt: skip
    assert silent == []
