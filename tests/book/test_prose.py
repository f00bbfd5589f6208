"""No result is typed: measured and published numbers reach prose by glue or from the file of claims."""

import json

import pytest
from typed_results import typed_results

from face_sets.folders import PROJECT_FOLDER
from fer_utils.stages import STAGES, notebook_source

PAGES = sorted((PROJECT_FOLDER / "book").glob("*.md"))


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


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_pages_type_no_result(page):
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
