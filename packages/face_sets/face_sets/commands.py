"""Commands on data sets: see what is here, ingest a set, unpack an archive, check all sets, read the sheet of one."""

import os
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from face_sets.files import printable
from face_sets.folders import KNOWN_RESULTS, PROJECT_FOLDER, RESULTS_VARIABLE, remember, results_folder
from face_sets.processes import usable_cores

if TYPE_CHECKING:
    from face_sets.ingested import IngestedSet, Report

app = typer.Typer(help="Data sets: what is here, and what may be done with it.", no_args_is_help=True)

SetArgument = Annotated[str, typer.Argument(metavar="SET", help="Name of the data set: cafe, kdef ...")]
WIDTH = 100  # columns of text
MOST_LISTED = 20  # names in one line of output; the report holds all
STUDY_SEED = 2023  # of a study that states no other


@app.command()
def status() -> None:
    """Say which data sets are here, with how many faces, and how to ask for those that are missing."""
    from face_sets.ingested import IngestedSet
    from face_sets.manifests import load_manifest
    from face_sets.readers.reading import SOURCES

    results = _existing_results()
    for name in SOURCES:
        here, study = IngestedSet(results, name), load_manifest(name).study
        published = (
            f" of {study.published_images:,} {study.counted} published" if study.published_images else ""
        )
        if here.is_whole:
            report = here.report()
            typer.echo(f"{name:12} here         {report.found:,} faces{published}; {_losses(report)}")
        else:
            state = "interrupted" if here.folder.exists() else "missing"
            typer.echo(f"{name:12} {state:12} 0{published or ' faces'}")
            typer.echo(
                textwrap.fill(study.how_to_get, WIDTH, initial_indent=" " * 13, subsequent_indent=" " * 13)
            )


@app.command()
def ingest(
    name: SetArgument,
    folder: Annotated[Path, typer.Option("--from", help="Folder in the owner's layout")],
    face_size: Annotated[
        int | None, typer.Option(min=32, max=512, help="Side of a stored face, pixels")
    ] = None,
    processes: Annotated[int | None, typer.Option(min=1, help="Processes; one a core by default")] = None,
    detector: Annotated[
        Path | None,
        typer.Option(
            envvar="FER_DETECTOR", help="Another detector: BlazeFace .tflite or OpenCV cascade .xml"
        ),
    ] = None,
    tolerated: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of files that may fail; 0.02 by default")
    ] = None,
) -> None:
    """Find, crop and store the faces of a data set; interrupted, it goes on where it stopped.

    Files that cannot be used are listed with their reason in rejected.csv; more than the tolerated share of them
    ends with exit code 1.
    """
    from face_sets.ingest import FACE_SIZE, TOLERATED_SHARE
    from face_sets.ingest import ingest as run
    from face_sets.ingested import IngestedSet

    remember(results_folder().resolve(), PROJECT_FOLDER / KNOWN_RESULTS)
    report = run(
        name, folder, results_folder(), face_size or FACE_SIZE, processes or usable_cores(), detector,
        show_progress=sys.stderr.isatty(),
    )  # fmt: skip
    here = IngestedSet(results_folder(), name)
    _show_report(here, report)
    if report.failed_share > (limit := TOLERATED_SHARE if tolerated is None else tolerated):
        typer.echo(
            f"that is {report.failed_share:.1%}, more than the {limit:.1%} that is tolerated", err=True
        )
        raise typer.Exit(1)


@app.command()
def unpack(
    archive: Annotated[
        Path, typer.Argument(help="zip, 7z or tar as received; of a split one the first part")
    ],
    folder: Annotated[Path, typer.Option("--to", help="Folder to unpack to; it must not hold anything yet")],
) -> None:
    """Unpack an archive without harm: nothing lands outside the folder, and nothing swells beyond bounds."""
    from face_sets.archives import unpack as run

    typer.echo(f"{run(archive, folder):,} files are in {printable(str(folder))}")


