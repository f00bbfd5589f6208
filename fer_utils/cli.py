"""The `fer` command: run stages, see what is there, classify photographs."""

import json
import os
import sys
import time
from pathlib import Path
from textwrap import shorten
from typing import Annotated

import typer

from face_sets.files import printable
from face_sets.folders import KNOWN_RESULTS, PROJECT_FOLDER, remember, results_folder
from face_sets.processes import end_all_when_terminated, end_at_once, end_with_run
from fer_utils import forgetting
from fer_utils.graph import BOOK
from fer_utils.paths import Paths, check_folders, remarks_on_folders, settle_folders
from fer_utils.study import Study, load_study

ProfileOption = Annotated[str, typer.Option(help="Profile of the study: quick, reference, licensed")]
OverridesOption = Annotated[str, typer.Option(help="Study fields to change, as JSON: '{\"seed\": 7}'")]
RunsOption = Annotated[
    list[str] | None, typer.Option(help="Run id of a file to measure; all exported files by default")
]

_SHOWN = 200  # letters of an option that an error repeats

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
    cores: Annotated[int | None, typer.Option(min=1, help="Cores to use; all by default")] = None,
    workflow_profile: Annotated[
        str,
        typer.Option(
            envvar="SNAKEMAKE_WORKFLOW_PROFILE",
            help="How jobs run: default (this machine), slurm, or a folder with Snakemake's config.yaml",
        ),
    ] = "default",
) -> None:
    """Make what is missing or out of date of what the stages need, run their notebooks, and (with none named) the book."""
    from fer_utils.graph import notebook_source
    from fer_utils.workflow import make

    study = _study(profile, overrides)
    _look_at_folders()
    remember(results_folder().resolve(), PROJECT_FOLDER / KNOWN_RESULTS)
    targets = [Paths.of(study).notebook(notebook_source(stage).stem) for stage in stages or []]
    if not make(targets or [BOOK], profile, study.changes, cores, workflow_profile):
        typer.echo("Nothing to do: everything is up to date.")
    if not stages:
        typer.echo("The book is at _build/html/index.html; `make serve` shows it.")


@app.command()
def status(profile: ProfileOption = "quick", overrides: OverridesOption = "{}") -> None:
    """Say what of a study is made, what is missing, and what is out of date."""
    from face_sets.processes import holder
    from fer_utils.workflow import LOCK, summary

    study = _study(profile, overrides)
    _look_at_folders(write=False)
    typer.echo(f"{'step':16}{'jobs':>6}{'up to date':>12}{'due':>6}")
    for name, (count, made, due) in summary(study, study.changes).items():
        typer.echo(f"{name:16}{count:6}{made:12}{due:6}")
    if process := holder(LOCK):
        typer.echo(f"a run is at work here: {process}")


