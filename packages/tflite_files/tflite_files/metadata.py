"""What an exported file says of itself: labels and TFLite metadata, written for MediaPipe and Android and read back.

Tables, fields and the identifier are those of TensorFlow Lite's metadata schema, version 1.0.0
(metadata_schema.fbs, https://ai.google.dev/edge/litert/conversion/tensorflow/metadata). The labels are in a zip
archive behind the model, which interpreters do not see.
"""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from ai_edge_litert.tools.flatbuffer_utils import convert_bytearray_to_object, convert_object_to_bytearray

from face_sets.expressions import EXPRESSIONS

LABELS_FILE: Final = "labels.txt"
METADATA_NAME: Final = "TFLITE_METADATA"
METADATA_IDENTIFIER: Final = b"M001"
PARSER_VERSION: Final = "1.0.0"  # the first knows labels and normalization, and nothing newer is used
RGB, TENSOR_AXIS_LABELS = 1, 2  # of ColorSpaceType, of AssociatedFileType
NORMALIZATION, FEATURE, IMAGE = 1, 1, 2  # members of the unions ProcessUnitOptions and ContentProperties
NO_DATE: Final = (1980, 1, 1, 0, 0, 0)  # zip's first: equal models give equal files

RUNTIME_NAME: Final = "min_runtime_version"
"""The converter's own metadata: the first TensorFlow Lite that knows all operators of the file, by their versions
(tensorflow/lite/tools/versioning/runtime_version.cc)."""

Table = dict[int, Any]
"""A table of the schema: values by field number. A union takes two fields, its member and its table."""


@dataclass(frozen=True)
class Tensor:
    """The input or the output of a model: its name, shape and NumPy type."""

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class FileInterface:
    """Input and output of a file, its labels in the order of the output, and the oldest TensorFlow Lite that runs it."""

    input: Tensor
    output: Tensor
    labels: tuple[str, ...]
    lowest_runtime: str


def labels() -> str:
    """Return the labels file: one expression per line, in the order of the outputs."""
    return "\n".join(EXPRESSIONS) + "\n"


def describe(model: bytes, name: str, description: str) -> bytes:
    """Return a TFLite file with metadata and labels: RGB 0 to 255 unscaled in, seven probabilities out.

    Raises ValueError if the file has metadata already.
    """
    parsed = convert_bytearray_to_object(model)
    if METADATA_NAME in _metadata(parsed):
        raise ValueError(f"{name} has metadata already: describe the converter's own file")
    builder = flatbuffers.Builder(1024)
    builder.Finish(_written(builder, _description(name, description)), METADATA_IDENTIFIER)
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = np.frombuffer(builder.Output(), np.uint8)
    entry.name, entry.buffer = METADATA_NAME, len(parsed.buffers)
    parsed.buffers.append(buffer)
    parsed.metadata = [*(parsed.metadata or []), entry]
    whole = io.BytesIO(convert_object_to_bytearray(parsed))
    with zipfile.ZipFile(whole, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(LABELS_FILE, NO_DATE), labels())
    return whole.getvalue()


def file_interface(path: Path) -> FileInterface:
    """Return what a described .tflite file says of itself.

    Raises ValueError for a file without labels or without the converter's note on runtimes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.read(LABELS_FILE).decode().split()
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError(f"{path.name} has no {LABELS_FILE} inside: export it again") from error
    lowest = _metadata(convert_bytearray_to_object(path.read_bytes())).get(RUNTIME_NAME)
    if lowest is None:
        raise ValueError(f"{path.name} does not say which runtime it needs: export it again")
    interpreter = Interpreter(model_path=str(path))
    given, answer = (
        Tensor(end["name"], tuple(int(side) for side in end["shape"]), np.dtype(end["dtype"]).name)
        for end in (interpreter.get_input_details()[0], interpreter.get_output_details()[0])
    )
    return FileInterface(given, answer, tuple(names), lowest.rstrip(b"\0").decode())


def _metadata(model: schema.ModelT) -> dict[str, bytes]:
    """Contents of a model's metadata by name."""
    return {
        entry.name.decode(): bytes(bytearray(model.buffers[entry.buffer].data))
        for entry in model.metadata or []
    }


def _description(name: str, description: str) -> Table:
    unscaled: Table = {0: NORMALIZATION, 1: {0: [0.0], 1: [1.0]}}  # (value - mean) / standard deviation
    image: Table = {
        0: "image",
        1: "A face cut out by the project's crop rule: RGB, levels 0 to 255.",
        3: {0: IMAGE, 1: {0: RGB}},
        4: [unscaled],
        5: {0: [255.0], 1: [0.0]},  # greatest, least
    }
    probabilities: Table = {
        0: "probability",
        1: "Probabilities of seven posed expressions, in the order of the labels.",
        3: {0: FEATURE, 1: {}},
        5: {0: [1.0], 1: [0.0]},
        6: [{0: LABELS_FILE, 1: "An expression a line.", 2: TENSOR_AXIS_LABELS}],
    }
    return {0: name, 1: description, 3: [{2: [image], 3: [probabilities]}], 7: PARSER_VERSION}


def _written(builder: flatbuffers.Builder, value: Any) -> int:
    """Write a table, text, floats or tables; return its offset. Integers are written with their table."""
    if isinstance(value, str):
        return int(builder.CreateString(value))
    if isinstance(value, dict):
        return _written_table(builder, value)
    if isinstance(value[0], float):
        return int(builder.CreateNumpyVector(np.array(value, np.float32)))
    offsets = [_written(builder, item) for item in value]
    builder.StartVector(4, len(offsets), 4)  # offsets are of 4 bytes
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _written_table(builder: flatbuffers.Builder, table: Table) -> int:
    offsets = {field: _written(builder, item) for field, item in table.items() if not isinstance(item, int)}
    builder.StartObject(max(table, default=-1) + 1)
    for field, item in table.items():
        if isinstance(item, int):
            builder.PrependUint8Slot(field, item, 0)  # enumerations and members of unions
        else:
            builder.PrependUOffsetTRelativeSlot(field, offsets[field], 0)
    return int(builder.EndObject())
