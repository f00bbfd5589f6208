"""The ranges that activations take on faces: measured, and written into a model before it is made 8-bit.

TensorFlow's own calibrator reads an operator's inputs once more after it ran. Where the output reuses its input's
memory, as sums of residual blocks do, it records the output's range for the layer before, up to twice as wide as
that layer's own (https://github.com/tensorflow/tensorflow/issues/127842, open; so in 2.21). Hence measured here.
"""

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from ai_edge_litert.schema_py_generated import QuantizationParametersT
from ai_edge_litert.tools.flatbuffer_utils import convert_bytearray_to_object, convert_object_to_bytearray

Ranges = dict[int, tuple[float, float]]
"""The least and greatest value of a tensor, by its index in the file."""


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
    pixels = interpreter.get_input_details()[0]["index"]
    computed = {int(output) for operator in interpreter._get_ops_details() for output in operator["outputs"]}
    types = {detail["index"]: detail["dtype"] for detail in interpreter.get_tensor_details()}
    activations = [index for index in {pixels, *computed} if types[index] == np.float32]
    ranges: Ranges = {}
    for face in faces:
        interpreter.set_tensor(pixels, face[None].astype(np.float32))
        interpreter.invoke()
        for index in activations:
            values = interpreter.get_tensor(index)
            least, greatest = ranges.get(index, (np.inf, -np.inf))
            ranges[index] = min(least, float(values.min())), max(greatest, float(values.max()))
    return ranges


def with_ranges(model: bytes, ranges: Ranges) -> bytes:
    """Return a TFLite model whose tensors carry these ranges; others, such as weights, stay as they are."""
    parsed = convert_bytearray_to_object(model)
    for index, (least, greatest) in ranges.items():
        tensor = parsed.subgraphs[0].tensors[index]
        tensor.quantization = tensor.quantization or QuantizationParametersT()
        tensor.quantization.min = np.array([least], np.float32)
        tensor.quantization.max = np.array([greatest], np.float32)
    return bytes(convert_object_to_bytearray(parsed))
