"""All data sets that can be read, by name; a set's reader is imported only when it is asked for."""

from importlib import import_module
from typing import Final

from face_sets.readers.reading import LayoutError, Source
from face_sets.set_names import LICENSED_SETS, OWN_SET

SOURCES: Final = (*LICENSED_SETS, "london", OWN_SET)
"""The sets of the licensed study, the London photographs, and a reader's own pictures."""

READ_BY_NAME: Final = frozenset({"kdef", "jaffe", "rafd", "ddcf", "nimh_chefs"})
"""Those whose labels stand in the pictures' file names; any other has a module of its name."""


def source(name: str) -> Source:
    """Return the data set of a name.

    Raises LayoutError, in one sentence, for a name that no reader answers to.
    """
    if name not in SOURCES:
        raise LayoutError(f"unknown data set {name!r}: choose one of {', '.join(SOURCES)}")
    module = import_module(reader_module(name))
    found = module.SOURCES[name] if name in READ_BY_NAME else module.SOURCE
    assert isinstance(found, Source)
    return found


def reader_module(name: str) -> str:
    """Return the module that reads a data set."""
    return f"face_sets.readers.{'file_names' if name in READ_BY_NAME else name}"
