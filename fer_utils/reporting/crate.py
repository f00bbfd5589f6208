"""A run described for archives: an RO-Crate of its inputs, its outputs, the software and the commit.

RO-Crate 1.1 (https://w3id.org/ro/crate/1.1) by the profile Process Run Crate 0.5 (https://w3id.org/ro/wfrun/process/0.5).
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from face_sets.files import atomic_path
from face_sets.folders import MANIFESTS_FOLDER, PROJECT_FOLDER
from fer_utils.paths import Paths
from fer_utils.reporting.gate import NOT_RELEASED, forbidding_sets
from fer_utils.reporting.provenance import edition, versions
from fer_utils.study import PROFILES_FOLDER, Study

PROFILE: Final = "https://w3id.org/ro/wfrun/process/0.5"
LICENCE: Final = "https://spdx.org/licenses/Apache-2.0"
MEDIA_TYPES: Final = {
    ".parquet": "application/vnd.apache.parquet", ".ipynb": "application/x-ipynb+json", ".csv": "text/csv",
    ".png": "image/png", ".svg": "image/svg+xml", ".zip": "application/zip", ".json": "application/json",
    ".yml": "application/yaml", ".lock": "text/plain",
}  # fmt: skip
"""What a crate holds; other files, the stored faces and weights among them, stay where they are."""

OUTPUTS: Final = (
    "*/**/*.parquet", "notebooks/*.ipynb", "figures/**/*.csv", "figures/**/*.png", "figures/**/*.svg", "packs/*",
)  # fmt: skip


class CrateError(RuntimeError):
    """A run cannot be put into a crate; the message says why."""


def write_crate(study: Study, paths: Paths, archive: Path) -> int:
    """Write a zip archive with a run's tables, notebooks, figures and packs, and their description; return how many.

    Raises CrateError for a run without a table, and where the terms of a data set forbid that its models are released.
    """
    if forbidding := forbidding_sets(study):
        raise CrateError(f"{NOT_RELEASED.removesuffix('.')}: {', '.join(forbidding)}; no crate was written")
    outputs = sorted(
        {path for pattern in OUTPUTS for path in paths.root.glob(pattern) if path.suffix in MEDIA_TYPES}
    )
    if not any(path.suffix == ".parquet" for path in outputs):
        raise CrateError(
            f"profile {study.name} has no results here: `fer run --profile {study.profile}` makes them"
        )
    crate = ROCrate(version="1.1")
    people = _describe(crate, study)
    action = _action(crate, study, paths, outputs)
    crate.root_dataset["mentions"] = _named(
        crate, "#run", "CreateAction", f"Run of profile {study.name}", agent=people, **action
    )
    with atomic_path(archive) as whole:
        crate.write_zip(whole)
    return len(outputs)


def _describe(crate: ROCrate, study: Study) -> Any:
    """Say what the crate is, under which licence and profile; return its authors."""
    crate.name = f"A living replication: the run of profile {study.name}"
    crate.description = (
        f"Inputs, outputs and software of one run, on {study.kind_of_faces}; version {edition().version}."
    )
    crate.license = _named(crate, LICENCE, "CreativeWork", "Apache License 2.0")
    root = crate.root_dataset
    people = _named(crate, "#contributors", "Organization", "The fer_utils contributors")
    root["conformsTo"] = _named(crate, PROFILE, "CreativeWork", "Process Run Crate", version="0.5")
    root["author"] = root["publisher"] = people
    return people


def _action(crate: ROCrate, study: Study, paths: Paths, outputs: Sequence[Path]) -> dict[str, Any]:
    """What was run: instrument, inputs (object), outputs (result), its end and a sentence."""
    this, software = edition(), list(_software(crate))
    about = {"version": this.version, "identifier": this.commit, "softwareRequirements": software}
    if this.repository:
        about["url"] = this.repository
    inputs = [PROFILES_FOLDER / f"{study.profile}.yml", PROJECT_FOLDER / "requirements.lock"]
    inputs += sorted(MANIFESTS_FOLDER.glob("*.json")) + sorted(MANIFESTS_FOLDER.glob("*.yml"))
    return {
        "instrument": _named(crate, "#fer", "SoftwareApplication", "fer run", **about),
        "object": [_file(crate, path, Path("inputs", path.name)) for path in inputs],
        "result": [_file(crate, path, Path("results", path.relative_to(paths.root))) for path in outputs],
        "endTime": datetime.fromtimestamp(max(path.stat().st_mtime for path in outputs), UTC).isoformat(),
        "description": f"fer run --profile {study.profile}, commit {this.commit}, changed fields: {study.changes or 'none'}",
    }


def _software(crate: ROCrate) -> Iterator[Any]:
    for row in versions().itertuples():
        more = {"version": row.version, "url": f"https://pypi.org/project/{row.package}/"}
        yield _named(crate, f"#{row.package}", "SoftwareApplication", str(row.package), **more)


def _named(crate: ROCrate, at: str, kind: str, name: str, /, **more: Any) -> Any:
    return crate.add(ContextEntity(crate, at, {"@type": kind, "name": name, **more}))


def _file(crate: ROCrate, path: Path, place: Path) -> Any:
    about = {
        "name": place.name,
        "encodingFormat": MEDIA_TYPES[path.suffix],
        "contentSize": str(path.stat().st_size),
    }
    return crate.add_file(path, place.as_posix(), properties=about)
