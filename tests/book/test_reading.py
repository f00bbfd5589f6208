"""How the book reads: what comes first, what is folded, what is told of results."""

import pytest
from visits import DESK, FIRST, PHONE, Visit, stages

from fer_utils.analysis.claims import load_claims
from fer_utils.analysis.verdicts import VERDICTS
from fer_utils.reporting.pages import MOST_ROWS

pytestmark = [pytest.mark.results, pytest.mark.browser]


def test_a_finding_is_on_the_first_screen_of_a_phone(window, origin):
    visit = Visit(window, origin, PHONE)
    visit.open(FIRST)
    box = visit.page.locator("ol.findings li").first.bounding_box()
    visit.page.close()
    assert box["y"] + box["height"] < 844


def test_a_long_table_is_folded_sorts_and_can_be_saved(window, origin, pages):
    name, table = next((n, t) for n, page in pages.items() for t in page.select("details.long-table table")
                       if len(t.select("tbody tr")) > MOST_ROWS)  # fmt: skip
    visit = Visit(window, origin, DESK)
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


def test_claims_are_counted_and_filtered(window, origin, pages):
    chips = pages[FIRST].select(".verdict-counts .label")
    words = [chip.text.split(" ", 1)[1].strip() for chip in chips]
    assert words == list(VERDICTS)
    assert sum(int(chip.b.text) for chip in chips) == len(load_claims())
    visit = Visit(window, origin, PHONE)
    visit.open(FIRST)
    visit.page.get_by_label("Filter claims by a word").fill("Moto G6")
    left = visit.page.locator(".claim:visible").all_inner_texts()
    visit.page.close()
    assert 0 < len(left) < len(load_claims())


def test_only_the_search_loads_its_index_and_no_script_holds_a_page_up(pages):
    asked = {name: [script["src"] for script in page.select("script[src]")] for name, page in pages.items()}
    assert [name for name, scripts in asked.items() if any("searchindex" in each for each in scripts)] == [
        "search.html"
    ]
    holding = [f"{name}: {script['src']}" for name, page in pages.items() if name != "search.html"
               for script in page.select("head script[src]:not([defer], [src*='documentation_options'])")]  # fmt: skip
    assert holding == []


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
