"""After a run nothing is to do; a change makes exactly what depends on it due, and nothing else."""

import os
import shutil

import pytest
from loaded_python import loaded_python
from project_copy import copy_sources, python_path

from face_sets.folders import PROJECT_FOLDER
from fer_utils import workflow
from fer_utils.graph import BOOK, STAGES
from fer_utils.paths import Paths
from fer_utils.study import load_study

pytestmark = pytest.mark.results

NETWORK = "mobilenet_v3_small"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with its run (hard links: nothing is written into them)."""
    root = tmp_path_factory.mktemp("project")
    copy_sources(root)
    results = Paths.of(load_study("quick")).root.resolve()
    made = [
        results,
        *(PROJECT_FOLDER / name for name in (".snakemake/metadata", "_build", ".cache/litert_js")),
    ]
    for folder in made:
        target = root / folder.relative_to(PROJECT_FOLDER)
        shutil.copytree(folder, target, copy_function=link)
    return root


def link(source, target):
    os.link(source, target)


@pytest.fixture(scope="module")
def python():
    """What a dry run imports of others' libraries is imported once."""
    with loaded_python(
        "snakemake.cli", "snakemake.report.html_reporter", "smart_open", "pandas", "pyarrow.parquet", "cv2",
        "scipy.sparse.csgraph", "ai_edge_litert.interpreter", "pi_heif", "simplejpeg", "grimp", "pydantic", "yaml",
    ) as python:  # fmt: skip
        yield python


@pytest.fixture
def due(monkeypatch, python):
    """A function: the rules that would run in a copy, with the number of their jobs, by its Snakefile and modules."""
    monkeypatch.setattr(workflow, "subprocess", python)

    def due(project):
        monkeypatch.setattr(workflow, "PROJECT_FOLDER", project)
        monkeypatch.setattr(workflow, "BOOK", project / BOOK.relative_to(PROJECT_FOLDER))
        monkeypatch.setenv("PYTHONPATH", python_path(project))
        monkeypatch.chdir(project)
        return workflow.due_jobs("quick", {})

    return due


@pytest.fixture
def edited(project):
    """Edit a file of the copy for one test."""
    undo = []

    def edit(name, change=lambda text: text + "\nEDITED = 1\n"):
        path = project / name
        original, times = path.read_bytes(), path.stat()
        undo.append((path, original, times))
        path.write_text(change(original.decode()))

    yield edit
    for path, original, times in undo:
        path.write_bytes(original)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.fixture
def put_away(project, tmp_path):
    """Take a result out of the copy for one test."""
    taken = []

    def take(path):
        taken.append((path, path.rename(tmp_path / path.name)))

    yield take
    for path, away in taken:
        away.rename(path)


def test_a_result_that_a_table_names_is_missed(project, due, put_away):
    compressed = Paths.of(load_study("quick"), project / "results").compressed("runs", NETWORK).parent
    put_away(next(compressed.glob("*.tflite")))
    jobs = due(project)
    assert jobs["compress"] == 1
    assert not {"faces", "train"} & jobs.keys()


def test_a_result_between_others_is_missed(project, due, put_away):
    put_away(Paths.of(load_study("quick"), project / "results").measurements)
    jobs = due(project)
    assert jobs["measure"] == 1
    assert not {"faces", "train", "compress"} & jobs.keys()


def test_after_a_run_nothing_is_due_nor_after_edits_that_change_no_result(project, due, edited):
    """A file that is touched, a bump of a linter, a comment and a docstring, all at once."""
    os.utime(project / "fer_utils" / "models" / "networks.py")
    edited("requirements.lock", bump("ruff"))
    edited("packages/rendered_faces/rendered_faces/portrait.py", lambda text: text + "\n# hair\n")
    edited("fer_utils/models/backbones.py", lambda text: text.replace('"""', '"""Edited. ', 1))
    assert due(project) == {}


def test_reporting_trains_nothing(project, due, edited):
    edited("fer_utils/reporting/plots.py")
    assert due(project) == {"notebook": len(STAGES), "book": 1}


def test_one_notebook_runs_alone_and_the_book_with_it(project, due, edited):
    edited("notebooks/05_moto_g6_profiling.ipynb", lambda text: text.replace("## On this machine", "## Here"))
    assert due(project) == {"notebook": 1, "book": 1}


def test_models_train_again_but_render_no_faces(project, due, edited):
    edited("fer_utils/models/backbones.py")
    found = due(project)
    assert "faces" not in found
    study = load_study("quick")
    assert found["train"] == len(study.architectures)
    assert found["compress"] == len(study.architectures) * len(study.technique_groups)


def test_the_cost_model_measures_again_and_trains_nothing(project, due, edited):
    edited("packages/arm_latency/arm_latency/cortex_a53.py")
    found = due(project)
    assert found["measure"] == 1
    assert not {"faces", "train", "compress", "external_test"} & set(found)


def test_a_prose_page_renders_the_book_only(project, due, edited):
    edited("book/design.md", lambda text: text + "\nOne more sentence.\n")
    assert due(project) == {"book": 1}


def test_a_claim_renders_the_book_and_trains_nothing(project, due, edited):
    edited("data_manifests/claims.yml", lambda text: text + "\n# edited\n")
    assert not {"faces", "train", "compress", "external_test", "measure"} & set(due(project))


def bump(distribution):
    return lambda text: text.replace(f"\n{distribution}==", f"\n{distribution}==99.", 1)


def test_a_bump_of_tensorflow_retrains_and_renders_no_faces(project, due, edited):
    edited("requirements.lock", bump("tensorflow"))
    found = due(project)
    assert {"train", "compress", "notebook", "book"} <= set(found)
    assert not {"faces", "external_faces"} & set(found)


def test_the_analysis_part_of_a_profile_trains_nothing(project, due, edited):
    edited("fer_utils/profiles/quick.yml", lambda text: text + "bootstrap_draws: 1999  # one less\n")
    found = due(project)
    assert found == {"notebook": len(STAGES), "book": 1}


@pytest.mark.system
def test_a_second_clone_on_the_same_results_finds_due_what_its_own_code_does_otherwise(
    due, monkeypatch, tmp_path
):
    """Its Snakemake knows nothing of what the first clone did; the book lies in each clone."""
    clone, shared = tmp_path / "clone", tmp_path / "shared"
    copy_sources(clone)
    made = Paths.of(load_study("quick")).root.resolve()
    shutil.copytree(made, shared / made.name, copy_function=link)
    monkeypatch.setenv("FER_RESULTS", str(shared))
    assert due(clone) == {"book": 1}
    with (clone / "fer_utils/compression/techniques.py").open("a") as module:
        module.write("\nEDITED = 1\n")
    study = load_study("quick")
    found = due(clone)
    assert found.keys() == {"compress", "measure", "external_files", "notebook", "book"}
    assert found["compress"] == len(study.architectures) * len(study.technique_groups)
    assert found["notebook"] < len(STAGES)
