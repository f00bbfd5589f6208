"""A run described for archives: an RO-Crate of its inputs, its outputs, the software and the commit."""

from pathlib import Path
from typing import Final

from face_sets.folders import MANIFESTS_FOLDER, PROJECT_FOLDER
from fer_utils.paths import Paths
from fer_utils.reporting.gate import NOT_RELEASED, forbidding_sets
from fer_utils.reporting.provenance import edition, versions
from fer_utils.study import PROFILES_FOLDER, Study
from fer_utils.tables import read_sealed
from workflow_runs.crates import MEDIA_TYPES, Software, write_run

OUTPUTS: Final = (
    "*/**/*.parquet", "notebooks/*.ipynb", "figures/**/*.csv", "figures/**/*.png", "figures/**/*.svg",
    "figures/**/*.vl.json", "packs/*",
)  # fmt: skip


class CrateError(RuntimeError):
    """A run cannot be put into a crate; the message says why."""


def write_crate(study: Study, paths: Paths, archive: Path) -> int:
    """Write a zip archive with a run's tables, notebooks, figures and packs, and their description; return how many.

    Raises TableError for a damaged table, CrateError for a run without one, and where the terms of a data set forbid that
    its models are released.
    """
    if forbidding := forbidding_sets(study):
        raise CrateError(f"{NOT_RELEASED.removesuffix('.')}: {', '.join(forbidding)}; no crate was written")
    outputs = sorted(
        {path for pattern in OUTPUTS for path in paths.root.glob(pattern) if path.suffix in MEDIA_TYPES}
    )
    if not any(path.suffix == ".parquet" for path in outputs):
        raise CrateError(f"{study.name} has no results here: `fer run --profile {study.profile}` makes them")
    for table in (path for path in outputs if path.suffix == ".parquet"):
        read_sealed(table)
    this = edition()
    inputs = [PROFILES_FOLDER / f"{study.profile}.yml", PROJECT_FOLDER / "requirements.lock"]
    inputs += sorted(MANIFESTS_FOLDER.glob("*.json")) + sorted(MANIFESTS_FOLDER.glob("*.yml"))
    write_run(
        archive,
        name=f"A living replication: the run of profile {study.name}",
        about=f"Inputs, outputs and software of one run, on {study.kind_of_faces}; version {this.version}.",
        authors="The fer_utils contributors",
        software=Software("fer run", this.version, this.commit, this.repository, versions()),
        command=f"fer run --profile {study.profile}, commit {this.commit}, changed fields: {study.changes or 'none'}",
        inputs={Path("inputs", path.name): path for path in inputs},
        outputs={Path("results", path.relative_to(paths.root)): path for path in outputs},
    )
    return len(outputs)
