"""All data sets that can be read, by name; a set's reader is imported only when it is asked for."""

from importlib import import_module
from typing import Final

from face_sets.readers.reading import LayoutError, Source
from face_sets.set_names import LICENSED_SETS, OWN_SET

SOURCES: Final = (*LICENSED_SETS, "london", OWN_SET)
"""The sets of the licensed study, the London photographs, and a reader's own pictures."""


def source(name: str) -> Source:
    """Return the data set of a name.

    Raises LayoutError, in one sentence, for a name that no reader answers to.
    """
    if name not in SOURCES:
        raise LayoutError(f"unknown data set {name!r}: choose one of {', '.join(SOURCES)}")
    found = import_module(f"face_sets.readers.{name}").SOURCE
    assert isinstance(found, Source)
    return found
