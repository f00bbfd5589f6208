"""The generated parts of the chapter on published numbers."""

import re

import pandas as pd
import pytest

from face_sets.folders import PROJECT_FOLDER
from fer_utils.paths import Paths
from fer_utils.published.numbers import PUBLISHED_FILE
from fer_utils.reporting.provenance import provenance
from fer_utils.reporting.published_pages import CHAPTER, published_pages
from fer_utils.study import load_study


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    study = load_study("quick")
    paths = Paths.of(study, tmp_path_factory.mktemp("results"))
    source = provenance(study, {"published": PUBLISHED_FILE}, kind="published numbers")
    return published_pages(paths.figures(CHAPTER), source), paths.figures(CHAPTER), source


def test_the_chapter_includes_every_part_and_no_other(made):
    chapter = (PROJECT_FOLDER / "book" / f"{CHAPTER}.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\{include\} stages/(\w+)\.md", chapter)) == set(made[0])


def test_figures_have_name_alternative_text_source_and_data(made):
    pages, folder, source = made
    directives = re.findall(
        r"```\{figure\} (\S+)\n:name: (\S+)\n:alt: (.+)\n\n(.+)\n\n(.+)\n```", "\n".join(pages.values())
    )
    assert len(directives) == 3
    for picture, name, alt, caption, line in directives:
        assert picture == f"stages/files/book/figures/{CHAPTER}/{name}.png"
        assert (folder / f"{name}.png").is_file()
        assert not pd.read_csv(folder / f"{name}.csv").empty
        assert len(alt) > 40
        assert caption.endswith(".")
        assert source.line() in line
        assert f'href="figures/{CHAPTER}/{name}.csv"' in line


def test_nothing_is_missing_and_nothing_infinite(made):
    shown = re.sub(r"<[^>]+>", " ", "\n".join(made[0].values()))
    assert re.findall(r"\b(?:nan|NaN|inf|None|<NA>|nat)\b", shown) == []


def test_the_published_numbers_are_shown_as_printed(made):
    text = "\n".join(made[0].values())
    for number in ("65.78 %", "60.57 %", "53.36 %", "66.9 %", "56.0 %", "11.56", "13.91", "26.62", "1,192"):
        assert number in text, number


def test_the_same_numbers_make_the_same_pages(made, tmp_path):
    pages, folder, source = made
    again = published_pages(tmp_path / CHAPTER, source)
    assert again == pages
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {
        p.name: p.read_bytes() for p in (tmp_path / CHAPTER).iterdir()
    }
