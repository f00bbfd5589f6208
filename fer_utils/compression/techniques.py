"""Apply one compression technique to a trained network: fine-tune it under a constraint, check the result."""

import math
from dataclasses import astuple
from typing import Any, Final

from fer_utils.compression.export import CompressionError
from fer_utils.compression.exported_files import KernelWeights
from fer_utils.models.backbones import layers
from fer_utils.models.training import Trained, TrainingSet, fit
from fer_utils.study import Study, Technique
from traced_training.checkpoints import Checkpoint
from traced_training.pruning import Pruning
from traced_training.training_step import TrainingStep, forget_graph

SPARSITY_TOLERANCE: Final = 0.01  # the schedule rounds to whole weights per layer


def compress(
    network: Any, technique: Technique, run_id: str, training: TrainingSet, validation: TrainingSet,
    study: Study, checkpoint: Checkpoint | None = None,
) -> Trained:  # fmt: skip
    """Fine-tune a trained Keras model in place under a technique's constraint and return it.

    Quantization-aware training returns a copy that simulates rounding, and leaves the model as it was. A combination
    is given the result of its base (BASE_TECHNIQUES), whose zeros or shared values it keeps.
    Raises CompressionError if the sparsity or the number of distinct weights asked for was not reached.
    """
    step = _constrained_step(network, technique, study, len(training.labels))
    trained = fit(
        step, run_id, training, validation, study,
        epochs=study.compression_epochs, learning_rate=study.compression_learning_rate, checkpoint=checkpoint,
    )  # fmt: skip
    if technique.endswith("quantization_aware"):  # converted from its own graph: checked in the file
        from fer_utils.compression import quantization_aware

        trained.network = quantization_aware.unwrap(trained.network, keep_clusters="clustering" in technique)
        del step
        forget_graph()  # no other technique shares this copy's; converting it would take a fifth more memory
    else:
        check_weights(trained.network, technique, study)
    return trained


def _constrained_step(network: Any, technique: Technique, study: Study, faces: int) -> TrainingStep:
    """A training step of the network that keeps the technique's constraint.

    tensorflow-model-optimization takes seconds to import: only the techniques that call it do.
    """
    zeros, clusters = "pruning" in technique, "clustering" in technique
    if technique.endswith("quantization_aware"):
        from fer_utils.compression import quantization_aware

        return TrainingStep(quantization_aware.wrap(network, keep_zeros=zeros, keep_clusters=clusters))
    kernels = touched_kernels(network)
    if clusters:
        from traced_training.clustering import Clustering

        return TrainingStep(network, Clustering(network, kernels, study.clusters, keep_zeros=zeros))
    steps = study.compression_epochs * math.ceil(faces / study.batch_size)
    return TrainingStep(network, Pruning(network, kernels, study.sparsity, steps))


def check_weights(network: Any, technique: Technique, study: Study) -> None:
    """Raise CompressionError if a network does not have the sparsity or the few values that a technique promises."""
    reached, count = astuple(touched_weights(network))
    if "pruning" in technique and reached < study.sparsity - SPARSITY_TOLERANCE:
        raise CompressionError(f"{technique} reached a sparsity of {reached:.3f}, not {study.sparsity}")
    if "clustering" in technique and count > study.clusters:
        raise CompressionError(f"{technique} left {count} distinct weights in a layer, not {study.clusters}")


def holds_most_weights(layer: Any) -> bool:
    """Return whether a layer is a convolution (not depthwise) or dense: over 90 % of every network's weights.

    Depthwise kernels hold few weights, and accuracy suffers most from losing any of them.
    """
    return isinstance(layer, layers.Conv2D | layers.Dense | layers.SeparableConv2D) and not isinstance(
        layer, layers.DepthwiseConv2D
    )


def touched_kernels(network: Any) -> list[Any]:
    """Return the kernels that pruning and clustering touch; of a separable layer, the pointwise one."""
    touched = [layer for layer in network.layers if holds_most_weights(layer)]
    separable = layers.SeparableConv2D
    return [each.pointwise_kernel if isinstance(each, separable) else each.kernel for each in touched]


def touched_weights(network: Any) -> KernelWeights:
    """Return what `touched_kernels` hold; values are shared by a whole kernel."""
    return KernelWeights.of([kernel.numpy()[None] for kernel in touched_kernels(network)])
