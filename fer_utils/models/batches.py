"""Batches of face images as a network's input, shuffled and augmented for training."""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_utils.models.backbones import tf
from fer_utils.models.face_images import FaceImages

# Limits of augmentation: about the detector's own scatter. On the London photographs, six copies of each shifted,
# shrunk and turned by up to 15 degrees, 95 of 100 crops were within 0.03 of the side, 12 % of zoom and 4 degrees of
# the original's crop, and all within 0.06, 18 % and 7 degrees.
SHIFT: Final = 0.05  # of the side, either way
ZOOM: Final = 0.1
ROTATION: Final = math.radians(8)
BRIGHTNESS: Final = 25.0  # levels of 255, either way: about a third of an exposure stop on middle grey
CONTRAST: Final = 0.2


def training_batches(
    images: FaceImages, labels: NDArray[np.int64], batch_size: int, seed: int, strength: float = 1.0
) -> Any:
    """Return a tf.data.Dataset of shuffled, augmented batches: float32 (B, S, S, 3) from 0 to 255, int64 (B,).

    Each pass over it is shuffled and augmented anew (mirrored, shifted, zoomed, turned, brightness, contrast),
    the same way each time for one seed; `strength`, 0 to 1, scales all of it but the mirroring. The last batch
    may be smaller; one of a single face is left out, since batch normalization has no variance to learn from it.
    """
    count = len(labels)
    leaves_one = count > 1 and count % batch_size == 1
    order = tf.data.Dataset.range(count).shuffle(count, seed=seed, reshuffle_each_iteration=True)
    seeds = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).batch(2)
    batches = _fetched(order.batch(batch_size, drop_remainder=leaves_one), images, labels)

    def augment(batch: tuple[Any, Any], pair: Any) -> tuple[Any, Any]:
        return augmented(batch[0], pair, strength), batch[1]

    return tf.data.Dataset.zip((batches, seeds)).map(augment, tf.data.AUTOTUNE).prefetch(2)


def plain_batches(images: FaceImages, labels: NDArray[np.int64], batch_size: int) -> Any:
    """Return a tf.data.Dataset of unchanged batches in order: float32 (B, S, S, 3) from 0 to 255, int64 (B,)."""
    order = tf.data.Dataset.range(len(labels)).batch(batch_size)
    return _fetched(order, images, labels).map(lambda x, y: (tf.cast(x, tf.float32), y)).prefetch(2)


def _fetched(order: Any, images: FaceImages, labels: NDArray[np.int64]) -> Any:
    classes, size = tf.constant(labels, tf.int64), images.image_size

    def fetch(places: Any) -> tuple[Any, Any]:
        pixels = tf.numpy_function(images.__getitem__, [places], tf.uint8, stateful=False)
        return tf.ensure_shape(pixels, (None, size, size, 3)), tf.gather(classes, places)

    return order.map(fetch)


def augmented(images: Any, seed: Any, strength: float = 1.0) -> Any:
    """Return augmented copies of images (B, S, S, 3) of levels 0 to 255, as float32.

    `seed` is two integers; `strength` scales all but the mirroring.
    """
    count, side = tf.shape(images)[0], tf.cast(tf.shape(images)[1], tf.float32)
    draws = tf.random.stateless_uniform([7, count, 1], seed, -1.0, 1.0)
    mirror = tf.sign(draws[0])
    scale = 1 + strength * ZOOM * draws[1]
    angle = strength * ROTATION * draws[2]
    cosine, sine = scale * tf.cos(angle), scale * tf.sin(angle)
    middle = (side - 1) / 2
    x = middle * (1 - mirror * cosine + sine) + strength * SHIFT * side * draws[3]
    y = middle * (1 - mirror * sine - cosine) + strength * SHIFT * side * draws[4]
    zeros = tf.zeros_like(x)
    # From an output pixel to the input's: x' = a x + b y + c, y' = d x + e y + f, then two zeros of perspective
    transforms = tf.concat([mirror * cosine, -sine, x, mirror * sine, cosine, y, zeros, zeros], axis=1)
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(images, tf.float32), transforms=transforms, output_shape=tf.shape(images)[1:3],
        fill_value=0.0, interpolation="BILINEAR", fill_mode="NEAREST",
    )  # fmt: skip
    mean = tf.reduce_mean(moved, axis=[1, 2, 3], keepdims=True)
    contrast = 1 + strength * CONTRAST * draws[5][:, :, None, None]
    brightness = strength * BRIGHTNESS * draws[6][:, :, None, None]
    return tf.clip_by_value((moved - mean) * contrast + mean + brightness, 0, 255)
