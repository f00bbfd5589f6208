"""Costs of one inference of a .tflite graph: multiply-accumulates by kind, activation values, operators."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from arm_latency.interpreters import open_at

Arithmetic = Literal["float32", "dynamic", "int8"]
"""What most of the multiply-accumulates are done in; "dynamic" is float32 activations with int8 weights."""

_OPERATOR_NAMES: Final[Mapping[int, str]] = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)
}
_MULTIPLYING: Final = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


@dataclass(frozen=True)
class GraphCosts:
    """Costs of one inference on one image; MACs are multiply-accumulates.

    `fully_connected_macs` includes 1x1 convolutions of a single pixel (squeeze-and-excite). `activation_values` are
    summed over operators, inputs and outputs that are not constants: the traffic if nothing stayed in cache.
    """

    pointwise_macs: int
    convolution_macs: int
    grouped_macs: int
    depthwise_macs: int
    fully_connected_macs: int
    activation_values: int
    operators: int
    arithmetic: Arithmetic


@dataclass(frozen=True)
class _Tensor:
    shape: tuple[int, ...]
    kind: np.dtype[Any]
    constant: bool

    @property
    def values(self) -> int:
        return int(np.prod(self.shape))


@dataclass(frozen=True)
class _Operator:
    name: str
    inputs: list[_Tensor]
    outputs: list[_Tensor]

    @property
    def activation_values(self) -> int:
        return sum(tensor.values for tensor in self.inputs + self.outputs if not tensor.constant)


def graph_costs(path: Path, image_size: int) -> GraphCosts:
    """Return the costs of the graph in `path` at a square input of `image_size` pixels.

    Operators on constants alone (a float16 file's weights made float32) are done once at loading and are not
    counted. An integer file has its float file's MACs.
    Raises ProfilingError if the file is not a model or cannot take that input size.
    """
    interpreter = open_at(path, image_size, delegate=False)
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    operators = _operators(model, _tensors(model, interpreter.get_tensor_details()))
    macs: Counter[str] = Counter()
    by_arithmetic: Counter[Arithmetic] = Counter({"float32": 0})
    for operator in operators:
        if operator.name in _MULTIPLYING:
            macs[_mac_kind(operator)] += _macs(operator)
            by_arithmetic[_arithmetic(operator)] += _macs(operator)
    return GraphCosts(
        pointwise_macs=macs["pointwise"],
        convolution_macs=macs["convolution"],
        grouped_macs=macs["grouped"],
        depthwise_macs=macs["depthwise"],
        fully_connected_macs=macs["fully_connected"],
        activation_values=sum(operator.activation_values for operator in operators),
        operators=len(operators),
        arithmetic=by_arithmetic.most_common(1)[0][0],
    )


def _tensors(model: Any, details: list[dict[str, Any]]) -> dict[int, _Tensor]:
    """Tensors by index: shapes from the resized interpreter, constants from the file."""
    stored = model.subgraphs[0].tensors
    found = {}
    for detail in details:
        if (index := detail["index"]) < len(stored):  # beyond them lie the kernels' scratch tensors
            data = model.buffers[stored[index].buffer].data
            shape = tuple(int(side) for side in detail["shape"])
            constant = data is not None and len(data) > 0
            found[index] = _Tensor(shape, np.dtype(detail["dtype"]), constant)
    return found


def _operators(model: Any, tensors: Mapping[int, _Tensor]) -> list[_Operator]:
    known = dict(tensors)
    operators = []
    for stored in model.subgraphs[0].operators:
        inputs = [known[i] for i in stored.inputs if i >= 0]
        outputs = [known[i] for i in stored.outputs]
        if inputs and all(tensor.constant for tensor in inputs):
            known |= {i: _Tensor(known[i].shape, known[i].kind, constant=True) for i in stored.outputs}
        else:
            code = model.operatorCodes[stored.opcodeIndex]
            name = _OPERATOR_NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]
            operators.append(_Operator(name, inputs, outputs))
    return operators


def _macs(operator: _Operator) -> int:
    """MACs of one operator; filters are (out, height, width, in), depthwise (1, height, width, out)."""
    weights = operator.inputs[1].shape
    depthwise = operator.name == "DEPTHWISE_CONV_2D"
    each = weights[1:3] if depthwise else weights[1:]
    return operator.outputs[0].values * int(np.prod(each))


def _mac_kind(operator: _Operator) -> str:
    if operator.name == "DEPTHWISE_CONV_2D":
        return "depthwise"
    if operator.name == "FULLY_CONNECTED":
        return "fully_connected"
    image, weights = operator.inputs[0].shape, operator.inputs[1].shape
    if weights[3] != image[3]:
        return "grouped"
    if weights[1:3] != (1, 1):
        return "convolution"
    return "fully_connected" if operator.outputs[0].shape[1:3] == (1, 1) else "pointwise"


def _arithmetic(operator: _Operator) -> Arithmetic:
    activation, weights = operator.inputs[0].kind, operator.inputs[1].kind
    if activation.itemsize == 1:
        return "int8"
    return "dynamic" if weights.itemsize == 1 else "float32"
