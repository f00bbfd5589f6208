"""All data sets that can be read, by name; a set's reader is imported only when it is asked for."""

from importlib import import_module
from typing import Final

from fer_utils.data.sources.reading import LayoutError, Source

SOURCES: Final = (
    "affectnet", "fer2013", "raf_db", "expw", "ckplus", "jaffe", "kdef", "rafd", "nimh_chefs", "ddcf",
    "childefes", "liris_cse", "guesswhat", "cafe", "london", "own",
)  # fmt: skip
"""The twelve public sets that this project declares, GuessWhat's frames, CAFE, the London photographs, one's own."""


def source(name: str) -> Source:
    """Return the data set of a name.

    Raises LayoutError, in one sentence, for a name that no reader answers to.
    """
    if name not in SOURCES:
        raise LayoutError(f"unknown data set {name!r}: choose one of {', '.join(SOURCES)}")
    found = import_module(f"fer_utils.data.sources.{name}").SOURCE
    assert isinstance(found, Source)
    return found
