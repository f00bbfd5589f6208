"""The notebooks as sources: stripped, one parameters cell, short cells, no logic, every figure described."""

import ast
import json
import re
from collections import Counter
from statistics import median

import pytest

from fer_utils.stages import STAGES, notebook_source

LONGEST_CELL = 18  # lines; what does not fit belongs into fer_utils
LONG_CELLS = 12  # lines, at the median of a notebook's ten longest cells
MAGIC = re.compile(r"^\s*[!%]|\bsys\.path\b|get_ipython\(", re.MULTILINE)
FILE_NAME = re.compile(r"\.(?:png|svg|jpe?g)$", re.IGNORECASE)


def cells(stage, kind=None):
    notebook = json.loads(notebook_source(stage).read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if kind in (None, cell["cell_type"])]


def source(cell):
    return "".join(cell["source"])


def calls(cell, name):
    """The cell's calls of a function or method of this name."""
    found = [node for node in ast.walk(ast.parse(source(cell))) if isinstance(node, ast.Call)]
    return [
        node for node in found if name in (getattr(node.func, "id", None), getattr(node.func, "attr", None))
    ]


def figure_cells(stage):
    return [cell for cell in cells(stage, "code") if calls(cell, "save_figure")]


pytestmark = pytest.mark.parametrize("stage", STAGES)


def test_outputs_are_stripped(stage):
    assert [source(c) for c in cells(stage, "code") if c["outputs"] or c["execution_count"] is not None] == []


def test_metadata_names_the_plain_kernel_and_nothing_of_a_run(stage):
    metadata = json.loads(notebook_source(stage).read_text(encoding="utf-8"))["metadata"]
    assert metadata["kernelspec"]["name"] == "python3"
    assert "papermill" not in json.dumps([metadata, *(cell["metadata"] for cell in cells(stage))])


def test_the_first_cell_has_label_title_and_question(stage):
    first = cells(stage)[0]
    assert first["cell_type"] == "markdown"
    label, title, *rest = [line for line in source(first).splitlines() if line.strip()]
    assert re.fullmatch(r"\([a-z0-9-]+\)=", label)
    assert title.startswith("# ")
    assert "?" in " ".join(rest)


def test_the_last_cell_lists_what_was_read_and_the_versions(stage):
    last = cells(stage)[-1]
    assert "show(results.provenance().tables," in source(last)
    assert calls(last, "versions")


def test_one_parameters_cell_of_commented_literals(stage):
    tagged = [cell for cell in cells(stage, "code") if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1
    lines = [line for line in source(tagged[0]).splitlines() if line.strip()]
    statements = ast.parse(source(tagged[0])).body
    assert len(lines) == len(statements), "one parameter per line and nothing else"
    for line, statement in zip(lines, statements, strict=True):
        assert isinstance(statement, ast.Assign | ast.AnnAssign), line
        ast.literal_eval(statement.value)
        assert re.search(r"  # \S", line), f"{line!r} has no trailing comment"


def test_the_cell_after_the_parameters_checks_them_and_opens_the_results_of_its_stage(stage):
    code = cells(stage, "code")
    position = next(i for i, cell in enumerate(code) if "parameters" in cell["metadata"].get("tags", []))
    (call,) = calls(code[position + 1], "open_results")
    assert ast.unparse(call) == f"open_results(globals(), {stage!r})", (
        "the links below a figure follow from this"
    )


def test_code_is_folded_but_for_the_parameters(stage):
    shown = [
        source(cell) for cell in cells(stage, "code") if "hide-input" not in cell["metadata"].get("tags", [])
    ]
    assert [text for text in shown if "# name of a study profile" not in text] == []


def test_cells_are_short(stage):
    lengths = sorted(len(source(cell).splitlines()) for cell in cells(stage, "code"))
    assert median(lengths[-10:]) <= LONG_CELLS
    assert lengths[-1] <= LONGEST_CELL


def test_every_table_read_is_listed_because_results_reads_it(stage):
    for cell in cells(stage, "code"):
        assert not re.search(r"\bread_parquet\b|\btables\.read\b", source(cell)), source(cell)


def test_no_logic_lives_here(stage):
    forbidden = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for cell in cells(stage, "code"):
        assert not MAGIC.search(source(cell)), source(cell)
        assert not [n for n in ast.walk(ast.parse(source(cell))) if isinstance(n, forbidden)], source(cell)


def test_there_is_a_figure_and_each_is_named_captioned_and_described(stage):
    figures = figure_cells(stage)
    assert figures
    for cell in figures:
        shown = cell["metadata"].get("mystnb", {})
        name, caption = (shown.get("figure", {}).get(key, "") for key in ("name", "caption"))
        alternative = shown.get("image", {}).get("alt", "")
        assert caption.strip().endswith("."), f"{name}: the caption is a sentence"
        assert len(alternative.split()) >= 5, f"{name}: the alternative text says what is to be seen"
        assert not FILE_NAME.search(alternative)
        (call,) = calls(cell, "save_figure")
        assert ast.literal_eval(call.args[1]) == name, "figure and file have one name"
        assert isinstance(ast.parse(source(cell)).body[-1], ast.Expr), (
            "the figure is the cell's last expression"
        )


def test_figure_names_are_unique_in_the_book(stage):
    names = Counter(
        ast.literal_eval(call.args[1])
        for other in STAGES
        for cell in figure_cells(other)
        for call in calls(cell, "save_figure")
    )
    mine = {
        ast.literal_eval(call.args[1]) for cell in figure_cells(stage) for call in calls(cell, "save_figure")
    }
    assert [name for name in mine if names[name] > 1] == []
