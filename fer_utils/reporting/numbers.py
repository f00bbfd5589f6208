"""Numbers in prose: a notebook glues a value under a key, and prose shows it by that key.

MyST-NB prints a missing key, and a NumPy scalar with a format, as an empty string without failing
(https://myst-nb.readthedocs.io/en/latest/render/glue.html), so values become plain Python here first.
"""

import math
import re
from typing import Any, Final

import numpy as np
import pandas as pd
from myst_nb import glue

_KEY: Final = re.compile(r"[a-z][a-z0-9_]*")
_glued: dict[str, int | float | str] = {}  # of this kernel, so that a key has one meaning


def glue_number(key: str, value: Any) -> None:
    """Store a number or word for prose; show it with the role glue:text, `key:.3f` say.

    `value` is an int, float, str or NumPy scalar. Raises ValueError for a key that is not lower case letters,
    digits and underscores or that already holds another value, and for a missing or infinite value; TypeError
    for anything that is not one number or word.
    """
    if not _KEY.fullmatch(key):
        raise ValueError(f"glue key {key!r}: use lower case letters, digits and underscores only")
    plain = as_plain(value, key)
    if _glued.setdefault(key, plain) != plain:
        raise ValueError(
            f"glue key {key!r} already holds {_glued[key]!r} and cannot also hold {plain!r}: choose another, "
            "or restart the kernel if you changed the cell"
        )
    glue(key, plain, display=False)


def as_plain(value: Any, key: str) -> int | float | str:
    """Return `value` as a plain int, float or str; `key` names it in errors.

    Raises ValueError for a missing or infinite value, TypeError for what is not one number or word.
    """
    if value is None or value is pd.NA or value is pd.NaT:
        raise ValueError(f"{key!r} is missing: prose cannot show it, say in words why it is not there")
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, bool) or not isinstance(plain, int | float | str):
        raise TypeError(f"{key!r} is {type(value).__name__}: prose shows one number or word")
    if isinstance(plain, float) and not math.isfinite(plain):
        raise ValueError(f"{key!r} is {plain}: prose cannot show it, say in words why it is not there")
    if plain == "":
        raise ValueError(f"{key!r} is an empty text: prose cannot show it")
    return plain
