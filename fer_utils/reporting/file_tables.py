"""Tables for app developers: what an exported file takes and gives."""

import pandas as pd

from fer_utils.compression.file_interface import FileInterface, Tensor


def tensor_table(interface: FileInterface) -> pd.DataFrame:
    """Return a row an end of the graph, all text: tensor, name, shape, type, values, meaning."""
    labels = ", ".join(f"{place} {label}" for place, label in enumerate(interface.labels))
    face = (
        "a face, already cut out: batch, rows from the top, columns from the left, channels red, green, blue"
    )
    return pd.DataFrame(
        [
            _row("input", interface.entrance, "0 to 255, as they are", face),
            _row("output", interface.exit, "0 to 1, together 1", f"probabilities: {labels}"),
        ]
    )


def _row(end: str, tensor: Tensor, values: str, meaning: str) -> dict[str, str]:
    shape = " × ".join(str(side) for side in tensor.shape)
    return {
        "tensor": end, "name": tensor.name, "shape": shape, "type": tensor.kind, "values": values, "meaning": meaning
    }  # fmt: skip
