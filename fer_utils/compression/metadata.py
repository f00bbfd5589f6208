"""What an exported file says of itself: TFLite metadata, by which MediaPipe and Android load it unchanged.

Tables, fields and the identifier are those of TensorFlow Lite's metadata schema, version 1.0.0
(metadata_schema.fbs, https://ai.google.dev/edge/litert/conversion/tensorflow/metadata). The labels lie in a zip
archive behind the model, which interpreters do not see.
"""

import io
import zipfile
from typing import Any, Final

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from face_sets.expressions import EXPRESSIONS

LABELS_FILE: Final = "labels.txt"
METADATA_NAME: Final = "TFLITE_METADATA"
METADATA_IDENTIFIER: Final = b"M001"
PARSER_VERSION: Final = "1.0.0"  # the first knows labels and normalization, and nothing newer is used
RGB: Final = 1  # ColorSpaceType
TENSOR_AXIS_LABELS: Final = 2  # AssociatedFileType
FEATURE, IMAGE = 1, 2  # members of the union ContentProperties
NORMALIZATION: Final = 1  # member of the union ProcessUnitOptions
NO_DATE: Final = (1980, 1, 1, 0, 0, 0)  # zip's first: equal models give equal files

Table = dict[int, Any]
"""A table of the schema: values by field number. A union takes two fields, its member and its table."""


def describe(model: bytes, name: str, description: str) -> bytes:
    """Return a TFLite file with metadata and labels: RGB 0 to 255 in as it is, seven probabilities out.

    Raises ValueError if the file has metadata already.
    """
    parsed = schema.ModelT.InitFromPackedBuf(model, 0)
    parsed.metadata = parsed.metadata or []
    if any(entry.name == METADATA_NAME.encode() for entry in parsed.metadata):
        raise ValueError(f"{name} has metadata already: describe the converter's own file")
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = np.frombuffer(_packed(_model(name, description), METADATA_IDENTIFIER), np.uint8)
    entry.name, entry.buffer = METADATA_NAME, len(parsed.buffers)
    parsed.buffers.append(buffer)
    parsed.metadata.append(entry)
    builder = flatbuffers.Builder(len(model) + len(buffer.data))
    builder.Finish(parsed.Pack(builder), b"TFL3")
    return _with_labels(bytes(builder.Output()))


def labels() -> str:
    """Return the labels file: an expression a line, in the order of the outputs."""
    return "\n".join(EXPRESSIONS) + "\n"


def _model(name: str, description: str) -> Table:
    as_it_is: Table = {0: NORMALIZATION, 1: {0: [0.0], 1: [1.0]}}  # (value - mean) / standard deviation
    entrance: Table = {
        0: "image",
        1: "A face cut out by the project's crop rule: RGB, levels 0 to 255.",
        3: {0: IMAGE, 1: {0: RGB}},
        4: [as_it_is],
        5: {0: [255.0], 1: [0.0]},  # greatest, least
    }
    probabilities: Table = {
        0: "probability",
        1: "Probabilities of seven posed expressions, in the order of the labels.",
        3: {0: FEATURE, 1: {}},
        5: {0: [1.0], 1: [0.0]},
        6: [{0: LABELS_FILE, 1: "An expression a line.", 2: TENSOR_AXIS_LABELS}],
    }
    return {0: name, 1: description, 3: [{2: [entrance], 3: [probabilities]}], 7: PARSER_VERSION}


def _packed(table: Table, identifier: bytes) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(_written(builder, table), identifier)
    return bytes(builder.Output())


def _written(builder: Any, value: Any) -> int:
    """Write a table, text, floats or tables; return where it is. Integers are written with their table."""
    if isinstance(value, str):
        return int(builder.CreateString(value))
    if isinstance(value, list):
        if isinstance(value[0], float):
            return int(builder.CreateNumpyVector(np.array(value, np.float32)))
        places = [_written(builder, item) for item in value]
        builder.StartVector(4, len(places), 4)  # offsets are of 4 bytes
        for place in reversed(places):
            builder.PrependUOffsetTRelative(place)
        return int(builder.EndVector())
    written = {
        field: item if isinstance(item, int) else _written(builder, item) for field, item in value.items()
    }
    builder.StartObject(max(value, default=-1) + 1)
    for field, item in written.items():
        if isinstance(value[field], int):
            builder.PrependUint8Slot(field, item, 0)  # enumerations and unions' members
        else:
            builder.PrependUOffsetTRelativeSlot(field, item, 0)
    return int(builder.EndObject())


def _with_labels(model: bytes) -> bytes:
    whole = io.BytesIO(model)
    with zipfile.ZipFile(whole, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(LABELS_FILE, NO_DATE), labels())
    return whole.getvalue()
