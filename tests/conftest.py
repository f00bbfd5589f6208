"""What all tests share: a small study, and a flat network with every kind of layer that the five have."""

import gc
import os
import tempfile
from functools import partial
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as `fer_utils` sets it, which must come before NumPy

import nbval.kernel
import numpy as np
import pytest

from fer_utils.reporting import gate
from fer_utils.study import load_study

LONGEST = (
    "tests/steps/test_steps.py", "tests/book/", "tests/compression/", "tests/test_types.py", "tests/test_workflow.py",
    "tests/models/", "results/", "tests/simulation/test_scenarios.py", "packages/face_sets/tests/test_ingest.py",
    "tests/analysis/test_verdicts.py", "tests/test_graph.py",
)  # fmt: skip

_sockets = tempfile.TemporaryDirectory(prefix="fer-")


def pytest_configure():
    """Name folders from the root: some tests run the project in a copy, elsewhere."""
    for variable in ("FER_DATA", "FER_RESULTS"):
        if folder := os.environ.get(variable):
            os.environ[variable] = os.path.abspath(os.path.expanduser(folder))
    nbval.kernel.KernelManager = partial(  # kernels of two processes of tests would race for ports
        nbval.kernel.KernelManager, transport="ipc", ip=str(Path(_sockets.name) / "kernel")
    )


def pytest_collection_modifyitems(items):
    """Put the files that take longest first: one that begins last would keep one core waiting for the other."""
    order = {start: place for place, start in enumerate(LONGEST)}
    items.sort(
        key=lambda item: min((order[s] for s in LONGEST if item.nodeid.startswith(s)), default=len(LONGEST))
    )


def pytest_collection_finish():
    """Let the collector pass over what stays until the end: modules and the tests themselves."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="module")
def nothing_guarded():
    """No study that another module's tests guarded hides cells here: a process keeps that for good."""
    gate._guarded.clear()


@pytest.fixture(scope="session")
def small_study():
    """The quick profile at the smallest size: 32 pixels, one epoch."""
    return load_study("quick", image_size=32, epochs=1, batch_size=8, clusters=4)


@pytest.fixture(scope="session")
def tiny_network(striped_faces):
    """A flat Keras model of 32-pixel faces with the layers that compression must cope with; trained for a moment."""
    from fer_utils.models.backbones import HardSigmoid, HardSwish, keras, layers

    keras.utils.set_random_seed(1)
    pixels = keras.Input((32, 32, 3), name="rgb_0_to_255")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(pixels)
    x = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False)(x)
    x = HardSwish()(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.ReLU(6.0)(
        layers.BatchNormalization(momentum=0.9)(layers.DepthwiseConv2D(3, padding="same")(x))
    )
    squeezed = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Multiply()([x, HardSigmoid()(layers.Conv2D(16, 1)(squeezed))])
    y = layers.SeparableConv2D(16, 3, padding="same")(layers.Activation("swish")(x))
    x = layers.BatchNormalization(momentum=0.9)(layers.Concatenate()([x, y]))
    x = layers.GlobalAveragePooling2D()(layers.Activation("relu")(x))
    probabilities = layers.Dense(7, activation="softmax", kernel_initializer="glorot_normal")(x)
    network = keras.Model(pixels, probabilities)
    network.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    network.fit(striped_faces[0].astype(np.float32), striped_faces[1], batch_size=14, epochs=25, verbose=0)
    return network


@pytest.fixture(scope="session")
def striped_faces():
    """56 pictures, uint8 (56, 32, 32, 3), and labels: seven classes told apart by the colour of a stripe."""
    generator = np.random.default_rng(0)
    labels = np.arange(56) % 7
    pixels = generator.integers(0, 80, (56, 32, 32, 3)).astype(np.uint8)
    for row, label in enumerate(labels):
        pixels[row, :, 4 * label : 4 * label + 4] += 150
    return pixels, labels.astype(np.int64)
