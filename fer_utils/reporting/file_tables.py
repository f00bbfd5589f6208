"""Tables for app developers: what an exported file takes and gives."""

from typing import Final

import pandas as pd

from fer_utils.compression.metadata import FileInterface

ORDER: Final = "batch, rows from the top, columns from the left, colours red, green, blue"


def tensor_table(interface: FileInterface) -> pd.DataFrame:
    """Return what goes in and what comes out, all text: tensor, input, output."""
    ends = (interface.input, interface.output)
    labels = ", ".join(f"{place} {label}" for place, label in enumerate(interface.labels))
    rows = {
        "what": ("a face, already cut out", "probabilities of seven expressions"),
        "shape": tuple(" × ".join(str(side) for side in end.shape) for end in ends),
        "type": tuple(end.dtype for end in ends),
        "values": ("0 to 255, as a picture has them", "0 to 1, together 1"),
        "order": (ORDER, f"as in the labels: {labels}"),
        "name in the graph": tuple(end.name for end in ends),
    }
    return pd.DataFrame([(what, *both) for what, both in rows.items()], columns=["tensor", "input", "output"])
