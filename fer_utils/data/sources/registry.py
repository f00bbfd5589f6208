"""All data sets that can be read, by name; a set's reader is imported only when it is asked for."""

from importlib import import_module
from typing import Final

from fer_utils.data.sources.reading import LayoutError, Source
from fer_utils.study import LICENSED_SETS

SOURCES: Final = (*LICENSED_SETS, "london", "own")
"""The sets of the licensed study, the London photographs, and a reader's own pictures."""


def source(name: str) -> Source:
    """Return the data set of a name.

    Raises LayoutError, in one sentence, for a name that no reader answers to.
    """
    if name not in SOURCES:
        raise LayoutError(f"unknown data set {name!r}: choose one of {', '.join(SOURCES)}")
    found = import_module(f"fer_utils.data.sources.{name}").SOURCE
    assert isinstance(found, Source)
    return found
