"""The eight stage notebooks: what each reads, how each is run, and how one that is opened alone gets its inputs."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from face_sets.folders import PROJECT_FOLDER
from fer_utils.paths import FOLDER_VARIABLES, Paths
from fer_utils.study import Study, load_study

IN_WORKFLOW: Final = "FER_IN_WORKFLOW"
"""Set by the Snakefile: inputs are there already, and only the workflow decides what to make."""

PARAMETERS: Final = ("profile", "seed", "architectures")
"""What the parameters cell of every notebook offers; any other field of a Study may be injected too."""


@dataclass(frozen=True)
class Stage:
    """One stage: its notebook's name, its title, and the tables that it reads."""

    name: str
    title: str
    inputs: Callable[[Paths], list[Path]]


def _faces(paths: Paths) -> list[Path]:
    return [paths.faces, paths.dropped, paths.external_faces, paths.external_dropped]


def _models(paths: Paths) -> list[Path]:
    tables_of_training = ("runs", "predictions", "curves")
    trained = [path for table in tables_of_training for path in paths.all_trained(table)]
    return [*_faces(paths), *trained, *paths.all_external_predictions()]


def _cohorts(paths: Paths) -> list[Path]:
    return [*_models(paths), paths.few_shot]


def _exports(paths: Paths) -> list[Path]:
    compressed = [path for table in ("runs", "predictions") for path in paths.all_compressed(table)]
    return [*_models(paths), *compressed, *paths.all_measurements(), paths.operators]


def _profiled(paths: Paths) -> list[Path]:
    return [*_exports(paths), *filter(Path.is_file, [paths.emulations])]


def _swept(paths: Paths) -> list[Path]:
    explaining = ("variant_runs", "variant_predictions", "layer_errors")
    explained = [path for table in explaining for path in paths.all_compressed(table)]
    swept = [path for table in ("runs", "predictions") for path in paths.all_swept(table)]
    return [*_exports(paths), *explained, *swept]


STAGES: Final[Mapping[str, Stage]] = {
    stage.name: stage
    for stage in (
        Stage("01_data", "Data", _faces),
        Stage("02_architectures", "Architectures", _models),
        Stage("03_cohorts", "Cohorts", _cohorts),
        Stage("04_compression", "Compression", _swept),
        Stage("05_moto_g6_profiling", "Moto G6 profiling", _profiled),
        Stage("06_ethnicity_analysis", "Ethnicity analysis", _exports),
        Stage("07_published_numbers", "Published numbers", lambda _: []),
        Stage("08_validation", "Validation", _models),
    )
}


class StageError(RuntimeError):
    """A stage could not be run; the message says why and what to do."""


def begin(names: Mapping[str, Any], stage: str) -> tuple[Study, Paths]:
    """Turn a notebook's parameters into its study and make what the stage reads and is not there yet.

    `names` is the notebook's `globals()` right after its parameters: every literal among them is a parameter.
    Raises StudyError for an unknown or ill-typed one, StageError if an input cannot be made.
    """
    given = {name: value for name, value in names.items() if _is_parameter(name, value)}
    study = load_study(**given)
    paths = Paths.of(study)
    if IN_WORKFLOW not in os.environ and STAGES[stage].inputs(paths):
        overrides = {name: value for name, value in given.items() if name != "profile" and value is not None}
        make(STAGES[stage].inputs(paths), study.profile, overrides)
    return study, paths


def _is_parameter(name: str, value: Any) -> bool:
    literal = value is None or isinstance(value, str | int | float | bool | list | dict | tuple)
    return literal and not name.startswith("_") and name not in {"In", "Out", "PAPERMILL_OUTPUT_PATH"}


def workflow_config(profile: str, overrides: Mapping[str, Any]) -> list[str]:
    """Return what the Snakefile is told of a study, for its option `--config`.

    The overrides are JSON with its marks quoted as in an address: Snakemake would read plain JSON itself, and make
    every number a text.
    """
    return [f"profile={profile}", f"overrides={quote(json.dumps(dict(overrides)))}"]


def workflow_environment() -> dict[str, str]:
    """Return the environment for Snakemake, which works in the project's folder: folders are named in full there."""
    folders = {name: os.environ.get(name) for name in FOLDER_VARIABLES}
    return {**os.environ, **{name: os.path.abspath(folder) for name, folder in folders.items() if folder}}


def make(targets: list[Path], profile: str, overrides: Mapping[str, Any], cores: int | None = None) -> bool:
    """Have Snakemake make files of a study that are absent or out of date; what is there is left alone.

    Each job prints its line as it ends. Returns whether anything was to do.
    Raises StageError when a job fails; the lines before tell which one and why.
    """
    command = [
        sys.executable, "-m", "snakemake", "--snakefile", str(PROJECT_FOLDER / "Snakefile"),
        "--directory", str(PROJECT_FOLDER), "--cores", str(cores or os.cpu_count() or 1),
        "--workflow-profile", str(PROJECT_FOLDER / "workflow" / "profiles" / "default"),
        "--config", *workflow_config(profile, overrides),
        "--", *(os.path.relpath(target, PROJECT_FOLDER) for target in targets),
    ]  # fmt: skip
    worked = False
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=workflow_environment()
    ) as workflow:
        for line in workflow.stdout or ():
            if not line.startswith("Using workflow specific profile"):
                print(line, end="", flush=True)
                worked = True
    if workflow.returncode != 0:
        raise StageError(
            "the workflow stopped; the lines above name the job and the reason; mend it and run again"
            if worked
            else "Snakemake cannot read the workflow; `fer status` with the same options says why"
        )
    return worked


def notebook_source(stage: str) -> Path:
    """Return the path of a stage's notebook source.

    Raises StageError for an unknown stage.
    """
    if stage not in STAGES:
        raise StageError(f"unknown stage {stage!r}: choose from {', '.join(STAGES)}")
    return PROJECT_FOLDER / "notebooks" / f"{stage}.ipynb"


def run_notebook(stage: str, study: Study, overrides: Mapping[str, Any]) -> Path:
    """Execute a stage's notebook by papermill and return the executed copy, written only when it is whole.

    Raises StageError naming the cell's error in one sentence.
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    from face_sets.files import atomic_path

    target = Paths.of(study).notebook(stage)
    kernel = Config()
    kernel.KernelManager.transport = "ipc"  # parallel kernels cannot race for ports
    try:
        with tempfile.TemporaryDirectory(prefix="fer-") as sockets, atomic_path(target) as temporary:
            # By default all kernels of one folder share the socket names kernel-ipc-1 to 5, and meet there
            kernel.KernelManager.ip = str(Path(sockets) / "kernel")
            papermill.execute_notebook(
                os.path.relpath(notebook_source(stage)),
                str(temporary),
                parameters={"profile": study.profile, **overrides},
                cwd=str(PROJECT_FOLDER),
                progress_bar=False,
                config=kernel,
            )
            _clean(temporary)
    except PapermillExecutionError as error:
        raise StageError(f"{stage}, cell {error.exec_count}: {error.ename}: {error.evalue}") from error
    return target


def _clean(path: Path) -> None:
    """Drop papermill's metadata of paths and times: the same run gives the same file, and no path is shown."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["metadata"].pop("papermill", None)
    for cell in notebook["cells"]:
        cell["metadata"].pop("papermill", None)
        cell["metadata"].pop("execution", None)
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
