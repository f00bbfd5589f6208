"""Run .tflite files on emulated ARM64 kernels, with a Cortex-A53 declared, and compare their answers with this machine's.

Emulation shows what is computed and nothing of time: caches, pipelines and memory are not emulated.
"""

import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from arm_latency.arm64_system import GUEST, NEEDED, PART, EmulationError, install_arm64_system, run
from arm_latency.graph_costs import graph_costs
from face_sets.files import digest
from fer_utils import tables
from fer_utils.compression.exported_files import exported_files
from fer_utils.compression.golden import FLOAT_TOLERANCE
from fer_utils.models.prediction import predict_tflite
from fer_utils.paths import Paths
from fer_utils.study import Study

DEVICE: Final = "Cortex-A53, emulated"


@dataclass(frozen=True)
class Emulation:
    """The folder of the emulated system, and QEMU's first line about itself, which names its version."""

    installed: Path
    qemu: str

    @property
    def backend(self) -> str:
        """Runtime and emulator, as a row names them."""
        return f"litert-xnnpack {version('ai-edge-litert')} for arm64, {self.qemu}"

    def measure(self, run_id: str, path: Path, faces: NDArray[np.uint8]) -> pd.DataFrame:
        """Return the row of `emulations` of one file, which takes float faces and answers with probabilities.

        `faces` is uint8 RGB (N, S, S, 3) at the file's own size S; both machines are asked about them. Raises
        EmulationError if the emulated program fails, ProfilingError for a file that is not a model of that size.
        """
        arithmetic = graph_costs(path, faces.shape[1]).arithmetic
        answers, here = self.answers(path, faces.astype(np.float32)), predict_tflite(path, faces)
        row = {
            "run_id": run_id, "device": DEVICE, "backend": self.backend, "threads": 1, "image_size": faces.shape[1],
            "faces": len(faces),
            "largest_difference": float(np.abs(answers - here).max()),
            "same_class": float((answers.argmax(1) == here.argmax(1)).mean()),
            "arithmetic": arithmetic, "output_step": output_step(path), "file_digest": digest(path),
        }  # fmt: skip
        return tables.conform(pd.DataFrame([row]), "emulations")

    def answers(self, path: Path, faces: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the emulated answers (N, outputs) to `faces` (N, S, S, 3)."""
        system, program = self.installed / "system", shutil.which("qemu-aarch64") or "qemu-aarch64"
        environment = {"PYTHONPATH": str(self.installed / "site"), "PYTHONHASHSEED": "0"}  # nothing of ours
        python = [system / "usr/bin/python3.11", "-P", GUEST, path.resolve()]
        with tempfile.TemporaryDirectory(prefix="fer-") as folder:
            asked, answered = Path(folder, "asked.npy"), Path(folder, "answered.npz")
            np.save(asked, faces)
            command = [program, "-cpu", "cortex-a53", "-L", system, *python, asked, answered]
            run([*map(str, command)], f"{path.name} failed under emulation", environment=environment)
            with np.load(answered) as arrays:
                answers, processor = arrays["answers"], str(arrays["processor"])
        if PART not in processor:
            raise EmulationError(f"LiteRT saw a processor other than the declared Cortex-A53: {self.qemu}")
        return np.asarray(answers, np.float32)


def prepare_emulation() -> Emulation:
    """Return the emulated system, which is downloaded once.

    Raises EmulationError, in one sentence, if something is missing on this computer or cannot be downloaded.
    """
    if missing := [name for name in NEEDED if shutil.which(name) is None and not Path(name).is_file()]:
        packages = " ".join(NEEDED[name] for name in missing)
        raise EmulationError(
            f"emulating ARM64 needs {', '.join(missing)}, which this computer lacks: on Debian or Ubuntu, "
            f"`apt-get install {packages}`"
        )
    printed = run(["qemu-aarch64", "--version"], "QEMU does not run: install qemu-user again")
    return Emulation(install_arm64_system(), printed.splitlines()[0])


def output_step(path: Path) -> float | None:
    """Return the quantization step of the answers of a file that computes them in integers, else None.

    Such a file ends with an operator that makes floats of integers; the step is their scale.
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
    step = emulations["output_step"] * (1 + 1e-6)  # stored in fewer digits
    of_integers = same_class & (difference <= step)
    agreed = (difference <= FLOAT_TOLERANCE).where(emulations["arithmetic"] == "float32", same_class)
    return agreed.where(emulations["arithmetic"] != "int8", of_integers).fillna(False).astype(bool)


def current_emulations(study: Study, paths: Paths) -> pd.DataFrame:
    """Return the `emulations` of a study's exported files as they are now; rows of earlier files are left out."""
    if not paths.emulations.is_file():
        return tables.empty("emulations")
    rows = tables.read("emulations", paths.emulations)
    files = exported_files(study.architectures, paths)
    known = {run: digest(files[run]) for run in set(rows["run_id"]) & set(files)}
    return rows[rows["run_id"].map(known) == rows["file_digest"]].reset_index(drop=True)
