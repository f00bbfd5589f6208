import json

import numpy as np
import pandas as pd
import pytest

from fer_utils.reporting import numbers
from fer_utils.reporting.numbers import as_plain, glue_number


@pytest.fixture
def glued(monkeypatch):
    """What reaches the notebook, by key, instead of a kernel."""
    stored = {}
    monkeypatch.setattr(numbers, "_glued", {})
    monkeypatch.setattr(numbers, "glue", lambda key, value, display: stored.update({key: (value, display)}))
    return stored


@pytest.mark.parametrize(
    "value", [np.float32(0.5), np.float64(0.5), np.int64(3), np.str_("none"), 2, 0.25, "a"]
)
def test_values_become_plain_python(value, glued):
    glue_number("key", value)
    plain, display = glued["key"]
    assert type(plain) in (int, float, str)
    assert plain == value
    assert json.loads(json.dumps(plain)) == value
    assert display is False, "glued numbers belong in prose, not below the cell"


@pytest.mark.parametrize("value", [None, pd.NA, pd.NaT, float("nan"), np.float32("nan"), np.inf, ""])
def test_what_is_missing_is_refused_by_name(value, glued):
    with pytest.raises(ValueError, match="best_accuracy"):
        glue_number("best_accuracy", value)
    assert not glued


@pytest.mark.parametrize("value", [True, np.bool_(True), [1], np.array([1.0, 2.0]), pd.Series([1]), {"a": 1}])
def test_what_is_not_one_number_is_refused(value):
    with pytest.raises(TypeError, match="one number or word"):
        as_plain(value, "key")


@pytest.mark.parametrize("key", ["Best", "best accuracy", "1st", "", "a-b"])
def test_keys_are_plain_words(key, glued):
    with pytest.raises(ValueError, match="glue key"):
        glue_number(key, 1)
    assert not glued


def test_a_key_keeps_its_meaning_but_a_cell_may_run_again(glued):
    glue_number("count", 3)
    glue_number("count", np.int64(3))
    with pytest.raises(ValueError, match="already holds 3"):
        glue_number("count", 4)
    assert glued["count"][0] == 3
