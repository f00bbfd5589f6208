"""Batches of face images as a network's input, shuffled and augmented for training."""

import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol

import cv2
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from face_sets.processes import usable_cores

# Limits of augmentation: about the detector's own scatter. On the London photographs, six copies of each shifted,
# shrunk and turned by up to 15 degrees, 95 of 100 crops were within 0.03 of the side, 12 % of zoom and 4 degrees of
# the original's crop, and all within 0.06, 18 % and 7 degrees.
SHIFT: Final = 0.05  # of the side, either way
ZOOM: Final = 0.1
ROTATION: Final = math.radians(8)
BRIGHTNESS: Final = 25.0  # levels of 255, either way: about a third of an exposure stop on middle grey
CONTRAST: Final = 0.2

ERASED: Final = (0.02, 0.2)
"""Shares of a face that a rectangle covers, the smallest as by Zhong et al. 2020 (arXiv:1708.04896), the largest half of
theirs: mouth and eyes are seldom covered at once."""

LONGEST: Final = 1 / 0.3
"""The rectangle's longer side over its shorter one at most, as theirs."""


class Images(Protocol):
    """Pictures that are read when they are asked for, an array say: uint8 (N, S, S, 3) for some places."""

    def __getitem__(self, places: NDArray[np.int64], /) -> NDArray[np.uint8]: ...


def training_batches(
    images: Images,
    labels: NDArray[np.int64],
    batch_size: int,
    seed: tuple[int, ...],
    strength: float = 1.0,
    shares: NDArray[np.float64] | None = None,
    erasing: float = 0.0,
    most: int = 0,
) -> Iterator[tuple[Any, NDArray[np.int64]]]:
    """Yield one epoch of shuffled, augmented batches: float32 (B, S, S, 3) from 0 to 255, int64 (B,).

    `seed`, some integers, decides order and augmentation (mirrored, shifted, zoomed, turned, brightness, contrast);
    `strength`, 0 to 1, scales all of it but the mirroring; a share `erasing` of the faces loses a rectangle (`erased`).
    With `shares` (N,), which add up to 1, an epoch is a sample of N faces with replacement, each with its share; without,
    every face once; `most`, unless 0, bounds either. While one batch is used the next are read, as many at once as there
    are cores. The last batch may be smaller; one of a single face is left out, since batch normalization has no variance
    to learn from it.
    """
    generator, count = np.random.default_rng(seed), len(labels)
    taken = min(count, most or count)
    order = (
        generator.permutation(count)[:taken] if shares is None else generator.choice(count, taken, p=shares)
    )
    parts = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts.pop()
    draws = np.random.SeedSequence(seed).generate_state(2 * len(parts)).astype(np.int64).reshape(-1, 2)

    def load(part: int) -> Any:
        faces = augmented(images[parts[part]], draws[part], strength)
        return erased(faces, np.random.default_rng(draws[part]), erasing) if erasing else faces

    at_once = usable_cores()
    ahead = at_once + 1  # one is ready while the others are read
    with ThreadPoolExecutor(at_once) as pool:
        loading = deque(pool.submit(load, part) for part in range(min(ahead, len(parts))))
        for part, places in enumerate(parts):
            faces = loading.popleft().result()
            if part + ahead < len(parts):
                loading.append(pool.submit(load, part + ahead))
            yield faces, labels[places]


def augmented(
    images: NDArray[np.uint8], seed: NDArray[np.int64], strength: float = 1.0
) -> NDArray[np.float32]:
    """Return augmented copies of images (B, S, S, 3) of levels 0 to 255, as float32.

    `seed` is two integers; `strength` scales all but the mirroring. OpenCV moves the pixels, in a tenth of TensorFlow's
    time: what is beyond an edge is like the edge.
    """
    count, side = images.shape[:2]
    draws = tf.random.stateless_uniform([7, count, 1], seed, -1.0, 1.0).numpy()[..., 0]
    mirror, (x, y) = np.sign(draws[0]), strength * SHIFT * side * draws[3:5]
    scale, angle = 1 + strength * ZOOM * draws[1], strength * ROTATION * draws[2]
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    contrast, brightness = 1 + strength * CONTRAST * draws[5], strength * BRIGHTNESS * draws[6]
    middle = (side - 1) / 2
    # From an output pixel to the input's: x' = a x + b y + c, y' = d x + e y + f
    across = np.stack([mirror * cosine, -sine, middle * (1 - mirror * cosine + sine) + x], axis=1)
    down = np.stack([mirror * sine, cosine, middle * (1 - mirror * sine - cosine) + y], axis=1)
    changed = np.empty(images.shape, np.float32)
    for image, transform, factor, shift, place in zip(
        images, np.stack([across, down], axis=1), contrast, brightness, changed, strict=True
    ):
        moved = cv2.warpAffine(
            image, transform, (side, side),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        np.multiply(moved, factor, out=place, dtype=np.float32)
        place += moved.mean() * (1 - factor) + shift
    return np.clip(changed, 0, 255, out=changed)


def erased(faces: NDArray[np.float32], generator: np.random.Generator, share: float) -> NDArray[np.float32]:
    """Fill a rectangle of some faces (B, S, S, 3) with noise from 0 to 255, in place; return them.

    Each face with the probability `share`; area and sides of the rectangle within ERASED and LONGEST (random erasing).
    """
    side = faces.shape[1]
    for place in np.flatnonzero(generator.random(len(faces)) < share):
        area = generator.uniform(*ERASED) * side**2
        aspect = math.exp(generator.uniform(-1, 1) * math.log(LONGEST))
        height, width = (min(max(round(math.sqrt(area * each)), 1), side) for each in (aspect, 1 / aspect))
        top, left = (int(generator.integers(side - each + 1)) for each in (height, width))
        faces[place, top : top + height, left : left + width] = generator.uniform(0, 255, (height, width, 3))
    return faces
