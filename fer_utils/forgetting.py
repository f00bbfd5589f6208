"""A licence that ends: everything made from a data set is deleted, and what must be made again is listed."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow

from face_sets.ingested import FOLDER, IngestedSet
from face_sets.manifests import load_manifest

FACES_TABLES: Final = (Path("faces", "faces.parquet"), Path("external", "faces.parquet"))
LEARNED: Final = ("train", "compress", "sweep")
RENDERED: Final = (Path("_build"), Path("book", "stages"))
UNFINISHED_BOOKS: Final = "book-*"  # in .cache, what a killed rendering leaves


@dataclass(frozen=True)
class Forgotten:
    """What is to be deleted, or was: the set's own folder, the studies that used it, rendered pages."""

    dataset: str
    own: tuple[Path, ...]
    studies: tuple[Path, ...]
    book: tuple[Path, ...]

    @property
    def all(self) -> tuple[Path, ...]:
        """Every folder, in the order of deletion: what shows the set's use goes last."""
        return (*self.book, *self.studies, *self.own)


def forgettable(name: str, results: Path, project: Path) -> Forgotten:
    """Return what was made from a data set: in `results`, and the book rendered in the folder `project`.

    A study used it if its faces, or those of its external test, come from it; one whose tables of faces cannot be
    read, or are gone while trained networks are there, counts as having used it. Raises ManifestError for a set
    that nobody described.
    """
    datasets = {name, *load_manifest(name).study.datasets}
    own = IngestedSet(results, name).folder
    folders = [path for path in sorted(results.glob("*")) if path.is_dir() and path.name != FOLDER]
    studies = tuple(path for path in folders if _used(path, datasets))
    pages = [project / path for path in RENDERED] + sorted((project / ".cache").glob(UNFINISHED_BOOKS))
    book = tuple(path for path in pages if path.exists()) if studies else ()
    return Forgotten(name, (own,) if own.exists() else (), studies, book)


def forget(found: Forgotten) -> None:
    """Delete it; killed in the middle and asked again, it finds and deletes the rest."""
    for folder in found.all:
        shutil.rmtree(folder)


def _used(study: Path, datasets: set[str]) -> bool:
    tables = [study / table for table in FACES_TABLES if (study / table).exists()]
    if not (study / FACES_TABLES[0]).exists() and any((study / step).exists() for step in LEARNED):
        return True
    try:
        return any(datasets & set(pd.read_parquet(table, columns=["dataset"])["dataset"]) for table in tables)
    except (pyarrow.ArrowException, OSError, ValueError):
        return True
