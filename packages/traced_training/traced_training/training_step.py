"""One step of training: gradients, Adam and what a technique makes of the weights, in a graph traced once.

`Model.fit` of Keras gives the same weights, but converts every function by AutoGraph, optimizes the graph and
runs Adam as a dozen operations for each variable; for the two hundred steps that a small study takes, that is most
of the time (`benchmarks/training.py` compares the two).
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

import numpy as np
import tensorflow as tf
import tf_keras as keras

from traced_training.gradients import matrix_gradients

BETA_1: Final = 0.9
BETA_2: Final = 0.999
EPSILON: Final = 1e-7
"""Adam's decay of its first and second moment (Kingma & Ba 2015, arXiv:1412.6980, section 2), and Keras' epsilon."""


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

    def __init__(self, network: Any, constraint: Unconstrained | None = None) -> None:
        self.network = network
        self.constraint = constraint or Unconstrained(network)
        zeros = [tf.zeros_like(variable) for variable in self.constraint.parameters]
        self.moments = [(tf.Variable(zero), tf.Variable(zero)) for zero in zeros]
        self.steps = 0
        random = [getattr(layer, "_random_generator", None) for layer in network.submodules]
        self._generators = [each._generator for each in random if each is not None]
        side = network.input_shape[1]
        faces, labels = tf.TensorSpec((None, side, side, 3), tf.float32), tf.TensorSpec((None,), tf.int64)
        scalar = tf.TensorSpec((), tf.float32)
        self._traced = tf.function(
            self._learn, autograph=False, input_signature=[faces, labels, scalar, scalar, scalar]
        )

    @property
    def state(self) -> list[Any]:
        """All variables that steps change."""
        return [*self.network.weights, *self.constraint.state, *chain.from_iterable(self.moments)]

    def restart(self) -> None:
        """Forget the moments of Adam, as before the first step; weights stay."""
        self.steps = 0
        for variable in chain.from_iterable(self.moments):
            variable.assign(tf.zeros_like(variable))

    def seed(self, *numbers: int) -> None:
        """Make the dropout that follows depend on some integers alone."""
        for place, generator in enumerate(self._generators):
            generator.reset_from_seed(int(np.random.SeedSequence((*numbers, place)).generate_state(1)[0]))

    def __call__(self, faces: Any, labels: Any, learning_rate: float) -> tuple[Any, Any]:
        """Learn from one batch: float32 (B, S, S, 3) from 0 to 255, int64 (B,).

        Returns the sum of its faces' losses and the number of correct answers, both before the change of weights.
        """
        self.steps += 1
        decayed = BETA_1**self.steps, BETA_2**self.steps
        answer: tuple[Any, Any] = self._traced(
            faces, labels, *(tf.constant(number, tf.float32) for number in (learning_rate, *decayed))
        )
        self.constraint.after_step(self.steps)
        return answer

    def _learn(self, faces: Any, labels: Any, learning_rate: Any, decayed_1: Any, decayed_2: Any) -> Any:
        with matrix_gradients():
            probabilities = self.network(faces, training=True)
            losses = keras.losses.sparse_categorical_crossentropy(labels, probabilities)
            mean = tf.reduce_mean(losses)
        gradients = self.constraint.gradients(tf.gradients(mean, self.network.trainable_variables))
        for variable, (first, second), gradient in zip(
            self.constraint.parameters, self.moments, gradients, strict=True
        ):
            if (
                gradient is not None
            ):  # wrappers of tensorflow-model-optimization may hold variables without use
                tf.raw_ops.ResourceApplyAdam(
                    var=variable.handle, m=first.handle, v=second.handle, grad=gradient, lr=learning_rate,
                    beta1=BETA_1, beta2=BETA_2, epsilon=EPSILON, beta1_power=decayed_1, beta2_power=decayed_2,
                )  # fmt: skip
        correct = tf.equal(tf.argmax(probabilities, axis=1), labels)
        return tf.reduce_sum(losses), tf.reduce_sum(tf.cast(correct, tf.float32))
