"""Train the copies of one network: the same graph, traced once, on children, on adults and on all faces."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from face_sets.face_images import FaceImages
from fer_utils.models.backbones import build_network, keras, tf
from fer_utils.models.devices import too_little_memory, use_device
from fer_utils.models.prediction import predict_keras
from fer_utils.study import MATCHED_BY, Architecture, Cohort, Study
from fer_utils.tables import conform
from traced_training.batches import training_batches
from traced_training.checkpoints import Checkpoint
from traced_training.training_step import Recipe, TrainingStep, rate_of_epoch

TEMPERATURES: Final = (0.1, 10.0)
"""Bounds of the search: from ten times too timid to ten times too sure."""

STRATA: Final = ("dataset", "age_group", "expression", "mouth")
"""Columns of `faces` that balanced sampling goes by. Open networks recognise expressions with an open mouth less often
than with a closed one (0.46 against 0.69 in a 2026 audit of five, arXiv:2610.08279, known from a summary)."""


@dataclass(frozen=True)
class TrainingSet:
    """Faces of one split: their images, class indices (N,), and the `STRATA` of each."""

    images: FaceImages
    labels: np.ndarray
    about: pd.DataFrame = field(default_factory=pd.DataFrame)

    @classmethod
    def of(cls, faces: pd.DataFrame, images: FaceImages, chosen: pd.Series) -> "TrainingSet":
        """Return the faces that `chosen` (one boolean per row) marks; categorical order gives the class index."""
        rows = chosen.to_numpy(dtype=bool)
        labels = faces["expression"].cat.codes.to_numpy()[rows].astype(np.int64)
        return cls(images.part(rows), labels, faces.loc[rows, list(STRATA)])

    @property
    def balanced_shares(self) -> np.ndarray:
        """How often each face is to be shown, so that every data set, age group and expression is equally often.

        Of each, faces with the mouth open, closed and of unknown mouth are equally often, as far as there are any.
        """
        outer = self.about.groupby(list(STRATA[:-1]), observed=True).ngroup().to_numpy()
        cell = self.about.groupby(list(STRATA), observed=True, dropna=False).ngroup().to_numpy()
        mouths = pd.Series(cell).groupby(outer).nunique().to_numpy()
        return np.asarray(1.0 / (len(mouths) * mouths[outer] * np.bincount(cell)[cell]))

    @property
    def children(self) -> "TrainingSet":
        """The children alone; all faces where there is no child."""
        chosen = (self.about["age_group"] == "child").to_numpy()
        if not chosen.any():
            return self
        return TrainingSet(self.images.part(chosen), self.labels[chosen], self.about[chosen])


def of_cohort(faces: pd.DataFrame, cohort: Cohort, study: Study) -> pd.Series:
    """Return, for each row of `faces`, whether the copy `cohort` may learn from it.

    Children and adults go by the image's own age group; `all` takes every face, unknown ages included. The study
    decides whether faces of unknown age count as adults; `known_adults` is the copy without them, for comparison.
    A matched cohort holds as many faces as its counterpart of the other age, in every stratum of `MATCHED_BY`.
    """
    if (rung := cohort.rpartition("_")[0]) in MATCHED_BY:
        return _matched(faces, rung, study) & of_cohort(faces, _plain(cohort), study)
    if cohort == "all":
        return pd.Series(True, index=faces.index)
    if cohort == "children":
        return faces["age_group"] == "child"
    adults = faces["age_group"] == "adult"
    with_unknown = cohort == "adults" and study.unknown_age_is_adult
    return adults | (faces["age_group"] == "unknown") if with_unknown else adults


def _plain(cohort: Cohort) -> Cohort:
    return "children" if cohort.endswith("children") else "adults"


def _matched(faces: pd.DataFrame, rung: str, study: Study) -> pd.Series:
    """Whether a face is among the first of its age and stratum, as many as both ages have there.

    First by a hash of the name, so that a further data set replaces few faces and the choice depends on no seed.
    """
    sides = {side: of_cohort(faces, side, study) for side in ("children", "adults")}
    rows = faces[sides["children"] | sides["adults"]]
    side = np.where(sides["children"][rows.index], "children", "adults")
    stratum = rows.groupby(["split", *MATCHED_BY[rung]], observed=True).ngroup()
    counts = pd.crosstab(stratum, side).reindex(columns=list(sides), fill_value=0).min(axis=1)
    order = pd.util.hash_pandas_object(rows["face_id"].astype(str), index=False)
    rank = order.groupby([stratum, side]).rank(method="first")
    chosen = rank <= stratum.map(counts)
    return chosen.reindex(faces.index, fill_value=False)


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
    epochs: int, learning_rate: float, checkpoint: Checkpoint | None = None, head_epochs: int = 0, warm_up: int = 0,
) -> Trained:  # fmt: skip
    """Train a step's network in place: `head_epochs` of its last layer alone, then `epochs` of all layers.

    The learning rate follows `rate_of_epoch`. Batches are sampled, shuffled and augmented, and dropout drawn, by the
    study's seed and the epoch; validation faces are not changed. The state is kept in `checkpoint` at the end
    and when that is due; from it a training that was cut goes on. Raises ValueError if there are no training faces.
    """
    if not len(training.labels):
        raise ValueError(f"{run_id}: no training faces; see the coverage matrix of 01_data")
    curve, before = checkpoint.restore(step) if checkpoint else ([], 0.0)
    started = time.perf_counter() - before
    total = head_epochs + epochs
    for epoch in range(len(curve), total):
        later = epoch - head_epochs
        if head_epochs and later == 0:
            step.restart_adam()
        rate = study.head_learning_rate if later < 0 else rate_of_epoch(later, epochs, learning_rate, warm_up)
        learned = _epoch(step, run_id, training, study, epoch, rate, head_alone=later < 0)
        with step.averaged():
            curve.append((epoch + 1, *learned, *_validated(step.network, validation)))
            if step.recipe.keep_best:
                step.keep_if_best(_recall_of_children(step.network, validation))
        seconds = time.perf_counter() - started
        if checkpoint and (len(curve) == total or checkpoint.is_due(seconds)):
            checkpoint.keep(step, curve, seconds)
    step.use_chosen()
    seconds = time.perf_counter() - started
    columns = ["epoch", "loss", "accuracy", "validation_loss", "validation_accuracy"]
    curves = conform(pd.DataFrame(curve, columns=columns).assign(run_id=run_id), "curves")
    return Trained(step.network, curves, seconds, total)


def _epoch(
    step: TrainingStep, run_id: str, training: TrainingSet, study: Study, epoch: int, rate: float, *, head_alone: bool
) -> tuple[float, float]:  # fmt: skip
    """Learn for one epoch; return its mean loss and accuracy."""
    seed = (study.seed, epoch)
    step.seed(*seed)
    shares = training.balanced_shares if study.balanced_sampling else None
    batches = training_batches(
        training.images, training.labels, study.batch_size, seed, study.augmentation, shares, study.erasing,
        study.faces_per_epoch,
    )  # fmt: skip
    try:
        learned = [(len(labels), *step(faces, labels, rate, head_alone)) for faces, labels in batches]
    except tf.errors.ResourceExhaustedError as error:
        raise too_little_memory(run_id, study) from error
    count, loss, correct = np.sum(learned, axis=0)
    return loss / count, correct / count


def _validated(network: Any, validation: TrainingSet) -> tuple[float, float]:
    """Loss and accuracy on the validation faces; missing without any."""
    if not len(validation.labels):
        return math.nan, math.nan
    answers = predict_keras(network, validation.images)
    of_label = answers[np.arange(len(answers)), validation.labels].clip(keras.backend.epsilon())
    return float(-np.log(of_label).mean()), float((answers.argmax(1) == validation.labels).mean())


def _recall_of_children(network: Any, validation: TrainingSet) -> float:
    """Balanced accuracy on the validation children: the mean over the expressions that they show."""
    children = validation.children
    if not len(children.labels):
        return -math.inf
    right = predict_keras(network, children.images).argmax(1) == children.labels
    return float(np.mean([right[children.labels == shown].mean() for shown in np.unique(children.labels)]))


def scale_temperature(network: Any, validation: TrainingSet) -> None:
    """Divide the last layer's weights by the temperature at which probabilities fit the validation children best.

    One number for the whole network, so no answer changes (Guo et al. 2017, arXiv:1706.04599, section 4.2).
    """
    children, head = validation.children, network.layers[-1]
    if not len(children.labels):
        return
    logits = np.log(predict_keras(network, children.images).clip(keras.backend.epsilon()))

    def loss(log_temperature: float) -> float:
        fitted = log_softmax(logits / math.exp(log_temperature), axis=1)
        return float(-fitted[np.arange(len(fitted)), children.labels].mean())

    found = minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded")
    head.set_weights([weight / math.exp(found.x) for weight in head.get_weights()])


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
    keep_best = study.chosen_epoch == "best"
    recipe = Recipe(
        study.weight_decay, study.label_smoothing, study.weight_average, keep_best, study.sharpness_radius
    )
    step, start = TrainingStep(network, recipe=recipe), network.get_weights()
    for cohort in study.cohorts:
        network.set_weights(start)
        step.restart()
        chosen = of_cohort(faces, cohort, study)
        parts = (chosen & (faces["split"] == split) for split in ("train", "validation"))
        training, validation = (TrainingSet.of(faces, images, part) for part in parts)
        trained = fit(
            step, f"{architecture}.{cohort}", training, validation, study,
            epochs=study.epochs, learning_rate=study.learning_rate, checkpoint=checkpoint(cohort),
            head_epochs=study.head_epochs, warm_up=study.warm_up_epochs,
        )  # fmt: skip
        if study.temperature_scaling:
            scale_temperature(network, validation)
        use(cohort, trained)
