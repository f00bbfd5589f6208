import shutil

import pytest

from face_sets import code_digests
from face_sets.code_digests import code_digest, imported_modules, notebook_digest

CODE = "fer_utils.steps.train"


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """Copies of the packages whose files may be edited; the import graph stays the same."""
    for name, folder in list(code_digests._packages().items()):
        shutil.copytree(folder, tmp_path / name)
        monkeypatch.setitem(code_digests._packages(), name, tmp_path / name)
    return tmp_path


def edit(path, old=None, new="", append="\nEDITED = 1\n"):
    text = path.read_text()
    assert old is None or old in text
    path.write_text(text + append if old is None else text.replace(old, new, 1))


def test_editing_reporting_trains_nothing_and_editing_models_trains_again(sources):
    before = code_digest(CODE)
    edit(sources / "fer_utils/reporting/figures.py")
    edit(sources / "arm_latency/host.py")
    assert code_digest(CODE) == before
    edit(sources / "fer_utils/models/backbones.py")
    assert code_digest(CODE) != before


def test_a_change_deep_below_in_another_package_is_seen(sources):
    before = code_digest(CODE)
    edit(sources / "face_sets/expressions.py")
    assert code_digest(CODE) != before


def test_comments_docstrings_and_layout_do_not_count_and_constants_do(sources):
    path = sources / "fer_utils/models/small.py"
    path.write_text('"""One."""\nHALF = 0.5\n"""Of it."""\n\n\nclass A:\n    """Two."""\n')

    def digest_now():
        return code_digests._code(path.read_bytes())[0]

    before = digest_now()
    path.write_text('"""Other."""\n# A comment\nHALF = (\n    0.5\n)\n"""More."""\nclass A:\n    "Too."\n')
    assert digest_now() == before
    edit(path, "0.5", "0.6")
    assert digest_now() != before


def test_a_comment_or_docstring_in_any_reached_module_re_runs_nothing_and_a_constant_does(sources):
    steps = ("fer_utils.steps.faces", "fer_utils.steps.compress")
    before = [code_digest(step) for step in steps]
    path = sources / "rendered_faces/portrait.py"
    edit(path, append="\n# hair\n")
    edit(path, '"""', '"""Edited. ')
    assert [code_digest(step) for step in steps] == before
    edit(path)
    assert all(new != old for new, old in zip([code_digest(step) for step in steps], before, strict=True))


def test_data_files_count_for_the_modules_that_name_them_and_profiles_for_none(sources):
    before = {step: code_digest(step) for step in ("fer_utils.steps.measure", "fer_utils.steps.faces")}
    edit(sources / "fer_utils/profiles/quick.yml")
    assert {step: code_digest(step) for step in before} == before
    edit(sources / "arm_latency/cortex_a53_latencies.csv")
    assert code_digest("fer_utils.steps.measure") != before["fer_utils.steps.measure"]
    assert code_digest("fer_utils.steps.faces") == before["fer_utils.steps.faces"]


@pytest.mark.parametrize(
    ("distribution", "counts"),
    [
        ("tensorflow", True),
        ("h5py", True),  # required by tensorflow
        ("ruff", False),
        ("pytest", False),
        ("snakemake", False),
        ("seaborn", False),
    ],
)
def test_only_versions_of_what_a_step_imports_and_of_what_that_requires_count(
    tmp_path, monkeypatch, distribution, counts
):
    before = code_digest(CODE)
    lock = tmp_path / "requirements.lock"
    shutil.copy(code_digests.LOCK_FILE, lock)
    edit(lock, f"\n{distribution}==", f"\n{distribution}==99.")
    monkeypatch.setattr(code_digests, "LOCK_FILE", lock)
    assert (code_digest(CODE) != before) == counts


def test_every_import_of_the_project_has_a_locked_version():
    found = code_digests.locked_versions(
        module
        for module in code_digests._import_graph().modules
        if module.split(".")[0] not in code_digests._packages()
    )
    assert [name for name, version in found.items() if version == "not locked"] == []


def test_unknown_module_is_refused():
    with pytest.raises(ValueError, match="unknown module 'fer_utils.nothing'"):
        code_digest("fer_utils.nothing")


def test_imports_are_found_in_every_form():
    code = "import fer_utils.study\nfrom fer_utils.models import training\nfrom fer_utils.tables import read\nimport os"
    assert {"fer_utils.study", "fer_utils.models.training", "fer_utils.tables"} <= set(imported_modules(code))


def notebook(source="from fer_utils import tables\nimport numpy", **changes):
    cell = {"cell_type": "code", "source": [source], "metadata": {}, "outputs": [], "execution_count": None}
    return {"cells": [{**cell, **changes}]}


def test_a_notebook_is_its_cells_and_what_they_import(sources):
    before = notebook_digest(notebook())
    assert notebook_digest(notebook(outputs=[{"text": "1"}], execution_count=4)) == before
    assert notebook_digest(notebook("from fer_utils import tables\nimport numpy\n1")) != before
    edit(sources / "fer_utils/models/training.py")
    assert notebook_digest(notebook()) == before
    edit(sources / "fer_utils/tables.py")
    assert notebook_digest(notebook()) != before


def test_text_of_a_notebook_and_versions_of_what_its_cells_import_count(tmp_path, monkeypatch):
    words = {"cell_type": "markdown", "source": ["Words"], "metadata": {}}
    whole = notebook()
    before = notebook_digest(whole)
    assert notebook_digest({"cells": [*whole["cells"], words]}) != before
    lock = tmp_path / "requirements.lock"
    shutil.copy(code_digests.LOCK_FILE, lock)
    edit(lock, "\nnumpy==", "\nnumpy==99.")
    monkeypatch.setattr(code_digests, "LOCK_FILE", lock)
    assert notebook_digest(whole) != before
