"""Scores over the seeds of a study: of every copy, and of the children's copy beside the adults'."""

import pandas as pd
import pytest
from made_up_predictions import made_up_faces, made_up_predictions

from expression_scores import training_seeds
from expression_scores.metrics import join


def answered(seeds, cohorts=("children", "adults")):
    """Joined predictions of the copies of one network, from one seed or several; the children's copy is better."""
    faces = made_up_faces(30, 7)
    right = {"children": 0.7, "adults": 0.5, "all": 0.8}
    ids = {
        (cohort, seed): f"net.{cohort}" + (f".seed-{seed}" if seed else "")
        for cohort in cohorts
        for seed in seeds
    }
    parts = [made_up_predictions(faces, right[c], 10 * s + len(c), run_id) for (c, s), run_id in ids.items()]
    return join(pd.concat(parts, ignore_index=True), faces)


def test_a_study_of_several_seeds_shows_each_copy_and_their_difference():
    table = training_seeds.over_seeds(answered([0]), answered([7, 8])).set_index("copy")
    assert list(table.index) == ["children", "adults", "children minus adults"]
    assert (table["seeds"] == 3).all()
    assert table.loc["children minus adults", "accuracy"] == pytest.approx(
        table.loc["children", "accuracy"] - table.loc["adults", "accuracy"]
    )
    assert 0 < table.loc["children minus adults", "low"] < 0.2 < table.loc["children minus adults", "high"]


def test_a_study_without_adults_has_no_difference():
    table = training_seeds.over_seeds(answered([0], ("all",)), answered([7], ("all",)))
    assert list(table["copy"]) == ["all"]


def test_shares_of_each_copy_add_up():
    table = training_seeds.shares(answered([0]), answered([7]))
    assert list(table["cohort"]) == ["children", "adults"]
    assert table[["seed", "child", "photograph", "rest"]].sum(axis=1).to_numpy() == pytest.approx([1, 1])


def test_the_spread_that_is_shipped_is_of_several_seeds():
    known = training_seeds.known_spread()
    assert known.seeds >= 6
    assert len(known.architectures) >= 2
    assert 0 < known.least <= known.most < 0.2
    assert f"{100 * known.most:.1f} points" in training_seeds.left_out()


def test_matched_copies_are_compared_with_their_own_kind():
    answers = [answered([s]) for s in (0, 7)]
    for each in answers:
        each["run_id"] = each["run_id"].str.replace(r"\.(?=children|adults)", ".class_matched_", regex=True)
    table = training_seeds.over_seeds(*answers).set_index("copy")
    assert "class_matched_children minus class_matched_adults" in table.index


def test_differences_of_pairs_are_over_seeds_and_children():
    found = training_seeds.differences(
        answered([0]), answered([7, 8]), [("net.children", "net.adults")]
    ).iloc[0]
    table = training_seeds.over_seeds(answered([0]), answered([7, 8])).set_index("copy")
    expected = table.loc["children minus adults", ["accuracy", "low", "high"]].astype(float).to_list()
    assert found[["difference", "low", "high"]].astype(float).to_list() == pytest.approx(expected)
