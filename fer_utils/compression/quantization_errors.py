"""Where an 8-bit file loses accuracy: the error of each layer, and other 8-bit files of the same network."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from fer_utils.compression.export import mlir_quantize, quantized, with_activation_ranges
from fer_utils.models.backbones import HardSwish, tf
from tflite_files.activation_ranges import measured_ranges, with_ranges

FACES: Final = 20
"""Faces that the errors are averaged over: thousands of values per face and layer, so more change little."""

FLOAT_SHARE: Final = 0.2
"""Share of the layers that `candidate_fixes` leave float: the first fifth holds few weights, the file stays small."""

MORE_FACES: Final = 4
"""Factor by which `candidate_fixes` take more representative faces: from the least towards the most of the guide."""


@dataclass(frozen=True)
class Variant:
    """An 8-bit TFLite file made otherwise; `about` says how, in words."""

    name: str
    model: bytes
    about: str


def layer_errors(model: bytes, faces: np.ndarray) -> pd.DataFrame:
    """Return one row per layer of a model `with_activation_ranges`, in running order, over the first FACES of faces.

    Columns: position; operator; layer (name of its output tensor); error_steps, its root mean square error in steps
    of its 8-bit range (rounding alone gives 0.29, more means that it is clipped or that its weights are coarse);
    noise_share, the squared error over the variance of its output. Inputs are those of the 8-bit network, so an
    error is the layer's own. Source: TensorFlow's QuantizationDebugger. `faces` is uint8 (N, S, S, 3).
    """
    debug = tf.lite.experimental
    debugger = debug.QuantizationDebugger(
        quant_debug_model_content=bytes(mlir_quantize(model, enable_numeric_verify=True)),
        debug_dataset=lambda: ([face[None].astype(np.float32)] for face in faces[:FACES]),
        debug_options=debug.QuantizationDebugOptions(
            layer_direct_compare_metrics={"variance": lambda values, *_: float(np.var(values))}
        ),
    )
    debugger.run()
    text = io.StringIO()
    debugger.layer_statistics_dump(text)
    text.seek(0)
    found = pd.read_csv(text)
    squared = found["mean_squared_error"]
    errors = found.rename(columns={"op_name": "operator", "tensor_name": "layer"}).assign(
        position=range(len(found)),
        error_steps=np.sqrt(squared) / found["scale"],
        noise_share=squared / found["variance"].where(found["variance"] > 0),
    )
    return errors[["position", "operator", "layer", "error_steps", "noise_share"]]


def candidate_fixes(model: bytes, errors: pd.DataFrame, more: np.ndarray) -> Iterator[Variant]:
    """Yield files that may lose less than the 8-bit file of a model whose `layer_errors` are given.

    `more` are further representative faces, uint8 (N, S, S, 3). Layers left float cost size and time.
    """
    count = round(FLOAT_SHARE * len(errors))
    chosen = {"first": errors.head(count), "noisiest": errors.nlargest(count, "noise_share")}
    for which, part in chosen.items():
        about = f"the {which} {count} of {len(errors)} layers left float"
        yield Variant(f"{which}_layers_float", quantized(model, list(part["layer"])), about)
    wider = with_ranges(model, measured_ranges(model, more))
    yield Variant("more_faces", quantized(wider), f"ranges from {len(more)} representative faces")


def whole_hard_swish(
    network: Any, representative: np.ndarray, float_file: bytes | None = None
) -> Iterator[Variant]:
    """Yield the 8-bit file in which hard-swish is one operator; nothing for a network without it."""
    if any(isinstance(layer, HardSwish) for layer in network.layers):
        model = with_activation_ranges(network, representative, float_file, fused=True)
        yield Variant("whole_hard_swish", quantized(model), "hard-swish as the one operator HARD_SWISH")
