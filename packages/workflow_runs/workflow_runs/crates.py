"""A run described for archives: an RO-Crate of its inputs, its outputs, the software and the commit.

RO-Crate 1.1 (https://w3id.org/ro/crate/1.1) by the profile Process Run Crate 0.5 (https://w3id.org/ro/wfrun/process/0.5).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd
from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from face_sets.files import atomic_path

PROFILE: Final = "https://w3id.org/ro/wfrun/process/0.5"
LICENCE: Final = "https://spdx.org/licenses/Apache-2.0"
MEDIA_TYPES: Final = {
    ".parquet": "application/vnd.apache.parquet", ".ipynb": "application/x-ipynb+json", ".csv": "text/csv",
    ".png": "image/png", ".svg": "image/svg+xml", ".zip": "application/zip", ".json": "application/json",
    ".yml": "application/yaml", ".lock": "text/plain",
}  # fmt: skip
"""What a crate holds, by the ending of a file's name."""


@dataclass(frozen=True)
class Software:
    """What ran: its name, version, commit and repository, and the packages it used, rows of package and version."""

    name: str
    version: str
    commit: str
    repository: str | None
    packages: pd.DataFrame


def write_run(
    archive: Path, *, name: str, about: str, authors: str, software: Software, command: str,
    inputs: Mapping[Path, Path], outputs: Mapping[Path, Path],
) -> None:  # fmt: skip
    """Write a zip archive with a run's files, place in the archive to path, and their description.

    Raises KeyError for a file whose ending is not in MEDIA_TYPES.
    """
    crate = ROCrate(version="1.1")
    crate.name, crate.description = name, about
    crate.license = _named(crate, LICENCE, "CreativeWork", "Apache License 2.0")
    people, root = _named(crate, "#authors", "Organization", authors), crate.root_dataset
    root["conformsTo"] = _named(crate, PROFILE, "CreativeWork", "Process Run Crate", version="0.5")
    root["author"] = root["publisher"] = people
    action = {
        "instrument": _instrument(crate, software),
        "agent": people,
        "object": [_file(crate, path, place) for place, path in inputs.items()],
        "result": [_file(crate, path, place) for place, path in outputs.items()],
        "endTime": datetime.fromtimestamp(max(p.stat().st_mtime for p in outputs.values()), UTC).isoformat(),
        "description": command,
    }
    root["mentions"] = _named(crate, "#run", "CreateAction", name, **action)
    with atomic_path(archive) as whole:
        crate.write_zip(whole)


def _instrument(crate: ROCrate, software: Software) -> Any:
    packages = [
        _named(crate, f"#{row.package}", "SoftwareApplication", str(row.package), version=row.version,
               url=f"https://pypi.org/project/{row.package}/")
        for row in software.packages.itertuples()
    ]  # fmt: skip
    about = {"version": software.version, "identifier": software.commit, "softwareRequirements": packages}
    if software.repository:
        about["url"] = software.repository
    return _named(crate, "#software", "SoftwareApplication", software.name, **about)


def _named(crate: ROCrate, at: str, kind: str, name: str, /, **more: Any) -> Any:
    return crate.add(ContextEntity(crate, at, {"@type": kind, "name": name, **more}))


def _file(crate: ROCrate, path: Path, place: Path) -> Any:
    about = {
        "name": place.name,
        "encodingFormat": MEDIA_TYPES[path.suffix],
        "contentSize": str(path.stat().st_size),
    }
    return crate.add_file(path, place.as_posix(), properties=about)
