"""The examples in docstrings and in the packages' READMEs are run."""

import doctest
from importlib import import_module

import pytest

from face_sets.folders import PROJECT_FOLDER


@pytest.mark.parametrize("name", ["catalogue", "leaks", "validation", "duplicates"])
def test_examples_in_docstrings(name):
    result = doctest.testmod(import_module(f"face_sets.{name}"))
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("package", ["face_sets", "rendered_faces"])
def test_examples_in_readmes(package):
    result = doctest.testfile(str(PROJECT_FOLDER / "packages" / package / "README.md"), module_relative=False)
    assert result.attempted > 3
    assert result.failed == 0
