"""Weight pruning: the smallest weights of each layer become zero, so that the file compresses better.

Zhu & Gupta 2017, arXiv:1710.01878, as tensorflow-model-optimization does it.
"""

from typing import Any, Final

import tensorflow_model_optimization as tfmot

from fer_utils.compression.layers import copy_with, holds_most_weights
from fer_utils.models.backbones import layers
from fer_utils.study import Study

MASK_UPDATES: Final = 10
"""How often the sparsity rises during fine-tuning; ten steps follow the cubic schedule closely."""


def wrap(network: Any, study: Study, steps: int) -> Any:
    """Return a copy whose weights are masked while it trains: sparsity rises from 0 to the study's.

    `steps` is the number of training steps to come; the last quarter trains at full sparsity.
    """
    frequency = max(1, int(0.75 * steps) // MASK_UPDATES)
    schedule = tfmot.sparsity.keras.PolynomialDecay(
        initial_sparsity=0.0,
        final_sparsity=study.sparsity,
        begin_step=0,
        end_step=frequency * MASK_UPDATES,
        frequency=frequency,
    )

    def masked(layer: layers.Layer) -> layers.Layer:
        if not holds_most_weights(layer):
            return layer
        return tfmot.sparsity.keras.prune_low_magnitude(layer, pruning_schedule=schedule)

    return copy_with(network, masked)


def callbacks() -> tuple[Any, ...]:
    """Return the Keras callbacks that advance the masks."""
    return (tfmot.sparsity.keras.UpdatePruningStep(),)


def unwrap(network: Any) -> Any:
    """Return the plain network, its masked weights zero for good."""
    return tfmot.sparsity.keras.strip_pruning(network)
