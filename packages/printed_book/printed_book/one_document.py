"""The pages of a rendered Sphinx book joined into one document, in which links between them lead inside it."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Final
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from bs4 import BeautifulSoup, Tag

STYLE: Final = Path(__file__).with_name("print.css")

SCREEN_ONLY: Final = (
    "script, style, button, input, select, textarea, progress, video, canvas, .cell_input, .d-print-none"
)
"""What nobody can use on paper: programs, controls, and the source of cells, which the notebooks hold."""


class PrintError(RuntimeError):
    """A book cannot be printed; the message says why and what to do."""


def one_document(html: Path, pages: Sequence[str], about: Mapping[str, str], site: str | None = None) -> str:
    """Return one HTML document of some pages of a rendered book, in this order.

    `pages` are paths below the folder `html`; `about` has the title and further lines of the first sheet, by name.
    A link to another file of the book leads to `site`, the book's public address; without one its text stays alone.
    Raises PrintError naming the first page, or picture of a page, that is missing.
    """
    parsed = {page: _article(html, page) for page in pages}
    marks = {page: f"page-{number}" for number, page in enumerate(pages)}
    parts = []
    for page, article in parsed.items():
        _settle_pictures(article, html, page)
        for element in article.select("[id]"):
            element["id"] = f"{marks[page]}.{element['id']}"
        for link in article.select("a[href]"):
            _settle_link(link, page, marks, site)
        parts.append(f'<div class="printed-page" id="{marks[page]}">{article.decode_contents()}</div>')
    styles = [html / unquote(urlsplit(name).path) for name in _styles(html, pages[0])]
    links = "".join(f'<link rel="stylesheet" href="{path.resolve().as_uri()}">' for path in [*styles, STYLE])
    title, *lines = about.items()
    first = "".join(f"<p>{escape(name)}: {escape(text)}</p>" for name, text in lines)
    return (
        f'<!DOCTYPE html><html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8">'
        f'<title>{escape(title[1])}</title>{links}</head><body><div class="printed-title">'
        f'<p style="font-size: 28pt"><strong>{escape(title[1])}</strong></p>{first}</div>{"".join(parts)}</body></html>'
    )


def _article(html: Path, page: str) -> Tag:
    try:
        whole = BeautifulSoup((html / page).read_text(encoding="utf-8"), "html.parser")
    except OSError:
        raise PrintError(f"the book has no page {page}: build the book first") from None
    article = whole.select_one("article")
    if article is None:
        raise PrintError(f"{page} holds no article: it is no page of a Sphinx book")
    for element in article.select(SCREEN_ONLY):
        element.decompose()
    for element in article.select("noscript"):
        element.unwrap()
    for element in article.select("details"):
        element["open"] = ""
        if not element.get_text(strip=True).removeprefix(_summary(element)):
            element.decompose()  # a fold that held code alone
    return article


def _summary(details: Tag) -> str:
    return summary.get_text(strip=True) if (summary := details.summary) else ""


def _styles(html: Path, page: str) -> list[str]:
    whole = BeautifulSoup((html / page).read_text(encoding="utf-8"), "html.parser")
    found = [str(link["href"]) for link in whole.select('link[rel="stylesheet"]')]
    return [_place(page, address) for address in found]


def _place(page: str, address: str) -> str:
    """Where an address of a page leads, below the book's folder."""
    return normpath(str(PurePosixPath(page).parent / address))


def _settle_pictures(article: Tag, html: Path, page: str) -> None:
    for picture in article.select("img[src]"):
        if str(picture["src"]).startswith("data:"):
            continue
        file = html / unquote(urlsplit(_place(page, str(picture["src"]))).path)
        if not file.is_file():
            raise PrintError(f"{page} shows {picture['src']}, which is not there: build the book again")
        picture["src"] = file.resolve().as_uri()
        picture.attrs.pop("loading", None)  # what lies far below would not be fetched for print


def _settle_link(link: Tag, page: str, marks: Mapping[str, str], site: str | None) -> None:
    address, fragment = urldefrag(str(link["href"]))
    if urlsplit(address).scheme:
        return
    place = unquote(_place(page, address)) if address else page
    if place in marks:
        link["href"] = f"#{marks[place]}.{fragment}" if fragment else f"#{marks[place]}"
    elif site:
        link["href"] = urljoin(f"{site.rstrip('/')}/", _place(page, str(link["href"])))
    else:
        del link["href"]
