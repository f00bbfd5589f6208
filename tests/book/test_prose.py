"""Prose: no result is typed, none longer than a caption is in Python, and all is in plain words.

Measured and published numbers reach prose by glue or from the file of claims.
"""

import json

import pytest
from plain_words import banned_words
from prose_in_python import MAXIMUM, long_texts
from typed_results import typed_results

from face_sets.folders import PROJECT_FOLDER
from fer_utils.stages import STAGES, notebook_source

PAGES = sorted((PROJECT_FOLDER / "book").glob("*.md"))
TEMPLATES = sorted((PROJECT_FOLDER / "fer_utils" / "reporting" / "templates").iterdir())
MODULES = sorted(
    path
    for folder in ("fer_utils", "packages/face_sets/face_sets", "packages/rendered_faces/rendered_faces")
    for path in (PROJECT_FOLDER / folder).rglob("*.py")
)


@pytest.mark.parametrize(
    "text",
    ["reaches 65.78% accuracy", "a 90 ms latency", "about 60 percent", "F1 of 0.61", "13.91x more", "5 points lower",
     "- 12 MB\n", "took 35 minutes", "(65 %)"],
)  # fmt: skip
def test_typed_results_are_found(text):
    assert typed_results(text)


@pytest.mark.parametrize(
    "text",
    ["seven expressions", "224 pixels", "{glue:text}`best:.1f` %", "`0.25`", "Python 3.11", "CC BY 4.0", "in 2023",
     "[a](https://doi.org/10.2196/39917)", "```python\nx = 0.5\n```", "95 % interval", "(95 %\ninterval)",
     "MobileNetV3-Large", "10 tones",
     "https://example.org/v1.2/a", "{cite}`a2020`"],
)  # fmt: skip
def test_facts_of_design_code_and_glue_are_left_alone(text):
    assert typed_results(text) == []


@pytest.mark.parametrize("page", [*PAGES, *TEMPLATES], ids=lambda path: path.name)
def test_pages_and_templates_type_no_result(page):
    assert typed_results(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("stage", STAGES)
def test_notebooks_type_no_result_in_prose_captions_or_alternative_texts(stage):
    found = []
    for cell in json.loads(notebook_source(stage).read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            found += typed_results("".join(cell["source"]))
        shown = cell["metadata"].get("mystnb", {})
        found += typed_results(shown.get("figure", {}).get("caption", ""))
        found += typed_results(shown.get("image", {}).get("alt", ""))
    assert found == []


LONG = "word " * (MAXIMUM + 1)
HALF = "word " * (MAXIMUM // 2 + 1)


@pytest.mark.parametrize(
    "source",
    [f"x = {LONG!r}", f"x = f'{HALF}{{y}} {HALF}'", f"x = ({HALF!r} {HALF!r})", f"x = {HALF!r} + y + {HALF!r}",
     f"x = ' '.join([{HALF!r}, y, {HALF!r}])", f"print({LONG!r})", f"x = {{'a': {LONG!r}}}"],
)  # fmt: skip
def test_long_texts_in_python_are_found(source):
    assert len(long_texts(source)) == 1


@pytest.mark.parametrize(
    "source",
    [f'"""{LONG}"""', f'def f():\n    """{LONG}"""', f'X = 1\n"""{LONG}"""', f"raise ValueError({LONG!r})",
     f"def f(x=typer.Option(1, help={LONG!r})): ...", f"x = [{HALF!r}, {HALF!r}]", "x = f'{a + \"b\"} c'",
     "x = '" + "A::B-C; " * 50 + "'"],
)  # fmt: skip
def test_documentation_messages_help_and_short_texts_are_left_alone(source):
    assert long_texts(source) == []


def test_no_prose_longer_than_a_caption_is_in_python():
    found = {
        str(path.relative_to(PROJECT_FOLDER)): texts
        for path in MODULES
        if (texts := long_texts(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_words_that_are_not_plain_are_found():
    text = "One row a run: the test speaks, nothing was\nto do, and the mended data cannot be had."
    assert len(banned_words(text.lower())) == 5
    assert len(banned_words("files that cannot be told from their network were read right by it")) == 2
    assert (
        banned_words("one row per run; the test rejects; a number of rows; it amends a row of a table") == []
    )


def test_code_and_pages_use_plain_words():
    notebooks = (PROJECT_FOLDER / "notebooks").glob("*.ipynb")
    found = {
        str(path.relative_to(PROJECT_FOLDER)): words
        for path in [*MODULES, *PAGES, *TEMPLATES, *notebooks, PROJECT_FOLDER / "README.md"]
        if (words := banned_words(path.read_text(encoding="utf-8")))
    }
    assert found == {}
