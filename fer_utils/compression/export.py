"""From a Keras model to the TFLite file that a phone loads, float or quantized."""

from typing import Any, Final

import numpy as np
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,  # private path: tensorflow is pinned
)

from fer_utils.models.backbones import tf
from fer_utils.study import Precision

REPRESENTATIVE_FACES: Final = 100
"""Training faces from which the converter learns activation ranges; TensorFlow's guide asks for 100 to 500."""


def to_tflite(network: Any, precision: Precision, representative: np.ndarray) -> bytes:
    """Return a TFLite file for one face: float32 (1, S, S, 3) RGB 0..255 in, float32 (1, 7) probabilities out.

    `representative` is uint8 (N, S, S, 3): REPRESENTATIVE_FACES training faces, used for int8 alone. In `int8`
    weights and activations are 8-bit inside, `dynamic` has 8-bit weights, `float16` 16-bit weights.
    Variables are frozen into constants first: the converter would otherwise save the whole Keras model and
    load it again, which takes twenty times as long and gives the same file.
    """
    size = network.input_shape[1]
    signature = tf.TensorSpec((1, size, size, 3), tf.float32, name="rgb_0_to_255")
    traced = tf.function(lambda face: network(face, training=False)).get_concrete_function(signature)
    frozen = convert_variables_to_constants_v2(traced)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen], tf.Module())
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8":
        faces = representative.astype(np.float32)
        converter.representative_dataset = lambda: ([face[None]] for face in faces)
    return bytes(converter.convert())
