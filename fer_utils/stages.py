"""The stage notebooks: how each is run, and how one that is opened alone gets its inputs."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from face_sets.files import atomic_path
from face_sets.folders import PROJECT_FOLDER
from fer_utils.graph import STAGES, notebook_source
from fer_utils.paths import Paths
from fer_utils.study import Study, load_study

IN_WORKFLOW: Final = "FER_IN_WORKFLOW"
"""Set by the Snakefile: inputs are there already, and only the workflow decides what to make."""


class StageError(RuntimeError):
    """A notebook failed; the message names the cell and the error."""


def begin(names: Mapping[str, Any], stage: str) -> tuple[Study, Paths]:
    """Turn a notebook's parameters into its study and make what the stage reads and is not there yet.

    `names` is the notebook's `globals()` right after its parameters: every literal among them is a parameter.
    Raises StudyError for an unknown or ill-typed one, WorkflowError if an input cannot be made.
    """
    study = load_study(**{name: value for name, value in names.items() if _is_parameter(name, value)})
    paths = Paths.of(study)
    inputs = STAGES[stage](paths)
    if inputs and IN_WORKFLOW not in os.environ:
        from fer_utils.workflow import make

        make(inputs, study.profile, study.changes)
    return study, paths


def _is_parameter(name: str, value: Any) -> bool:
    literal = value is None or isinstance(value, str | int | float | bool | list | dict | tuple)
    return literal and not name.startswith("_") and name not in {"In", "Out", "PAPERMILL_OUTPUT_PATH"}


def run_notebook(stage: str, study: Study, paths: Paths) -> None:
    """Execute a stage's notebook by papermill; the executed copy is written only when it is whole.

    Raises StageError naming the cell's error in one sentence.
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    kernel = Config()
    kernel.KernelManager.transport = "ipc"  # parallel kernels cannot race for ports
    try:
        with (
            tempfile.TemporaryDirectory(prefix="fer-") as sockets,
            atomic_path(paths.notebook(stage)) as temporary,
        ):
            # By default all kernels of one folder share the socket names kernel-ipc-1 to 5, and meet there
            kernel.KernelManager.ip = str(Path(sockets) / "kernel")
            papermill.execute_notebook(
                os.path.relpath(notebook_source(stage)),
                str(temporary),
                parameters={"profile": study.profile, **study.changes},
                cwd=str(PROJECT_FOLDER),
                progress_bar=False,
                config=kernel,
            )
            _clean(temporary)
    except PapermillExecutionError as error:
        raise StageError(f"{stage}, cell {error.exec_count}: {error.ename}: {error.evalue}") from error


def _clean(path: Path) -> None:
    """Drop papermill's metadata of paths and times: the same run gives the same file, and no path is shown."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["metadata"].pop("papermill", None)
    for cell in notebook["cells"]:
        cell["metadata"].pop("papermill", None)
        cell["metadata"].pop("execution", None)
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
