"""Apply one compression technique to a trained network: wrap, fine-tune, unwrap, check."""

import math
from typing import Any

from fer_utils.compression import clustering, pruning, quantization
from fer_utils.compression.layers import distinct_weights, sparsity
from fer_utils.models.training import Trained, TrainingSet, compile_network, fit
from fer_utils.study import Study, Technique

SPARSITY_TOLERANCE = 0.01  # the schedule rounds to whole weights a layer


class CompressionError(RuntimeError):
    """A technique ran but its result is not what it promises."""


def compress(
    network: Any,
    technique: Technique,
    run_id: str,
    training: TrainingSet,
    validation: TrainingSet,
    study: Study,
) -> Trained:
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
        callbacks=pruning.callbacks() if technique == "pruning" else (),
    )  # fmt: skip
    trained.network = _unwrapped(wrapped, technique, study)
    return trained


def _wrapped(network: Any, technique: Technique, study: Study, steps: int) -> Any:
    if technique == "pruning":
        return pruning.wrap(network, study, steps)
    if technique in ("clustering", "pruning_clustering"):
        return clustering.wrap(network, study, keep_zeros="pruning" in technique)
    return quantization.wrap(
        network, keep_zeros="pruning" in technique, keep_clusters="clustering" in technique
    )


def _unwrapped(network: Any, technique: Technique, study: Study) -> Any:
    if technique.endswith("quantization_aware"):  # converted from its own graph: checked in the file
        return quantization.unwrap(network) if "clustering" in technique else network
    plain = pruning.unwrap(network) if technique == "pruning" else clustering.unwrap(network)
    if "pruning" in technique and (reached := sparsity(plain)) < study.sparsity - SPARSITY_TOLERANCE:
        raise CompressionError(f"{technique} reached a sparsity of {reached:.3f}, not {study.sparsity}")
    if "clustering" in technique and (count := distinct_weights(plain)) > study.clusters:
        raise CompressionError(f"{technique} left {count} distinct weights in a layer, not {study.clusters}")
    return plain
