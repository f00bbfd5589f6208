"""Imports between the rooms run downwards only, as CONTRIBUTING.md says."""

import grimp

FLOORS = (  # from the roof down; rooms on one floor do not know each other
    "cli",
    "results | stages | classify | workflow_status | data_commands | profile_commands",
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
