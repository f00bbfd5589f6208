"""The command `fer profile`: exported files on other devices than this machine, measured here or by others."""

from pathlib import Path
from typing import Annotated

import typer

from fer_utils.commands import OverridesOption, ProfileOption, named_study
from fer_utils.paths import Paths
from fer_utils.study import Study

AddOption = Annotated[
    Path | None, typer.Option(help="Result of the book's page On your own device, to be added")
]
PhoneOption = Annotated[bool, typer.Option("--phone", help="Time files on an attached Android phone, by adb")]
EmulateOption = Annotated[
    bool, typer.Option("--emulate", help="Compare answers on emulated ARM64 kernels with this machine's")
]
BenchmarkOption = Annotated[
    Path | None, typer.Option(help="The vendor's benchmark_model for Android, which you downloaded")
]
SerialOption = Annotated[
    str | None, typer.Option(help="Which phone, if several are attached: see `adb devices`")
]
ThreadsOption = Annotated[int, typer.Option(min=1, max=8, help="Threads on the phone, each on its own core")]
OnlyOption = Annotated[
    list[str] | None, typer.Option(help="Run id of a file to measure; all exported files by default")
]


def profile_device(
    add: AddOption = None,
    phone: PhoneOption = False,
    emulate: EmulateOption = False,
    benchmark: BenchmarkOption = None,
    serial: SerialOption = None,
    threads: ThreadsOption = 1,
    only: OnlyOption = None,
    profile: ProfileOption = "quick",
    overrides: OverridesOption = "{}",
) -> None:
    """Measure the exported files on another device than this machine; the notebooks then show it.

    Interrupted or unplugged, it goes on where it stopped.
    """
    study, _ = named_study(profile, overrides)
    if add:
        _add_browser_result(study, add)
    elif emulate:
        _emulate(study, only or [])
    elif phone and benchmark:
        _time_on_phone(study, serial, benchmark, threads, only or [])
    else:
        raise typer.BadParameter(
            "say `--phone --benchmark PATH` (the program is at developers.google.com/edge/litert/next/benchmark), "
            "`--emulate` or `--add FILE`"
        )


def _add_browser_result(study: Study, file: Path) -> None:
    from fer_utils.steps.devices import add_browser_result

    for row in add_browser_result(study, Paths.of(study), file).itertuples():
        typer.echo(f"{row.run_id:45} {row.latency_ms_median:8.1f} ms, in a browser on {row.device}")
    typer.echo(f"added; `fer run --profile {study.profile}` brings it into the book")


def _emulate(study: Study, run_ids: list[str]) -> None:
    from fer_utils.steps.devices import measure_emulated

    table = measure_emulated(study, Paths.of(study), run_ids=run_ids, report=typer.echo)
    typer.echo(f"compared and kept in {table}; `fer run --profile {study.profile}` brings it into the book")


def _time_on_phone(
    study: Study, serial: str | None, benchmark: Path, threads: int, run_ids: list[str]
) -> None:
    from fer_utils.profiling.phone import find_phone
    from fer_utils.steps.devices import measure_on_phone

    table = measure_on_phone(
        study,
        Paths.of(study),
        find_phone(serial),
        benchmark,
        threads=threads,
        run_ids=run_ids,
        report=typer.echo,
    )
    typer.echo(f"measured and kept in {table}; `fer run --profile {study.profile}` brings it into the book")
