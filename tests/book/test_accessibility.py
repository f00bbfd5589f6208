"""No page breaks a rule that axe-core can check, on a desk and on a phone, in light and dark mode."""

import pytest
from visits import Visit

from arm_latency.litert_js import INSTALLED

pytestmark = [pytest.mark.results, pytest.mark.browser]

AXE = INSTALLED / "node_modules" / "axe-core" / "axe.min.js"
CHECK = """async (options) => (await axe.run(document, options)).violations.flatMap(
    rule => rule.nodes.map(node => rule.id + ': ' + node.html.slice(0, 100)))"""
OF_COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
"""The rules that the mode can change; the others are the same page's."""


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_violates_a_rule_of_axe(width, browser, origin, pages):
    if not AXE.is_file():
        pytest.fail("axe-core is not installed: `python -m arm_latency.litert_js`")
    visit = Visit(browser, origin, width)
    found = {}
    for name in sorted(set(pages) - {"index.html"}):
        visit.open(name)
        visit.page.add_script_tag(path=AXE)
        visit.page.add_style_tag(content="* { transition: none !important }")  # a colour halfway is no colour
        violations = visit.page.evaluate(CHECK, {})
        visit.page.evaluate("document.documentElement.dataset.theme = 'dark'")
        if violations := violations + visit.page.evaluate(CHECK, OF_COLOURS):
            found[name] = sorted(set(violations))
    visit.page.close()
    assert found == {}
