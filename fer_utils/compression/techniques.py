"""Apply one compression technique to a trained network: wrap its layers, fine-tune, unwrap, check.

Pruning: the smallest weights of each layer become zero (Zhu & Gupta 2017, arXiv:1710.01878). Clustering: each
layer's weights share a few values (Han, Mao & Dally 2016, arXiv:1510.00149, section 3). Either way the file
compresses better. Both as tensorflow-model-optimization does them; for quantization see `quantization_aware`.
"""

import math
from dataclasses import astuple
from typing import Any, Final

import tensorflow_model_optimization as tfmot
from tensorflow_model_optimization.python.core.clustering.keras.experimental.cluster import (
    cluster_weights,  # the public one cannot keep zeros; private path: the package is pinned
)

from fer_utils.compression import quantization_aware
from fer_utils.compression.exported_files import KernelWeights
from fer_utils.models.backbones import copy_with, layers
from fer_utils.models.training import Trained, TrainingSet, compile_network, fit
from fer_utils.study import Study, Technique

SPARSITY_TOLERANCE: Final = 0.01  # the schedule rounds to whole weights per layer

MASK_UPDATES: Final = 10
"""How often the sparsity rises during fine-tuning; ten steps follow the cubic schedule closely."""


class CompressionError(RuntimeError):
    """A technique ran but did not reach its sparsity or its number of distinct weights."""


def compress(
    network: Any, technique: Technique, run_id: str, training: TrainingSet, validation: TrainingSet,
    study: Study,
) -> Trained:  # fmt: skip
    """Return a fine-tuned, compressed copy of a trained Keras model; the original is left as it was.

    A combination goes on from the result of its base (BASE_TECHNIQUES), whose zeros or shared values it keeps.
    Raises CompressionError if the sparsity or the number of distinct weights asked for was not reached.
    """
    steps = study.compression_epochs * math.ceil(len(training.labels) / study.batch_size)
    wrapped = _wrapped(network, technique, study, steps)
    compile_network(wrapped, study.compression_learning_rate)
    trained = fit(
        wrapped, run_id, training, validation, study,
        epochs=study.compression_epochs, learning_rate=study.compression_learning_rate,
        callbacks=(tfmot.sparsity.keras.UpdatePruningStep(),) if technique == "pruning" else (),
    )  # fmt: skip
    trained.network = _unwrapped(wrapped, technique, study)
    return trained


def _wrapped(network: Any, technique: Technique, study: Study, steps: int) -> Any:
    zeros, clusters = "pruning" in technique, "clustering" in technique
    if technique.endswith("quantization_aware"):
        return quantization_aware.wrap(network, keep_zeros=zeros, keep_clusters=clusters)

    def wrap(layer: Any) -> Any:
        if not holds_most_weights(layer):
            return layer
        return _clustered(layer, study, zeros) if clusters else _pruned(layer, study, steps)

    return copy_with(network, wrap)


def _pruned(layer: Any, study: Study, steps: int) -> Any:
    """A wrapper whose sparsity rises from 0 to the study's; the last quarter of `steps` trains at full sparsity."""
    frequency = max(1, int(0.75 * steps) // MASK_UPDATES)
    schedule = tfmot.sparsity.keras.PolynomialDecay(
        initial_sparsity=0.0, final_sparsity=study.sparsity,
        begin_step=0, end_step=frequency * MASK_UPDATES, frequency=frequency,
    )  # fmt: skip
    return tfmot.sparsity.keras.prune_low_magnitude(layer, pruning_schedule=schedule)


def _clustered(layer: Any, study: Study, keep_zeros: bool) -> Any:
    """A wrapper that ties the kernel to the study's number of values, which train; zeros may stay zero."""
    return cluster_weights(
        layer,
        number_of_clusters=study.clusters,
        cluster_centroids_init=tfmot.clustering.keras.CentroidInitialization.KMEANS_PLUS_PLUS,
        preserve_sparsity=keep_zeros,
    )


def _unwrapped(network: Any, technique: Technique, study: Study) -> Any:
    if technique.endswith("quantization_aware"):  # converted from its own graph: checked in the file
        strip = tfmot.experimental.combine.strip_clustering_cqat  # drops what kept clusters in training only
        return strip(network) if "clustering" in technique else network
    if technique == "pruning":
        plain = tfmot.sparsity.keras.strip_pruning(network)
    else:
        plain = tfmot.clustering.keras.strip_clustering(network)
    reached, count = astuple(touched_weights(plain))
    if "pruning" in technique and reached < study.sparsity - SPARSITY_TOLERANCE:
        raise CompressionError(f"{technique} reached a sparsity of {reached:.3f}, not {study.sparsity}")
    if "clustering" in technique and count > study.clusters:
        raise CompressionError(f"{technique} left {count} distinct weights in a layer, not {study.clusters}")
    return plain


def holds_most_weights(layer: Any) -> bool:
    """Return whether a layer is a convolution (not depthwise) or dense: over 90 % of every network's weights.

    Depthwise kernels hold few weights, and accuracy suffers most from losing any of them.
    """
    return isinstance(layer, layers.Conv2D | layers.Dense | layers.SeparableConv2D) and not isinstance(
        layer, layers.DepthwiseConv2D
    )


def touched_weights(network: Any) -> KernelWeights:
    """Return what the kernels hold that pruning and clustering touch; of a separable layer, the pointwise one."""
    touched = [layer for layer in network.layers if holds_most_weights(layer)]
    separable = layers.SeparableConv2D
    kernels = [each.pointwise_kernel if isinstance(each, separable) else each.kernel for each in touched]
    return KernelWeights.of(
        [kernel.numpy()[None] for kernel in kernels]
    )  # values are shared by the whole kernel
