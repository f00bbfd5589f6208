"""What every rendered page keeps: nothing empty, nothing unlabelled, nothing from elsewhere, no place named."""

import re
import socket
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from face_sets.folders import PROJECT_FOLDER
from fer_utils.analysis.claims import load_claims

pytestmark = pytest.mark.results

PLACE = re.compile(
    r"(?:(?<![\w./-])|file://)/(?:home|root|tmp|work|Users|mnt|var|opt|srv|private)/[\w.]|[A-Z]:\\\\?Users"
)
FILE_NAME = re.compile(r"^\S*[/\\]|\.(?:png|svg|jpe?g|gif)$", re.IGNORECASE)
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src",
           "object": "data", "embed": "src", "link": "href"}  # fmt: skip
CSS_ADDRESS = re.compile(r"url\(\s*['\"]?((?:https?:)?//[^'\")]+)|@import\s+['\"]((?:https?:)?//[^'\"]+)")


def texts(html: Path) -> dict[str, str]:
    kinds = {".html", ".js", ".css", ".md", ".ipynb", ".csv", ".json", ".svg", ".txt", ".inv", ""}
    files = [path for path in html.rglob("*") if path.is_file() and path.suffix in kinds]
    return {str(path.relative_to(html)): path.read_text(encoding="utf-8", errors="ignore") for path in files}


@pytest.mark.parametrize(
    "text", ["read /home/ada/x", '"/tmp/a"', "(/root/x)", r"C:\Users\ada", "file:///work/x", "=/tmp/x"]
)
def test_the_search_for_places_finds_them(text):
    assert PLACE.search(text)


@pytest.mark.parametrize(
    "text", ["book/tmp/x", "https://example.org/home/x", "and/or", "../work/x", "1/var/x"]
)
def test_the_search_for_places_leaves_others_alone(text):
    assert not PLACE.search(text)


def test_no_file_names_a_place_a_user_or_this_machine(html):
    others = ("_static", "charts", "device/litert")  # the theme's files, Vega and LiteRT.js
    ours = {name: text for name, text in texts(html).items() if not name.startswith(others)}
    host, folder = re.escape(socket.gethostname()), re.escape(str(PROJECT_FOLDER.resolve()))
    here = re.compile(rf"{folder}|\b(?!localhost){host}\b")
    picture = re.compile(r'"image/png": "[^"]*"')  # base64 spells any short word somewhere
    found = [
        f"{name}: {match.group()}"
        for name, text in ours.items()
        for pattern in (PLACE, here)
        if (match := pattern.search(picture.sub("", text)))
    ]
    assert not found


def test_every_image_has_an_alternative_text_that_is_not_a_file_name(pages):
    bad = [
        f"{name}: {image.get('src', '')[:60]} has {image.get('alt')!r}"
        for name, page in pages.items()
        for image in page.find_all("img")
        if not (image.get("alt") or "").strip() or FILE_NAME.search(image["alt"].strip())
    ]
    assert not bad


def test_every_picture_has_room_before_it_is_loaded(pages):
    pictures = [(name, picture) for name, page in pages.items() for picture in page.select("article img")]
    assert pictures
    assert [
        f"{name}: {p['src']}" for name, p in pictures if "aspect-ratio: auto" not in p.get("style", "")
    ] == []


def test_every_figure_has_caption_name_and_source_line(pages):
    figures = [(name, figure) for name, page in pages.items() for figure in page.select("figure")]
    assert len(figures) >= 6, "each of the first six stages shows a figure"
    bad = [
        f"{name}#{figure.get('id')}"
        for name, figure in figures
        if not figure.get("id") or not figure.figcaption or not figure.select_one(".source-line a")
    ]
    assert not bad


def test_no_picture_of_a_result_stands_outside_a_figure(pages):
    bad = [
        name for name, page in pages.items()
        for image in page.select(".cell_output img") if image.find_parent("figure") is None
    ]  # fmt: skip
    assert not bad


def test_every_glued_number_is_there(html, pages):
    roles = re.compile(r"\{glue:(?:text|md|)\}`")
    for name, page in pages.items():
        shown = page.select(".pasted-text, .pasted-inline")
        assert not [span for span in shown if not span.text.strip()], f"{name} has an empty number"
        sources = [html / "_sources" / f"{name.removesuffix('.html')}{kind}" for kind in (".md", ".ipynb")]
        asked = sum(len(roles.findall(path.read_text(encoding="utf-8"))) for path in sources if path.exists())
        assert len(shown) == asked, f"{name} asks for {asked} numbers and shows {len(shown)}"


def test_every_table_has_header_cells(pages):
    bad = [
        f"{name}: {t.text[:60]!r}" for name, page in pages.items() for t in page.find_all("table") if not t.th
    ]
    assert not bad


def test_every_page_says_its_language_and_has_one_title(pages):
    assert [name for name, page in pages.items() if page.html.get("lang") != "en"] == []
    assert [name for name, page in pages.items() if not page.title or not page.title.text.strip()] == []
    assert [
        name for name, page in pages.items() if len(page.select("article h1") or page.select("h1")) != 1
    ] == []


def test_every_link_within_the_book_leads_somewhere(html, pages):
    anchors = {name: {tag["id"] for tag in page.find_all(id=True)} for name, page in pages.items()}
    broken = []
    for name, page in pages.items():
        for link in page.find_all("a", href=True):
            address, fragment = urldefrag(link["href"])
            if urlsplit(address).scheme or address.startswith("//"):
                continue
            target = (html / name).parent / unquote(address.split("?")[0]) if address else html / name
            relative = str(target.resolve().relative_to(html.resolve()))
            if not target.exists() or (
                fragment and relative in anchors and fragment not in anchors[relative]
            ):
                broken.append(f"{name}: {link['href']}")
    assert not broken


def test_nothing_is_fetched_from_another_origin(html, pages):
    foreign = [
        f"{name}: {tag[attribute]}"
        for name, page in pages.items()
        for kind, attribute in FETCHED.items()
        for tag in page.find_all(kind, **{attribute: True})
        if re.match(r"(?:https?:)?//", tag[attribute]) and "canonical" not in tag.get("rel", [])
    ]
    styles = {name: text for name, text in texts(html).items() if name.endswith(".css")}
    styles |= {name: str(style) for name, page in pages.items() for style in page.find_all("style")}
    foreign += [f"{name}: {match}" for name, text in styles.items() for match in CSS_ADDRESS.findall(text)]
    assert not foreign


@pytest.mark.parametrize("claim", load_claims(), ids=lambda claim: claim.id)
def test_a_claim_leads_to_its_rule_its_figure_its_table_and_its_notebook(html, pages, claim):
    """What a link leads to is there; that all links resolve is tested for every page above."""
    board = pages["book/index.html"]
    (row,) = board.select(f"details.claim[data-claim='{claim.id}']")
    links = {link.text: link["href"] for link in row.select("p a")}
    assert links["rule"] == f"stages/claims.html#claim-{claim.id}"
    target = pages["book/stages/claims.html"].find(id=f"claim-{claim.id}")
    section = target if target.name == "section" else target.find_parent("section")
    told = section.get_text().replace("’", "'")
    assert claim.statement in told
    assert (f"A test needs: {claim.needs}" in told) == (claim.needs != "nothing")
    if claim.rule:
        assert set(links) == {"rule", "figure", "table", "notebook"}
    if "figure" in links:
        page, anchor = urldefrag(links["figure"])
        assert pages[f"book/{page}"].find(id=anchor)
    for name in {"table", "notebook"} & set(links):
        assert (html / "book" / links[name]).stat().st_size > 0
