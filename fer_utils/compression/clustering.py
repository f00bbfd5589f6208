"""Weight clustering: each layer's weights share a few values, so that the file compresses better.

Han, Mao & Dally 2016, arXiv:1510.00149, section 3, as tensorflow-model-optimization does it.
"""

from typing import Any

import tensorflow_model_optimization as tfmot
from tensorflow_model_optimization.python.core.clustering.keras.experimental.cluster import (
    cluster_weights,  # the public one cannot keep zeros; private path: the package is pinned
)

from fer_utils.compression.layers import copy_with, holds_most_weights
from fer_utils.models.backbones import layers
from fer_utils.study import Study


def wrap(network: Any, study: Study, *, keep_zeros: bool = False) -> Any:
    """Return a copy whose kernels are tied to `study.clusters` values each, which train with it.

    With `keep_zeros` one of the values is zero, and weights that are zero stay so.
    """

    def tied(layer: layers.Layer) -> layers.Layer:
        if not holds_most_weights(layer):
            return layer
        return cluster_weights(
            layer,
            number_of_clusters=study.clusters,
            cluster_centroids_init=tfmot.clustering.keras.CentroidInitialization.KMEANS_PLUS_PLUS,
            preserve_sparsity=keep_zeros,
        )

    return copy_with(network, tied)


def unwrap(network: Any) -> Any:
    """Return the plain network with the shared values as its weights."""
    return tfmot.clustering.keras.strip_clustering(network)
