from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from face_sets.expressions import EXPRESSIONS
from face_sets.face_images import FaceImages
from fer_utils import tables
from fer_utils.models import training
from fer_utils.models.backbones import copy_of, keras, layers
from fer_utils.models.prediction import predict_keras
from fer_utils.models.training import TrainingSet, fit, of_cohort, set_up, train_copies
from fer_utils.study import StudyError, load_study
from traced_training import training_step
from traced_training.training_step import TrainingStep


def faces_of(labels, age_groups, splits):
    count = len(labels)
    frame = pd.DataFrame(
        {
            "face_id": [f"f{i}" for i in range(count)],
            "dataset": "synthetic",
            "subject_id": [f"s{i}" for i in range(count)],
            "expression": [EXPRESSIONS[label] for label in labels],
            "age_group": age_groups,
            "split": splits,
            "path": "x",
            "sha256": "x",
            "may_publish": True,
        }
    )
    return tables.conform(frame, "faces")


def test_cohorts_go_by_the_images_own_age():
    faces = faces_of([0, 0, 0], ["child", "adult", "unknown"], "train")
    study = load_study("quick")
    chosen = {cohort: list(of_cohort(faces, cohort, study)) for cohort in study.cohorts}
    assert chosen == {
        "children": [True, False, False],
        "adults": [False, True, False],
        "all": [True, True, True],
    }
    wide = load_study("quick", unknown_age_is_adult=True)
    assert list(of_cohort(faces, "adults", wide)) == [False, True, True]
    assert list(of_cohort(faces, "known_adults", wide)) == [False, True, False]


def test_class_indices_follow_the_order_of_expressions():
    faces = faces_of([6, 0, 2], "child", "train")
    chosen = TrainingSet.of(
        faces, FaceImages.of_pixels(np.zeros((3, 2, 2, 3), np.uint8)), pd.Series([True, False, True])
    )
    assert list(chosen.labels) == [6, 2]


@pytest.fixture(scope="module")
def learned(tiny_network, striped_faces):
    study = load_study(
        "quick", image_size=32, epochs=12, batch_size=14, learning_rate=1e-2, cohorts=["children", "all"]
    )
    pixels, labels = striped_faces
    cohorts = ["child" if i % 2 else "adult" for i in range(len(labels))]
    splits = ["validation" if i >= 42 else "train" for i in range(len(labels))]
    faces = faces_of(labels, cohorts, splits)
    results = {}

    def build(*_):
        copy = keras.models.clone_model(tiny_network)
        copy.set_weights(tiny_network.get_weights())
        return copy

    def keep(cohort, trained):
        results[cohort] = (trained, [w.copy() for w in trained.network.get_weights()])

    patch = pytest.MonkeyPatch()
    patch.setattr(training, "build_network", build)
    train_copies("mobilenet_v2", faces, FaceImages.of_pixels(pixels), study, None, lambda _: None, keep)
    first = {cohort: weights for cohort, (_, weights) in results.items()}
    results.clear()
    read_each_time = FaceImages(lambda places: pixels[places], np.arange(len(pixels)), 32)
    train_copies("mobilenet_v2", faces, read_each_time, study, None, lambda _: None, keep)
    patch.undo()
    return study, results, first


def test_copies_learn_and_write_whole_curves(learned):
    study, results, _ = learned
    for cohort, (trained, _) in results.items():
        curve = trained.curves
        assert list(curve["epoch"]) == list(range(1, study.epochs + 1))
        assert curve["run_id"].unique() == [f"mobilenet_v2.{cohort}"]
        assert curve["loss"].iloc[-1] < curve["loss"].iloc[0]
        assert curve["validation_accuracy"].notna().all()
    assert results["all"][0].curves["accuracy"].iloc[-1] > 0.6


def test_two_trainings_by_one_seed_are_identical(learned):
    _, results, first = learned
    for cohort, (_, weights) in results.items():
        assert all(np.array_equal(a, b) for a, b in zip(weights, first[cohort], strict=True)), cohort


def test_the_copies_are_not_one_another(learned):
    _, results, _ = learned
    assert not np.array_equal(results["children"][1][0], results["all"][1][0])


