"""Pruning and clustering on the plain network against the wrappers of tensorflow-model-optimization."""

import numpy as np
import pytest
import tensorflow_model_optimization as tfmot
from tensorflow_model_optimization.python.core.clustering.keras.experimental.cluster import cluster_weights

from fer_utils.compression.techniques import holds_most_weights, touched_kernels
from fer_utils.models.backbones import build_network, copy_of, keras, layers, tf
from fer_utils.models.training import set_up
from fer_utils.study import load_study
from traced_training.clustering import Clustering
from traced_training.pruning import Pruning
from traced_training.training_step import TrainingStep

STEPS = 24
SPARSITY = 0.5
CLUSTERS = 8
RATE = 1e-4


class Batches(keras.utils.Sequence):
    """The same batches for both; Keras' loop shuffles nothing."""

    def __init__(self, side, size):
        generator = np.random.default_rng(0)
        self.faces = generator.integers(0, 255, (STEPS, size, side, side, 3)).astype(np.float32)
        self.labels = generator.integers(0, 7, (STEPS, size))

    def __len__(self):
        return STEPS

    def __getitem__(self, place):
        return tf.constant(self.faces[place]), tf.constant(self.labels[place])


def theirs(network, batches, technique, rate):
    """What the package's wrappers and Keras' loop make of a network."""
    frequency = int(0.75 * STEPS) // 10
    schedule = tfmot.sparsity.keras.PolynomialDecay(0.0, SPARSITY, 0, 10 * frequency, frequency=frequency)

    def wrapped(layer):
        if not holds_most_weights(layer):
            return layer
        if technique == "pruning":
            return tfmot.sparsity.keras.prune_low_magnitude(layer, pruning_schedule=schedule)
        start = tfmot.clustering.keras.CentroidInitialization.KMEANS_PLUS_PLUS
        return cluster_weights(
            layer, number_of_clusters=CLUSTERS, cluster_centroids_init=start,
            preserve_sparsity=technique == "pruning_clustering",
        )  # fmt: skip

    copy = keras.models.clone_model(copy_of(network), clone_function=wrapped)
    copy.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    callbacks = [tfmot.sparsity.keras.UpdatePruningStep()] if technique == "pruning" else []
    copy.fit(batches, shuffle=False, verbose=0, callbacks=callbacks)
    pruned = technique == "pruning"
    strip = tfmot.sparsity.keras.strip_pruning if pruned else tfmot.clustering.keras.strip_clustering
    return strip(copy)


def ours(network, batches, technique, rate=RATE):
    copy = copy_of(network)
    kernels = touched_kernels(copy)
    if technique == "pruning":
        constraint = Pruning(copy, kernels, SPARSITY, STEPS)
    else:
        constraint = Clustering(copy, kernels, CLUSTERS, keep_zeros=technique == "pruning_clustering")
    step = TrainingStep(copy, constraint)
    for place in range(STEPS):
        step(*batches[place], rate)
    return copy


def prune_at_once(network):
    """Set the smaller half of each kernel to zero, as the base of a combination has it."""
    copy = copy_of(network)
    for kernel in touched_kernels(copy):
        sizes = np.abs(kernel.numpy())
        kernel.assign(kernel * (sizes >= np.median(sizes)))
    return copy


def compare(network, batches, technique, rate=RATE, tolerance=RATE / 10):
    if technique == "pruning_clustering":
        network = prune_at_once(network)
    one, other = (make(network, batches, technique, rate) for make in (ours, theirs))
    moved = [
        np.abs(a.numpy() - b.numpy()).max()
        for a, b in zip(touched_kernels(one), touched_kernels(network), strict=True)
    ]
    assert max(moved) > 10 * rate, "a comparison of weights that did not move would prove nothing"
    for a, b in zip(touched_kernels(one), touched_kernels(other), strict=True):
        a, b = a.numpy(), b.numpy()
        assert np.array_equal(a == 0, b == 0)
        # Rounding now and then moves a weight that lies between two values to the other one
        assert (np.abs(a - b) > tolerance).mean() < 1e-3
        if technique != "pruning":
            assert len(np.unique(a)) == len(np.unique(b))


@pytest.mark.system
@pytest.mark.parametrize("technique", ["pruning", "clustering", "pruning_clustering"])
def test_the_package_makes_the_same_weights_of_a_tiny_network(tiny_network, technique):
    compare(tiny_network, Batches(32, 8), technique)


@pytest.mark.slow
@pytest.mark.parametrize("technique", ["pruning", "clustering", "pruning_clustering"])
@pytest.mark.parametrize("architecture", ["mobilenet_v3_small", "mobilenet_v2"])
def test_the_package_makes_the_same_weights_of_real_networks(architecture, technique):
    study = load_study("quick", dropout=0.0)
    set_up(study)
    # Batch normalization and Adam magnify rounding in a deep network from step to step: smaller steps, less of it.
    # Zeros and shared values must be the same; how far a weight has learned may differ by what learning moves it
    network, batches = build_network(architecture, study, None), Batches(study.image_size, 16)
    compare(network, batches, technique, rate=1e-6, tolerance=STEPS * 1e-6)


def test_pruning_follows_the_cubic_schedule(tiny_network):
    copy = copy_of(tiny_network)
    constraint = Pruning(copy, touched_kernels(copy), 0.8, steps=40)
    reached = []
    for step in range(1, 41):
        constraint.after_step(step)
        zeros = [np.mean(kernel.numpy() == 0) for kernel in touched_kernels(copy)]
        reached.append(np.average(zeros, weights=[int(tf.size(kernel)) for kernel in touched_kernels(copy)]))
    assert np.all(np.diff(reached) >= 0)
    half_way = 0.8 * (1 - 0.5**3)
    assert reached[13] == pytest.approx(
        half_way, abs=0.02
    )  # masks of the fifth of ten updates, every third step
    assert reached[-11] == pytest.approx(0.8, abs=0.01)
    assert reached[-1] == reached[-11]


def test_free_layers_learn_beside_constrained_ones(tiny_network):
    batches = Batches(32, 8)
    copy = ours(tiny_network, batches, "clustering")
    before = {layer.name: layer.get_weights() for layer in tiny_network.layers}
    depthwise = [layer for layer in copy.layers if isinstance(layer, layers.DepthwiseConv2D)]
    assert depthwise
    for layer in depthwise:
        assert not np.array_equal(layer.get_weights()[0], before[layer.name][0])
