"""Simulated populations have the truth that they are given."""

import numpy as np
import pytest

from fer_utils.analysis.claims import children_by_group
from fer_utils.analysis.published_tables import photographs
from fer_utils.simulation.simulated_predictions import (
    faces_of,
    like_cafe,
    like_synthetic_faces,
    sample_predictions,
    true_accuracy,
)


def _right(joined):
    return (joined["predicted"].astype(str) == joined["expression"].astype(str)).to_numpy()


def _sampled_often(population, repeats=300):
    return np.array([_right(sample_predictions(population, seed)) for seed in range(repeats)])


def test_a_population_of_cafes_size_has_its_children_groups_and_photographs():
    faces = faces_of(like_cafe())
    assert len(faces) == photographs()
    children = faces.drop_duplicates("subject_id")["ethnicity"].value_counts().to_dict()
    assert children == children_by_group()
    each = faces.groupby("subject_id").size()
    assert each.max() - each.min() <= 1
    assert faces["face_id"].is_unique


@pytest.mark.parametrize("replicates", [1, 4])
def test_a_synthetic_population_crosses_groups_tones_and_expressions(replicates):
    faces = faces_of(like_synthetic_faces(replicates))
    cells = faces.groupby(["ethnicity", "skin_tone", "expression"], observed=True).size()
    assert len(cells) == 5 * 10 * 7
    assert (cells == 2 * replicates).all()


def test_means_are_the_truth():
    population = like_synthetic_faces(leads=(0.0, 0.1), group_gap=0.2, tone_gap=0.2)
    faces, often = faces_of(population), _sampled_often(population)
    for network in (0, 1):
        truth = true_accuracy(population, faces, network)
        found = often[:, network * len(faces) : (network + 1) * len(faces)]
        for rows in (faces["ethnicity"] == "E", faces["ethnicity"] != "E", faces["skin_tone"] == 10):
            error = found[:, rows].mean(axis=1).std() / np.sqrt(len(found))
            assert found[:, rows].mean() == pytest.approx(truth[rows].mean(), abs=4 * error)


@pytest.mark.parametrize("correlation", [0.05, 0.3])
def test_photographs_of_one_child_correlate_as_asked(correlation):
    often = _sampled_often(like_synthetic_faces(correlation=correlation)).reshape(-1, 50, 14)
    mean_of_child = often.mean(axis=2)
    variance = 0.6 * 0.4 * (1 + 13 * correlation) / 14  # of a beta-binomial share
    assert mean_of_child.var() == pytest.approx(variance, rel=0.05)


def test_networks_share_children_and_luck():
    often = _sampled_often(like_synthetic_faces(leads=(0.0, 0.0)), 50).reshape(50, 2, -1)
    assert np.corrcoef(often[:, 0].ravel(), often[:, 1].ravel())[0, 1] > 0.3


def test_wrong_answers_are_spread_over_the_other_six():
    joined = sample_predictions(like_cafe(), 1)
    wrong = joined[~_right(joined)]
    steps = (wrong["predicted"].cat.codes.astype(int) - wrong["expression"].cat.codes) % 7
    assert set(steps) == {1, 2, 3, 4, 5, 6}


def test_uneven_tones_overlap_and_lean():
    faces = faces_of(like_synthetic_faces(tones_go_with_groups=True))
    low, others = faces[faces["ethnicity"] == "E"], faces[faces["ethnicity"] != "E"]
    assert low["skin_tone"].mean() > others["skin_tone"].mean() + 2
    assert set(low["skin_tone"]) & set(others["skin_tone"])


def test_one_seed_gives_one_sample():
    assert sample_predictions(like_synthetic_faces(), 3).equals(sample_predictions(like_synthetic_faces(), 3))
    assert not sample_predictions(like_synthetic_faces(), 3).equals(
        sample_predictions(like_synthetic_faces(), 4)
    )


def test_an_impossible_population_is_an_error():
    with pytest.raises(ValueError, match=r"accuracies from -0\.10 to 0\.60"):
        sample_predictions(like_synthetic_faces(group_gap=0.7), 0)
