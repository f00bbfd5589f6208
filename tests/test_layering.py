"""Imports between the rooms run downwards only, as CONTRIBUTING.md says."""

import ast

import grimp

from face_sets.folders import PROJECT_FOLDER

FLOORS = (  # from the roof down; rooms on one floor do not know each other
    "cli",
    "results | stages | classify | workflow_status | forgetting | profile_commands",
    "study_options",
    "steps",
    "reporting",
    "analysis",
    "profiling",
    "compression",
    "models",
    "data",
    "fingerprints | tables | study",
    "expressions | files",
)


def layer(floor: str) -> grimp.Layer:
    return grimp.Layer(*(name.strip() for name in floor.split("|")), independent=False)


def test_imports_run_downwards_only():
    graph = grimp.build_graph("fer_utils", cache_dir=None)
    illegal = graph.find_illegal_dependencies_for_layers(
        [layer(floor) for floor in FLOORS], containers={"fer_utils"}
    )
    found = [f"{d.importer} imports {d.imported}" for d in illegal]
    assert not found, f"imports that run upwards: {found}"


def test_every_module_lives_on_a_floor():
    graph = grimp.build_graph("fer_utils", cache_dir=None)
    known = {name.strip() for floor in FLOORS for name in floor.split("|")}
    rooms = {module.split(".")[1] for module in graph.modules if "." in module}
    assert rooms <= known, f"modules without a floor: {sorted(rooms - known)}"


def test_tensorflow_stays_in_the_rooms_that_need_it():
    graph = grimp.build_graph("fer_utils", include_external_packages=True, cache_dir=None)
    light = {
        "fer_utils.study",
        "fer_utils.tables",
        "fer_utils.stages",
        "fer_utils.cli",
        "face_sets.code_digests",
    }
    heavy = graph.find_modules_that_directly_import("tensorflow")
    assert not light & heavy
    assert not [
        module for module in heavy if module.startswith(("fer_utils.analysis", "fer_utils.reporting"))
    ]


def test_packages_import_nothing_of_the_study():
    """`face_sets` and `synthetic_faces` stand alone, their tests too, and the library of one does not need the other."""
    folder = PROJECT_FOLDER / "packages"
    imports = {path: set(imported_names(path)) for path in sorted(folder.rglob("*.py"))}
    assert len(imports) > 60
    assert not [path.name for path, names in imports.items() if "fer_utils" in names]
    libraries = {name: folder / name / name for name in ("face_sets", "synthetic_faces")}
    for name, other in (("face_sets", "synthetic_faces"), ("synthetic_faces", "face_sets")):
        assert not [
            p.name for p, names in imports.items() if p.is_relative_to(libraries[name]) and other in names
        ]


def imported_names(path):
    """The first parts of the names that a source file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]
