import pandas as pd
import pytest
from bs4 import BeautifulSoup
from jinja2 import UndefinedError

from fer_utils.reporting.build import TEMPLATES, render
from fer_utils.reporting.pages import html_table, show

FRAME = pd.DataFrame(
    {
        "architecture": ["mobilenet_v2", "other"],
        "latency_ms": [12.34567, None],
        "runs": [3, 4],
        "note": ["<b>&", "x"],
    }
)


def parsed(text):
    return BeautifulSoup(text, "html.parser")


def test_every_column_has_a_header_cell_with_scope():
    heads = parsed(html_table(FRAME)).find_all("th")
    assert [head.text for head in heads] == ["architecture", "latency ms", "runs", "note"]
    assert {head["scope"] for head in heads} == {"col"}


def test_cells_hold_the_values_rounded_named_and_escaped():
    rows = [
        [cell.text for cell in row.find_all("td")]
        for row in parsed(html_table(FRAME, decimals=2)).find_all("tr")
    ]
    assert rows[1:] == [["MobileNetV2", "12.35", "3", "<b>&"], ["other", "—", "4", "x"]]
    assert parsed(html_table(FRAME)).find("b") is None


def test_addresses_become_links_and_nothing_else_does():
    table = parsed(html_table(pd.DataFrame({"at": ["https://example.org/a", "javascript:alert(1)"]})))
    assert [link["href"] for link in table.find_all("a")] == ["https://example.org/a"]


def test_addresses_within_a_text_become_links_without_the_stop_after_them():
    text = "By <A> (https://doi.org/10.1/a.b), and http://example.org/x?y=1&z=2."
    table = parsed(html_table(pd.DataFrame({"by": [text]})))
    assert [link["href"] for link in table.find_all("a")] == [
        "https://doi.org/10.1/a.b",
        "http://example.org/x?y=1&z=2",
    ]
    assert table.find("td").text == text


def test_the_caption_is_a_caption():
    assert parsed(show(FRAME, "Times & sizes").data).find("caption").text == "Times & sizes"
    assert parsed(show(FRAME).data).find("caption") is None


def test_times_are_whole_seconds():
    assert ">12<" in render("times.md.j2", times=pd.DataFrame({"job": ["faces"], "seconds": [12.4]}))


def test_a_template_without_its_value_is_an_error_that_names_it():
    with pytest.raises(UndefinedError, match="'times'"):
        render("times.md.j2")


def test_every_template_is_filled_by_the_package():
    package = TEMPLATES.parents[1]
    files = [*package.rglob("*.py"), *TEMPLATES.iterdir()]
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    names = {path.name: path.name.removesuffix(".md.j2") for path in TEMPLATES.iterdir()}
    assert [file for file, page in names.items() if f'"{file}"' not in text and f'"{page}"' not in text] == []
