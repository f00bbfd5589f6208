"""From a Keras model to the TFLite file that a phone loads, float or quantized."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final
from unittest.mock import patch

import numpy as np

# Private paths: tensorflow is pinned
from tensorflow.lite.python.convert import mlir_quantize
from tensorflow.lite.python.convert_phase import ConverterError
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from fer_utils.models.backbones import HardSwish, tf
from fer_utils.study import Precision
from tflite_files.activation_ranges import measured_ranges, with_ranges

REPRESENTATIVE_FACES: Final = 100
"""Training faces over which activation ranges are measured; TensorFlow's guide asks for 100 to 500."""


class CompressionError(RuntimeError):
    """A technique did not give what was asked for, or its toolkit refuses this network; the message says which."""


REFUSALS: Final[tuple[type[Exception], ...]] = (CompressionError, ConverterError)
"""Errors that become a row of `runs` with the status "failed"."""


@contextmanager
def refused_by(toolkit: str) -> Iterator[Any]:
    """Turn what a toolkit raises about a network that it does not take (ValueError, RuntimeError, NotImplementedError)
    into a CompressionError; TensorFlow's errors of devices and memory, and the system's, pass."""
    try:
        yield
    except (ValueError, RuntimeError, NotImplementedError) as error:
        first_line = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise CompressionError(f"{toolkit} refuses: {first_line}") from error


def to_tflite(network: Any, precision: Precision, representative: np.ndarray) -> bytes:
    """Return a TFLite file for one face: float32 (1, S, S, 3) RGB 0..255 in, float32 (1, 7) probabilities out.

    `representative` is uint8 (N, S, S, 3): REPRESENTATIVE_FACES training faces, used for int8 alone. In `int8`
    weights (one scale per channel) and activations are 8-bit inside, `dynamic` has 8-bit weights, `float16` 16-bit
    weights.
    """
    if precision == "int8":
        return quantized(with_activation_ranges(network, representative))
    converter = _converter(network)
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    return bytes(converter.convert())


def with_activation_ranges(
    network: Any, representative: np.ndarray, float_file: bytes | None = None, *, fused: bool = False
) -> bytes:
    """Return a float TFLite model whose tensors carry the ranges that they take on `representative` faces.

    `quantized` starts from it. Hard-swish is written as three operators unless `fused` into one: LiteRT 2.3 has
    no fast 8-bit kernel for HARD_SWISH, but has them for adding and multiplying. Else the network's `float_file`, if
    given, is the model: converting takes longer than all the rest.
    """
    parts = not fused and any(isinstance(layer, HardSwish) for layer in network.submodules)
    if float_file and not parts:
        return with_ranges(float_file, measured_ranges(float_file, representative))
    converter = _converter(network, hard_swish_in_parts=parts)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    # The converter wants to calibrate; one face will do, since the ranges are measured anew
    converter.representative_dataset = lambda: [[representative[:1].astype(np.float32)]]
    converter._experimental_calibrate_only = True
    model = bytes(converter.convert())
    return with_ranges(model, measured_ranges(model, representative))


def quantized(model: bytes, float_layers: Sequence[str] = ()) -> bytes:
    """Return the 8-bit file of a model `with_activation_ranges`.

    Layers named by their output tensor in `float_layers` stay float32.
    """
    with refused_by("the quantizer"):
        return bytes(mlir_quantize(model, denylisted_nodes=list(float_layers)))


def _converter(network: Any, *, hard_swish_in_parts: bool = False) -> Any:
    """A converter of the network for one face.

    Variables are frozen into constants first: the converter would otherwise save the whole Keras model and
    load it again, which takes twenty times as long and gives the same file.
    """
    frozen = convert_variables_to_constants_v2(_traced(network, hard_swish_in_parts))
    return tf.lite.TFLiteConverter.from_concrete_functions([frozen], tf.Module())


@lru_cache(maxsize=2)  # a network's hard-swish as it is, and in parts
def _traced(network: Any, hard_swish_in_parts: bool) -> Any:
    """The network's answer to one face as a graph; variables stay variables, so that later weights are seen."""
    size = network.input_shape[1]
    signature = tf.TensorSpec((1, size, size, 3), tf.float32, name="rgb_0_to_255")
    with patch.object(HardSwish, "call", _hard_swish_in_parts if hard_swish_in_parts else HardSwish.call):
        answer = tf.function(lambda face: network(face, training=False), autograph=False)
        return answer.get_concrete_function(signature)


def _hard_swish_in_parts(_: HardSwish, inputs: Any) -> Any:
    """Hard-swish in an order of operations that the converter does not fuse to HARD_SWISH: the same function."""
    return inputs * (1.0 / 6.0) * tf.nn.relu6(inputs + 3.0)
