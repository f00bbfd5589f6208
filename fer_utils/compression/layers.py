"""Which layers techniques touch, and how a network is copied so that the original stays as it was."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fer_utils.models.backbones import CUSTOM_LAYERS, keras, layers


def holds_most_weights(layer: Any) -> bool:
    """Tell whether a layer is a convolution (not depthwise) or dense: over 90 % of every network's weights.

    Depthwise kernels hold few weights and suffer most from losing any.
    """
    return isinstance(layer, layers.Conv2D | layers.Dense | layers.SeparableConv2D) and not isinstance(
        layer, layers.DepthwiseConv2D
    )


def copy_with(network: Any, change: Callable[[Any], Any]) -> Any:
    """Return a copy of a Keras model in which `change` maps each layer to itself or to its wrapper.

    Wrappers of tensorflow-model-optimization share the layers that they wrap, so a clone is wrapped.
    """
    with keras.utils.custom_object_scope(CUSTOM_LAYERS):
        own = keras.models.clone_model(network)
        own.set_weights(network.get_weights())
        return keras.models.clone_model(own, clone_function=change)


def kernels(network: Any) -> list[np.ndarray]:
    """Return the kernels that pruning and clustering touch: one array a layer, the pointwise one if separable."""
    found = []
    for layer in network.layers:
        if holds_most_weights(layer):
            kernel = layer.pointwise_kernel if isinstance(layer, layers.SeparableConv2D) else layer.kernel
            found.append(kernel.numpy())
    return found


def sparsity(network: Any) -> float:
    """Return the share, 0 to 1, of zeros among the kernels' weights."""
    weights = kernels(network)
    return float(sum((kernel == 0).sum() for kernel in weights) / sum(kernel.size for kernel in weights))


def distinct_weights(network: Any) -> int:
    """Return the largest number of distinct weights that any one kernel holds."""
    return max(len(np.unique(kernel)) for kernel in kernels(network))
