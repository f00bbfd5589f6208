"""From the `faces` table to a network's input: pixels in memory, and augmented training batches."""

import hashlib
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_utils.data.images import ImageError, Pixels, decode_image, resize

# How far augmentation goes: about as far as the detector's own scatter. On the London photographs, six copies of
# each shifted, shrunk and turned by up to 15 degrees, 95 of 100 crops lay within 0.03 of the side, 12 % of zoom and
# 4 degrees of where the original's had lain, and all within 0.06, 18 % and 7 degrees.
SHIFT: Final = 0.05  # of the side, either way
ZOOM: Final = 0.1
ROTATION: Final = math.radians(8)
BRIGHTNESS: Final = 25.0  # levels of 255, either way: about a third of an exposure stop on middle grey
CONTRAST: Final = 0.2


class BatchError(ValueError):
    """Stored faces are missing or damaged; the message says how many and what to do, and names no file."""


def load_pixels(faces: pd.DataFrame, folder: Path, image_size: int, threads: int = 4) -> Pixels:
    """Return the stored images of a `faces` table as uint8 RGB, shape (N, image_size, image_size, 3).

    `folder` holds the table; each file is checked against its SHA-256. Raises BatchError, in one sentence, if
    any is missing or is not what was stored.
    """
    pixels = np.empty((len(faces), image_size, image_size, 3), dtype=np.uint8)

    def fill(place: int, path: str, sha256: str) -> bool:
        image = _stored_image(folder / path, sha256)
        if image is not None:
            pixels[place] = resize(image, image_size)
        return image is not None

    with ThreadPoolExecutor(threads) as pool:
        good = list(pool.map(fill, range(len(faces)), faces["path"], faces["sha256"]))
    if bad := good.count(False):
        raise BatchError(
            f"{bad} of {len(faces)} stored faces are missing or damaged: delete the folder of faces "
            "and run the data stage again"
        )
    return pixels


def training_batches(
    pixels: Pixels, labels: NDArray[np.int64], batch_size: int, seed: int, strength: float = 1.0
) -> Any:
    """Return a tf.data.Dataset of shuffled, augmented batches: float32 (B, S, S, 3) from 0 to 255, int64 (B,).

    Each pass over it is shuffled and augmented afresh (mirrored, shifted, zoomed, turned, brightness, contrast),
    the same way each time for one seed; `strength`, 0 to 1, scales all of it but the mirroring. The last batch
    may be smaller; one of a single face is left out, since batch normalisation has no variance to learn from it.
    """
    import tensorflow as tf

    count = len(labels)
    leaves_one = count > 1 and count % batch_size == 1
    order = tf.data.Dataset.range(count).shuffle(count, seed=seed, reshuffle_each_iteration=True)
    seeds = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).batch(2)
    batches = order.batch(batch_size, drop_remainder=leaves_one)
    images, answers = tf.constant(pixels), tf.constant(labels, tf.int64)

    def assemble(places: Any, pair: Any) -> tuple[Any, Any]:
        return augmented(tf.gather(images, places), pair, strength), tf.gather(answers, places)

    return tf.data.Dataset.zip((batches, seeds)).map(assemble, tf.data.AUTOTUNE).prefetch(2)


def augmented(images: Any, seed: Any, strength: float = 1.0) -> Any:
    """Return augmented copies of images (B, S, S, 3) of levels 0 to 255, as float32.

    `seed` is two integers; `strength` scales all but the mirroring.
    """
    import tensorflow as tf

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


def _stored_image(path: Path, sha256: str) -> Pixels | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(data).hexdigest() != sha256:
        return None
    try:
        return decode_image(data)
    except ImageError:
        return None
