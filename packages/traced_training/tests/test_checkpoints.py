"""Trainings that are cut and go on, against trainings that are not."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from traced_training.checkpoints import PAUSE, Checkpoint
from traced_training.clustering import Clustering
from traced_training.pruning import Pruning
from traced_training.training_step import TrainingStep

EPOCHS, BATCHES, FACES = 4, 3, 8


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(0)
    faces = generator.integers(0, 255, (EPOCHS, BATCHES, FACES, 8, 8, 3)).astype(np.float32)
    return faces, generator.integers(0, 7, (EPOCHS, BATCHES, FACES))


def begun(technique):
    """A step of a network with the same first weights each time."""
    keras.utils.set_random_seed(3)
    network = keras.Sequential(
        [
            keras.layers.Conv2D(6, 3, strides=2, input_shape=(8, 8, 3)),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(7, activation="softmax"),
        ]
    )
    kernels = [layer.kernel for layer in network.layers if hasattr(layer, "kernel")]
    constraint = {
        "plain": lambda: None,
        "pruning": lambda: Pruning(network, kernels, 0.5, EPOCHS * BATCHES),
        "clustering": lambda: Clustering(network, kernels, 4, keep_zeros=False),
    }[technique]()
    return TrainingStep(network, constraint)


def train(step, data, checkpoint, until=EPOCHS):
    """As a loop over epochs does it; returns the curve."""
    curve, seconds = checkpoint.restore(step)
    for epoch in range(len(curve), until):
        step.seed(5, epoch)
        losses = [
            float(step(tf.constant(faces), tf.constant(labels), 1e-2)[0])
            for faces, labels in zip(data[0][epoch], data[1][epoch], strict=True)
        ]
        curve.append((epoch + 1, sum(losses)))
        checkpoint.keep(step, curve, seconds + epoch)
    return curve


def test_a_state_is_due_when_a_pause_has_passed_since_the_last(tmp_path):
    step, checkpoint = begun("plain"), Checkpoint(tmp_path / "kept.npz", "key")
    checkpoint.restore(step)
    assert [checkpoint.is_due(share * PAUSE) for share in (0.4, 0.9, 1.2)] == [False, False, True]
    checkpoint.keep(step, [(1.0,)], 1.2 * PAUSE)
    resumed = Checkpoint(tmp_path / "kept.npz", "key")
    resumed.restore(step)
    for either in (checkpoint, resumed):
        assert [either.is_due(share * PAUSE) for share in (2.1, 2.2)] == [False, True]
    checkpoint.restore(begun("clustering"))  # another training, which begins anew
    assert not checkpoint.is_due(0.9 * PAUSE)
    assert checkpoint.is_due(PAUSE)


def state(step):
    return [variable.numpy() for variable in step.state]


@pytest.mark.parametrize("technique", ["plain", "pruning", "clustering"])
@pytest.mark.parametrize("cut", [0, 1, 3, 4])
def test_a_training_that_was_cut_ends_as_one_that_was_not(data, tmp_path, technique, cut):
    whole = begun(technique)
    curve = train(whole, data, Checkpoint(tmp_path / "whole.npz", "key"))
    train(begun(technique), data, Checkpoint(tmp_path / "cut.npz", "key"), until=cut)
    resumed = begun(technique)
    assert train(resumed, data, Checkpoint(tmp_path / "cut.npz", "key")) == curve
    assert resumed.steps == whole.steps == EPOCHS * BATCHES
    assert all(np.array_equal(one, other) for one, other in zip(state(resumed), state(whole), strict=True))


def test_what_is_kept_serves_its_own_training_only(data, tmp_path):
    path = tmp_path / "kept.npz"
    train(begun("plain"), data, Checkpoint(path, "one"), until=2)
    assert Checkpoint(path, "other").restore(begun("plain")) == ([], 0.0)
    elsewhere = begun("plain")
    elsewhere.network.layers[0].kernel.assign_add(tf.ones_like(elsewhere.network.layers[0].kernel))
    before = state(elsewhere)
    assert Checkpoint(path, "one").restore(elsewhere) == ([], 0.0)
    assert all(np.array_equal(one, other) for one, other in zip(state(elsewhere), before, strict=True))
    curve, seconds = Checkpoint(path, "one").restore(begun("plain"))
    assert (len(curve), seconds) == (2, 1.0)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
def test_a_damaged_file_is_named_and_not_used(data, tmp_path, capsys, damage):
    path = tmp_path / "kept.npz"
    train(begun("plain"), data, Checkpoint(path, "key"), until=2)
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(
        {
            "cut": whole[:middle],
            "flipped": whole[:middle] + bytes([whole[middle] ^ 64]) + whole[middle + 1 :],
            "empty": b"",
            "text": b"not a checkpoint",
        }[damage]
    )
    step = begun("plain")
    before = state(step)
    assert Checkpoint(path, "key").restore(step) == ([], 0.0)
    assert "kept.npz is damaged" in capsys.readouterr().err
    assert all(np.array_equal(one, other) for one, other in zip(state(step), before, strict=True))


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(data, tmp_path, monkeypatch):
    path = tmp_path / "kept.npz"
    step, checkpoint = begun("plain"), Checkpoint(path, "key")
    curve = train(step, data, checkpoint, until=2)
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.keep(step, curve, 9.0)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["kept.npz"]
