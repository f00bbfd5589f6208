"""Training behind frozen layers: what they make of pictures is computed once, and the layers behind learn from it."""

import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf
import tf_keras as keras
from ai_edge_litert.interpreter import Interpreter

from traced_training.batches import augmented
from traced_training.checkpoints import Checkpoint, write_arrays
from traced_training.training_step import TrainingStep, rate_of_epoch

_BATCH: Final = 16  # pictures at once: larger batches are no quicker on one thread


class FrozenLayers:
    """What enters some layers of a Keras model, `firsts` by name, for `copies` augmented copies of pictures.

    Converted to LiteRT, which is about three times as quick as TensorFlow on one thread, with the weights that the model has
    when it is first asked; not at all where all answers are kept.
    """

    def __init__(self, network: Any, firsts: Sequence[str], copies: int) -> None:
        self.network, self.firsts, self.copies = network, firsts, copies

    @cached_property
    def _converted(self) -> tuple[Any, list[Any]]:
        """An interpreter, and where it has what enters each layer."""
        network, firsts = self.network, self.firsts
        model = keras.Model(network.input, [network.get_layer(first).input for first in firsts])
        call = tf.function(lambda pixels: tuple(model(pixels, training=False)), autograph=False)
        traced = call.get_concrete_function(tf.TensorSpec((_BATCH, *network.input_shape[1:]), tf.float32))
        file = tf.lite.TFLiteConverter.from_concrete_functions([traced], model).convert()
        interpreter = Interpreter(model_content=file, num_threads=1)
        interpreter.allocate_tensors()
        shapes = [tuple(tensor.shape[1:]) for tensor in model.outputs]
        if len({*shapes}) < len(shapes):
            raise ValueError(f"what enters {' and '.join(firsts)} has one shape, so it cannot be told apart")
        details = interpreter.get_output_details()  # in an order of their own: told by their shapes
        return interpreter, [next(d for d in details if tuple(d["shape"][1:]) == shape) for shape in shapes]

    def seen(self, images: np.ndarray, path: Path) -> dict[str, np.ndarray]:
        """Return by layer what enters it, float16, for images uint8 (N, S, S, 3), one copy after the other.

        Kept in `path`, and read from there if it exists.
        """
        if not path.exists():
            starts = [(copy, start) for copy in range(self.copies) for start in range(0, len(images), _BATCH)]
            made = [self._answers(images[start : start + _BATCH], (copy, start)) for copy, start in starts]
            arrays = dict(zip(self.firsts, map(np.concatenate, zip(*made, strict=True)), strict=True))
            write_arrays(path, **arrays)
        with np.load(path) as stored:
            return dict(stored)

    def _answers(self, images: np.ndarray, seed: tuple[int, int]) -> list[np.ndarray]:
        interpreter, outputs = self._converted
        pixels = augmented(images, np.array(seed))
        padded = np.pad(pixels, ((0, _BATCH - len(pixels)), (0, 0), (0, 0), (0, 0)))
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], padded)
        interpreter.invoke()
        found = (interpreter.get_tensor(each["index"]) for each in outputs)
        return [each[: len(pixels)].astype(np.float16) for each in found]


def learn(
    step: TrainingStep, inputs: np.ndarray, labels: np.ndarray, epochs: int, rate: float, batch: int, seed: int,
    checkpoint: Checkpoint,
) -> None:  # fmt: skip
    """Train a step on inputs (N, ...) and labels int64 (N,), the rate falling by half a cosine; kept after each epoch."""
    curve, _ = checkpoint.restore(step)
    for epoch in range(len(curve), epochs):
        step.seed(seed, epoch)
        order = np.random.default_rng((seed, epoch)).permutation(len(labels))
        falling = rate_of_epoch(epoch, epochs, rate)
        for places in np.array_split(order, math.ceil(len(order) / batch)):
            step(inputs[places].astype(np.float32), labels[places], falling)
        curve.append((epoch + 1.0,))
        checkpoint.keep(step, curve, 0.0)