def test_batch_normalization_statistics_are_right_after_few_steps(striped_faces):
    """After a few dozen steps the moving statistics lie near those of the data; at Keras' momentum they do not."""
    pixels, labels = striped_faces
    study = load_study("quick", image_size=32, batch_size=14)
    errors = {}
    for momentum in (training_momentum(), 0.999):
        set_up(study)
        inputs = keras.Input((32, 32, 3))
        normal = layers.BatchNormalization(momentum=momentum)
        x = layers.GlobalAveragePooling2D()(normal(layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)))
        network = keras.Model(inputs, layers.Dense(7, activation="softmax")(x))
        data = TrainingSet(FaceImages.of_pixels(pixels), labels)
        fit(TrainingStep(network), "x", data, data, study, epochs=8, learning_rate=1e-3)
        exact = (pixels / 127.5 - 1).mean((0, 1, 2))
        errors[momentum] = float(np.abs(normal.moving_mean.numpy() - exact).max())
    assert errors[training_momentum()] < 0.05 < errors[0.999]


def training_momentum():
    from fer_utils.models.backbones import BATCH_NORMALIZATION_MOMENTUM

    return BATCH_NORMALIZATION_MOMENTUM


class Noting:
    """A checkpoint that notes after which epochs a state is kept; one is due after the second."""

    def __init__(self):
        self.kept, self.asked = [], []

    def restore(self, step):
        return [], 0.0

    def is_due(self, seconds):
        self.asked.append(seconds)
        return len(self.asked) == 2

    def keep(self, step, curve, seconds):
        self.kept.append(len(curve))


def test_states_are_kept_when_due_and_at_the_end(tiny_network, striped_faces, small_study):
    pixels, labels = striped_faces
    data, checkpoint = TrainingSet(FaceImages.of_pixels(pixels), labels), Noting()
    step = TrainingStep(copy_of(tiny_network))
    fit(step, "x", data, data, small_study, epochs=4, learning_rate=1e-3, checkpoint=checkpoint)
    assert checkpoint.kept == [2, 4]
    assert 0 < checkpoint.asked[0] < checkpoint.asked[1] < checkpoint.asked[2]


def test_no_faces_is_said_before_training(tiny_network, small_study):
    empty = TrainingSet(FaceImages.of_pixels(np.empty((0, 32, 32, 3), np.uint8)), np.empty(0, np.int64))
    with pytest.raises(ValueError, match="mobilenet_v2.children: no training faces"):
        fit(
            TrainingStep(tiny_network), "mobilenet_v2.children", empty, empty, small_study,
            epochs=1, learning_rate=1e-3,
        )  # fmt: skip


def test_balanced_shares_show_each_set_age_and_expression_equally_often():
    faces = faces_of([0, 0, 0, 1, 0], ["child", "child", "child", "child", "adult"], "train")
    images = FaceImages.of_pixels(np.zeros((5, 2, 2, 3), np.uint8))
    shares = TrainingSet.of(faces, images, pd.Series(True, index=faces.index)).balanced_shares
    assert shares == pytest.approx([1 / 9, 1 / 9, 1 / 9, 1 / 3, 1 / 3])
    assert shares.sum() == pytest.approx(1)


def test_balanced_shares_show_open_and_closed_mouths_equally_often_where_they_are_known():
    faces = faces_of([0] * 7, ["child"] * 4 + ["adult"] * 3, "train")
    faces["mouth"] = ["open", "closed", "closed", "closed", None, None, None]
    images = FaceImages.of_pixels(np.zeros((7, 2, 2, 3), np.uint8))
    shares = TrainingSet.of(faces, images, pd.Series(True, index=faces.index)).balanced_shares
    assert shares == pytest.approx([1 / 4, 1 / 12, 1 / 12, 1 / 12, 1 / 6, 1 / 6, 1 / 6])


def test_an_epoch_is_chosen_on_children_where_there_are_any():
    faces = faces_of([0, 1, 2], ["adult", "child", "unknown"], "validation")
    images = FaceImages.of_pixels(np.arange(3 * 12, dtype=np.uint8).reshape(3, 2, 2, 3))
    everybody = TrainingSet.of(faces, images, pd.Series(True, index=faces.index))
    assert list(everybody.children.labels) == [1]
    adults = TrainingSet.of(faces, images, faces["age_group"] == "adult")
    assert list(adults.children.labels) == [0]


RECIPE = {
    "image_size": 32, "epochs": 3, "batch_size": 14, "learning_rate": 1e-2, "cohorts": ["all"], "head_epochs": 2,
    "warm_up_epochs": 1, "weight_decay": 0.01, "label_smoothing": 0.1, "weight_average": 0.5,
    "balanced_sampling": True, "chosen_epoch": "last", "erasing": 0.3, "sharpness_radius": 0.05,
    "temperature_scaling": True, "faces_per_epoch": 30,
}  # fmt: skip


