"""A small book of two pages, joined and printed."""

import shutil
from html import escape

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from printed_book import printing
from printed_book.one_document import PrintError, one_document
from printed_book.printing import BROWSERS, print_book

PAGES = ["book/index.html", "book/stages/data.html"]
ABOUT = {"title": "A <small> book", "version": "1.0"}
DOT = (
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001f61738550000"
    "000049454e44ae426082"
)  # a PNG of one black pixel


@pytest.fixture
def html(tmp_path):
    folder = tmp_path / "it's & html"
    (folder / "book" / "stages").mkdir(parents=True)
    (folder / "_images").mkdir()
    (folder / "_images" / "a dot.png").write_bytes(bytes.fromhex(DOT))
    (folder / "table.csv").write_text("a\n1\n")
    first = """<p id="here">First <a href="stages/data.html#sizes">sizes</a>, <a href="stages/data.html">data</a>,
      <a href="#here">here</a>, <a href="../table.csv">table</a>, <a href="https://example.org/x">out</a></p>
      <div class="cell_input">profile = 1</div><script>alert(1)</script><button>press</button>
      <details><summary>Show the code</summary><div class="cell_input">x</div></details>
      <details id="fold"><summary>More</summary><p>folded</p></details><noscript><p>static chart</p></noscript>"""
    second = """<h1 id="here">Data</h1><p><a href="../index.html#here">back</a></p><h2 id="sizes">Sizes</h2>
      <img src="../../_images/a%20dot.png" alt="a dot" loading="lazy">"""
    for page, content in zip(PAGES, (first, second), strict=True):
        style = '<link rel="stylesheet" href="missing.css">'
        (folder / page).write_text(
            f"<html><head>{style}</head><body><article>{content}</article></body></html>"
        )
    return folder


def joined(html, **more):
    return BeautifulSoup(one_document(html, PAGES, ABOUT, **more), "html.parser")


def test_every_link_inside_leads_to_an_id_and_ids_are_unique(html):
    page = joined(html)
    ids = [element["id"] for element in page.select("[id]")]
    assert len(set(ids)) == len(ids)
    inside = {link.text: link["href"] for link in page.select('a[href^="#"]')}
    assert set(inside) == {"sizes", "data", "here", "back"}
    assert {address[1:] for address in inside.values()} <= set(ids)
    assert page.find(id=inside["back"][1:]).text.startswith("First"), (
        "not the id of the same name on its own page"
    )


def test_other_files_are_linked_where_the_book_is_published_only(html):
    outside = {
        link.text: link.get("href") for link in joined(html).select("a") if link.text in {"table", "out"}
    }
    assert outside == {"table": None, "out": "https://example.org/x"}
    published = joined(html, site="https://example.org/book")
    assert published.find("a", string="table")["href"] == "https://example.org/book/table.csv"


def test_folds_are_open_and_what_only_a_screen_can_do_is_gone(html):
    page = joined(html)
    assert not page.select("script, button, .cell_input, noscript")
    assert [fold.summary.text for fold in page.select("details")] == ["More"]
    assert page.details.has_attr("open")
    assert "static chart" in page.text
    assert escape(ABOUT["title"]) in str(page.body)


@pytest.mark.parametrize("missing", ["book/stages/data.html", "_images/a dot.png"])
def test_a_missing_page_or_picture_is_named_and_the_old_file_stays(html, tmp_path, missing):
    (html / missing).unlink()
    old = tmp_path / "book.pdf"
    old.write_bytes(b"old")
    with pytest.raises(PrintError, match=r"data\.html"):
        print_book(html, PAGES, old, ABOUT)
    assert old.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book.pdf", html.name]


def test_without_chromium_it_says_what_to_install(html, tmp_path, monkeypatch):
    monkeypatch.setattr(printing.shutil, "which", lambda _: None)
    with pytest.raises(PrintError, match="install Chromium"):
        print_book(html, PAGES, tmp_path / "book.pdf", ABOUT)


@pytest.mark.browser
@pytest.mark.skipif(not any(map(shutil.which, BROWSERS)), reason="needs Chromium")
def test_one_pdf_with_every_page_picture_and_link_and_no_trace_of_the_machine(html, tmp_path):
    pdf = tmp_path / "new" / "book.pdf"
    assert print_book(html, PAGES, pdf, ABOUT) == 3
    read = PdfReader(pdf)
    assert read.metadata.title == ABOUT["title"]
    assert [item.title for item in read.outline if not isinstance(item, list)] == ["Data"]
    assert sum(len(page.images) for page in read.pages) == 1
    links = [note.get_object() for page in read.pages for note in page.get("/Annots", [])]
    targets = {str(link["/Dest"]) for link in links if "/Dest" in link}
    assert targets <= set(read.named_destinations)
    assert len(targets) == 3
    assert {link["/A"]["/URI"] for link in links if "/A" in link} == {"https://example.org/x"}
    assert (
        str(tmp_path).encode()
        not in b"".join(page.extract_text().encode() for page in read.pages) + pdf.read_bytes()
    )
