"""The five networks as Keras models: what builds each, and how its input is scaled.

Every network takes RGB as float32 from 0 to 255 and holds its own scaling, so that the same pixels go into
Keras, TFLite and a phone. The head is the same for all: global average pooling, dropout, 7 probabilities.
The graph is flat (no model inside a model) and made of layers only, as quantization-aware training needs.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from unittest.mock import patch

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # tensorflow-model-optimization 0.8 works with Keras 2 only
# Results of one and two threads differ in the last bits; the workflow fills the cores with processes instead, and
# trainings with more threads say so (`devices.use_device`)
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

import tensorflow as tf
from tf_keras.src.applications import mobilenet_v3 as mobilenet_v3_source  # private path: tf-keras is pinned

from face_sets.expressions import EXPRESSIONS
from fer_utils.study import Architecture, Study

keras = tf.keras
layers = tf.keras.layers

BATCH_NORMALIZATION_MOMENTUM: Final = 0.9
"""Share of the old moving statistics kept at each step.

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


class Backbone(NamedTuple):
    """Keras' builder of a network, and whether it scales pixels itself; otherwise a layer to [-1, 1] is added."""

    build: Callable[..., Any]
    scales_itself: bool


BACKBONES: Final[Mapping[Architecture, Backbone]] = {
    "mobilenet_v3_small": Backbone(keras.applications.MobileNetV3Small, scales_itself=True),
    "mobilenet_v2": Backbone(keras.applications.MobileNetV2, scales_itself=False),
    "efficientnet_b0": Backbone(keras.applications.EfficientNetB0, scales_itself=True),
    "mobilenet_v3_large": Backbone(keras.applications.MobileNetV3Large, scales_itself=True),
    "nasnet_mobile": Backbone(keras.applications.NASNetMobile, scales_itself=False),
}


@tf.autograph.experimental.do_not_convert  # layers need no AutoGraph, which takes a tenth of the time
def build_network(architecture: Architecture, study: Study, weights: str | None) -> Any:
    """Return an untrained Keras model: (N, image_size, image_size, 3) RGB 0..255 to (N, 7) probabilities.

    `weights` is None for random ones or the path of a Keras `no_top` weights file (see `networks`).
    """
    keras.backend.reset_uids()  # layers' names, which files hold, do not count the networks built before
    backbone, size = BACKBONES[architecture], study.image_size
    pixels = keras.Input((size, size, 3), name="rgb_0_to_255")
    scaled = pixels if backbone.scales_itself else layers.Rescaling(1 / 127.5, offset=-1.0)(pixels)
    # Layers where Keras calls functions, which tfmot cannot wrap and Keras has no option for; the function computed,
    # the weights and their order stay the same
    sigmoid, swish = lambda x: HardSigmoid()(x), lambda x: HardSwish()(x)
    with patch.multiple(mobilenet_v3_source, hard_sigmoid=sigmoid, hard_swish=swish):
        features = backbone.build(input_tensor=scaled, include_top=False, weights=weights).output
    pooled = layers.GlobalAveragePooling2D(name="pooled")(features)
    dropped = layers.Dropout(study.dropout, name="dropped")(pooled)
    probabilities = layers.Dense(len(EXPRESSIONS), activation="softmax", name="probabilities")(dropped)
    network = keras.Model(pixels, probabilities, name=architecture)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = BATCH_NORMALIZATION_MOMENTUM
    return network


def copy_of(network: Any, change: Callable[[Any, Any], Any] = lambda _, copy: copy) -> Any:
    """Return a copy of a Keras model that shares no layer with it.

    `change` takes each layer and its copy and returns the copy, or a wrapper of it without weights of its own.
    """
    own = keras.models.clone_model(network, None, lambda old: change(old, old.from_config(old.get_config())))
    own.set_weights(network.get_weights())
    return own
