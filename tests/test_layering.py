"""The house: imports run downwards only and in no circle, and rooms and modules keep to their sizes."""

from collections import Counter
from pathlib import Path

import grimp
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from face_sets.folders import PROJECT_FOLDER

FLOORS = (  # of fer_utils, from the roof down; rooms on one floor (|) may know each other, but in no circle of modules
    "cli",
    "forgetting | classify | seed_spread",
    "results",
    "stages | book",
    "workflow | snakemake_process",
    "whole_files",
    "graph",
    "steps",
    "reporting",
    "simulation | analysis",
    "profiling",
    "compression",
    "models",
    "tables | paths",
    "study",
)
LIBRARIES = (
    "arm_latency",
    "expression_scores",
    "face_sets",
    "photograph_skins",
    "printed_book",
    "rendered_faces",
    "table_charts",
    "tflite_files",
    "traced_training",
    "workflow_runs",
)
BELOW = {
    "arm_latency": {"face_sets"},  # files, folders and processes
    "expression_scores": {"face_sets"},  # the scores are of faces: their tables and the seven expressions
    "photograph_skins": {
        "face_sets",
        "rendered_faces",
    },  # rendered heads wear skins, and are found and cropped
    "tflite_files": {"face_sets"},  # the seven expressions are an exported file's labels
    "traced_training": {"face_sets"},  # how many cores there are
    "workflow_runs": {"face_sets"},
}
MOST_LINES, MOST_MODULES = 10_000, 90
MOST_LINES_OF_A_ROOM = 2_800
MOST_LINES_OF_THE_HEADS = 1_600
FEWEST_LINES_OF_A_MODULE = 30


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph("fer_utils", *LIBRARIES, include_external_packages=True, cache_dir=None)


def own(graph, package="fer_utils"):
    return sorted(module for module in graph.modules if module.split(".")[0] == package)


def test_imports_run_downwards_only(graph):
    layers = [
        grimp.Layer(*(name.strip() for name in floor.split("|")), independent=False) for floor in FLOORS
    ]
    illegal = graph.find_illegal_dependencies_for_layers(layers, containers={"fer_utils"})
    assert [f"{each.importer} imports {each.imported}" for each in illegal] == []


def test_every_module_lives_on_a_floor(graph):
    known = {name.strip() for floor in FLOORS for name in floor.split("|")}
    assert {module.split(".")[1] for module in own(graph) if "." in module} <= known


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_imports_nothing_of_the_study_and_no_other(graph, library):
    others = {"fer_utils", *LIBRARIES} - {library} - BELOW.get(library, set())
    found = {
        each for module in own(graph, library) for each in graph.find_modules_directly_imported_by(module)
    }
    assert {each for each in found if each.split(".")[0] in others} == set()


def test_no_modules_import_each_other_in_a_circle(graph):
    modules = [module for package in ("fer_utils", *LIBRARIES) for module in own(graph, package)]
    places = {module: place for place, module in enumerate(modules)}
    edges = [
        (places[module], places[each])
        for module in modules
        for each in graph.find_modules_directly_imported_by(module)
        if each in places
    ]
    sources, targets = zip(*edges, strict=True)
    matrix = csr_array(([1] * len(edges), (sources, targets)), shape=(len(modules), len(modules)))
    _, components = connected_components(matrix, connection="strong")
    circles = {
        name: [m for m, c in zip(modules, components, strict=True) if c == name] for name in components
    }
    assert [circle for circle in circles.values() if len(circle) > 1] == []


def test_tensorflow_stays_in_the_rooms_that_need_it(graph):
    heavy = graph.find_modules_that_directly_import("tensorflow")
    light = ("analysis", "reporting", "simulation")
    light += ("study", "paths", "tables", "graph", "workflow", "stages", "cli")
    libraries = tuple(name for name in LIBRARIES if name != "traced_training")
    assert [module for module in heavy if module.split(".")[1] in light or module.startswith(libraries)] == []


def lines(folder=PROJECT_FOLDER / "fer_utils"):
    """Lines by module of a package, its path as a tuple."""
    return {
        path.relative_to(folder).parts: len(path.read_text("utf-8").splitlines())
        for path in folder.rglob("*.py")
    }


def test_the_package_is_small():
    counted = lines()
    assert len(counted) <= MOST_MODULES
    assert sum(counted.values()) <= MOST_LINES
    heads = lines(PROJECT_FOLDER / "packages/rendered_faces/rendered_faces")
    assert sum(heads.values()) <= MOST_LINES_OF_THE_HEADS


def test_no_room_is_too_large_and_no_module_only_passes_on():
    counted = lines()
    rooms = {path[0] for path in counted if len(path) > 1}
    sizes = {room: sum(count for path, count in counted.items() if path[0] == room) for room in rooms}
    assert {room: size for room, size in sizes.items() if size > MOST_LINES_OF_A_ROOM} == {}
    small = {path: count for path, count in counted.items() if count < FEWEST_LINES_OF_A_MODULE}
    assert {str(Path(*path)) for path in small if path[-1] != "__init__.py"} == set()


def test_modules_that_tests_share_have_different_names():
    """They lie on one import path: of two with one name, a process of pytest sees whichever it met first."""
    names = [
        path.name
        for folder in (PROJECT_FOLDER / "tests", PROJECT_FOLDER / "packages")
        for path in folder.rglob("tests/**/*.py" if folder.name == "packages" else "*.py")
        if path.name not in ("conftest.py", "__init__.py")
    ]
    assert len(names) > 100
    assert {name: count for name, count in Counter(names).items() if count > 1} == {}
