"""A run described for archives: an RO-Crate of its inputs, its outputs, the software and the commit.

RO-Crate 1.1 (https://w3id.org/ro/crate/1.1) by the profile Process Run Crate 0.5 (https://w3id.org/ro/wfrun/process/0.5).
"""

from collections.abc import Iterator
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
    this, crate = edition(), ROCrate(version="1.1")
    crate.name = f"A living replication: the run of profile {study.name}"
    crate.description = (
        f"Inputs, outputs and software of one run, on {study.kind_of_faces}; version {this.version}."
    )
    crate.license = crate.add(
        ContextEntity(crate, LICENCE, {"@type": "CreativeWork", "name": "Apache License 2.0"})
    )
    crate.root_dataset["conformsTo"] = _named(
        crate, PROFILE, "CreativeWork", "Process Run Crate", version="0.5"
    )
    people = _named(crate, "#contributors", "Organization", "The fer_utils contributors")
    crate.root_dataset["author"] = crate.root_dataset["publisher"] = people
    about = {
        "version": this.version,
        "identifier": this.commit,
        "softwareRequirements": list(_software(crate)),
    }
    if this.repository:
        about["url"] = this.repository
    instrument = _named(crate, "#fer", "SoftwareApplication", "fer run", **about)
    inputs = [PROFILES_FOLDER / f"{study.profile}.yml", PROJECT_FOLDER / "requirements.lock"]
    inputs += sorted(MANIFESTS_FOLDER.glob("*.json")) + sorted(MANIFESTS_FOLDER.glob("*.yml"))
    action = {
        "instrument": instrument,
        "agent": people,
        "object": [_file(crate, path, Path("inputs", path.name)) for path in inputs],
        "result": [_file(crate, path, Path("results", path.relative_to(paths.root))) for path in outputs],
        "endTime": datetime.fromtimestamp(max(path.stat().st_mtime for path in outputs), UTC).isoformat(),
        "description": f"fer run --profile {study.profile}, commit {this.commit}, changed fields: {study.changes or 'none'}",
    }
    crate.root_dataset["mentions"] = _named(
        crate, "#run", "CreateAction", f"Run of profile {study.name}", **action
    )
    with atomic_path(archive) as whole:
        crate.write_zip(whole)
    return len(outputs)


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
