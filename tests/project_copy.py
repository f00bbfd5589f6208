"""A copy of the project's sources, for tests that change or run it."""

import os
import shutil
from pathlib import Path

from face_sets.folders import PROJECT_FOLDER

SOURCES = (
    "fer_utils", "packages", "notebooks", "book", "data_manifests", "workflow", "Snakefile", "_config.yml", "_toc.yml",
    "requirements.lock", "package-lock.json", "pyproject.toml", "LICENSE", "CITATION.cff",
    "results/reference",
)  # fmt: skip


def copy_sources(root: Path) -> None:
    """Copy what a run reads, without what runs wrote."""
    for name in SOURCES:
        source = PROJECT_FOLDER / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__", "stages"))
        else:
            shutil.copy2(source, root / name)


def python_path(root: Path) -> str:
    """Return PYTHONPATH by which the copy's own code is imported, that of its packages too."""
    return os.pathsep.join(str(folder) for folder in (root, *sorted((root / "packages").iterdir())))
