"""What pruning and clustering left in an exported file: zeros and distinct values of its kernels."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema

KINDS: Final = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT8: np.int8,
}
"""Types in which exports store kernels."""


@dataclass(frozen=True)
class FileWeights:
    """Of all convolution (not depthwise) and dense kernels of a file, as stored.

    sparsity: share of zeros, 0 to 1. distinct_values: the most that any output channel of any kernel holds
    (8-bit kernels have a scale a channel, so a value that channels share is stored as several).
    """

    sparsity: float
    distinct_values: int


def file_weights(model: bytes) -> FileWeights:
    """Return what the kernels of a TFLite file, given as its bytes, hold. Raises ValueError if it has none."""
    kernels = list(_kernels(schema.ModelT.InitFromPackedBuf(model, 0)))
    if not kernels:
        raise ValueError("the file has no convolution or dense kernel: expected an exported network")
    zeros = sum(int((kernel == 0).sum()) for kernel in kernels)
    channels = (channel for kernel in kernels for channel in kernel.reshape(len(kernel), -1))
    return FileWeights(
        sparsity=zeros / sum(kernel.size for kernel in kernels),
        distinct_values=max(len(np.unique(channel)) for channel in channels),
    )


def _kernels(model: Any) -> Iterator[np.ndarray]:
    """Kernels, output channel first; a float16 file's stand behind the operator that widens them."""
    graph = model.subgraphs[0]
    codes = [code.builtinCode for code in model.operatorCodes]
    widened = {
        operator.outputs[0]: operator.inputs[0]
        for operator in graph.operators
        if codes[operator.opcodeIndex] == schema.BuiltinOperator.DEQUANTIZE
    }
    with_kernels = (schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.FULLY_CONNECTED)
    places = {
        widened.get(operator.inputs[1], operator.inputs[1])
        for operator in graph.operators
        if codes[operator.opcodeIndex] in with_kernels
    }
    for place in sorted(places):
        tensor = graph.tensors[place]
        data = model.buffers[tensor.buffer].data
        yield np.asarray(data, np.uint8).view(KINDS[tensor.type]).reshape(tensor.shape)
