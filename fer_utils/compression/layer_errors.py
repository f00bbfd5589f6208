"""Which layers of a network suffer from 8-bit arithmetic: each one's own error, its inputs being the same."""

import io
from typing import Final

import numpy as np
import pandas as pd

from fer_utils.compression.export import mlir_quantize
from fer_utils.models.backbones import tf

FACES: Final = 20
"""Faces that the errors are averaged over: thousands of values a face and layer, so more change little."""


def layer_errors(calibrated: bytes, faces: np.ndarray) -> pd.DataFrame:
    """Return one row a layer of a `calibrated` model, in the order of running, over the first FACES of uint8 faces.

    Columns: position; operator; layer (name of its output tensor); error_steps, its root mean square error in steps
    of its 8-bit range (rounding alone gives 0.29, more means that it is clipped or that its weights are coarse);
    noise_share, the squared error over the variance of its output. Inputs are those of the 8-bit network, so an
    error is the layer's own. As TensorFlow's QuantizationDebugger does it.
    """
    debug = tf.lite.experimental
    debugger = debug.QuantizationDebugger(
        quant_debug_model_content=bytes(mlir_quantize(calibrated, enable_numeric_verify=True)),
        debug_dataset=lambda: ([face[None].astype(np.float32)] for face in faces[:FACES]),
        debug_options=debug.QuantizationDebugOptions(layer_direct_compare_metrics={"variance": _variance}),
    )
    debugger.run()
    text = io.StringIO()
    debugger.layer_statistics_dump(text)
    text.seek(0)
    found = pd.read_csv(text)
    return pd.DataFrame(
        {
            "position": range(len(found)),
            "operator": found["op_name"],
            "layer": found["tensor_name"],
            "error_steps": np.sqrt(found["mean_squared_error"]) / found["scale"],
            "noise_share": found["mean_squared_error"] / found["variance"].where(found["variance"] > 0),
        }
    )


def _variance(values: np.ndarray, _quantized: np.ndarray, _scale: float, _zero_point: int) -> float:
    return float(np.var(values))
