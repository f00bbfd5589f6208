"""Open a .tflite file in the LiteRT interpreter at the input size that is asked about."""

from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType


class ProfilingError(ValueError):
    """A model file cannot be profiled as asked; the message says which file and why."""


def open_at(path: Path, image_size: int, *, threads: int = 1, delegate: bool = True) -> Interpreter:
    """Return an allocated interpreter of `path` whose single input is (1, image_size, image_size, 3).

    A graph of another input size is resized, which works for fully convolutional networks. `delegate` chooses
    LiteRT's default XNNPACK kernels; without it inner shapes can be read (under a delegate they keep the
    file's own size). Raises ProfilingError if the file is not a model, or its graph cannot be resized.
    """
    kind = OpResolverType.AUTO if delegate else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    try:
        content = path.read_bytes()
        interpreter = Interpreter(
            model_content=content, num_threads=threads, experimental_op_resolver_type=kind
        )
    except (ValueError, OSError) as error:
        raise ProfilingError(f"{path.name} cannot be opened as a .tflite file: {error}") from error
    _resize(interpreter, path, image_size)
    return interpreter


def resized(path: Path, image_size: int) -> bytes:
    """Return a .tflite file's content as exported with an input of (1, image_size, image_size, 3).

    Weights stay as they are; every tensor that depends on the input's size gets its new shape, in place (`Tensor.shape`
    and `shape_signature` of the TensorFlow Lite schema). For runtimes that time a file only at the size it states.
    Raises ProfilingError as `open_at`.
    """
    interpreter = open_at(path, image_size, delegate=False)
    content = bytearray(path.read_bytes())
    graph = schema.Model.GetRootAs(content, 0).Subgraphs(0)
    for each in interpreter.get_tensor_details():
        if each["index"] < graph.TensorsLength():  # later ones are the kernels' own
            tensor = graph.Tensors(each["index"])
            for stored in (tensor.ShapeAsNumpy(), tensor.ShapeSignatureAsNumpy()):
                if np.size(stored) == len(each["shape"]) and np.ndim(stored):
                    stored[stored != -1] = each["shape"][stored != -1]
    return bytes(content)


def _resize(interpreter: Interpreter, path: Path, image_size: int) -> None:
    inputs = interpreter.get_input_details()
    wanted = [1, image_size, image_size, 3]
    if len(inputs) != 1 or len(inputs[0]["shape"]) != 4 or inputs[0]["shape"][3] != 3:
        shapes = ", ".join(str(list(map(int, i["shape"]))) for i in inputs)
        raise ProfilingError(f"{path.name} has input(s) {shapes}; expected one batch of RGB images")
    before = _output_shapes(interpreter)
    try:
        if list(inputs[0]["shape"]) != wanted:
            interpreter.resize_tensor_input(inputs[0]["index"], wanted)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise _not_resizable(path, image_size, str(error).splitlines()[0]) from error
    if (after := _output_shapes(interpreter)) != before:  # a flattening graph makes a batch of the new pixels
        raise _not_resizable(path, image_size, f"its output would change from {before} to {after}")


def _output_shapes(interpreter: Interpreter) -> list[list[int]]:
    return [[int(side) for side in output["shape"]] for output in interpreter.get_output_details()]


def _not_resizable(path: Path, image_size: int, reason: str) -> ProfilingError:
    return ProfilingError(
        f"{path.name} cannot be resized to {image_size} pixels ({reason}); export it at that size"
    )
