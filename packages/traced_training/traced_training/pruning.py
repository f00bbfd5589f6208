"""Pruning: the smallest weights of each kernel become zero while the network goes on learning.

Zhu & Gupta 2017, arXiv:1710.01878, as `prune_low_magnitude` of tensorflow-model-optimization does it, to the same
weights (a slow test compares the two), but on the plain network: no wrapper is traced.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import tensorflow as tf

from traced_training.training_step import Unconstrained

MASK_UPDATES: Final = 10
"""How often the sparsity rises during fine-tuning; ten steps follow the cubic schedule closely."""


class Pruning(Unconstrained):
    """Kernels whose sparsity rises from 0 to `sparsity`; the last quarter of `steps` trains at full sparsity."""

    def __init__(self, network: Any, kernels: Sequence[Any], sparsity: float, steps: int) -> None:
        super().__init__(network)
        self._kernels, self._sparsity = kernels, sparsity
        self.state = self._masks = [tf.Variable(tf.ones_like(kernel)) for kernel in kernels]
        self._every = max(1, int(0.75 * steps) // MASK_UPDATES)
        self._apply_masks = tf.function(self._masked, autograph=False)
        self.after_step(0)

    def after_step(self, step: int) -> None:
        """Choose the zeros anew if it is time, from weights that Adam may have moved off zero; then set all zeros."""
        updates, remainder = divmod(step + 1, self._every)  # masks are for the next step
        if not remainder and updates <= MASK_UPDATES:
            sparsity = self._sparsity * (1 - (1 - updates / MASK_UPDATES) ** 3)
            for kernel, mask in zip(self._kernels, self._masks, strict=True):
                mask.assign(_largest(np.abs(kernel.numpy()), sparsity))
        self._apply_masks()

    def _masked(self) -> None:
        for kernel, mask in zip(self._kernels, self._masks, strict=True):
            kernel.assign(kernel * mask)


def _largest(sizes: np.ndarray, sparsity: float) -> np.ndarray:
    """1 where a weight is among the largest, 0 for a share `sparsity` of all; equal weights share one fate."""
    kept = max(1, round(sizes.size * (1 - sparsity)))
    threshold = np.partition(sizes, sizes.size - kept, axis=None)[sizes.size - kept]
    return (sizes >= threshold).astype(np.float32)
