"""The examples in docstrings give what they show."""

import doctest
import importlib

import pytest

MODULES = (
    "fer_utils.analysis.evidence", "expression_scores.groups", "expression_scores.intervals", "expression_scores.metrics",
    "expression_scores.run_scores",
)  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_hold(name):
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted
    assert not found.failed
