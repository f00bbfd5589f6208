"""The end of a licence: everything made from a data set is deleted, and what must be made again is listed.

`app` holds the commands of `face_sets` and, because it must know the studies, `forget`.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from face_sets.commands import SetArgument, app
from face_sets.folders import PROJECT_FOLDER, results_folder
from face_sets.ingested import FOLDER, IngestedSet
from face_sets.processes import one_at_a_time

__all__ = ["Forgotten", "app", "forget", "forgettable"]

FACES_TABLES: Final = (Path("faces", "faces.parquet"), Path("external", "faces.parquet"))
LEARNED: Final = ("train", "compress", "sweep")
RENDERED: Final = (Path("_build"), Path("book", "stages"))
UNFINISHED_BOOKS: Final = "book-*"  # in .cache, what a killed rendering leaves


@app.command()
def forget(
    name: SetArgument, yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation")] = False
) -> None:
    """Delete everything that was made from a data set, and say which results must be made again."""
    found = forgettable(name, results_folder(), PROJECT_FOLDER)
    if not found.all:
        typer.echo(f"nothing here was made from {name}")
        return
    typer.echo(f"made from {name}, to be deleted:")
    for folder in found.all:
        typer.echo(f"  {os.path.relpath(folder)}")
    if not yes and not typer.confirm("Delete them for good?"):
        typer.echo("nothing was deleted")
        raise typer.Exit(1)
    with one_at_a_time(IngestedSet(results_folder(), name).lock_file):
        for folder in found.all:  # killed in the middle and asked again, it finds and deletes the rest
            shutil.rmtree(folder)
    typer.echo(f"{name} is forgotten. The owner's own files, and copies made elsewhere, are yours to delete.")
    for study in found.studies:
        profile = study.name.split("-")[0]
        typer.echo(f"to be made again without it: {study.name} (`fer run --profile {profile}`)")
    if found.book:
        typer.echo("to be rendered again: the book (`make book`)")


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
    from face_sets.manifests import load_manifest

    datasets = {name, *load_manifest(name).study.datasets}
    own = IngestedSet(results, name).folder
    folders = [path for path in sorted(results.glob("*")) if path.is_dir() and path.name != FOLDER]
    studies = tuple(path for path in folders if _used(path, datasets))
    pages = [project / path for path in RENDERED] + sorted((project / ".cache").glob(UNFINISHED_BOOKS))
    book = tuple(path for path in pages if path.exists()) if studies else ()
    return Forgotten(name, (own,) if own.exists() else (), studies, book)


def _used(study: Path, datasets: set[str]) -> bool:
    import pandas as pd
    import pyarrow

    tables = [study / table for table in FACES_TABLES if (study / table).exists()]
    if not (study / FACES_TABLES[0]).exists() and any((study / step).exists() for step in LEARNED):
        return True
    try:
        return any(datasets & set(pd.read_parquet(table, columns=["dataset"])["dataset"]) for table in tables)
    except (pyarrow.ArrowException, OSError, ValueError):
        return True
