"""What a result depends on in the code: digests of a module together with everything that it imports.

The workflow calls this for each step, so that editing one module runs again exactly the steps and notebooks that can
reach it by imports. Three things count: the code of the project's own modules, as Python reads it (comments,
docstrings and layout do not count); the data files that these modules name; the locked versions of the distributions
that they import and of what those require (tools that only check or format the code do not count). The import graph is
grimp's, read from the sources without running them.
"""

import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any, Final

import grimp

from face_sets.files import digest, write_text
from face_sets.folders import MANIFESTS_FOLDER, PROJECT_FOLDER

LOCK_FILE: Final = PROJECT_FOLDER / "requirements.lock"

KEPT: Final = PROJECT_FOLDER / ".cache" / "code_digests.json"
"""What was found in each module: an unchanged one is not parsed again."""

_OWN_SOURCE: Final = Path(__file__).read_bytes()

SETTINGS_FOLDER: Final = "profiles"
"""Profiles of studies are no data of the code that reads them: what they decide is among a step's settings."""


def code_digest(*modules: str) -> str:
    """Return a digest of `modules` and of all they import: own code, data files that it names, locked versions.

    Packages of others (`numpy`) may stand among the modules. Raises ValueError for a module that the project lacks.
    """
    needed = _upstream(modules)
    known = dict(_kept())
    own = sorted(filter(_is_own, needed))
    found = [_known_code(module) for module in own]
    code = [[module, tree] for module, (tree, _) in zip(own, found, strict=True)]
    named = {text for _, texts in found for text in texts}
    if _kept() != known:
        write_text(KEPT, json.dumps(_kept()))
    return digest(code, files_digest(*_data_files(named)), locked_versions(needed - set(own)))


def own_code_digest(*modules: str) -> str:
    """Return a digest of the code of these modules of the project alone, whatever they import."""
    return digest([[module, _known_code(module)[0]] for module in modules])


def locked_versions(imports: Iterable[str]) -> dict[str, str]:
    """Return the locked versions of the distributions that hold some imported packages, and of all they require."""
    versions, requirements = _lock(LOCK_FILE.read_text(encoding="utf-8"))
    outside = set(imports) - sys.stdlib_module_names
    pending = [_normal(name) for each in outside for name in _distributions().get(each, [each])]
    found: set[str] = set()
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += requirements.get(name, ())
    return {name: versions.get(name, "not locked") for name in sorted(found)}


def notebook_digest(notebook: dict[str, Any]) -> str:
    """Return a digest of a notebook's cells and metadata and of the code that its cells import.

    `notebook` is the parsed JSON of an .ipynb file; outputs and execution counts do not matter. Text and comments do:
    they are shown.
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
    """Return what Python source `code` imports, sorted: the project's modules, and packages of others by name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    others = {name.split(".")[0] for name in found} - set(_packages())
    return sorted(found & _import_graph().modules | others)


def _upstream(modules: Iterable[str]) -> set[str]:
    """The modules and all that they import, directly or not; packages of others by their names."""
    graph = _import_graph()
    needed = set(modules)
    for module in modules:
        if module in graph.modules:
            needed |= graph.find_upstream_modules(module)
        elif _is_own(module):
            raise ValueError(f"unknown module {module!r}: it is in none of {', '.join(_packages())}")
    return needed


def _known_code(module: str) -> tuple[str, list[str]]:
    """What `_code` says of a module: parsed again only when its source, this module or Python has changed."""
    source = _source(module).read_bytes()
    key = digest(_OWN_SOURCE, sys.version, source)
    if _kept().get(module, [""])[0] != key:
        _kept()[module] = [key, *_code(source)]
    _, code, texts = _kept()[module]
    return code, texts


@cache
def _kept() -> dict[str, Any]:
    """By module: the digest of its source when it was last parsed, and what `_code` said of it."""
    found: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}
    return found


def _is_own(module: str) -> bool:
    return module.split(".")[0] in _packages()


def _code(source: bytes) -> tuple[str, list[str]]:
    """A digest of a module's code without comments and docstrings, and the texts that stand in it."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            if isinstance(block := getattr(node, name, None), list):
                setattr(node, name, [each for each in block if not _is_text(each)])
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return digest(ast.dump(tree)), sorted({text for text in texts if isinstance(text, str)})


def _is_text(statement: ast.AST) -> bool:
    """Whether a statement is a text alone: a docstring of a module, class, function or attribute."""
    return isinstance(statement, ast.Expr) and isinstance(getattr(statement.value, "value", None), str)


def _data_files(texts: set[str]) -> Iterator[Path]:
    """Files that are no code and whose name, or that of their folder of data, stands as a text in some module."""
    yield from (path for path, names in _named_files(*_packages().values()) if names & texts)
    yield from (path for path in MANIFESTS_FOLDER.glob("*") if path.name in texts)


@cache
def _named_files(*packages: Path) -> list[tuple[Path, set[str]]]:
    """Packages' files that are no code, each with the names by which a module may name it."""
    found = []
    for path in (path for package in packages for path in package.rglob("*")):
        names = {path.name} if (path.parent / "__init__.py").exists() else {path.name, path.parent.name}
        if path.is_file() and path.suffix not in {".py", ".pyc"} and SETTINGS_FOLDER not in names:
            found.append((path, names))
    return found


@cache
def _lock(text: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Versions by distribution, and what each requires, from the lock's pins and its notes "# via"."""
    versions: dict[str, str] = {}
    requirements: dict[str, list[str]] = {}
    name = ""
    for line in text.splitlines():
        if pin := re.match(r"([\w.-]+)(?:\[.*\])?==([^\s;\\]+)", line):
            name = _normal(pin[1])
            versions[name] = pin[2]
        elif note := re.match(r"\s+#\s+(?:via\s+)?([\w.-]+)$", line):
            requirements.setdefault(_normal(note[1]), []).append(name)
    return versions, requirements


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def _distributions() -> dict[str, list[str]]:
    return dict(packages_distributions())


@cache
def _packages() -> dict[str, Path]:
    """The project's own packages by name, and their folders."""
    inits = [*PROJECT_FOLDER.glob("*/__init__.py"), *PROJECT_FOLDER.glob("packages/*/*/__init__.py")]
    return {path.parent.name: path.parent for path in sorted(inits)}


@cache
def _import_graph() -> grimp.ImportGraph:
    return grimp.build_graph(*_packages(), include_external_packages=True, cache_dir=None)


def _source(module: str) -> Path:
    package, *names = module.split(".")
    path = _packages()[package].joinpath(*names)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
