"""One step of training: gradients, Adam and what a technique makes of the weights, in a graph traced once.

`Model.fit` of Keras gives the same weights, but converts every function by AutoGraph, optimizes the graph and
runs Adam as a dozen operations for each variable; for the two hundred steps that a small study takes, that is most
of the time (`benchmarks/training.py` compares the two).
"""

import gc
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras as keras

from traced_training.gradients import fast_gradients

# Dropout draws from generators that can be set anew, not from the state of an operation that only a new graph resets
keras.backend.experimental.enable_tf_random_generator()

BETA_1: Final = 0.9
BETA_2: Final = 0.999
EPSILON: Final = 1e-7
"""Adam's decay of its first and second moment (Kingma & Ba 2015, arXiv:1412.6980, section 2), and Keras' epsilon."""


class Recipe(NamedTuple):
    """What a step does besides Adam on the cross-entropy; nothing by default.

    `weight_decay` per unit of learning rate, decoupled from the gradients, of kernels alone (AdamW, Loshchilov & Hutter
    2019, arXiv:1711.05101); `label_smoothing`, the share of each label that is spread over all classes (Szegedy et al.
    2016, arXiv:1512.00567, section 7); `weight_average`, the decay at each step of a moving average of the weights,
    which `use_chosen` puts in place of the last ones (Polyak & Juditsky 1992), 0 for none; `keep_best`, whether weights
    can be kept by a score (`keep_if_best`); `sharpness_radius`, how far from the weights, in the direction in which the
    loss rises, the gradients of all layers are taken (sharpness-aware minimisation, Foret et al. 2021, arXiv:2010.01412),
    which doubles the time of a step; 0 for at the weights.
    """

    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    weight_average: float = 0.0
    keep_best: bool = False
    sharpness_radius: float = 0.0


class Unconstrained:
    """Weights that training changes freely; a technique that constrains them overrides what differs.

    Attributes: `parameters`, the variables that Adam changes; `state`, variables besides the network's that change.
    """

    def __init__(self, network: Any) -> None:
        self.parameters: Sequence[Any] = network.trainable_variables
        self.state: Sequence[Any] = ()

    def gradients(self, gradients: Sequence[Any]) -> Sequence[Any]:
        """Return the gradients of `parameters`, given those of the network's trainable variables (traced once)."""
        return gradients

    def after_step(self, step: int) -> None:
        """Restore the constraint after optimizer step `step`, counted from 1."""


