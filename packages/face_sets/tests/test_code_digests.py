import shutil

import pytest

from face_sets import code_digests
from face_sets.code_digests import code_digest, imported_modules, notebook_digest


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A copy of the package whose files may be edited; the import graph stays the same."""
    shutil.copytree(code_digests._packages()["fer_utils"], tmp_path / "fer_utils")
    monkeypatch.setitem(code_digests._packages(), "fer_utils", tmp_path / "fer_utils")
    return tmp_path / "fer_utils"


def edit(path):
    path.write_text(path.read_text() + "\n# edited\n")


def test_editing_reporting_trains_nothing_and_editing_models_trains_again(sources):
    before = code_digest("fer_utils.steps.train")
    edit(sources / "reporting" / "figures.py")
    edit(sources / "profiling" / "host.py")
    assert code_digest("fer_utils.steps.train") == before
    edit(sources / "models" / "backbones.py")
    assert code_digest("fer_utils.steps.train") != before


def test_a_change_deep_below_is_seen(sources):
    before = code_digest("fer_utils.steps.train")
    edit(sources / "expressions.py")
    assert code_digest("fer_utils.steps.train") != before


def test_the_lock_file_counts(tmp_path, monkeypatch):
    before = code_digest("face_sets.expressions")
    lock = tmp_path / "requirements.lock"
    lock.write_text("tensorflow==0")
    monkeypatch.setattr(code_digests, "LOCK_FILE", lock)
    assert code_digest("face_sets.expressions") != before


def test_unknown_module_is_refused():
    with pytest.raises(ValueError, match="unknown module 'fer_utils.nothing'"):
        code_digest("fer_utils.nothing")


def test_imports_are_found_in_every_form():
    code = "import fer_utils.study\nfrom fer_utils.models import training\nfrom fer_utils.tables import read\nimport os"
    assert {"fer_utils.study", "fer_utils.models.training", "fer_utils.tables"} <= set(imported_modules(code))


def notebook(source="from fer_utils import tables", **changes):
    cell = {"cell_type": "code", "source": [source], "metadata": {}, "outputs": [], "execution_count": None}
    return {"cells": [{**cell, **changes}]}


def test_a_notebook_is_its_cells_and_what_they_import(sources):
    before = notebook_digest(notebook())
    assert notebook_digest(notebook(outputs=[{"text": "1"}], execution_count=4)) == before
    assert notebook_digest(notebook("from fer_utils import tables\n1")) != before
    edit(sources / "models" / "training.py")
    assert notebook_digest(notebook()) == before
    edit(sources / "tables.py")
    assert notebook_digest(notebook()) != before
