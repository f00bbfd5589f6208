"""One test opens the others: where groups do not differ, the whole family errs as seldom as its primary test."""

import numpy as np
import pandas as pd
from made_up_predictions import made_up_faces, made_up_predictions

from expression_scores import group_tests as tests_of_groups
from expression_scores.group_tests import PRIMARY, SECONDARY, group_tests
from expression_scores.metrics import join
from expression_scores.printed_scores import ALPHA

FIVE = ("A", "B", "C", "D", "E")


def answered(subjects, right, networks=2, seed=0, groups=FIVE, spread=0.15):
    """Networks' predictions of children who are read better or worse than others, each by an accuracy of its own."""
    faces = made_up_faces(subjects, 14, groups=groups, age_years=5.0)
    generator = np.random.default_rng(seed)
    own = pd.Series(generator.normal(0, spread, subjects), index=faces["subject_id"].unique())
    by_face = faces["ethnicity"].map(right).fillna(0.6) + faces["subject_id"].map(own)
    runs = [
        made_up_predictions(faces, by_face.to_numpy(), [seed, n], f"network {n}") for n in range(networks)
    ]
    return join(pd.concat(runs, ignore_index=True), faces)


def test_the_primary_test_is_first_and_secondary_ones_share_a_correction():
    table = group_tests(answered(50, {}), "network 1", draws=99)
    assert list(table["role"]) == [
        PRIMARY,
        *[SECONDARY] * 12,
    ]  # another network, ten pairs, the adjusted model
    assert table.loc[0, ["run_id", "test"]].tolist() == ["network 1", "largest gap in accuracy (permutation)"]
    assert np.isnan(table.loc[0, "p_holm"])
    assert (table["p_holm"].iloc[1:] >= table["p_value"].iloc[1:]).all()


def test_a_gap_is_named_by_the_pairs_that_hold_it():
    table = group_tests(answered(100, {"E": 0.2}, 1), "network 0", draws=199)
    named = table.loc[table["significant"], "test"]
    assert table.loc[0, "significant"]
    assert {"A and E", "B and E", "C and E", "D and E"} <= set(named)
    assert not {"A and B", "C and D"} & set(named)


def test_nothing_is_significant_where_the_primary_test_is_silent(monkeypatch):
    closed = pd.DataFrame({"run_id": ["network 0", "network 1"], "p_value": 2 * ALPHA})
    monkeypatch.setattr(tests_of_groups, "gaps_of_runs", lambda *_: closed)
    table = group_tests(answered(100, {"E": 0.2}, 1), "network 0", draws=99)
    assert (table["p_holm"] <= ALPHA).any()
    assert not table["significant"].any()


def test_groups_too_small_have_no_tests():
    assert group_tests(answered(20, {}), "network 0", draws=99).empty
