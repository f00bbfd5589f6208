"""The moved last layer: known answers, children kept apart, and nothing gained where nothing is to gain."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from expression_scores.few_shot import CHILDREN, REPEATS, gains, retrain_last_layers, retrained
from expression_scores.metrics import join
from face_sets.expressions import EXPRESSIONS, PROBABILITY_COLUMNS
from fer_utils import tables


def clusters(faces, spread=1.0, seed=0):
    """Return features that tell the expressions apart: seven axes, and noise."""
    labels = pd.Categorical(faces["expression"], categories=list(EXPRESSIONS)).codes
    noise = np.random.default_rng(seed).normal(0, spread, (len(faces), 12))
    return (noise + 3 * np.eye(7, 12)[labels]).astype(np.float32)


@pytest.fixture
def study_of(faces_of, predictions_of):
    """Return a function that makes up faces, one run's predictions of given quality, and features."""

    def make(subjects, right, spread=1.0):
        faces = faces_of(subjects, 7)
        features = pd.DataFrame({"run_id": "run", "face_id": faces["face_id"]})
        features = tables.conform(features.assign(features=list(clusters(faces, spread))), "features")
        return predictions_of(faces, right, seed=1), features, faces

    return make


def test_a_bad_last_layer_on_good_features_is_fixed(study_of):
    predictions, features, faces = study_of(60, 1 / 7)
    found = gains(retrain_last_layers(predictions, features, faces, 3), join(predictions, faces), draws=300)
    assert list(found["children"]) == list(CHILDREN)
    assert (found["repeats"] == REPEATS).all()
    assert (found["before"] < 0.25).all()
    assert (found["low"] > 0.3).all()
    assert (found["worst"] <= found["difference"]).all()
    assert (found["difference"] <= found["best"]).all()


def test_features_that_tell_nothing_buy_nothing(study_of):
    predictions, features, faces = study_of(60, 0.8, spread=1e6)
    found = gains(retrain_last_layers(predictions, features, faces, 3), join(predictions, faces), draws=300)
    assert (found["high"] < 0.05).all()


def test_nobody_trained_on_is_scored(study_of):
    predictions, features, faces = study_of(60, 0.5)
    made = retrain_last_layers(predictions, features, faces, 3).merge(
        faces[["face_id", "subject_id"]], on="face_id"
    )
    held_out = made.groupby(["children", "repeat"])["subject_id"].nunique()
    assert all(count == 60 - children for (children, _), count in held_out.items())
    assert len(made.groupby(["children", "repeat"])["face_id"].agg(frozenset).unique()) == 2 * REPEATS


def test_held_out_labels_never_reach_the_layer(study_of):
    predictions, features, faces = study_of(30, 0.5)
    inputs = np.stack(features["features"].to_list()).astype(float)
    offsets = np.log(predictions[list(PROBABILITY_COLUMNS)].to_numpy(float))
    labels = pd.Categorical(faces["expression"], categories=list(EXPRESSIONS)).codes
    trains = np.arange(len(faces)) < 100
    shuffled = np.where(trains, labels, (labels + 1) % 7)
    np.testing.assert_array_equal(*(retrained(inputs, offsets, x, trains) for x in (labels, shuffled)))


@pytest.mark.parametrize(("subjects", "sizes"), [(19, []), (20, [10]), (49, [10]), (50, [10, 25])])
def test_no_fewer_children_are_scored_than_trained_on(study_of, subjects, sizes):
    made = retrain_last_layers(*study_of(subjects, 0.5), seed=0)
    assert sorted(made["children"].unique()) == sizes


def test_no_run_gives_an_empty_table(study_of):
    predictions, _, faces = study_of(20, 0.5)
    assert retrain_last_layers(predictions, tables.empty("features"), faces, 0).empty


def test_the_same_seed_draws_the_same_children(study_of):
    study = study_of(20, 0.5)
    pd.testing.assert_frame_equal(retrain_last_layers(*study, seed=5), retrain_last_layers(*study, seed=5))
    assert not retrain_last_layers(*study, seed=5).equals(retrain_last_layers(*study, seed=6))


def test_the_layer_is_scikit_learns_when_nothing_was_there_before():
    generator = np.random.default_rng(0)
    labels = np.arange(210) % 7
    inputs = generator.normal(size=(210, 20)) + np.eye(7, 20)[labels]
    trains = np.arange(210) < 140
    middle, spread = inputs[trains].mean(axis=0), inputs[trains].std(axis=0)
    scaled = np.column_stack(
        [(inputs - middle) / spread / np.sqrt(20), np.ones(210)]
    )  # the bias is penalised too
    theirs = LogisticRegression(fit_intercept=False, tol=1e-8, max_iter=5000).fit(
        scaled[trains], labels[trains]
    )
    ours = retrained(inputs, np.zeros((210, 7)), labels.astype(np.int8), trains)
    shares = np.exp(ours) / np.exp(ours).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, theirs.predict_proba(scaled[~trains]), atol=1e-3)


def test_a_heavy_penalty_leaves_the_layer_as_it_was():
    generator = np.random.default_rng(0)
    offsets = generator.normal(size=(80, 7))
    labels = (np.arange(80) % 7).astype(np.int8)
    moved = retrained(generator.normal(size=(80, 9)), offsets, labels, np.arange(80) < 40, penalty=1e9)
    np.testing.assert_allclose(moved, offsets[40:], atol=1e-5)
