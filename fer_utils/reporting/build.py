"""Render the book: executed notebooks and generated pages go into `book/stages/`, Jupyter Book does the rest."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

from face_sets.files import write_text
from face_sets.folders import PROJECT_FOLDER
from fer_utils.paths import Paths

STAGES_FOLDER: Final = Path("book", "stages")
"""What the run on show contributes to the book's sources; not in git."""

FILES_FOLDER: Final = STAGES_FOLDER / "files"
"""What the book offers for download; `html_extra_path` of `_config.yml` puts its contents at the book's root."""

_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")  # Jupyter Book colours its log even when nobody looks


class BookError(RuntimeError):
    """The book could not be rendered; the message says why and what to do."""


def build_book(
    paths: Paths,
    pages: Mapping[str, str],
    project: Path = PROJECT_FOLDER,
    *,
    served: Mapping[Path, Path] | None = None,
) -> Path:
    """Render the book of a study into `project/_build/html` and return its `index.html`.

    `pages` are the generated pages, MyST text by name; `served` are files that pages fetch, place below the book's
    root to path. The old book stays until the new one is whole. Raises BookError if a notebook that `_toc.yml`
    names has not run, or with Jupyter Book's first complaint.
    """
    gather(paths, pages, project, served=served)
    scratch = project / ".cache"
    scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix="book-") as folder:
        _run_jupyter_book(project, Path(folder))
        shutil.rmtree(project / "_build", ignore_errors=True)
        os.replace(Path(folder, "_build"), project / "_build")
    return project / "_build" / "html" / "index.html"


def gather(
    paths: Paths,
    pages: Mapping[str, str],
    project: Path = PROJECT_FOLDER,
    *,
    served: Mapping[Path, Path] | None = None,
) -> None:
    """Put notebooks, figures with their data, generated pages and served files where the book's sources expect them.

    Raises BookError, before anything is changed, naming the first page of `_toc.yml` that is not there.
    """
    stages = project / STAGES_FOLDER
    notebooks = {path.stem: path for path in sorted(paths.notebook("x").parent.glob("*.ipynb"))}
    for name in _pages_of_stages(project):
        if name not in notebooks and name not in pages:
            raise BookError(
                f"{name} has not run for profile {paths.study.name}: `make book` runs what is missing"
            )
    shutil.rmtree(stages, ignore_errors=True)
    downloads = project / FILES_FOLDER / STAGES_FOLDER
    downloads.mkdir(parents=True)
    for path in notebooks.values():
        shutil.copy(path, stages)
        shutil.copy(path, downloads)  # so that the links below each figure lead where they do in the results
    figures = paths.figures("x").parent
    if figures.is_dir():
        shutil.copytree(figures, downloads.parent / "figures")
    for place, path in (served or {}).items():
        target = project / FILES_FOLDER / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    for name, text in pages.items():
        write_text(stages / f"{name}.md", text)


def _pages_of_stages(project: Path) -> list[str]:
    contents = yaml.safe_load((project / "_toc.yml").read_text(encoding="utf-8"))
    files = [chapter["file"] for part in contents["parts"] for chapter in part["chapters"]]
    return [Path(file).name for file in files if Path(file).parent == STAGES_FOLDER]


def _run_jupyter_book(project: Path, folder: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("jupyter-book")), "build", ".", "--path-output", str(folder),
        "--all", "-n", "-W", "--keep-going",
    ]  # fmt: skip
    answer = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise BookError(
            f"the book was not rendered: {first_complaint(answer.stdout + answer.stderr, project)}"
        )


def first_complaint(log: str, project: Path) -> str:
    """Return the first warning or error of Jupyter Book's log, with paths relative to the project."""
    log = _COLOUR.sub("", log)
    lines = [line.strip() for line in log.splitlines() if "WARNING" in line or "ERROR" in line]
    lines += [line.strip() for line in reversed(log.splitlines()) if line.strip()]
    return lines[0].replace(f"{project.resolve()}{os.sep}", "") if lines else "it said nothing"
