import json

import pytest

from fer_utils import stages
from fer_utils.graph import STAGES, GraphError, notebook_source
from fer_utils.paths import Paths
from fer_utils.stages import StageError, begin, run_notebook
from fer_utils.study import StudyError, load_study


@pytest.fixture(autouse=True)
def in_workflow(monkeypatch):
    monkeypatch.setenv(stages.IN_WORKFLOW, "1")


CELL = 'profile = "quick"  # of the study\nseed = None\n'
INJECTED = '# Parameters\nseed = 7\nPAPERMILL_OUTPUT_PATH = "out.ipynb"\n'


def test_parameters_are_what_their_cell_and_papermills_set_whatever_else_a_notebook_holds():
    """As after a run with --inject-paths whose first cells are run a second time."""
    names = {
        "In": ["", CELL, INJECTED, "results = begin(globals())", 'cohorts = "children"\nclusters == 5', "%pylab"],
        "Out": {}, "_i": "x", "profile": "quick", "seed": 7, "architectures": None, "columns": ["accuracy"],
        "cohorts": "children", "caption": "Accuracy", "begin": begin, "PAPERMILL_OUTPUT_PATH": "out.ipynb",
    }  # fmt: skip
    study, paths = begin(names, "01_data")
    assert study == load_study("quick", seed=7)
    assert paths == Paths.of(study)


def test_without_such_cells_the_fields_of_a_study_are_taken():
    names = {
        "profile": "quick",
        "seed": 7,
        "architectures": None,
        "columns": ["accuracy"],
        "PAPERMILL_INPUT_PATH": "x",
    }
    assert begin(names, "01_data")[0] == load_study("quick", seed=7)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ({"profile": "quick", "sed": 5}, "unknown parameter 'sed'"),
        (
            {"profile": "quick", "In": ["", CELL, "# Parameters\nmagic = 5"], "magic": 5},
            "unknown parameter 'magic'",
        ),
        ({"profile": "quick", "In": ["", CELL + "magic: int = 5"], "magic": 5}, "unknown parameter 'magic'"),
        ({"profile": "fast"}, "unknown profile 'fast'"),
        ({}, "unknown profile None"),
        ({"profile": ["quick"]}, "unknown profile .'quick'."),
        ({"profile": "quick", "seed": "7"}, "parameter 'seed': .*given '7'"),
        ({"profile": "quick", "architectures": ["alexnet"]}, "given 'alexnet'"),
    ],
)
def test_a_bad_parameter_stops_a_notebook_in_one_sentence(names, sentence):
    with pytest.raises(StudyError, match=sentence):
        begin(names, "01_data")


@pytest.mark.parametrize("stage", ["04_compression", "05_moto_g6_profiling"])
def test_a_notebook_alone_asks_for_no_table_of_another_device(monkeypatch, tmp_path, stage):
    """They are read where they are, and no job makes them."""
    monkeypatch.delenv(stages.IN_WORKFLOW)
    monkeypatch.setenv("FER_RESULTS", str(tmp_path))
    paths = Paths.of(load_study("quick"))
    for table in (paths.of_device("measurements", "phone"), paths.emulations):
        table.parent.mkdir(parents=True)
        table.touch()
    asked = []
    monkeypatch.setattr("fer_utils.workflow.make", lambda targets, *_: asked.extend(targets))
    begin({"profile": "quick"}, stage)
    assert paths.measurements in asked
    assert not {paths.of_device("measurements", "phone"), paths.emulations} & set(asked)


def test_an_unknown_stage_names_the_known_ones():
    with pytest.raises(GraphError, match="unknown stage '07_magic': choose from 01_data"):
        notebook_source("07_magic")


def test_every_stage_has_a_notebook_and_reads_tables_of_its_own_study(tmp_path):
    paths = Paths.of(load_study("quick", seed=3), tmp_path)
    for stage, inputs in STAGES.items():
        assert notebook_source(stage).is_file()
        assert all(paths.root in path.parents for path in inputs(paths))


