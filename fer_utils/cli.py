"""The `fer` command: run stages, see what is there, classify photographs."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from fer_utils import forgetting
from fer_utils.commands import OverridesOption, ProfileOption, named_study
from fer_utils.paths import Paths
from fer_utils.profile_commands import profile_device
from fer_utils.study import load_study

app = typer.Typer(
    help="A living replication of a pediatric facial expression classifier for mobile devices.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

app.add_typer(forgetting.app, name="data")


@app.command()
def run(
    stages: Annotated[
        list[str] | None, typer.Argument(help="Stages, 01_data say; none means all and the book")
    ] = None,
    profile: ProfileOption = "quick",
    overrides: OverridesOption = "{}",
    cores: Annotated[int | None, typer.Option(help="Cores to use; all by default")] = None,
) -> None:
    """Make what the stages need and is not there or out of date, run their notebooks, and (with none named) the book."""
    from face_sets.folders import PROJECT_FOLDER
    from fer_utils.stages import STAGES, make, notebook_source

    study, changes = named_study(profile, overrides)
    paths = Paths.of(study)
    for stage in stages or []:
        notebook_source(stage)
    book = PROJECT_FOLDER / "_build" / "html" / "index.html"
    targets = [paths.notebook(stage) for stage in stages or STAGES]
    worked = make(targets if stages else [*targets, book], profile, changes, cores)
    if not worked:
        typer.echo("Nothing was to do: everything is up to date.")
    if not stages:
        typer.echo("The book is at _build/html/index.html; `make serve` shows it.")


@app.command()
def status(profile: ProfileOption = "quick", overrides: OverridesOption = "{}") -> None:
    """Say what of a study is made, what is not, and what is out of date."""
    from fer_utils.workflow_status import summary

    study, changes = named_study(profile, overrides)
    typer.echo(summary(study, changes).to_string(index=False))


@app.command()
def classify(
    photos: Annotated[list[Path], typer.Argument(help="Photographs; every face found in each is classified")],
    profile: ProfileOption = "quick",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs")] = False,
) -> None:
    """Find the faces in photographs and print the seven probabilities of each, by the profile's exported model."""
    from fer_utils.classify import classify_photograph, default_model, describe

    model = default_model(Paths.of(load_study(profile)))
    answers = [classify_photograph(photo, model) for photo in photos]
    typer.echo(
        json.dumps([answer.as_dict() for answer in answers], indent=1)
        if as_json
        else describe(answers, model)
    )


@app.command()
def export(
    run_ids: Annotated[
        list[str] | None, typer.Argument(help="Run ids of exported files; the best models if none is named")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="Folder for the packs; that of the study's results by default")
    ] = None,
    profile: ProfileOption = "quick",
    overrides: OverridesOption = "{}",
) -> None:
    """Pack exported models for app developers: file, labels, golden input and answer, model card, licence."""
    from fer_utils.steps.export import export as pack

    study, _ = named_study(profile, overrides)
    paths = Paths.of(study)
    for archive in pack(study, paths, run_ids or [], to or paths.packs):
        typer.echo(archive)


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="Folder of an unpacked export, golden.json in it")],
    answer: Annotated[
        Path | None, typer.Option(help="JSON file with the seven probabilities that your port gives")
    ] = None,
) -> None:
    """Compare a port's answer, or without one this machine's, with the golden answer of an exported model."""
    from fer_utils.compression.golden import answers_here, compare, read_answers, read_golden

    golden = read_golden(folder)
    found = compare(golden, read_answers(answer, golden) if answer else answers_here(folder, golden))
    for each in found:
        typer.echo(
            f"{each.file}: {'agrees' if each.agrees else 'DIFFERS'}; {each.given} given, {each.expected} expected, largest "
            f"difference {each.largest_difference:.2g} (up to {each.tolerance:.2g} is right)"
        )
    if not all(each.agrees for each in found):
        typer.echo(
            "Look at the order of colours (RGB), the levels (0 to 255, not 0 to 1) and the rows first.",
            err=True,
        )
        raise typer.Exit(1)


@app.command()
def validate(
    repeats: Annotated[
        int | None, typer.Option(min=100, help="Times that each experiment is repeated; 2000 by default")
    ] = None,
) -> None:
    """Run the simulation study in full, about fifty minutes on two cores; the book then shows them."""
    from fer_utils.simulation.runs import FULL_REPEATS, in_full

    path = Paths.of(load_study("quick")).validation
    started = time.perf_counter()
    for name in in_full(path, repeats or FULL_REPEATS):
        typer.echo(f"{'validate':16} {name:26} {time.perf_counter() - started:6.0f} s")
    typer.echo(f"Written to {path}; `make book` shows it.")


app.command(name="profile")(profile_device)


@app.command(hidden=True)
def step(
    name: str,
    architecture: Annotated[str | None, typer.Argument()] = None,
    profile: ProfileOption = "quick",
    overrides: OverridesOption = "{}",
) -> None:
    """Do one expensive step of the workflow; the Snakefile calls this."""
    study, _ = named_study(profile, overrides)
    started = time.perf_counter()
    _step_function(name, architecture)(study, Paths.of(study))
    typer.echo(f"{name:16} {architecture or '':20} {time.perf_counter() - started:6.0f} s")


@app.command(hidden=True)
def stage(name: str, profile: ProfileOption = "quick", overrides: OverridesOption = "{}") -> None:
    """Execute one stage's notebook; the Snakefile calls this."""
    from fer_utils.stages import run_notebook

    study, changes = named_study(profile, overrides)
    started = time.perf_counter()
    run_notebook(name, study, changes)
    typer.echo(f"{'notebook':16} {name:20} {time.perf_counter() - started:6.0f} s")


def _step_function(name: str, architecture: str | None) -> Any:
    """Import the step only now: each has heavy imports of its own."""
    from functools import partial
    from importlib import import_module

    functions = {
        "faces": ("faces", "make_faces"),
        "photographs": ("photographs", "make_external_faces"),
        "train": ("train", "train"),
        "compress": ("compress", "compress_network"),
        "sweep": ("sweep", "sweep_network"),
        "external": ("external", "predict_external"),
        "few_shot": ("few_shot", "few_shot"),
        "measure": ("measure", "measure"),
        "book": ("book", "make_book"),
    }
    if name not in functions:
        raise typer.BadParameter(f"unknown step {name!r}: choose from {', '.join(functions)}")
    module, function = functions[name]
    action = getattr(import_module(f"fer_utils.steps.{module}"), function)
    return partial(action, architecture) if architecture else action


def main() -> None:
    """Run the command; what goes wrong for a reason we know ends in one sentence, not in a traceback."""
    try:
        app()
    except (ValueError, RuntimeError, OSError) as error:
        if type(error).__module__.startswith(("fer_utils", "face_sets", "synthetic_faces")) or isinstance(
            error, OSError
        ):
            sys.exit(f"fer: {error}")
        raise


if __name__ == "__main__":
    main()
