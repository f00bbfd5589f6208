"""The examples in docstrings give what they show."""

import doctest
import importlib

import pytest

MODULES = ("evidence", "groups", "intervals", "metrics", "run_scores")


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_hold(name):
    found = doctest.testmod(importlib.import_module(f"fer_utils.analysis.{name}"))
    assert found.attempted
    assert not found.failed
