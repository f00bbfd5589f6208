"""The ranges that activations take on faces: measured, and written into a model before it is made 8-bit.

TensorFlow's own calibrator notes an operator's inputs once more after it ran. Where the output took its input's
memory, as sums of residual blocks do, it so notes the output's range for the layer before, up to twice as wide as
that layer's own (https://github.com/tensorflow/tensorflow/issues/127842, open; so in 2.21). Hence measured anew.
"""

from typing import Final

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

Ranges = dict[int, tuple[float, float]]
"""The least and greatest value of a tensor, by its index in the file."""

IDENTIFIER: Final = b"TFL3"


def measured_ranges(model: bytes, faces: np.ndarray) -> Ranges:
    """Return the range of every float activation of a TFLite model over faces, uint8 (N, S, S, 3).

    Every tensor keeps memory of its own, so that nothing is overwritten before it is read.
    """
    interpreter = Interpreter(
        model_content=model,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    entrance = interpreter.get_input_details()[0]["index"]
    made = {int(output) for operator in interpreter._get_ops_details() for output in operator["outputs"]}
    kinds = {detail["index"]: detail["dtype"] for detail in interpreter.get_tensor_details()}
    activations = [index for index in {entrance, *made} if kinds[index] == np.float32]
    ranges: Ranges = {}
    for face in faces:
        interpreter.set_tensor(entrance, face[None].astype(np.float32))
        interpreter.invoke()
        for index in activations:
            values = interpreter.get_tensor(index)
            least, greatest = ranges.get(index, (np.inf, -np.inf))
            ranges[index] = min(least, float(values.min())), max(greatest, float(values.max()))
    return ranges


def with_ranges(model: bytes, ranges: Ranges) -> bytes:
    """Return a calibrated TFLite model with other ranges; tensors that carry none, as weights do, stay as they are."""
    parsed = schema.ModelT.InitFromPackedBuf(model, 0)
    for index, (least, greatest) in ranges.items():
        quantization = parsed.subgraphs[0].tensors[index].quantization
        if quantization is not None and quantization.min is not None and len(quantization.min):
            quantization.min = np.array([least], np.float32)
            quantization.max = np.array([greatest], np.float32)
    builder = flatbuffers.Builder(len(model))
    builder.Finish(parsed.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())
