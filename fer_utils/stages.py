"""The stage notebooks: how each is run, and how one that is opened alone gets its inputs."""

import json
import os
import re
import tempfile
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from face_sets.files import atomic_path
from face_sets.folders import PROJECT_FOLDER
from fer_utils.graph import STAGES, notebook_source
from fer_utils.paths import Paths, check_folders, settle_folders
from fer_utils.study import Study, load_study

IN_WORKFLOW: Final = "FER_IN_WORKFLOW"
"""Set by the Snakefile: inputs are there already, and only the workflow decides what to make."""

_ASSIGNED: Final = re.compile(r"^(\w+)\s*(?::[^=\n]+)?=(?!=)", re.MULTILINE)
_INJECTED: Final = re.compile(r"\s*# Parameters\b")
_LITERALS: Final = (str, int, float, list, dict, tuple)
_ALIKE: Final = 0.8  # a letter too many or too few in a name of five; "sed" is so like "seed"


class StageError(RuntimeError):
    """A notebook failed; the message names the cell and the error."""


def begin(names: Mapping[str, Any], stage: str) -> tuple[Study, Paths]:
    """Turn a notebook's parameters into its study and make what the stage reads and is not there yet.

    `names` is the notebook's `globals()`. Raises StudyError for an unknown or ill-typed parameter, FolderError for a
    folder that an environment variable misnames, WorkflowError if an input cannot be made.
    """
    parameters = _parameters(names)
    study = load_study(parameters.pop("profile", None), **parameters)
    in_workflow = IN_WORKFLOW in os.environ
    settle_folders()
    if not in_workflow:
        check_folders()
    paths = Paths.of(study)
    devices = paths.of_device("any", "any").parents[1]  # measured by hand: no job makes them
    inputs = [path for path in STAGES[stage](paths) if devices not in path.parents]
    if inputs and not in_workflow:
        from fer_utils.workflow import make

        make(inputs, study.profile, study.changes)
    return study, paths


def _parameters(names: Mapping[str, Any]) -> dict[str, Any]:
    """What the parameters cell and papermill's, which follows it, set; whatever else a notebook or its user named is not.

    Both are known by what was run (`In`): one sets the profile, the other begins with papermill's comment. Without
    them (a script, a cell deleted) the fields of a study are taken, and a name much like one is an error of spelling.
    """
    cells = [
        cell for cell in names.get("In", ()) if "profile" in _ASSIGNED.findall(cell) or _INJECTED.match(cell)
    ]
    given = {name for cell in cells for name in _ASSIGNED.findall(cell)}
    if not given:
        fields = list(Study.model_fields)
        literal = (name for name, value in names.items() if isinstance(value, _LITERALS) or value is None)
        given = {name for name in literal if get_close_matches(name, fields, cutoff=_ALIKE)}
    return {name: names[name] for name in given & set(names) if not name.startswith(("_", "PAPERMILL_"))}


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
                re.sub(r"[{}]", r"\g<0>\g<0>", str(temporary)),  # papermill fills in what stands in braces
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
        if "injected-parameters" in cell["metadata"].get("tags", ()):
            cell["id"] = "injected-parameters"  # papermill draws one at random
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
