"""Where a page's results come from: profile, kind of data, digest of the tables read, commit, versions."""

import importlib.metadata
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import pandas as pd
import yaml

from face_sets.files import digest
from face_sets.folders import PROJECT_FOLDER
from fer_utils.study import Study

KindOfData = Literal[
    "synthetic faces",
    "licensed photographs",
    "London photographs",
    "published numbers",
    "simulated predictions",
]

PACKAGES: Final = (
    "fer-utils", "tensorflow", "tf-keras", "tensorflow-model-optimization", "ai-edge-litert",
    "numpy", "pandas", "scikit-learn", "fairlearn", "papermill", "jupyter-book",
)  # fmt: skip
"""The packages that can change a result or a page."""


@dataclass(frozen=True)
class Provenance:
    """The origin of a page's results."""

    profile: str
    kind: KindOfData
    digests: Mapping[str, str]
    commit: str

    @property
    def digest(self) -> str:
        """16 hexadecimal digits over the names and contents of all tables read."""
        return digest(dict(self.digests))

    @property
    def tables(self) -> pd.DataFrame:
        """The tables read, one per row: table, digest."""
        return pd.DataFrame(sorted(self.digests.items()), columns=["table", "digest"])

    def line(self) -> str:
        """Return the sentence under every figure."""
        return (
            f"Source: profile {self.profile}, {self.kind}, data digest {self.digest}, commit {self.commit}."
        )


def provenance(study: Study, tables: Mapping[str, Path], *, kind: KindOfData | None = None) -> Provenance:
    """Return the origin of results from these tables (name to Parquet file); `kind` is the study's if None.

    Raises FileNotFoundError naming the first table that is missing.
    """
    for table, path in tables.items():
        if not path.is_file():
            raise FileNotFoundError(
                f"table {table!r} is missing at {path}: run the stage that writes it (`fer status` says which)"
            )
    digests = {table: digest(path) for table, path in tables.items()}
    return Provenance(profile=study.name, kind=kind or study.kind_of_faces, digests=digests, commit=commit())


@dataclass(frozen=True)
class Edition:
    """What names one edition of the book: version, day of its commit, commit; addresses are None until there are any."""

    version: str
    date: str
    commit: str
    repository: str | None
    site: str | None


def edition(folder: Path = PROJECT_FOLDER) -> Edition:
    """Return the edition of a checkout, as `CITATION.cff` and git say; its fields `repository-code` and `url` are the
    one place that holds the addresses of the repository and of the published book."""
    cited = yaml.safe_load((folder / "CITATION.cff").read_text(encoding="utf-8"))
    day = _git(folder, "log", "-1", "--format=%cs") or str(cited["date-released"])
    return Edition(cited["version"], day, commit(folder), cited.get("repository-code"), cited.get("url"))


def commit(folder: Path = PROJECT_FOLDER) -> str:
    """Return the short hash of the commit checked out, and whether files differ from it; or 'not in git'."""
    described = ("describe", "--always", "--exclude=*", "--abbrev=7", "--dirty= with local changes")
    return _git(folder, *described) or "not in git"


def _git(folder: Path, *words: str) -> str:
    """What git says; nothing where there is no git, no repository, or no commit yet."""
    try:
        answer = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return answer.stdout.strip()


def versions() -> pd.DataFrame:
    """Return the versions of Python and of PACKAGES, one per row: package, version."""
    rows = [("python", platform.python_version())]
    rows += [(package, importlib.metadata.version(package)) for package in PACKAGES]
    return pd.DataFrame(rows, columns=["package", "version"])
