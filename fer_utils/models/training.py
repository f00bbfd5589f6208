"""Train the copies of one network: the same graph, traced once, on children, on adults and on all faces."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fer_utils.models.backbones import build_network, keras, tf
from fer_utils.models.devices import use_device
from fer_utils.models.face_images import FaceImages
from fer_utils.models.prediction import predict_keras
from fer_utils.study import Architecture, Cohort, Study
from fer_utils.tables import conform
from traced_training.batches import training_batches
from traced_training.checkpoints import Checkpoint
from traced_training.training_step import TrainingStep


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


def set_up(study: Study, technique: str = "none") -> None:
    """Make all that follows depend on the study's seed and device alone: seeded random numbers, `use_device`.

    Graphs run as they were traced: for a few hundred steps, optimizing them takes longer than it saves.
    """
    use_device(study, technique)
    keras.utils.set_random_seed(study.seed)
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


@dataclass
class Trained:
    """One trained copy: the Keras model, its history and the seconds that it took."""

    network: Any
    curves: pd.DataFrame
    seconds: float
    epochs: int


def fit(
    step: TrainingStep, run_id: str, training: TrainingSet, validation: TrainingSet, study: Study, *,
    epochs: int, learning_rate: float, checkpoint: Checkpoint | None = None,
) -> Trained:  # fmt: skip
    """Train a step's network in place, with a learning rate that falls by half a cosine (arXiv:1608.03983).

    Batches are shuffled and augmented, and dropout drawn, by the study's seed and the epoch; validation faces are not
    changed. After each epoch the state is kept in `checkpoint`, from which a training that was cut goes on. Raises
    ValueError if there are no training faces.
    """
    if not len(training.labels):
        raise ValueError(f"{run_id}: no training faces; see the coverage matrix of 01_data")
    curve, before = checkpoint.restore(step) if checkpoint else ([], 0.0)
    started = time.perf_counter() - before
    for epoch in range(len(curve), epochs):
        rate = 0.5 * learning_rate * (1 + math.cos(math.pi * epoch / epochs))
        step.seed(study.seed, epoch)
        batches = training_batches(
            training.images, training.labels, study.batch_size, (study.seed, epoch), study.augmentation
        )
        learned = [(len(labels), *step(faces, labels, rate)) for faces, labels in batches]
        count, loss, correct = np.sum(learned, axis=0)
        curve.append((epoch + 1, loss / count, correct / count, *_validated(step.network, validation)))
        if checkpoint:
            checkpoint.keep(step, curve, time.perf_counter() - started)
    seconds = time.perf_counter() - started
    columns = ["epoch", "loss", "accuracy", "validation_loss", "validation_accuracy"]
    curves = conform(pd.DataFrame(curve, columns=columns).assign(run_id=run_id), "curves")
    return Trained(step.network, curves, seconds, epochs)


def _validated(network: Any, validation: TrainingSet) -> tuple[float, float]:
    """Loss and accuracy on the validation faces; missing without any."""
    if not len(validation.labels):
        return math.nan, math.nan
    answers = predict_keras(network, validation.images)
    of_label = answers[np.arange(len(answers)), validation.labels].clip(keras.backend.epsilon())
    return float(-np.log(of_label).mean()), float((answers.argmax(1) == validation.labels).mean())


def train_copies(
    architecture: Architecture, faces: pd.DataFrame, images: FaceImages, study: Study, weights: str | None,
    checkpoint: Callable[[Cohort], Checkpoint | None], use: Callable[[Cohort, Trained], None],
) -> None:  # fmt: skip
    """Train the study's copies of one network and hand each to `use` before the next begins.

    All copies share one graph; each begins with the same weights and a fresh optimizer, or goes on from `checkpoint`.
    `faces` are rows of the training and validation splits, `images` theirs.
    """
    set_up(study)
    network = build_network(architecture, study, weights)
    step, start = TrainingStep(network), network.get_weights()
    for cohort in study.cohorts:
        network.set_weights(start)
        step.restart()
        chosen = of_cohort(faces, cohort, study)
        parts = (chosen & (faces["split"] == split) for split in ("train", "validation"))
        training, validation = (TrainingSet.of(faces, images, part) for part in parts)
        trained = fit(
            step, f"{architecture}.{cohort}", training, validation, study,
            epochs=study.epochs, learning_rate=study.learning_rate, checkpoint=checkpoint(cohort),
        )  # fmt: skip
        use(cohort, trained)
