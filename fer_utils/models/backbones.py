"""The five networks of the study, one table: what builds each, and how its input is scaled.

Every network takes RGB as float32 from 0 to 255 and holds its own scaling, so that the same pixels go into
Keras, TFLite and a phone. The head is the same for all: global average pooling, dropout, 7 probabilities.
The graph is flat (no model inside a model) and made of layers only, as quantization-aware training needs.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # tensorflow-model-optimization 0.8 works with Keras 2 only
# Results of one and two threads differ in the last bits; the workflow fills the cores with processes instead
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

import tensorflow as tf
from tf_keras.src.applications import mobilenet_v3 as mobilenet_v3_source  # private path: tf-keras is pinned

from face_sets.expressions import EXPRESSIONS
from fer_utils.study import Architecture, Study

keras = tf.keras
layers = tf.keras.layers

BATCH_NORMALIZATION_MOMENTUM: Final = 0.9
"""Share of the old moving statistics kept at a step.

The networks' own 0.99 to 0.9997 assume 10^5 steps; after a few hundred their moving mean and variance would
still lie near 0 and 1. At 0.9 they average the last ten batches or so; tests compare with exact statistics.
"""


@keras.utils.register_keras_serializable("fer_utils")
class HardSigmoid(layers.Layer):  # type: ignore[name-defined]
    """relu6(x + 3) / 6, as a layer (Howard et al. 2019, arXiv:1905.02244, section 5.2)."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Any float tensor in, same shape out, values from 0 to 1."""
        return tf.nn.relu6(inputs + 3.0) * (1.0 / 6.0)


@keras.utils.register_keras_serializable("fer_utils")
class HardSwish(layers.Layer):  # type: ignore[name-defined]
    """x * relu6(x + 3) / 6, as a layer (the same source); TFLite's converter fuses it to HARD_SWISH."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Any float tensor in, same shape out."""
        return inputs * (tf.nn.relu6(inputs + 3.0) * (1.0 / 6.0))


CUSTOM_LAYERS: Final[Mapping[str, type]] = {"HardSigmoid": HardSigmoid, "HardSwish": HardSwish}


@dataclass(frozen=True)
class Backbone:
    """How one network is made: Keras' builder, and whether the scaling to [-1, 1] must be added to it."""

    label: str
    build: Callable[..., Any]
    scales_itself: bool
    citation: str


BACKBONES: Final[Mapping[Architecture, Backbone]] = {
    "mobilenet_v3_small": Backbone(
        "MobileNetV3-Small", keras.applications.MobileNetV3Small, True, "howard2019"
    ),
    "mobilenet_v2": Backbone("MobileNetV2", keras.applications.MobileNetV2, False, "sandler2018"),
    "efficientnet_b0": Backbone("EfficientNetB0", keras.applications.EfficientNetB0, True, "tan2019"),
    "mobilenet_v3_large": Backbone(
        "MobileNetV3-Large", keras.applications.MobileNetV3Large, True, "howard2019"
    ),
    "nasnet_mobile": Backbone("NASNetMobile", keras.applications.NASNetMobile, False, "zoph2018"),
}


def build_network(architecture: Architecture, study: Study, weights: str | None) -> Any:
    """Return an untrained Keras model: (N, image_size, image_size, 3) RGB 0..255 to (N, 7) probabilities.

    `weights` is None for random ones or the path of a Keras `no_top` weights file (see `initial_weights`).
    """
    backbone = BACKBONES[architecture]
    size = study.image_size
    pixels = keras.Input((size, size, 3), name="rgb_0_to_255")
    scaled = pixels if backbone.scales_itself else layers.Rescaling(1 / 127.5, offset=-1.0)(pixels)
    with _activations_as_layers(mobilenet_v3_source):
        features = backbone.build(input_tensor=scaled, include_top=False, weights=weights).output
    pooled = layers.GlobalAveragePooling2D(name="pooled")(features)
    dropped = layers.Dropout(study.dropout, name="dropped")(pooled)
    probabilities = layers.Dense(len(EXPRESSIONS), activation="softmax", name="probabilities")(dropped)
    network = keras.Model(pixels, probabilities, name=architecture)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = BATCH_NORMALIZATION_MOMENTUM
    return network


@contextmanager
def _activations_as_layers(source: Any) -> Iterator[None]:
    """Have Keras build MobileNetV3 with layers where it calls functions, which tfmot cannot wrap.

    The weights, their order and the function computed stay the same (tested to 1e-5).
    """
    original = source.hard_sigmoid, source.hard_swish
    source.hard_sigmoid, source.hard_swish = lambda x: HardSigmoid()(x), lambda x: HardSwish()(x)
    try:
        yield
    finally:
        source.hard_sigmoid, source.hard_swish = original
