"""What a result depends on in the code: digests of a module together with everything that it imports here.

The workflow calls this for each step, so that editing one module runs again exactly the steps and notebooks
that can reach it by imports. The import graph is grimp's, read from the sources without running them.
"""

import ast
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import grimp

from face_sets.files import digest
from face_sets.folders import PROJECT_FOLDER

LOCK_FILE: Final = PROJECT_FOLDER / "requirements.lock"


def code_digest(*modules: str) -> str:
    """Return a digest of the sources of `modules`, of all they import from the package, and of the lock file.

    Raises ValueError for a module that the package does not have.
    """
    needed = set(modules)
    for module in modules:
        if module not in _import_graph().modules:
            raise ValueError(f"unknown module {module!r}: it is in none of {', '.join(_packages())}")
        needed |= _import_graph().find_upstream_modules(module)
    sources = [_source(module) for module in sorted(needed)]
    return digest(*sources, LOCK_FILE)


def notebook_digest(notebook: dict[str, Any]) -> str:
    """Return a digest of a notebook's cells and metadata and of the code that its cells import.

    `notebook` is the parsed JSON of an .ipynb file; outputs and execution counts do not matter.
    """
    cells = [[cell["cell_type"], "".join(cell["source"]), cell["metadata"]] for cell in notebook["cells"]]
    code = "\n".join(source for kind, source, _ in cells if kind == "code")
    return digest(cells, code_digest(*imported_modules(code)))


def notebook_file_digest(path: Path) -> str:
    """Return `notebook_digest` of an .ipynb file."""
    return notebook_digest(json.loads(path.read_text(encoding="utf-8")))


def files_digest(*paths: Path) -> str:
    """Return a digest of the names and contents of files and of all files below folders."""
    files = sorted(
        file for path in paths for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file()
    )
    return digest(*(part for file in files for part in (file.name, file)))


def imported_modules(code: str) -> list[str]:
    """Return the modules of this package that Python source `code` imports, sorted."""
    known = _import_graph().modules
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return sorted(found & known)


@cache
def _packages() -> dict[str, Path]:
    """The project's own packages by name, and their folders."""
    inits = [*PROJECT_FOLDER.glob("*/__init__.py"), *PROJECT_FOLDER.glob("packages/*/*/__init__.py")]
    return {path.parent.name: path.parent for path in sorted(inits)}


@cache
def _import_graph() -> grimp.ImportGraph:
    return grimp.build_graph(*_packages(), cache_dir=None)


def _source(module: str) -> Path:
    package, *names = module.split(".")
    path = _packages()[package].joinpath(*names)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
