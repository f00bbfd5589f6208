"""Groups held apart from strata: known answers, exact probabilities, and refusals."""

import itertools

import numpy as np
import pandas as pd
import pytest

from fer_utils.analysis.attribution import adjusted_gap
from fer_utils.analysis.groups import largest_gap
from fer_utils.simulation.simulated_predictions import like_synthetic_faces, sample_predictions


def _children(cells):
    """One row a photograph, from (group, tone, right, wrong) for each child."""
    rows = [
        {"run_id": "r", "face_id": f"{c}-{i}", "dataset": "d", "subject_id": str(c), "ethnicity": group,
         "skin_tone": tone, "expression": "fear", "predicted": "fear" if i < right else "anger"}
        for c, (group, tone, right, wrong) in enumerate(cells)
        for i in range(right + wrong)
    ]  # fmt: skip
    return pd.DataFrame(rows)


SMALL = [("A", 1, 8, 2), ("B", 1, 5, 5), ("B", 1, 6, 4), ("A", 2, 4, 6), ("A", 2, 5, 5), ("B", 2, 1, 9)]


def _gap_by_hand(groups):
    """Observed minus expected right answers a photograph, A minus B, in SMALL with these groups."""
    rate = {1: 19 / 30, 2: 10 / 30}
    left = {name: [] for name in "AB"}
    for group, (_, tone, right, _) in zip(groups, SMALL, strict=True):
        left[group].append(right / 10 - rate[tone])
    return np.mean(left["A"]) - np.mean(left["B"])


def test_the_gap_is_observed_minus_expected():
    found = adjusted_gap(_children(SMALL), "ethnicity", "skin_tone", 99)
    assert found.difference == pytest.approx(_gap_by_hand([group for group, *_ in SMALL]))
    assert (found.best, found.worst) == ("A", "B")


def test_the_probability_is_that_of_all_shuffles_within_strata():
    first, second = "ABB", "AAB"
    observed = abs(_gap_by_hand(first + second))
    gaps = [
        abs(_gap_by_hand(one + two))
        for one in itertools.permutations(first)
        for two in itertools.permutations(second)
    ]
    exact = np.mean(np.array(gaps) >= observed - 1e-12)
    found = adjusted_gap(_children(SMALL), "ethnicity", "skin_tone", 20_000, seed=1)
    assert found.p_value == pytest.approx(exact, abs=0.01)


def test_with_one_stratum_it_is_the_plain_comparison():
    joined = sample_predictions(like_synthetic_faces(group_gap=0.3), 1).assign(skin_tone=1)
    held, plain = (
        adjusted_gap(joined, "ethnicity", "skin_tone", 2000),
        largest_gap(joined, "ethnicity", "accuracy", 2000),
    )
    assert held.difference == pytest.approx(plain.difference)
    assert (held.best, held.worst) == (plain.best, plain.worst)
    assert held.p_value == pytest.approx(plain.p_value, abs=0.03)


def test_an_effect_of_the_stratum_alone_leaves_no_gap():
    cells = [("A", 1, 9, 1)] * 6 + [("B", 1, 9, 1)] + [("A", 2, 2, 8)] + [("B", 2, 2, 8)] * 6
    held = adjusted_gap(_children(cells), "ethnicity", "skin_tone", 99)
    plain = largest_gap(_children(cells), "ethnicity", "accuracy", 99)
    assert held.difference == pytest.approx(0)
    assert held.p_value == 1
    assert plain.difference == pytest.approx(0.5)


def test_order_and_names_do_not_matter():
    joined = sample_predictions(like_synthetic_faces(group_gap=0.3), 2)
    mixed = joined.sample(frac=1, random_state=0)
    assert adjusted_gap(mixed, "ethnicity", "skin_tone", 300) == adjusted_gap(
        joined, "ethnicity", "skin_tone", 300
    )


def test_what_cannot_be_told_apart_is_an_error():
    joined = sample_predictions(like_synthetic_faces(), 1)
    with pytest.raises(ValueError, match="cannot be told apart"):
        adjusted_gap(joined.assign(skin_tone=joined["ethnicity"]), "ethnicity", "skin_tone")
    with pytest.raises(ValueError, match="in two groups"):
        adjusted_gap(joined.assign(ethnicity=joined["expression"].astype(str)), "ethnicity", "skin_tone")
    with pytest.raises(ValueError, match="predictions of 2"):
        adjusted_gap(sample_predictions(like_synthetic_faces(leads=(0.0, 0.0)), 1), "ethnicity", "skin_tone")