@app.command(context_settings={"ignore_unknown_options": True})  # a photograph's name may begin with a dash
def classify(
    photos: Annotated[list[Path], typer.Argument(help="Photographs; every face found in each is classified")],
    profile: Annotated[
        str | None,
        typer.Option(help="Profile whose own exported model answers; the released model by default"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs")] = False,
) -> None:
    """Find the faces in photographs and print the seven probabilities of each, by the released model or a profile's own."""
    from fer_utils.classify import Answer, classify_photographs, describe, find_model

    model = find_model(profile)
    found = classify_photographs(photos, model)
    answers = [each for each in found if isinstance(each, Answer)]
    if as_json:
        typer.echo(json.dumps([each.as_dict() for each in found], indent=1))
    elif answers:
        typer.echo(describe(answers, model))
    for each in found:
        if not isinstance(each, Answer):
            typer.echo(f"fer: {printable(each.error)}", err=True)
    if len(answers) < len(found):
        raise typer.Exit(1)


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

    study = _study(profile, overrides)
    paths = Paths.of(study)
    for archive in pack(study, paths, run_ids or [], to or paths.packs):
        typer.echo(archive)


@app.command()
def pdf(
    to: Annotated[
        Path, typer.Option(dir_okay=False, help="The file to write; by default beside the rendered pages")
    ] = BOOK.parent / "living_replication.pdf",
) -> None:
    """Print the rendered book into one PDF, by Chromium: every page, figures, links and an outline."""
    from fer_utils.reporting.build import pages_in_order
    from fer_utils.reporting.provenance import edition
    from printed_book.printing import print_book

    this = edition()
    about = {
        "title": "A living replication",
        "version": this.version,
        "date": this.date,
        "commit": this.commit,
    }
    pages = [f"{page}.html" for page in pages_in_order()]
    sheets = print_book(BOOK.parent, pages, to, about, site=this.site)
    typer.echo(f"{to}: {sheets} sheets")


@app.command()
def crate(
    to: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="The zip archive to write; by default beside the study's results"),
    ] = None,
    profile: ProfileOption = "quick",
    overrides: OverridesOption = "{}",
) -> None:
    """Write a run as an RO-Crate for archives: its tables, notebooks, figures and models, inputs and software."""
    from fer_utils.reporting.crate import CrateError, write_crate
    from fer_utils.workflow import due_jobs

    _look_at_folders(write=to is None)
    study = _study(profile, overrides)
    paths = Paths.of(study)
    if due := due_jobs(profile, study.changes):
        raise CrateError(f"{sum(due.values())} job(s) of this run are due, of {', '.join(due)}: run it first")
    archive = to or paths.results / f"{study.name}.crate.zip"
    typer.echo(f"{archive}: {write_crate(study, paths, archive)} results")


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
    repeats: Annotated[int | None, typer.Option(min=100, help="By default 2000, for --rules 1000")] = None,
    rules: Annotated[bool, typer.Option("--rules", help="Try the rules for verdicts instead")] = False,
    seeds: Annotated[bool, typer.Option("--seeds", help="Train two networks from six seeds")] = False,
    groups: Annotated[bool, typer.Option("--groups", help="Try tests between groups instead")] = False,
) -> None:
    """Run the simulation study in full, about an hour on two cores (rules: eight on one); writes the shipped table."""
    from expression_scores import simulated_groups
    from fer_utils import seed_spread
    from fer_utils.simulation import operating_characteristics, scenarios

    if seeds:
        return seed_spread.measure()
    started = time.perf_counter()
    if groups:
        path = simulated_groups.TABLE
        names = simulated_groups.in_full(scenarios.group_sizes(), path, repeats or simulated_groups.REPEATS)
    elif rules:
        path = operating_characteristics.TABLE
        names = operating_characteristics.in_full(path, repeats or operating_characteristics.BOARDS)
    else:
        path = scenarios.TABLE
        names = scenarios.in_full(path, repeats or scenarios.FULL_REPEATS)
    for name in names:
        typer.echo(f"{'validate':16} {name:56} {time.perf_counter() - started:6.0f} s")
    typer.echo(f"Written to {path}; `make book` shows it.")


@app.command()
def verdict(
    table: Annotated[
        Path, typer.Argument(help="CSV file of answers to CAFE; the page How to run lists its columns")
    ],
    trained_on: Annotated[
        list[str] | None, typer.Option(help="A data set that the networks learned from; repeat it for each")
    ] = None,
    weights: Annotated[str, typer.Option(help="What all networks started from")] = "imagenet",
    to: Annotated[Path | None, typer.Option(dir_okay=False, help="CSV file for the verdicts")] = None,
) -> None:
    """Judge somebody else's predictions of CAFE by the rules of this book, claim by claim."""
    from face_sets.files import atomic_path
    from fer_utils.analysis.claims import load_claims
    from fer_utils.analysis.evidence import tables_of_others
    from fer_utils.analysis.verdicts import scoreboard

    if to and to.exists() and to.samefile(table):
        raise typer.BadParameter("--to names the table of answers, which would be lost: name another file")
    board = scoreboard(load_claims(), tables_of_others(table, trained_on or [], weights))
    if to:
        with atomic_path(to) as temporary:
            board.to_csv(temporary, index=False)
    rows = sorted(board.to_dict("records"), key=lambda row: "%" in row["ours"] or "points" in row["ours"])
    for row in rows:
        typer.echo(f"{row['verdict']:16} {row['statement']}")
        typer.echo(f"{'':16} published {row['published']}, here {row['ours']}; {row['reason']}")


