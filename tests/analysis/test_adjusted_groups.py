"""The model tells a group's gap from what the group was asked to pose, and agrees with a fit written out."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from simulated_children import simulate_children

from face_sets.expressions import EXPRESSIONS
from fer_utils.analysis.adjusted_groups import adjusted_groups
from fer_utils.analysis.metrics import join

HARD = ("fear", "sadness", "anger", "disgust")


@pytest.fixture
def posing_differs(faces_of, predictions_of):
    """Group B poses hard expressions twice as often; within an expression both are read alike."""
    faces = faces_of(120, 14)
    hard = faces["expression"].isin(HARD)
    keep = np.where(faces["ethnicity"] == "A", ~hard | (faces.index % 4 == 0), hard | (faces.index % 4 == 0))
    faces = faces[keep].reset_index(drop=True)
    right = np.where(faces["expression"].isin(HARD), 0.4, 0.8)
    return join(predictions_of(faces, right, seed=3), faces)


def _by_hand(joined):
    """Coefficient of group B and its bias-reduced variance (Mancl & DeRouen 2001), in plain matrices."""
    y = (joined["predicted"].astype(str) == joined["expression"].astype(str)).to_numpy(float)
    dummies = [joined["expression"].astype(str) == e for e in sorted(EXPRESSIONS)[1:]]
    X = np.column_stack([np.ones(len(y)), joined["ethnicity"] == "B", *dummies]).astype(float)
    beta = np.zeros(X.shape[1])
    for _ in range(20):
        p = expit(X @ beta)
        beta = beta + np.linalg.solve(X.T @ (X * (p * (1 - p))[:, None]), X.T @ (y - p))
    p = expit(X @ beta)
    bread = np.linalg.inv(X.T @ (X * (p * (1 - p))[:, None]))
    meat = np.zeros_like(bread)
    for subject in joined["subject_id"].unique():
        own = (joined["subject_id"] == subject).to_numpy()
        leverage = (X[own] * (p * (1 - p))[own, None]) @ bread @ X[own].T
        score = X[own].T @ np.linalg.solve(np.eye(own.sum()) - leverage, (y - p)[own])
        meat += np.outer(score, score)
    return beta, bread @ meat @ bread, X


def test_what_groups_pose_is_not_taken_for_a_gap(posing_differs):
    found = adjusted_groups(posing_differs)
    (row,) = found.table[found.table["group"] != found.reference].to_dict("records")
    shares = found.table.set_index("group")["unadjusted"]
    assert abs(shares["A"] - shares["B"]) > 0.12
    assert abs(row["difference"]) < 0.06
    assert row["low"] <= 0 <= row["high"]
    assert found.p_value > 0.05
    assert found.adjusted_for == ("expression",)


def test_the_fit_is_that_of_plain_matrices(posing_differs):
    beta, covariance, X = _by_hand(posing_differs)
    shares, gradients = [], []
    for group in (0.0, 1.0):
        moved = X.copy()
        moved[:, 1] = group
        p = expit(moved @ beta)
        shares.append(p.mean())
        gradients.append(((p * (1 - p))[:, None] * moved).mean(axis=0))
    contrast = gradients[1] - gradients[0]
    table = adjusted_groups(posing_differs).table.set_index("group")
    assert table.loc["B", "difference"] == pytest.approx(shares[1] - shares[0], abs=1e-6)
    width = table.loc["B", "high"] - table.loc["B", "low"]
    error = np.sqrt(contrast @ covariance @ contrast)
    assert width / (2 * error) == pytest.approx(1.980, abs=0.001)  # Student's t, 118 degrees of freedom


def test_a_planted_gap_is_found_and_named(faces_of, predictions_of):
    faces = faces_of(150, 14, groups=("A", "B", "C"))
    right = np.where(faces["ethnicity"] == "C", 0.5, 0.7)
    found = adjusted_groups(join(predictions_of(faces, right), faces))
    table = found.table.set_index("group")
    assert found.p_value < 0.001
    assert table.loc["C", "low"] <= -0.2 <= table.loc["C", "high"]
    assert table.loc["C", "p_holm"] < 0.01 < table.loc["B", "p_holm"]


def test_it_adjusts_for_what_is_known_of_every_face(joined_of):
    joined = joined_of(60, 14)
    number = joined["subject_id"].str[1:].astype(int)
    joined = joined.assign(
        sex=np.where(number % 4 < 2, "female", "male"), age_years=2.7 + number % 7, mouth=pd.NA, skin_tone=3
    )
    assert adjusted_groups(joined).adjusted_for == ("expression", "age_years", "sex")
    joined.loc[0, "age_years"] = np.nan
    assert adjusted_groups(joined).adjusted_for == ("expression", "sex")
    assert adjusted_groups(joined, "sex").adjusted_for == ("expression",)


def test_expressions_always_right_are_left_out_and_named(joined_of):
    joined = joined_of(40, 14)
    joined.loc[joined["expression"] == "happiness", "predicted"] = "happiness"
    found = adjusted_groups(joined)
    assert found.left_out == ("happiness",)
    assert found.table["images"].sum() == (joined["expression"] != "happiness").sum()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda rows: rows.assign(ethnicity="A"), "needs two groups"),
        (
            lambda rows: rows.assign(ethnicity=np.where(rows["subject_id"] == "s0000", "X", "A")),
            "one subject",
        ),
        (
            lambda rows: rows.assign(
                predicted=np.where(rows["ethnicity"] == "B", rows["expression"], rows["predicted"])
            ),
            "always or never",
        ),
    ],
)
def test_what_the_model_cannot_answer_is_said(joined_of, damage, message):
    with pytest.raises(ValueError, match=message):
        adjusted_groups(damage(joined_of(20, 14)))


@pytest.mark.slow
def test_false_alarms_at_cafes_group_sizes_in_full():
    sizes = {"European American": 77, "African American": 27, "Latino": 23, "Asian": 16, "South Asian": 11}
    p_values, smallest = [], []
    for seed in range(600):
        found = adjusted_groups(_made_up(seed, [group for group, n in sizes.items() for _ in range(n)]))
        p_values.append(found.p_value)
        smallest.append(found.table["p_holm"].min())
    assert 0.03 <= np.mean(np.array(p_values) < 0.05) <= 0.08
    assert np.mean(np.array(smallest) < 0.05) <= 0.08


def _made_up(seed, groups):
    """Children of the coverage simulation as rows, one a photograph; groups are names only."""
    counts = simulate_children(np.random.default_rng(seed), len(groups))[:, 0]
    child, true, predicted = (np.repeat(index, counts[counts > 0]) for index in np.nonzero(counts))
    names = np.array(EXPRESSIONS)
    return pd.DataFrame(
        {
            "run_id": "run",
            "face_id": [f"face-{i}" for i in range(len(child))],
            "dataset": "made_up",
            "subject_id": child.astype(str),
            "expression": names[true],
            "predicted": names[predicted],
            "ethnicity": np.array(groups)[child],
        }
    )
