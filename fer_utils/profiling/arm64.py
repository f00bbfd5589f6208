"""Run .tflite files on ARM64 kernels under emulation, a Cortex-A53 declared: their answers, and instructions counted.

Emulation says what is computed and how many instructions that takes. It says nothing of time: a processor's caches,
pipelines and memory are not emulated, so no count here is ever turned into milliseconds.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from face_sets.files import digest
from fer_utils import tables
from fer_utils.compression.golden import FLOAT_TOLERANCE
from fer_utils.models.prediction import predict_tflite
from fer_utils.profiling.arm64_processor import CORES, PART
from fer_utils.profiling.arm64_system import (
    EmulationError,
    install_arm64_system,
    require_programs,
    site_folder,
    system_folder,
)
from fer_utils.profiling.graph_costs import graph_costs
from fer_utils.profiling.instruction_counts import (
    InstructionCounts,
    compile_plugin,
    counts_between_marks,
    qemu_version,
)
from fer_utils.profiling.interpreters import open_at, random_input

DEVICE: Final = f"Cortex-A53 ({CORES} cores declared), emulated"
COUNTED_INFERENCES: Final = 2
"""Two, so that every row says how well its count repeats."""

GUEST: Final = Path(__file__).with_name("arm64_guest.py")
"""Run by the emulated Python, which knows nothing of this package."""

_SECONDS: Final = 1800  # for one file; the slowest network takes about one minute


@dataclass(frozen=True)
class Emulation:
    """Where the emulated system lies, the compiled plugin, and QEMU's version."""

    installed: Path
    plugin: Path
    qemu: str

    @property
    def backend(self) -> str:
        """What a row says that it was made with."""
        return f"litert-xnnpack {version('ai-edge-litert')} for arm64, QEMU {self.qemu}"

    def measure(self, run_id: str, path: Path, faces: NDArray[np.uint8], image_size: int) -> pd.DataFrame:
        """Return the row of `emulations` of one file, which takes float faces and answers with probabilities.

        `faces` is uint8 RGB (N, S, S, 3) at the file's own size S: both this machine and the emulated one are asked
        about them. Instructions are counted at an input of `image_size` pixels a side. Raises EmulationError if the
        emulated program fails, ProfilingError for a file that cannot be run at that size.
        """
        counted = random_input(open_at(path, image_size))
        answers, counts = self.run(path, faces.astype(np.float32), counted)
        here = predict_tflite(path, faces)
        totals = [count.total for count in counts]
        costs = graph_costs(path, image_size)
        row: dict[str, Any] = {
            "run_id": run_id, "device": DEVICE, "backend": self.backend, "threads": 1, "image_size": image_size,
            "faces": len(faces),
            "largest_difference": float(np.abs(answers - here).max()),
            "same_class": float((answers.argmax(1) == here.argmax(1)).mean()),
            "arithmetic": costs.arithmetic,
            "output_step": output_step(path),
            "macs": costs.macs,
            "instructions": totals[-1],
            **{kind: count for kind, count in vars(counts[-1]).items() if kind != "others"},
            "repeat_difference": (max(totals) - min(totals)) / totals[-1],
            "file_digest": digest(path),
        }  # fmt: skip
        return tables.conform(pd.DataFrame([row]), "emulations")

    def run(
        self, path: Path, faces: NDArray[np.float32], counted: NDArray[np.generic]
    ) -> tuple[NDArray[np.float32], list[InstructionCounts]]:
        """Return the emulated answers to `faces` (N, S, S, 3), and the counts of single inferences on `counted`."""
        with tempfile.TemporaryDirectory(prefix="fer-") as folder:
            given, answered = Path(folder, "given.npz"), Path(folder, "answered.npz")
            np.savez(given, faces=faces, counted=counted, inferences=np.array(COUNTED_INFERENCES))
            printed = _printed(self.command(path, given, answered), self.environment, path)
            with np.load(answered) as arrays:
                answers, processor = arrays["answers"], str(arrays["processor"])
        if processor.count(PART) != CORES:
            raise EmulationError(
                f"LiteRT saw another processor than the Cortex-A53 declared to it under QEMU {self.qemu}"
            )
        return answers, counts_between_marks(printed)

    def command(self, path: Path, given: Path, answered: Path) -> list[str]:
        """Return the command line: QEMU as a Cortex-A53 runs the emulated Python, which runs the guest's program."""
        system = system_folder(self.installed)
        return [
            shutil.which("qemu-aarch64") or "qemu-aarch64", "-cpu", "cortex-a53", "-L", str(system),
            "-plugin", str(self.plugin),
            str(system / "usr/bin/python3.11"), "-P", str(GUEST),
            str(path.resolve()), str(given), str(answered),
        ]  # fmt: skip

    @property
    def environment(self) -> dict[str, str]:
        """Return all variables that the emulated program sees: they move its stack, so nothing else is let in."""
        return {"PYTHONPATH": str(site_folder(self.installed)), "PYTHONHASHSEED": "0"}


@contextmanager
def emulation() -> Iterator[Emulation]:
    """Make the emulated system ready, downloading it once, and compile the plugin.

    Raises EmulationError, in one sentence, if something is missing on this computer or cannot be had.
    """
    require_programs()
    said = subprocess.run(["qemu-aarch64", "--version"], capture_output=True, text=True, check=False).stdout
    qemu = qemu_version(said)
    installed = install_arm64_system()
    with tempfile.TemporaryDirectory(prefix="fer-") as folder:
        yield Emulation(installed, compile_plugin(Path(folder, "instruction_counts.so")), qemu)


def output_step(path: Path) -> float | None:
    """Return by how much the answers of a file step if it computes them in integers, else None.

    Such a file ends by making floats of integers; the step is the scale of those.
    """
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    graph = model.subgraphs[0]
    made_by = {int(tensor): operator for operator in graph.operators for tensor in operator.outputs}
    last = made_by[int(graph.outputs[0])]
    if model.operatorCodes[last.opcodeIndex].builtinCode != schema.BuiltinOperator.DEQUANTIZE:
        return None
    return float(graph.tensors[last.inputs[0]].quantization.scale[0])


def agrees(emulations: pd.DataFrame) -> pd.Series:
    """Return, for each row, whether the emulated kernels and this machine's gave the same answers.

    Float files: within FLOAT_TOLERANCE. Integer files: the same class of every face, and within one step. Dynamic files
    round their activations to 8 bits as they run, so that a difference in a float's last digit can become one of a
    hundredth in a probability: of them, the same class of every face is asked.
    """
    same_class = emulations["same_class"] == 1
    difference = emulations["largest_difference"]
    of_integers = same_class & (
        difference <= emulations["output_step"] * (1 + 1e-6)
    )  # stored in fewer digits
    agreed = (difference <= FLOAT_TOLERANCE).where(emulations["arithmetic"] == "float32", same_class)
    return agreed.where(emulations["arithmetic"] != "int8", of_integers).fillna(False).astype(bool)


def _printed(command: list[str], environment: dict[str, str], path: Path) -> str:
    """Run an emulated program and return what it and the plugin said on standard error."""
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise EmulationError(f"{path.name} was not done under emulation within {_SECONDS} seconds") from error
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise EmulationError(f"{path.name} failed under emulation with code {done.returncode}: {said}")
    return done.stderr
