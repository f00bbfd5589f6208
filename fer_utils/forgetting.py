"""The end of a licence: everything made from a data set is deleted, and what must be made again is listed.

`app` holds the commands of `face_sets` and, because it must know the studies, `forget`. What is to go is written down
before the first file is deleted, since half of a study can no longer show what it was made from. What reads tables is
imported only when it is used: each command imports this module.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer

from face_sets.commands import SetArgument, app
from face_sets.files import write_text
from face_sets.folders import KNOWN_RESULTS, PROJECT_FOLDER, as_lines, remembered, results_folder
from face_sets.processes import one_at_a_time
from fer_utils.paths import BOOKS
from fer_utils.workflow import LOCK

__all__ = ["app", "forget", "made_from"]

FACES_TABLES: Final = (Path("faces", "faces.parquet"), Path("external", "faces.parquet"))
LEARNED: Final = ("train", "compress", "sweep")
RENDERED: Final = ("_build", "release", "book/stages", ".cache/book-*", str(BOOKS))  # book-*: of killed ones


@app.command()
def forget(
    name: SetArgument, yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation")] = False
) -> None:
    """Delete everything that was made from a data set, and say which results must be made again."""
    from face_sets.ingested import FOLDER, IngestedSet

    project, results = PROJECT_FOLDER, results_folder()
    to_delete = project / ".cache" / f"forget-{name}.txt"
    found = sorted({*filter(os.path.lexists, remembered(to_delete)), *made_from(name, results, project)})
    if not found:
        to_delete.unlink(missing_ok=True)
        typer.echo(f"nothing here was made from {name}")
        return
    rendered = [path for pattern in RENDERED for path in project.glob(pattern) if path in found]
    typer.echo(f"made from {name}, to be deleted:")
    for path in found:
        typer.echo(f"  {os.path.relpath(path)}")
    if not yes and not typer.confirm("Delete them for good?"):
        typer.echo("nothing was deleted")
        raise typer.Exit(1)
    with one_at_a_time(LOCK), one_at_a_time(IngestedSet(results, name).lock_file):
        write_text(to_delete, as_lines(*found))
        for path in found:  # killed in the middle and asked again, from wherever, it goes on with the list
            _delete(path)
        to_delete.unlink()
    typer.echo(f"{name} is forgotten. The owner's own files, and copies made elsewhere, are yours to delete.")
    studies = [path for path in found if path.parent.name != FOLDER and path.suffix != ".zip"]
    for study in [path for path in studies if path not in rendered]:
        typer.echo(
            f"to be made again without it: {study.name} (`fer run --profile {study.name.split('-')[0]}`)"
        )
    if rendered:
        typer.echo("to be rendered again: the book (`make book`)")


def made_from(name: str, results: Path, project: Path) -> Iterator[Path]:
    """Yield all that was made from a data set: its own folders, the studies that used it, the rendered book.

    It is looked for in `results`, in every folder of results that this project ever used, and below `project`. A
    study used the set if its faces, or those of its external test, come from it; one whose tables of faces cannot be
    read, or are gone while trained networks are there, counts as having used it, and so does one of which only the
    book is left. Raises ManifestError for a set that nobody described.
    """
    from face_sets.ingested import FOLDER, IngestedSet
    from face_sets.manifests import load_manifest

    datasets = {name, *load_manifest(name).study.datasets}
    everywhere = {results.resolve(), (project / "results").resolve(), *remembered(project / KNOWN_RESULTS)}
    folders = [path for each in everywhere if each.is_dir() for path in each.iterdir() if path.is_dir()]
    used = [path for path in folders if path.name != FOLDER and _used(path, datasets)]
    yield from used
    yield from (crate for study in used if (crate := study.with_name(f"{study.name}.crate.zip")).exists())
    yield from (own for each in everywhere if (own := IngestedSet(each, name).folder).exists())
    if used or not all(study.exists() for study in remembered(project / BOOKS)):
        yield from (path for pattern in RENDERED for path in project.glob(pattern))


def _delete(path: Path) -> None:
    if path.is_symlink():  # to another disk, say
        shutil.rmtree(path.resolve(), ignore_errors=not path.exists())
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _used(study: Path, datasets: set[str]) -> bool:
    from face_sets.tables import TableError, read_sealed

    tables = [study / table for table in FACES_TABLES if (study / table).exists()]
    if not (study / FACES_TABLES[0]).exists() and any((study / step).exists() for step in LEARNED):
        return True
    try:
        return any(datasets & set(read_sealed(table)["dataset"]) for table in tables)
    except (TableError, KeyError):
        return True
