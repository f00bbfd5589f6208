"""Other 8-bit files of a network, made to find out what its own one suffers from."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from fer_utils.compression.activation_ranges import measured_ranges, with_ranges
from fer_utils.compression.export import calibrated, quantized
from fer_utils.models.backbones import HardSwish

FLOAT_SHARE: Final = 0.2
"""Share of the layers that a mend leaves float: the first fifth holds few weights, so the file stays small."""

MORE_FACES: Final = 4
"""How many times as many representative faces a mend takes: from the least to near the most that the guide asks for."""


@dataclass(frozen=True)
class Variant:
    """An 8-bit TFLite file made otherwise; `about` says how, in words."""

    name: str
    model: bytes
    about: str


def mends(model: bytes, errors: pd.DataFrame, more: np.ndarray) -> Iterator[Variant]:
    """Yield what may mend the 8-bit file of a `calibrated` model whose `layer_errors` are given.

    `more` are further representative faces, uint8 (N, S, S, 3). Layers left float cost size and time.
    """
    count = round(FLOAT_SHARE * len(errors))
    chosen = {"first": errors.head(count), "noisiest": errors.nlargest(count, "noise_share")}
    for which, part in chosen.items():
        about = f"the {which} {count} of {len(errors)} layers left float"
        yield Variant(f"{which}_layers_float", quantized(model, list(part["layer"])), about)
    wider = with_ranges(model, measured_ranges(model, more))
    yield Variant("more_faces", quantized(wider), f"ranges from {len(more)} representative faces")


def whole_hard_swish(network: Any, representative: np.ndarray) -> Iterator[Variant]:
    """Yield the 8-bit file in which hard-swish is one operator; nothing for a network without it."""
    if any(isinstance(layer, HardSwish) for layer in network.layers):
        model = calibrated(network, representative, whole_hard_swish=True)
        yield Variant("whole_hard_swish", quantized(model), "hard-swish as the one operator HARD_SWISH")