@pytest.fixture(scope="module")
def tinier_network(striped_faces):
    """A network whose training is traced in a moment, with what the fields of a recipe act upon; trained for a moment."""
    keras.utils.set_random_seed(1)
    pixels = keras.Input((32, 32, 3), name="rgb_0_to_255")
    x = layers.Conv2D(8, 3, strides=2, use_bias=False)(layers.Rescaling(1 / 127.5, offset=-1.0)(pixels))
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.GlobalMaxPooling2D()(x)
    network = keras.Model(pixels, layers.Dense(7, activation="softmax")(x))
    network.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy")
    network.fit(striped_faces[0].astype(np.float32), striped_faces[1], batch_size=14, epochs=25, verbose=0)
    return network


def test_a_whole_recipe_trains_and_its_fields_each_change_the_result(
    tinier_network, striped_faces, monkeypatch
):
    pixels, labels = striped_faces
    faces = faces_of(labels, "child", ["train"] * 42 + ["validation"] * (len(labels) - 42))
    # One network for all, as for the copies of a study, and every graph of its gradients kept: each is traced once
    graphs, network = lru_cache(training_step._gradients.__wrapped__), copy_of(tinier_network)
    monkeypatch.setattr(training_step, "_gradients", graphs)

    def build(*_):
        network.set_weights(tinier_network.get_weights())
        return network

    monkeypatch.setattr(training, "build_network", build)

    def trained(**changes):
        kept: list = []
        study = load_study("quick", **{**RECIPE, **changes})
        train_copies(
            "mobilenet_v2", faces, FaceImages.of_pixels(pixels), study, None, lambda _: None,
            lambda _, result: kept.append((result.network.get_weights(), result.curves)),
        )  # fmt: skip
        return kept[0]

    weights, curves = trained()
    assert len(curves) == 5
    again, _ = trained()
    assert all(np.array_equal(a, b) for a, b in zip(weights, again, strict=True))
    off = {
        "head_epochs": 0, "warm_up_epochs": 0, "weight_decay": 0.0, "label_smoothing": 0.0, "weight_average": 0.0,
        "balanced_sampling": False, "erasing": 0.0, "sharpness_radius": 0.0, "temperature_scaling": False,
        "faces_per_epoch": 0,
    }  # fmt: skip
    best, curves = trained(chosen_epoch="best")
    assert curves["validation_accuracy"].max() > curves["validation_accuracy"].iloc[-1]
    off["chosen_epoch"] = "best"
    for field, value in off.items():
        other = best if value == "best" else trained(**{field: value})[0]
        assert any(not np.array_equal(a, b) for a, b in zip(weights, other, strict=True)), field


@pytest.mark.parametrize("too_sure", [0.3, 1.0, 4.0])
def test_the_temperature_is_found_and_no_answer_changes(tiny_network, too_sure):
    """Labels are drawn by the network's own probabilities: at those it is calibrated, whatever was done to them since."""
    network, random = copy_of(tiny_network), np.random.default_rng(0)
    pixels = random.integers(0, 255, (3000, 32, 32, 3)).astype(np.uint8)
    head = network.layers[-1]
    head.set_weights([weight / 4 for weight in head.get_weights()])  # unsure enough for labels to vary
    stated = predict_keras(network, pixels)
    labels = (stated.cumsum(1) > random.random((len(stated), 1))).argmax(1)
    right = head.get_weights()
    head.set_weights([too_sure * weight for weight in right])
    faces = faces_of(labels, "child", "validation")
    images = FaceImages.of_pixels(pixels)
    training.scale_temperature(network, TrainingSet.of(faces, images, pd.Series(True, index=faces.index)))
    assert head.get_weights()[0] == pytest.approx(right[0], rel=0.15)
    again = predict_keras(network, pixels)
    assert (again.argmax(1) == stated.argmax(1)).all()


def test_without_validation_faces_no_temperature_is_fitted(tiny_network):
    network = copy_of(tiny_network)
    before = network.get_weights()
    training.scale_temperature(
        network, TrainingSet(FaceImages.of_pixels(np.zeros((0, 32, 32, 3), np.uint8)), np.zeros(0, np.int64),
                             faces_of([], [], []))
    )  # fmt: skip
    assert all(np.array_equal(a, b) for a, b in zip(network.get_weights(), before, strict=True))


def test_a_warm_up_as_long_as_the_training_is_refused():
    with pytest.raises(StudyError, match="warm_up_epochs"):
        load_study("quick", epochs=3, warm_up_epochs=3)
