"""Quantization-aware training: the network learns with 8-bit rounding simulated in every layer.

Jacob et al. 2018, arXiv:1712.05877, as tensorflow-model-optimization does it, extended to the layers of
these five networks that its 8-bit registry does not know: their outputs are rounded, nothing else.
"""

from typing import Any, Final

import tensorflow_model_optimization as tfmot

# Private paths: the package is pinned
from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
    default_8bit_quantize_configs,
    default_8bit_quantize_registry,
    default_8bit_quantize_scheme,
)

from fer_utils.compression.export import refused_by
from fer_utils.models.backbones import CUSTOM_LAYERS, HardSigmoid, HardSwish, copy_of, layers, tf

keras_quantization = tfmot.quantization.keras

FUSED_ACTIVATIONS: Final = frozenset({"relu", "softmax", "linear", "sigmoid", "tanh"})
"""Activations of the 8-bit registry; others (swish) get their output rounded."""

PREPROCESSING: Final = (layers.InputLayer, layers.Rescaling, layers.Normalization)
"""Left alone: the converter takes their activation ranges from the representative faces."""

CONVOLUTIONS: Final = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D, layers.Dense)


class KeepingRegistry(default_8bit_quantize_registry.Default8BitQuantizeRegistry):
    """The 8-bit registry, with weight quantizers that keep zeros or shared values in dense and convolution kernels.

    The package's own registries for this say that they support layers, like rescaling, that they cannot configure.
    """

    def __init__(self, *, zeros: bool, clusters: bool) -> None:
        super().__init__()
        combine, self._keeping = tfmot.experimental.combine, None
        if clusters:
            scheme = combine.Default8BitClusterPreserveQuantizeScheme(preserve_sparsity=zeros)
            self._keeping = scheme.get_quantize_registry()
        elif zeros:
            self._keeping = combine.Default8BitPrunePreserveQuantizeScheme().get_quantize_registry()

    def get_quantize_config(self, layer: Any) -> Any:
        """Return the 8-bit configuration of a layer; one with a kernel keeps its zeros or shared values."""
        if self._keeping and isinstance(layer, layers.Conv2D | layers.Dense):
            return self._keeping.get_quantize_config(layer)
        return super().get_quantize_config(layer)


class KeepingScheme(default_8bit_quantize_scheme.Default8BitQuantizeScheme):
    """The 8-bit scheme with a KeepingRegistry."""

    def __init__(self, registry: KeepingRegistry) -> None:
        self._registry = registry

    def get_quantize_registry(self) -> KeepingRegistry:
        """Return the registry."""
        return self._registry


@tf.autograph.experimental.do_not_convert  # nothing here needs it, and it takes a tenth of the time
def wrap(network: Any, *, keep_zeros: bool = False, keep_clusters: bool = False) -> Any:
    """Return a copy of a flat Keras model that simulates 8-bit arithmetic while it trains and predicts.

    Its weights start as the network's; its activation ranges are learned in training. Weights that are zero stay
    so with `keep_zeros`; weights that share a value go on sharing one with `keep_clusters`.
    """
    registry = KeepingRegistry(zeros=keep_zeros, clusters=keep_clusters)

    def annotated(layer: Any, copy: Any) -> Any:
        if isinstance(layer, PREPROCESSING):
            return copy
        if _needs_rounded_output(layer):
            rounded = default_8bit_quantize_configs.Default8BitOutputQuantizeConfig()
            return keras_quantization.quantize_annotate_layer(copy, rounded)
        if registry.supports(layer) or isinstance(layer, layers.SeparableConv2D | layers.BatchNormalization):
            return keras_quantization.quantize_annotate_layer(copy)
        return copy

    with refused_by("tensorflow-model-optimization"), keras_quantization.quantize_scope(dict(CUSTOM_LAYERS)):
        return keras_quantization.quantize_apply(copy_of(network, annotated), KeepingScheme(registry))


def unwrap(network: Any, *, keep_clusters: bool) -> Any:
    """Return a trained network as `wrap` made it, without what kept shared values in training; it still rounds."""
    return tfmot.experimental.combine.strip_clustering_cqat(network) if keep_clusters else network


def _needs_rounded_output(layer: Any) -> bool:
    if isinstance(layer, HardSigmoid | HardSwish | layers.Multiply):
        return True
    if isinstance(layer, layers.Activation):
        return layer.get_config()["activation"] not in FUSED_ACTIVATIONS
    if isinstance(layer, layers.BatchNormalization):  # after a convolution it is folded into it instead
        return not isinstance(layer.inbound_nodes[0].inbound_layers, CONVOLUTIONS)
    return False
