"""Clustering: the weights of each kernel share a few values, which are learned.

Han, Mao & Dally 2016, arXiv:1510.00149, section 3, as `cluster_weights` of tensorflow-model-optimization does it, to
the same weights but for rounding (a slow test compares the two), but on the plain network: no wrapper is traced.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

# Private path: the package is pinned
from tensorflow_model_optimization.python.core.clustering.keras.clustering_centroids import (
    KmeansPlusPlusCentroidsInitialisation,
)

from traced_training.training_step import Unconstrained


class Clustering(Unconstrained):
    """Kernels that hold `clusters` distinct values each, or fewer; zeros stay zero with `keep_zeros`.

    Each weight has an own value, which learns as if it were used, and takes the nearest shared value. A shared
    value learns from the sum of the gradients of all weights that take it.
    """

    def __init__(self, network: Any, kernels: Sequence[Any], clusters: int, *, keep_zeros: bool) -> None:
        super().__init__(network)
        self._kernels = kernels
        self._own = [tf.Variable(kernel) for kernel in kernels]
        self._shared = [_initial_values(kernel, clusters, keep_zeros) for kernel in kernels]
        self._taken = [tf.Variable(tf.zeros(kernel.shape, tf.int32)) for kernel in kernels]
        places = {variable.ref(): place for place, variable in enumerate(network.trainable_variables)}
        self._places = [places[kernel.ref()] for kernel in kernels]
        own = {kernel.ref(): value for kernel, value in zip(kernels, self._own, strict=True)}
        free = [own.get(variable.ref(), variable) for variable in network.trainable_variables]
        self.parameters = [*free, *self._shared]
        self._share = tf.function(self._take_nearest, autograph=False)
        self._zeros: list[Any] = [None] * len(kernels)
        if keep_zeros:
            self._zeros = [tf.argmin(tf.abs(values)) for values in self._shared]
        self._share()
        self._learning = [tf.cast(kernel != 0, tf.float32) if keep_zeros else 1.0 for kernel in kernels]

    def gradients(self, gradients: Sequence[Any]) -> Sequence[Any]:
        """Return the gradients of all own values and free weights, then those of the shared values."""
        of_parameters, of_shared = list(gradients), []
        for place, taken, values, learning in zip(
            self._places, self._taken, self._shared, self._learning, strict=True
        ):
            flat = tf.reshape(gradients[place], [-1])
            of_shared.append(tf.math.unsorted_segment_sum(flat, tf.reshape(taken, [-1]), values.shape[0]))
            of_parameters[place] = gradients[place] * learning
        return [*of_parameters, *of_shared]

    def after_step(self, step: int) -> None:  # noqa: ARG002 - each step alike
        """Give each weight the shared value that is nearest to its own."""
        self._share()

    def _take_nearest(self) -> None:
        for kernel, own, values, taken, zero in zip(
            self._kernels, self._own, self._shared, self._taken, self._zeros, strict=True
        ):
            if zero is not None:
                values.assign(tf.where(tf.range(values.shape[0], dtype=zero.dtype) == zero, 0.0, values))
            order = tf.argsort(values)
            ascending = tf.gather(values, order)
            middles = (ascending[1:] + ascending[:-1]) / 2
            nearest = tf.gather(order, tf.searchsorted(middles, tf.reshape(own, [-1])))
            kernel.assign(tf.reshape(tf.gather(values, nearest), kernel.shape))
            taken.assign(tf.reshape(nearest, kernel.shape))


def _initial_values(kernel: Any, clusters: int, keep_zeros: bool) -> Any:
    """The values from which clustering starts, by k-means++; zero is one of them with `keep_zeros`."""
    start = KmeansPlusPlusCentroidsInitialisation(kernel, clusters, preserve_sparsity=keep_zeros)
    return tf.Variable(start.get_cluster_centroids())