@app.command()
def check(seed: Annotated[int, typer.Option(help="Seed of the splits to check")] = STUDY_SEED) -> None:
    """Check manifests, tables, stored faces and splits; each problem is a line, and ends with exit code 1."""
    from face_sets.checking import problems
    from face_sets.ingested import ingested_sets

    results = _existing_results()
    found = 0
    for problem in problems(results, seed):
        found += 1
        typer.echo(printable(problem))  # a line each, whatever folders are called
    names = ", ".join(each.name for each in ingested_sets(results)) or "no data set"
    typer.echo(f"checked the manifests and {names}: {found or 'no'} problem{'' if found == 1 else 's'}")
    if found:
        raise typer.Exit(1)


@app.command()
def sheet(name: SetArgument) -> None:
    """Print the data sheet of a set: what it is, who may have it and how, what is done with it."""
    from face_sets.data_sheets import data_sheet
    from face_sets.manifests import load_manifest

    manifest = load_manifest(name)
    typer.echo(textwrap.fill(f"{manifest.name}: {manifest.description}", WIDTH))
    for question, answer in data_sheet(manifest).itertuples(index=False, name=None):
        start = question.removesuffix("?") + ":"
        typer.echo(textwrap.fill(answer, WIDTH, initial_indent=f"{start:42}", subsequent_indent=" " * 42))


def _existing_results() -> Path:
    """The folder of results, which need not be there yet. Raises NotADirectoryError for what never can be one."""
    results = results_folder()
    there = next(each for each in (results.absolute(), *results.absolute().parents) if os.path.lexists(each))
    if not there.is_dir():
        raise NotADirectoryError(
            f"{results} is named for results, where {there} is no folder: correct {RESULTS_VARIABLE}"
        )
    return results


def _losses(report: "Report") -> str:
    blurred = f" {report.blurred:,} blurred," if report.blurred else ""
    return f"{report.missed:,} not found by the detector,{blurred} {report.failed:,} file(s) failed"


def _show_report(here: "IngestedSet", report: "Report") -> None:
    import pandas as pd

    from face_sets.ingest import PASSED_OVER
    from face_sets.readers.reading import told

    typer.echo(f"{here.name}: {report.found:,} faces; {_losses(report)}")
    for what, counts in (("expression", report.by_expression), ("age group", report.by_age_group)):
        typer.echo(f"by {what}: {_listed(counts)}")
    if report.dropped_labels:
        typer.echo(f"not used, by the owner's label: {_listed(report.dropped_labels)}")
    if report.unknown_values:
        typer.echo(f"values that are not known, left missing: {_listed(report.unknown_values)}")
    _show_hit_rates(here)
    if report.failed:
        reasons = pd.read_csv(here.rejected_file)["reason"]
        why = told(reasons[reasons != PASSED_OVER])
        typer.echo(
            f"{report.failed:,} file(s) could not be used{why}: {here.rejected_file} says which, and why"
        )
    if report.passed_over:
        typer.echo(
            f"{report.passed_over:,} file(s) are no pictures and were passed over: {here.rejected_file} names them"
        )


def _listed(counts: dict[str, int]) -> str:
    """The names and their counts, the commonest if there are many."""
    shown = (
        sorted(counts, key=lambda key: -counts[key])[:MOST_LISTED] if len(counts) > MOST_LISTED else counts
    )
    more = f" and {len(counts) - MOST_LISTED} more" if len(counts) > MOST_LISTED else ""
    return ", ".join(f"{key} {counts[key]:,}" for key in shown) + more


def _show_hit_rates(here: "IngestedSet") -> None:
    """Show for which expressions and groups the detector fails: that biases whatever is learned from the rest."""
    from face_sets.catalogue import hit_rates

    faces, dropped = here.faces(), here.dropped()
    if dropped.empty:
        return
    for column in ("expression", "age_group", "ethnicity"):
        rates = hit_rates(faces, dropped, [column])
        if rates[column].notna().any():
            typer.echo(
                rates.to_string(index=False, formatters={"hit_rate": "{:.3f}".format}, na_rep="not given")
            )
