"""The shipped table of simulated groups is of today's code and within its limits."""

import numpy as np
import pandas as pd
import pytest

from expression_scores import simulated_groups
from expression_scores.group_tests import PRIMARY
from expression_scores.groups import clustering
from expression_scores.metrics import confusions_by_subject
from expression_scores.simulated_groups import (
    ALIKE,
    ASKED,
    FIRST,
    NULL,
    PLANTED,
    answers_of,
    in_full,
    read_table,
    rows_of,
    sampled,
    tried_code,
)


@pytest.fixture(scope="module")
def table():
    return read_table()


def test_the_table_is_of_todays_code_and_within_its_limits(table):
    assert set(table["code"]) == {tried_code()}
    asked = {each.words for each in ASKED}
    for _, part in table.groupby("groups"):
        assert set(part["question"]) == asked
    held = (table["low"] <= table["most"].fillna(np.inf)) & (table["high"] >= table["least"])
    assert held.all(), table[~held]


@pytest.mark.parametrize("place", range(2))
def test_the_first_repeats_come_out_as_shipped(table, place):
    name = table["groups"].unique()[place]
    part = table[table["groups"] == name]
    sizes, photographs = [int(n) for n in part["children"].iloc[0].split()], int(part["photographs"].iloc[0])
    again = rows_of(
        name, sizes, photographs, np.array([answers_of(sizes, photographs, n) for n in range(FIRST)])
    )
    assert again["first"].to_list() == pytest.approx(part["first"].to_list(), abs=1e-4)


def test_a_table_of_other_code_is_refused(table, tmp_path):
    table.assign(code="0").to_csv(tmp_path / "old.csv", index=False)
    with pytest.raises(ValueError, match="fer validate --groups"):
        read_table(tmp_path / "old.csv")


def test_it_is_written_whole(tmp_path):
    path = tmp_path / "table.csv"
    assert list(in_full({"few": ([11, 11], 7)}, path, 3)) == ["few"]
    assert set(pd.read_csv(path)["repeats"]) == {3}


def test_children_are_as_alike_as_planted():
    joined = sampled(np.random.default_rng(0), (400, 400), 8, np.array([0.6, 0.6]))
    assert clustering(confusions_by_subject(joined)[1]).correlation == pytest.approx(ALIKE, abs=0.04)


def test_a_family_that_errs_too_often_is_seen(monkeypatch):
    always = pd.DataFrame({"role": [PRIMARY], "test": ["B and C"]})
    monkeypatch.setattr(simulated_groups, "_significant", lambda *_: always)
    answers = np.array([answers_of((11, 11, 11), 7, number) for number in range(5)])
    rows = rows_of("three", (11, 11, 11), 7, answers).set_index("question")
    beyond = rows["low"] > rows["most"]
    assert beyond[[each.words for each in (*NULL, *PLANTED)]].all()