class TrainingStep:
    """Adam on the cross-entropy of a Keras model; a step is traced once and serves every copy of the network."""

    def __init__(
        self, network: Any, constraint: Unconstrained | None = None, recipe: Recipe | None = None
    ) -> None:
        self.network = network
        self.recipe = recipe or Recipe()
        # Techniques, and the two gradients of a sharpness-aware step, share the graph as a function. Else it is inlined:
        # the first step of a graph of 34,000 nodes then takes half the time
        self._shares_graph = constraint is not None or self.recipe.sharpness_radius > 0
        self.constraint = constraint or Unconstrained(network)
        zeros = [tf.zeros_like(variable) for variable in self.constraint.parameters]
        self.moments = [(tf.Variable(zero), tf.Variable(zero)) for zero in zeros]
        self.steps = 0
        self._averages = _copies(network) if self.recipe.weight_average else []
        self._best = _copies(network) if self.recipe.keep_best else []
        self._best_score = tf.Variable(-np.inf, dtype=tf.float64)
        random = [getattr(layer, "_random_generator", None) for layer in network.submodules]
        self._generators = [each._generator for each in random if each is not None]
        faces = tf.TensorSpec((None, *network.input_shape[1:]), tf.float32)
        labels = tf.TensorSpec((None,), tf.int64)
        scalar = tf.TensorSpec((), tf.float32)
        self._traced, self._traced_head = (
            tf.function(
                partial(self._learn, head), autograph=False, input_signature=[faces, labels, *[scalar] * 3]
            )
            for head in (False, True)
        )

    @property
    def state(self) -> list[Any]:
        """All variables that steps change."""
        moments = chain.from_iterable(self.moments)
        best = [*self._best, self._best_score] if self._best else []
        return [*self.network.weights, *self.constraint.state, *moments, *self._averages, *best]

    def restart(self) -> None:
        """Forget the moments of Adam, averages and the best weights, as before the first step; weights stay."""
        self.restart_adam()
        self._best_score.assign(-np.inf)
        if self._averages:
            _assign(self._averages, self.network.weights)

    def restart_adam(self) -> None:
        """Forget the moments of Adam: another phase of a training begins."""
        self.steps = 0
        for variable in chain.from_iterable(self.moments):
            variable.assign(tf.zeros_like(variable))

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Give the network its averaged weights, where the recipe has them, for as long as the context lasts."""
        if not self._averages:
            yield
            return
        last = self.network.get_weights()
        _assign(self.network.weights, self._averages)
        try:
            yield
        finally:
            self.network.set_weights(last)

    def keep_if_best(self, score: float) -> None:
        """Keep the weights that the network has now if no score before was as high, where the recipe wants it."""
        if self._best and score > float(self._best_score):
            self._best_score.assign(score)
            _assign(self._best, self.network.weights)

    def use_chosen(self) -> None:
        """Give the network, for good, the best weights that were kept; else the averaged ones; else leave the last."""
        if self._best and np.isfinite(float(self._best_score)):
            _assign(self.network.weights, self._best)
        elif self._averages:
            _assign(self.network.weights, self._averages)

    def seed(self, *numbers: int) -> None:
        """Make the dropout that follows depend on some integers alone."""
        for place, generator in enumerate(self._generators):
            generator.reset_from_seed(int(np.random.SeedSequence((*numbers, place)).generate_state(1)[0]))

    def __call__(
        self, faces: Any, labels: Any, learning_rate: float, head_alone: bool = False
    ) -> tuple[Any, Any]:
        """Learn from one batch: float32 (B, S, S, 3) from 0 to 255 or what the network takes, int64 (B,).

        `head_alone`: the last layer learns, all others stay, their batch normalization as it is when they predict.
        Returns the sum of its faces' losses and the number of correct answers, both before the change of weights.
        """
        self.steps += 1
        decayed = BETA_1**self.steps, BETA_2**self.steps
        traced = self._traced_head if head_alone else self._traced
        answer: tuple[Any, Any] = traced(
            faces, labels, *(tf.constant(number, tf.float32) for number in (learning_rate, *decayed))
        )
        self.constraint.after_step(self.steps)
        return answer

    def _learn(
        self, head_alone: bool, faces: Any, labels: Any, learning_rate: Any, decayed_1: Any, decayed_2: Any
    ) -> Any:
        learned = _gradients(self.network, head_alone, self.recipe.label_smoothing)
        # Inlined where the head learns alone, so that the gradients of all other layers are left out
        if head_alone or not self._shares_graph:
            learned = learned.python_function
        loss, correct, gradients = learned(faces, labels)
        if self.recipe.sharpness_radius and not head_alone:
            gradients = self._gradients_uphill(learned, faces, labels, gradients)
        gradients = self.constraint.gradients(gradients)
        head = {id(variable) for variable in self.network.layers[-1].trainable_variables}
        for variable, (first, second), gradient in zip(
            self.constraint.parameters, self.moments, gradients, strict=True
        ):
            if gradient is None or (head_alone and id(variable) not in head):
                continue  # wrappers of tensorflow-model-optimization may hold variables without use
            if self.recipe.weight_decay and variable.shape.rank > 1:
                variable.assign_sub(learning_rate * self.recipe.weight_decay * variable)
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=first.handle, v=second.handle, grad=gradient, lr=learning_rate,
                beta1=BETA_1, beta2=BETA_2, epsilon=EPSILON, beta1_power=decayed_1, beta2_power=decayed_2,
            )  # fmt: skip
        for average, weight in zip(
            self._averages, self.network.weights, strict=False
        ):  # none without averaging
            average.assign_add((1 - self.recipe.weight_average) * (weight - average))
        return loss, correct

    def _gradients_uphill(self, learned: Any, faces: Any, labels: Any, gradients: Sequence[Any]) -> Any:
        """The gradients at `sharpness_radius` uphill; weights and the statistics of batches are then put back."""
        before = [tf.identity(weight) for weight in self.network.weights]
        known = [each for each in gradients if each is not None]
        share = self.recipe.sharpness_radius / tf.maximum(tf.linalg.global_norm(known), EPSILON)
        for variable, gradient in zip(self.network.trainable_variables, gradients, strict=True):
            if gradient is not None:
                variable.assign_add(share * gradient)
        uphill = learned(faces, labels)[2]
        _assign(self.network.weights, before)
        return uphill


def rate_of_epoch(epoch: int, epochs: int, learning_rate: float, warm_up: int = 0) -> float:
    """Return the learning rate of an epoch, from 0: rising for `warm_up` epochs in equal steps, then falling by half a
    cosine (Loshchilov & Hutter 2017, arXiv:1608.03983)."""
    if epoch < warm_up:
        return learning_rate * (epoch + 1) / (warm_up + 1)
    return 0.5 * learning_rate * (1 + math.cos(math.pi * (epoch - warm_up) / max(epochs - warm_up, 1)))


@lru_cache(maxsize=1)  # techniques that train one network in turn share its graph
def _gradients(network: Any, head_alone: bool, label_smoothing: float) -> Any:
    """The graph of a network's gradients, after the sum of its losses and the number of its correct answers."""
    batch = tf.TensorSpec((None, *network.input_shape[1:]), tf.float32), tf.TensorSpec((None,), tf.int64)

    @partial(tf.function, autograph=False, input_signature=batch)
    def learned(faces: Any, labels: Any) -> Any:
        with fast_gradients():
            probabilities = network(faces, training=not head_alone)
            losses = keras.losses.sparse_categorical_crossentropy(labels, probabilities)
            mean = tf.reduce_mean(_smoothed(losses, probabilities, label_smoothing))
        correct = tf.equal(tf.argmax(probabilities, axis=1), labels)
        sums = tf.reduce_sum(losses), tf.reduce_sum(tf.cast(correct, tf.float32))
        return (*sums, tf.gradients(mean, network.trainable_variables))

    return learned


def forget_graph() -> None:
    """Give back the memory of a training that has ended: its graph, which a next step of the same network would share."""
    _gradients.cache_clear()
    gc.collect()


def _smoothed(losses: Any, probabilities: Any, share: float) -> Any:
    """Cross-entropy with labels of which a share is spread over all classes, from that with the labels themselves."""
    if not share:
        return losses
    spread = -tf.reduce_mean(tf.math.log(tf.maximum(probabilities, keras.backend.epsilon())), axis=1)
    return (1 - share) * losses + share * spread


def _copies(network: Any) -> list[Any]:
    return [tf.Variable(weight, trainable=False) for weight in network.weights]


def _assign(variables: Sequence[Any], values: Sequence[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
