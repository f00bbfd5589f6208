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
        clustered = {kernel.ref(): _Clustered(kernel, clusters, keep_zeros) for kernel in kernels}
        self._clustered = [clustered.get(variable.ref()) for variable in network.trainable_variables]
        self._kernels = [each for each in self._clustered if each is not None]
        own = [
            variable if each is None else each.own
            for variable, each in zip(network.trainable_variables, self._clustered, strict=True)
        ]
        self.parameters = [*own, *(each.shared for each in self._kernels)]
        self.state = [variable for each in self._kernels for variable in each.state]
        self._share = tf.function(self._take_nearest, autograph=False)
        self._share()
        if keep_zeros:
            for each in self._kernels:
                each.learning = tf.cast(each.kernel != 0, tf.float32)

    def gradients(self, gradients: Sequence[Any]) -> Sequence[Any]:
        """Return the gradients of all own values and free weights, then those of the shared values."""
        pairs = list(zip(self._clustered, gradients, strict=True))
        of_own = [gradient if each is None else each.of_own(gradient) for each, gradient in pairs]
        return [*of_own, *(each.of_shared(gradient) for each, gradient in pairs if each is not None)]

    def after_step(self, step: int) -> None:  # noqa: ARG002 - each step alike
        """Give each weight the shared value that is nearest to its own."""
        self._share()

    def _take_nearest(self) -> None:
        for each in self._kernels:
            each.take_nearest()


class _Clustered:
    """One kernel, its weights' own values, its shared values, and which of these each weight takes.

    With `keep_zeros` one shared value stays zero, and `learning` is 0 for weights that took it at the start, else 1.
    """

    def __init__(self, kernel: Any, clusters: int, keep_zeros: bool) -> None:
        start = KmeansPlusPlusCentroidsInitialisation(kernel, clusters, preserve_sparsity=keep_zeros)
        self.kernel, self.own = kernel, tf.Variable(kernel)
        self.shared = tf.Variable(start.get_cluster_centroids())
        self.learning: Any = None
        self._taken = tf.Variable(tf.zeros(kernel.shape, tf.int32))
        self.state = (self.own, self.shared, self._taken)
        self._zero = tf.argmin(tf.abs(self.shared)) if keep_zeros else None

    def of_own(self, gradient: Any) -> Any:
        return gradient if self.learning is None else gradient * self.learning

    def of_shared(self, gradient: Any) -> Any:
        flat, taken = tf.reshape(gradient, [-1]), tf.reshape(self._taken, [-1])
        return tf.math.unsorted_segment_sum(flat, taken, self.shared.shape[0])

    def take_nearest(self) -> None:
        if self._zero is not None:
            places = tf.range(self.shared.shape[0], dtype=self._zero.dtype)
            self.shared.assign(tf.where(places == self._zero, 0.0, self.shared))
        order = tf.argsort(self.shared)
        ascending = tf.gather(self.shared, order)
        middles = (ascending[1:] + ascending[:-1]) / 2
        nearest = tf.gather(order, tf.searchsorted(middles, tf.reshape(self.own, [-1])))
        self.kernel.assign(tf.reshape(tf.gather(self.shared, nearest), self.kernel.shape))
        self._taken.assign(tf.reshape(nearest, self.kernel.shape))
