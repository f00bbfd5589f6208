"""What could explain a gap: poses, tones, quality of pictures; known answers, exact probabilities, and refusals."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from simulated_children import simulate_children

from expression_scores.adjusted_groups import MEASURES, adjusted_gap, adjusted_groups, picture_quality
from expression_scores.groups import largest_gap
from expression_scores.metrics import join
from face_sets.expressions import EXPRESSIONS
from fer_utils.simulation.simulated_predictions import like_synthetic_faces, sample_predictions

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
        (lambda rows: rows.assign(ethnicity="A"), "no two groups"),
        (
            lambda rows: rows.assign(ethnicity=np.where(rows["subject_id"] == "s0000", "X", "A")),
            "no two groups",
        ),
        (
            lambda rows: rows.assign(sex=np.where(rows["ethnicity"] == "A", "female", "male")),
            "cannot be distinguished from .*sex",
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
    found = adjusted_groups(damage(joined_of(20, 14)))
    assert re.search(message, found.reason)
    assert found.table.empty
    assert np.isnan(found.p_value)


def test_a_group_of_one_is_left_out_of_the_model(joined_of):
    joined = joined_of(40, 14)
    with_one = joined.assign(
        ethnicity=np.where(joined["subject_id"] == "s0000", "X", joined["ethnicity"].astype(str))
    )
    assert set(adjusted_groups(with_one).table["group"]) == {"A", "B"}


@pytest.mark.slow
def test_false_positive_rate_at_cafes_group_sizes_in_full():
    sizes = {"European American": 77, "African American": 27, "Latino": 23, "Asian": 16, "South Asian": 11}
    p_values, smallest = [], []
    for seed in range(600):
        found = adjusted_groups(_simulated(seed, [group for group, n in sizes.items() for _ in range(n)]))
        p_values.append(found.p_value)
        smallest.append(found.table["p_holm"].min())
    assert 0.03 <= np.mean(np.array(p_values) < 0.05) <= 0.08
    assert np.mean(np.array(smallest) < 0.05) <= 0.08


def _simulated(seed, groups):
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


def _children(cells):
    """One row per photograph, from (group, tone, right, wrong) for each child."""
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


def test_the_probability_is_that_of_all_permutations_within_strata():
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
    cells = [("A", 1, 9, 1)] * 12 + [("B", 1, 9, 1)] * 2 + [("A", 2, 2, 8)] * 2 + [("B", 2, 2, 8)] * 12
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


def test_what_cannot_be_distinguished_is_an_error():
    joined = sample_predictions(like_synthetic_faces(), 1)
    with pytest.raises(ValueError, match="cannot be distinguished"):
        adjusted_gap(joined.assign(skin_tone=joined["ethnicity"]), "ethnicity", "skin_tone")
    with pytest.raises(ValueError, match="in two groups"):
        adjusted_gap(joined.assign(ethnicity=joined["expression"].astype(str)), "ethnicity", "skin_tone")
    with pytest.raises(ValueError, match="predictions of 2"):
        adjusted_gap(sample_predictions(like_synthetic_faces(leads=(0.0, 0.0)), 1), "ethnicity", "skin_tone")


def pictures_of(children=40, pictures=3, seed=0):
    """Noise pictures of children in two groups, brightness varying from child to child."""
    random = np.random.default_rng(seed)
    subjects = np.repeat(np.arange(children), pictures)
    light = random.uniform(80, 140, children)[subjects]
    noise = random.normal(0, 25, (len(subjects), 16, 16, 1))
    pixels = (light[:, None, None, None] + noise).clip(0, 255).astype(np.uint8).repeat(3, axis=3)
    faces = pd.DataFrame({"subject_id": subjects.astype(str), "ethnicity": np.where(subjects % 2, "A", "B")})
    return faces, pixels


def test_medians_are_those_of_children():
    faces, pixels = pictures_of(children=3, pictures=2)
    table = picture_quality(faces, pixels, "ethnicity").set_index("measure")
    grey = pixels[..., 0].reshape(3, 2, -1).mean(axis=2).mean(axis=1)
    assert list(table.index) == list(MEASURES)
    assert table.loc["brightness", "A"] == pytest.approx(grey[1])
    assert table.loc["brightness", "B"] == pytest.approx((grey[0] + grey[2]) / 2)


def test_a_darker_group_is_found_and_only_that():
    faces, pixels = pictures_of()
    dark = (faces["ethnicity"] == "A").to_numpy()
    pixels[dark] = (pixels[dark].astype(int) - 40).clip(0).astype(np.uint8)
    table = picture_quality(faces, pixels, "ethnicity").set_index("measure")
    assert table.loc["brightness", "p_holm"] < 0.01
    assert table.loc["brightness", "A"] < table.loc["brightness", "B"]
    assert table.loc["sharpness", "p_holm"] > 0.01


def test_groups_of_equal_quality_have_the_stated_false_positive_rate():
    found = [
        picture_quality(*pictures_of(children=24, pictures=2, seed=seed), "ethnicity")["p_holm"].min() <= 0.05
        for seed in range(100)
    ]
    assert sum(found) <= 11  # 5 expected; 99.5 % of binomial draws lie below


def test_many_pictures_of_a_child_count_once():
    faces, pixels = pictures_of(pictures=1)
    again = picture_quality(pd.concat([faces] * 5), np.concatenate([pixels] * 5), "ethnicity")
    pd.testing.assert_frame_equal(again, picture_quality(faces, pixels, "ethnicity"))


def test_faces_without_a_group_are_left_out_and_one_group_is_not_tested():
    faces, pixels = pictures_of()
    faces.loc[faces["ethnicity"] == "B", "ethnicity"] = None
    table = picture_quality(faces, pixels, "ethnicity")
    assert "B" not in table
    assert table[["p_value", "p_holm"]].isna().all(axis=None)
