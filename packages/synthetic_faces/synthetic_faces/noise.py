"""Fixed noise patterns of unit variance, made once per process."""

from functools import cache
from typing import Final

import numpy as np

from synthetic_faces.canvas import Floats, soften

SIDE: Final = 1280  # room for a window of the largest canvas at any texture seed (below 200)
_SEED: Final = 7  # the patterns are scenery, not part of a study: the same in every one


@cache
def pattern(name: str) -> Floats:
    """Return a (1280, 1280) float32 pattern: grain (white), pores, blotches, unevenness, from fine to broad."""
    spread = {"grain": 0.0, "pores": 0.8, "blotches": 5.0, "unevenness": 24.0}
    layer = list(spread).index(name)
    noise: Floats = np.random.default_rng([_SEED, layer]).standard_normal((SIDE, SIDE), dtype=np.float32)
    if spread[name] > 0:
        noise = soften(noise, spread[name])
    return (noise / noise.std()).astype(np.float32)
