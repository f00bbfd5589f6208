"""What an exported file takes and gives, and how old a runtime may be: read from the file itself."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from fer_utils.compression.metadata import LABELS_FILE

RUNTIME_KEY: Final = "min_runtime_version"
"""The converter's own entry in a file's metadata: the first TensorFlow Lite that knows all its operators, by their
versions (tensorflow/lite/tools/versioning/runtime_version.cc)."""


@dataclass(frozen=True)
class Tensor:
    """One end of a graph: its name, shape and NumPy type."""

    name: str
    shape: tuple[int, ...]
    kind: str


@dataclass(frozen=True)
class FileInterface:
    """Both ends of a file, its labels in the order of the output, and the oldest TensorFlow Lite that runs it."""

    entrance: Tensor
    exit: Tensor
    labels: tuple[str, ...]
    lowest_runtime: str


def file_interface(path: Path) -> FileInterface:
    """Return what a described .tflite file says of itself.

    Raises ValueError for a file without labels or without the converter's note on runtimes.
    """
    interpreter = Interpreter(model_path=str(path))
    try:
        with zipfile.ZipFile(path) as archive:
            labels = archive.read(LABELS_FILE).decode().split()
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError(f"{path.name} has no {LABELS_FILE} inside: export it again") from error
    ends = (interpreter.get_input_details()[0], interpreter.get_output_details()[0])
    entrance, exit_ = (
        Tensor(end["name"], tuple(int(side) for side in end["shape"]), np.dtype(end["dtype"]).name)
        for end in ends
    )
    return FileInterface(entrance, exit_, tuple(labels), _lowest_runtime(path))


def _lowest_runtime(path: Path) -> str:
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    for entry in model.metadata or []:
        if entry.name == RUNTIME_KEY.encode():
            return bytes(bytearray(model.buffers[entry.buffer].data)).rstrip(b"\0").decode()
    raise ValueError(f"{path.name} does not say which runtime it needs: export it again")
