"""A tiny network as .tflite files, made once a session: three layers whose costs are known by hand."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SIDE = 32  # the side that the tiny files are exported at


def convert(model: Any, side: int, path: Path, precision: str = "float32") -> Path:
    """Write `model` to `path` with a fixed input of `side` pixels, in one of the study's precisions."""
    import tensorflow as tf

    function = tf.function(lambda image: model(image, training=False))
    concrete = function.get_concrete_function(tf.TensorSpec((1, side, side, 3)))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], model)
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8":
        images = np.random.default_rng(0).uniform(0, 1, (4, 1, side, side, 3)).astype(np.float32)
        converter.representative_dataset = lambda: ([image] for image in images)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    path.write_bytes(converter.convert())
    return path


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The tiny network in a given precision; its convolutions see 16 x 16 pixels when its input is 32."""
    import tensorflow as tf
    import tf_keras as keras

    tf.keras.utils.set_random_seed(0)
    layers = keras.layers
    biased = {"bias_initializer": "random_normal"}  # equal (zero) biases would be stored once
    model = keras.Sequential(
        [
            layers.Input((SIDE, SIDE, 3)),
            layers.Conv2D(32, 3, strides=2, padding="same", **biased),
            layers.DepthwiseConv2D(5, padding="same", **biased),
            layers.Conv2D(64, 1, **biased),
            layers.GlobalAveragePooling2D(),
            layers.Dense(7, activation="softmax", **biased),
        ]
    )
    folder = tmp_path_factory.mktemp("tiny")
    return lambda precision: _once(model, folder / f"{precision}.tflite", precision)


def _once(model: Any, path: Path, precision: str) -> Path:
    return path if path.exists() else convert(model, SIDE, path, precision)


@pytest.fixture(scope="session")
def reshaping_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that flattens its image, so that it has one input size only."""
    import tf_keras as keras

    layers = keras.layers
    model = keras.Sequential([layers.Input((8, 8, 3)), layers.Flatten(), layers.Dense(7)])
    return convert(model, 8, tmp_path_factory.mktemp("reshaping") / "reshaping.tflite")


@pytest.fixture(scope="session")
def converted() -> Callable[..., Path]:
    """The converter itself, for tests that bring their own network."""
    return convert