@app.command(name="profile")
def profile_device(
    add: Annotated[
        Path | None, typer.Option(help="Result of the book's page On your own device, to be added")
    ] = None,
    phone: Annotated[bool, typer.Option("--phone", help="Time files on an attached Android phone")] = False,
    emulate: Annotated[
        bool,
        typer.Option("--emulate", help="Compare answers on emulated ARM64 kernels with this machine's"),
    ] = False,
    benchmark: Annotated[
        Path | None, typer.Option(help="The vendor's benchmark_model for Android, which you downloaded")
    ] = None,
    serial: Annotated[
        str | None, typer.Option(help="Which phone, if several are attached: see `adb devices`")
    ] = None,
    threads: Annotated[
        int, typer.Option(min=1, max=8, help="Threads on the phone, each on its own core")
    ] = 1,
    only: RunsOption = None,
    profile: ProfileOption = "quick",
    overrides: OverridesOption = "{}",
) -> None:
    """Measure the exported files on another device than this machine; the notebooks then show it.

    Interrupted or unplugged, it goes on where it stopped.
    """
    from arm_latency.phone import find_phone
    from fer_utils.steps.devices import add_browser_result, measure_emulated, measure_on_phone

    if add and (phone or emulate or only):
        raise typer.BadParameter("`--add FILE` goes alone: its times were taken already")
    study = _study(profile, overrides)
    paths = Paths.of(study)
    if add:
        for row in add_browser_result(study, paths, add).itertuples():
            typer.echo(f"{row.run_id:45} {row.latency_ms_median:8.1f} ms, in a browser on {row.device}")
    elif emulate:
        measure_emulated(study, paths, run_ids=only or [], report=typer.echo)
    elif phone and benchmark:
        device = find_phone(serial)
        measure_on_phone(
            study, paths, device, benchmark, threads=threads, run_ids=only or [], report=typer.echo
        )
    else:
        raise typer.BadParameter(
            "say `--phone --benchmark PATH` (the program is at developers.google.com/edge/litert/next/benchmark), "
            "`--emulate` or `--add FILE`"
        )
    typer.echo(f"kept with the study's results; `fer run --profile {profile}` brings it into the book")


@app.command()
def ladder(
    seeds: Annotated[int, typer.Option(min=1, help="Networks of each rung, trained from other seeds")] = 1,
    to: Annotated[
        Path | None, typer.Option(help="Folder for tables, model and card; that of the results by default")
    ] = None,
) -> None:
    """Train MobileNetV2 on ever more lifelike faces, score it on real adults, export the best; up to an hour a seed.

    Photographs, ImageNet features and the external test are sought below FER_DATA. Interrupted, it goes on where it
    stopped.
    """
    from face_sets.code_digests import code_digest
    from fer_utils.steps.ladder import make_ladder

    _look_at_folders()
    folder = results_folder() / "ladder" / code_digest("fer_utils.steps.ladder")
    to = to or folder / "released"
    make_ladder(range(1, seeds + 1), folder, to, typer.echo)
    typer.echo(f"Written to {to}; the book's page on real faces shows results/reference.")


@app.command(hidden=True)
def step(
    name: str,
    cell: Annotated[
        list[str] | None, typer.Argument(help="Network, then technique or setting; or notebook")
    ] = None,
    profile: ProfileOption = "quick",
    overrides: OverridesOption = "{}",
) -> None:
    """Do one job of the workflow; the Snakefile calls this."""
    from fer_utils.graph import find_job, run_job
    from fer_utils.whole_files import record_job
    from workflow_runs.accounting import write_cost

    end_with_run()
    study = _study(profile, overrides)
    paths = Paths.of(study)
    job = find_job(name, tuple(cell or ()), study, paths)  # as the code was when the job began
    run_job(job, study, paths)
    write_cost(paths.durations / f"{job.name}.tsv")
    record_job(job, paths)
    end_at_once()


def _study(profile: str, overrides: str) -> Study:
    """The study that the two options name. Raises BadParameter if `overrides` is no JSON object."""
    try:
        changes = json.loads(overrides)
    except (ValueError, RecursionError):
        changes = None
    if not isinstance(changes, dict):
        raise typer.BadParameter(
            f"overrides must be JSON such as '{{\"seed\": 7}}', given {shorten(overrides, _SHOWN)!r}"
        )
    return load_study(profile, **changes)


def _look_at_folders(*, write: bool = True) -> None:
    """Raises FolderError for one that a variable misnames; remarks on the others."""
    check_folders(write=write)
    for remark in remarks_on_folders():
        typer.echo(remark, err=True)


def main() -> None:
    """Run the command; an error of the project's own ends in one sentence, not in a traceback."""
    end_all_when_terminated()
    try:
        settle_folders()
        app()
    except MemoryError:
        sys.exit("fer: this machine's memory is full: run fewer jobs at once (--cores 1), or smaller batches")
    except ImportError as error:
        why = " ".join(str(error).split())
        sys.exit(f"fer: a library cannot be loaded (no memory left, or damaged: `make setup`): {why[-200:]}")
    except (ValueError, RuntimeError, OSError) as error:
        own = type(error).__module__.split(".")[0] in {"fer_utils", *os.listdir(PROJECT_FOLDER / "packages")}
        if own or isinstance(error, OSError):
            said = str(error)
            if isinstance(error, OSError) and error.strerror and not error.filename2:
                named = f"{printable(str(error.filename))}: " if error.filename else ""
                said = named + error.strerror
            sys.exit("fer: " + "\n".join(map(printable, said.split("\n"))))
        raise


if __name__ == "__main__":
    main()
