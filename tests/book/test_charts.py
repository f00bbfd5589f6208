"""Charts to explore: the picture first, the chart on request, by keyboard too, and the picture again where it fails."""

import json

import pandas as pd
import pytest
from visits import DESK, PHONE, Visit

pytestmark = [pytest.mark.results, pytest.mark.browser]

FIGURES = {
    "book/stages/02_architectures.html": "learning-curves",
    "book/stages/04_compression.html": "accuracy-size",
    "book/stages/06_ethnicity_analysis.html": "groups-accuracy",
    "book/stages/09_real_faces.html": "ladder-accuracy",
}


def opened(window, origin, page):
    visit = Visit(window, origin, DESK)
    visit.open(page)
    visit.figure = visit.page.locator("figure").filter(has=visit.page.locator("button.explore")).first
    return visit


@pytest.mark.parametrize("page", FIGURES)
def test_a_chart_shows_the_values_of_its_table_to_pointer_and_keyboard(window, origin, html, page):
    """On a desk in light and on a phone in dark mode; that no page loads a chart unasked is tested with its loading."""
    table = pd.read_csv(
        html / "book" / "figures" / page.split("/")[-1].removesuffix(".html") / f"{FIGURES[page]}.csv"
    )
    visit = opened(window, origin, page)
    visit.add_axe()
    for width, scheme in ((DESK, "light"), (PHONE, "dark")):
        visit.page.set_viewport_size({"width": width, "height": 844})
        visit.page.emulate_media(color_scheme=scheme)
        visit.page.wait_for_function("mode => document.documentElement.dataset.theme === mode", arg=scheme)
        visit.figure.get_by_role("button", name="Explore the chart").press("Enter")
        marks = visit.figure.locator(".mark-symbol path[aria-label]")
        marks.first.wait_for()
        assert marks.count() == len(table)
        assert visit.figure.locator("img").is_hidden()
        visit.figure.get_by_role("application").focus()
        told = set()
        steps = len(table) if width == DESK else 5  # how far keys lead is no matter of width or colours
        for _ in range(steps):
            visit.page.keyboard.press("ArrowRight")
            told.add(visit.figure.locator(".chart-told").inner_text())
        assert len(told) > steps * 0.7, "values differ, or some are told twice"
        assert all("%" in sentence for sentence in told)
        first = visit.figure.locator("select").first
        first.select_option(index=1)
        visit.page.wait_for_function("([all, n]) => document.querySelectorAll(all).length < n",
                                     arg=[".mark-symbol path[aria-label]", len(table)])  # fmt: skip
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        assert visit.violations(".chart") == []
        visit.figure.get_by_role("button", name="Show the picture").click()
        assert visit.figure.locator("img").is_visible()
        assert visit.figure.locator(".chart").count() == 0
    visit.page.close()
    assert visit.foreign == []
    assert visit.complaints == []


def test_where_the_programs_are_missing_the_picture_stays(window, origin):
    visit = opened(window, origin, "book/stages/06_ethnicity_analysis.html")
    visit.page.route("**/charts/**", lambda route: route.fulfill(status=404))
    visit.figure.locator("button.explore").click()
    visit.page.get_by_text("The chart could not be loaded").wait_for()
    assert visit.figure.locator("img").is_visible()
    visit.page.unroute("**/charts/**")
    visit.figure.locator("button.explore").click()
    visit.figure.locator(".mark-symbol path").first.wait_for()
    assert visit.page.get_by_text("The chart could not be loaded").count() == 0
    visit.page.close()


@pytest.mark.parametrize("page", FIGURES)
def test_without_javascript_the_picture_and_a_link_to_the_chart_are_there(pages, html, page):
    figure = next(f for f in pages[page].select("figure") if f.select_one('a[href$=".vl.json"]'))
    assert figure.img["src"].endswith(".svg")
    file = (html / page).parent / figure.select_one('a[href$=".vl.json"]')["href"]
    table = file.parent / json.loads(file.read_text(encoding="utf-8"))["data"]["url"]
    assert table.is_file()