@pytest.fixture
def one_cell(tmp_path, monkeypatch):
    """Make `run_notebook` run a notebook of one cell, in results of its own."""

    def write(code):
        cells = [
            {"cell_type": "code", "id": "a", "metadata": {"tags": ["parameters"]}, "source": "profile = 'quick'",
             "outputs": [], "execution_count": None},
            {"cell_type": "code", "id": "b", "metadata": {}, "source": code, "outputs": [], "execution_count": None},
        ]  # fmt: skip
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        path = tmp_path / "01_data.ipynb"
        path.write_text(json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))
        monkeypatch.setattr(stages, "notebook_source", lambda _: path)

    return write


def test_an_executed_notebook_holds_no_path_and_no_time(one_cell, tmp_path):
    one_cell("print(profile)")
    paths = Paths.of(load_study("quick"), tmp_path / "results")
    run_notebook("01_data", paths.study, paths)
    executed = paths.notebook("01_data").read_text()
    assert json.loads(executed)["cells"][-1]["outputs"][0]["text"] == ["quick\n"]
    assert str(tmp_path) not in executed
    assert "papermill" not in executed.replace("injected-parameters", "")


def test_a_failing_notebook_names_the_cell_and_leaves_nothing(one_cell, tmp_path):
    one_cell("raise ValueError('no faces here')")
    with pytest.raises(StageError, match="01_data, cell 3: ValueError: no faces here"):
        run_notebook("01_data", load_study("quick"), Paths.of(load_study("quick"), tmp_path / "results"))
    assert [path for path in (tmp_path / "results").rglob("*") if path.is_file()] == []


@pytest.mark.system
def test_kernels_that_run_side_by_side_do_not_meet(one_cell, tmp_path, monkeypatch):
    """Two runs at once, from one folder: each prints its own, and no socket is left behind."""
    from concurrent.futures import ThreadPoolExecutor

    one_cell("import time; time.sleep(2); print(seed)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(stages, "PROJECT_FOLDER", tmp_path)

    def run(seed):
        paths = Paths.of(load_study("quick", seed=seed), tmp_path)
        run_notebook("01_data", paths.study, paths)
        return paths.notebook("01_data").read_text()

    with ThreadPoolExecutor(3) as pool:
        executed = list(pool.map(run, (1, 2, 3)))
    printed = [json.loads(text)["cells"][-1]["outputs"][0]["text"] for text in executed]
    assert printed == [["1\n"], ["2\n"], ["3\n"]]
    assert not list(tmp_path.glob("*ipc*"))


def test_only_the_profiling_page_waits_for_emulations_and_only_where_there_are_any(tmp_path):
    paths = Paths.of(load_study("quick"), tmp_path)
    table = paths.emulations
    assert not [stage for stage, inputs in STAGES.items() if table in inputs(paths)]
    table.parent.mkdir(parents=True)
    table.touch()
    assert [stage for stage, inputs in STAGES.items() if table in inputs(paths)] == ["05_moto_g6_profiling"]


def test_papermill_with_its_paths_and_cells_run_twice(one_cell, tmp_path):
    """What papermill injects with --inject-paths is no parameter; opened later, the first cells can be run again."""
    import papermill

    code = "from fer_utils.stages import begin; first = begin(globals(), '07_published_numbers')[0]; epochs = [1]"
    one_cell(f"{code}\nassert begin(globals(), '07_published_numbers')[0] == first; print(first.seed)")
    path = tmp_path / "01_data.ipynb"
    parameters = {"seed": 7, "PAPERMILL_INPUT_PATH": str(path), "PAPERMILL_OUTPUT_PATH": "out.ipynb"}
    done = papermill.execute_notebook(str(path), str(tmp_path / "out.ipynb"), parameters, progress_bar=False)
    assert done.cells[-1]["outputs"][0]["text"] == "7\n"


def test_a_folder_may_be_named_in_braces(one_cell, tmp_path):
    one_cell("print(profile)")
    paths = Paths.of(load_study("quick"), tmp_path / "{results} {0}")
    run_notebook("01_data", paths.study, paths)
    assert paths.notebook("01_data").is_file()
