"""Train the copies of one network: the same graph, traced once, on children, on adults and on all faces."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fer_utils.models.backbones import build_network, keras, tf
from fer_utils.models.batches import plain_batches, training_batches
from fer_utils.models.face_images import FaceImages
from fer_utils.study import Architecture, Cohort, Study
from fer_utils.tables import conform


@dataclass(frozen=True)
class TrainingSet:
    """Faces of one split: their images and class indices (N,)."""

    images: FaceImages
    labels: np.ndarray

    @classmethod
    def of(cls, faces: pd.DataFrame, images: FaceImages, chosen: pd.Series) -> "TrainingSet":
        """Return the faces that `chosen` (one boolean per row) marks; categorical order gives the class index."""
        rows = chosen.to_numpy(dtype=bool)
        return cls(images.part(rows), faces["expression"].cat.codes.to_numpy()[rows].astype(np.int64))


def of_cohort(faces: pd.DataFrame, cohort: Cohort, study: Study) -> pd.Series:
    """Return, for each row of `faces`, whether the copy `cohort` may learn from it.

    Children and adults go by the image's own age group; `all` takes every face, unknown ages included. The study
    decides whether faces of unknown age count as adults; `known_adults` is the copy without them, for comparison.
    """
    if cohort == "all":
        return pd.Series(True, index=faces.index)
    if cohort == "children":
        return faces["age_group"] == "child"
    adults = faces["age_group"] == "adult"
    with_unknown = cohort == "adults" and study.unknown_age_is_adult
    return adults | (faces["age_group"] == "unknown") if with_unknown else adults


def set_up(study: Study) -> None:
    """Make all that follows depend on the study's seed alone: seeded random numbers, deterministic operations."""
    keras.utils.set_random_seed(study.seed)
    tf.config.experimental.enable_op_determinism()


@dataclass
class Trained:
    """One trained copy: the Keras model, its history and the seconds that it took."""

    network: Any
    curves: pd.DataFrame
    seconds: float
    epochs: int


def fit(
    network: Any, run_id: str, training: TrainingSet, validation: TrainingSet, study: Study, *,
    epochs: int, learning_rate: float, callbacks: tuple[Any, ...] = (),
) -> Trained:  # fmt: skip
    """Train a compiled Keras model in place: Adam, cross-entropy, cosine decay by epoch (arXiv:1608.03983).

    Batches are shuffled and augmented by the study's seed; validation faces are not changed. Raises ValueError if
    there are no training faces.
    """
    if not len(training.labels):
        raise ValueError(f"{run_id}: no training faces; see the coverage matrix of 01_data")
    size = study.batch_size
    batches = training_batches(training.images, training.labels, size, study.seed, study.augmentation)
    validating = plain_batches(validation.images, validation.labels, size) if len(validation.labels) else None

    def cosine(epoch: int) -> float:
        return 0.5 * learning_rate * (1 + math.cos(math.pi * epoch / epochs))

    steps = [keras.callbacks.LearningRateScheduler(cosine), *callbacks]
    started = time.perf_counter()
    done = network.fit(batches, epochs=epochs, validation_data=validating, callbacks=steps, verbose=0)
    seconds = time.perf_counter() - started
    return Trained(network, _curves(run_id, done.history), seconds, epochs)


def compile_network(network: Any, learning_rate: float) -> None:
    """Give a Keras model its optimizer, loss and metric."""
    adam = keras.optimizers.Adam(learning_rate)
    network.compile(adam, "sparse_categorical_crossentropy", metrics=["accuracy"])


def train_copies(
    architecture: Architecture, faces: pd.DataFrame, images: FaceImages, study: Study, weights: str | None,
    use: Callable[[Cohort, Trained], None],
) -> None:  # fmt: skip
    """Train the study's copies of one network and hand each to `use` before the next begins.

    All copies share one graph and one start; each begins with the same weights and a fresh optimizer.
    `faces` are rows of the training and validation splits, `images` theirs.
    """
    set_up(study)
    network = build_network(architecture, study, weights)
    compile_network(network, study.learning_rate)
    network.optimizer.build(network.trainable_variables)
    start = network.get_weights()
    for cohort in study.cohorts:
        keras.utils.set_random_seed(study.seed)
        network.set_weights(start)
        for variable in network.optimizer.variables:
            variable.assign(tf.zeros_like(variable))
        chosen = of_cohort(faces, cohort, study)
        parts = (chosen & (faces["split"] == split) for split in ("train", "validation"))
        training, validation = (TrainingSet.of(faces, images, part) for part in parts)
        trained = fit(
            network, f"{architecture}.{cohort}", training, validation, study,
            epochs=study.epochs, learning_rate=study.learning_rate,
        )  # fmt: skip
        use(cohort, trained)


def _curves(run_id: str, history: dict[str, list[float]]) -> pd.DataFrame:
    kept = {"loss": "loss", "accuracy": "accuracy"}
    kept |= {"val_loss": "validation_loss", "val_accuracy": "validation_accuracy"}
    curves = pd.DataFrame(history).reindex(columns=list(kept)).rename(columns=kept)
    return conform(curves.assign(run_id=run_id, epoch=range(1, len(curves) + 1)), "curves")
