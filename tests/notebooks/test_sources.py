"""The eight notebooks as sources: stripped, one parameters cell, no logic, every figure described."""

import ast
import json
import re
from collections import Counter

import pytest

from fer_utils.stages import STAGES, notebook_source

LONGEST_CELL = 30  # lines; what does not fit belongs into fer_utils
MAGIC = re.compile(r"^\s*[!%]|\bsys\.path\b|get_ipython\(", re.MULTILINE)
FILE_NAME = re.compile(r"\.(?:png|svg|jpe?g)$", re.IGNORECASE)


def cells(stage, kind=None):
    notebook = json.loads(notebook_source(stage).read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if kind in (None, cell["cell_type"])]


def source(cell):
    return "".join(cell["source"])


def calls(cell, name):
    tree = ast.parse(source(cell))
    return [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", None) == name]


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


def test_the_last_cell_tells_versions_and_what_was_read(stage):
    last = cells(stage)[-1]
    assert last["cell_type"] == "code"
    assert calls(last, "versions")


def test_one_parameters_cell_of_commented_literals(stage):
    tagged = [cell for cell in cells(stage, "code") if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1
    lines = [line for line in source(tagged[0]).splitlines() if line.strip()]
    statements = ast.parse(source(tagged[0])).body
    assert len(lines) == len(statements), "one parameter a line and nothing else"
    for line, statement in zip(lines, statements, strict=True):
        assert isinstance(statement, ast.Assign | ast.AnnAssign), line
        ast.literal_eval(statement.value)
        assert re.search(r"  # \S", line), f"{line!r} has no trailing comment"


def test_the_cell_after_the_parameters_checks_them(stage):
    code = cells(stage, "code")
    position = next(i for i, cell in enumerate(code) if "parameters" in cell["metadata"].get("tags", []))
    assert calls(code[position + 1], "begin")


def test_no_logic_lives_here(stage):
    forbidden = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for cell in cells(stage, "code"):
        assert not MAGIC.search(source(cell)), source(cell)
        assert not [n for n in ast.walk(ast.parse(source(cell))) if isinstance(n, forbidden)], source(cell)
        assert len(source(cell).splitlines()) <= LONGEST_CELL, source(cell)


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


def test_figures_go_to_the_folder_of_their_stage(stage):
    for cell in figure_cells(stage):
        for call in calls(cell, "save_figure"):
            folder = next(k.value for k in call.keywords if k.arg == "folder")
            names = [n.value for n in ast.walk(folder) if isinstance(n, ast.Constant)]
            assert names in ([stage], []), "the links below a figure follow from this folder"


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
