import pytest
from bs4 import BeautifulSoup

from face_sets.data_sheets import class_coverage, data_sheet, overview
from face_sets.expressions import EXPRESSIONS
from face_sets.manifests import load_manifest, manifest_names
from fer_utils.book import data_sheets_page

MANIFESTS = [load_manifest(name) for name in manifest_names()]
BY_NAME = {name: load_manifest(name) for name in manifest_names()}


@pytest.fixture(scope="module")
def page():
    return data_sheets_page()


def of(table, name):
    """The one row of a set."""
    rows = table[table["set"] == BY_NAME[name].short_name]
    assert len(rows) == 1
    return rows.iloc[0]


def answers(name):
    return data_sheet(BY_NAME[name]).set_index("question")["answer"]


def test_every_set_has_one_row_whatever_the_order_given():
    table = overview(MANIFESTS)
    assert table["set"].is_unique
    assert len(table) == len(class_coverage(MANIFESTS)) == len(MANIFESTS)
    assert table.equals(overview(MANIFESTS[::-1]))


def test_the_overview_tells_what_a_set_is_for():
    table = overview(MANIFESTS)
    assert list(of(table, "cafe")[["people", "images", "access", "used for"]]) == [
        "154", "1,192 images", "signed agreement", "testing only",
    ]  # fmt: skip
    assert of(table, "nimh_chefs")["expressions"] == "no surprise, no disgust"
    assert of(table, "london")["expressions"] == "only neutral, happiness"
    assert of(table, "ddcf")["expressions"] == "all seven"
    assert of(table, "own")["images"] == "not known"


def test_coverage_keeps_counts_and_classes_and_holes_apart():
    table = class_coverage(MANIFESTS)
    assert list(table.columns) == ["set", *EXPRESSIONS]
    assert of(table, "fer2013")["disgust"] == "547"
    assert of(table, "affectnet")["happiness"] == "134,415"
    assert of(table, "ckplus")["neutral"] == "yes"  # first frames, taken by rule and not counted
    assert list(of(table, "nimh_chefs")[["disgust", "surprise", "fear"]]) == ["none", "none", "yes"]
    assert of(table, "liris_cse")["neutral"] == "none"


@pytest.mark.parametrize("name", BY_NAME)
def test_no_answer_of_a_sheet_is_left_open(name):
    assert all(isinstance(answer, str) and answer.strip() for answer in answers(name))


def test_a_sheet_says_who_may_have_it_on_what_terms_and_what_is_read_how():
    sheet = answers("rafd")
    assert "accredited university" in sheet["who may have it"]
    assert "Scientific use only" in sheet["terms in plain words"]
    assert "disgust: disgusted" in sheet["labels read as"]
    assert sheet["labels not used"] == "contemptuous"
    assert sheet["age groups here"] == "child, adult"
    assert sheet["may its pictures be shown?"] == sheet["may a model trained on it be given away?"] == "no"
    assert answers("london")["may its pictures be shown?"] == "yes"
    assert "neutral 87" in answers("childefes")["by expression, as published"]


def test_the_page_has_a_section_a_set_and_header_cells_and_links(page):
    assert [line for line in page.splitlines() if line.startswith("# ")] == ["# Data sets"]
    for manifest in MANIFESTS:
        assert page.count(f"\n## {manifest.name}\n") == 1
    parsed = BeautifulSoup(page, "html.parser")
    tables = parsed.find_all("table")
    assert len(tables) == len(MANIFESTS) + 2
    for table in tables:
        assert [head["scope"] for head in table.find_all("th")] == ["col"] * len(table.find_all("th")) != []
    assert "cards" in tables[0]["class"]  # long texts: one card a set on a phone
    links = {link["href"] for link in parsed.find_all("a")}
    assert {manifest.url for manifest in MANIFESTS if manifest.url.startswith("http")} <= links


def test_the_page_says_whose_twelve_they_are(page):
    assert "declared by this replication" in page
    assert "CAFE is for testing only" in page
