"""After a run nothing is to do; a change makes exactly what depends on it due, and nothing else."""

import os
import shutil
import subprocess
import sys

import pytest

from fer_utils.study import PROJECT_FOLDER, Paths, load_study

pytestmark = pytest.mark.results

SOURCES = (
    "fer_utils", "notebooks", "book", "data_manifests", "workflow", "Snakefile", "_config.yml", "_toc.yml",
    "requirements.lock", "pyproject.toml",
)  # fmt: skip
TRAINING = {"train", "compress", "reality", "measure"}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with its run (hard links: nothing is written into them)."""
    root = tmp_path_factory.mktemp("project")
    for name in SOURCES:
        source = PROJECT_FOLDER / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__", "stages"))
        else:
            shutil.copy2(source, root / name)
    results = Paths.of(load_study("quick")).root.resolve()
    for folder in (results, PROJECT_FOLDER / ".snakemake" / "metadata", PROJECT_FOLDER / "_build"):
        target = root / folder.relative_to(PROJECT_FOLDER)
        shutil.copytree(folder, target, copy_function=link)
    return root


def link(source, target):
    os.link(source, target)


def due(project):
    """The rules that would run, with the number of their jobs, as Snakemake's dry run tells."""
    answer = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", "--dry-run", "--nolock", "--quiet", "rules", "host",
         "--workflow-profile", "workflow/profiles/default", "--", "_build/html/index.html"],
        cwd=project, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(project)},
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    return answer.stdout + answer.stderr


@pytest.fixture
def edited(project):
    """Edit a file of the copy for one test."""
    undo = []

    def edit(name, change=lambda text: text + "\n# edited\n"):
        path = project / name
        original, times = path.read_bytes(), path.stat()
        undo.append((path, original, times))
        path.write_text(change(original.decode()))

    yield edit
    for path, original, times in undo:
        path.write_bytes(original)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
