"""Fixed noise patterns of unit variance, made once a process."""

from functools import cache
from typing import Final

import cv2
import numpy as np

from fer_utils.data.synthetic.canvas import Floats

SIDE: Final = 768  # room for a window of the largest canvas at any texture seed
_SEED: Final = 7  # the patterns are scenery, not part of a study: the same in every one


@cache
def pattern(name: str) -> Floats:
    """Return a (768, 768) float32 pattern: grain (white), pores, blotches, unevenness, from fine to broad."""
    spread = {"grain": 0.0, "pores": 0.8, "blotches": 5.0, "unevenness": 24.0}
    layer = list(spread).index(name)
    noise: Floats = np.random.default_rng([_SEED, layer]).standard_normal((SIDE, SIDE), dtype=np.float32)
    if spread[name] > 0:
        noise = cv2.GaussianBlur(noise, (0, 0), spread[name])
    return (noise / noise.std()).astype(np.float32)
