"""Trainings that are cut and go on, against trainings that are not."""

import shutil
from functools import cache

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


def train(step, data, checkpoint):
    """As a loop over epochs does it; returns the curve."""
    curve, seconds = checkpoint.restore(step)
    for epoch in range(len(curve), EPOCHS):
        step.seed(5, epoch)
        losses = [
            float(step(tf.constant(faces), tf.constant(labels), 1e-2)[0])
            for faces, labels in zip(data[0][epoch], data[1][epoch], strict=True)
        ]
        curve.append((epoch + 1, sum(losses)))
        checkpoint.keep(step, curve, seconds + epoch)
    return curve


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """Return a function that trains by a technique once and returns the step, its curve and what was kept: a file an epoch.

    What an epoch left is what a training that was cut after it leaves.
    """
    folder = tmp_path_factory.mktemp("whole")

    class Copying(Checkpoint):
        def keep(self, step, curve, seconds):
            super().keep(step, curve, seconds)
            shutil.copy(self.path, self.path.with_suffix(f".{len(curve)}.npz"))

    @cache
    def trained(technique):
        path = folder / f"{technique}.npz"
        step = begun(technique)
        curve = train(step, data, Copying(path, "key"))
        return step, curve, {epoch: path.with_suffix(f".{epoch}.npz") for epoch in range(1, EPOCHS + 1)}

    return trained


@pytest.fixture
def kept(whole, tmp_path):
    """A copy of what two epochs of a plain training leave."""
    return shutil.copy(whole("plain")[2][2], tmp_path / "kept.npz")


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
def test_a_training_that_was_cut_ends_as_one_that_was_not(data, whole, tmp_path, technique, cut):
    step, curve, kept = whole(technique)
    if cut:
        shutil.copy(kept[cut], tmp_path / "cut.npz")
    resumed = begun(technique)
    assert train(resumed, data, Checkpoint(tmp_path / "cut.npz", "key")) == curve
    assert resumed.steps == step.steps == EPOCHS * BATCHES
    assert all(np.array_equal(one, other) for one, other in zip(state(resumed), state(step), strict=True))


def test_what_is_kept_serves_its_own_training_only(kept):
    assert Checkpoint(kept, "other").restore(begun("plain")) == ([], 0.0)
    elsewhere = begun("plain")
    elsewhere.network.layers[0].kernel.assign_add(tf.ones_like(elsewhere.network.layers[0].kernel))
    before = state(elsewhere)
    assert Checkpoint(kept, "key").restore(elsewhere) == ([], 0.0)
    assert all(np.array_equal(one, other) for one, other in zip(state(elsewhere), before, strict=True))
    curve, seconds = Checkpoint(kept, "key").restore(begun("plain"))
    assert (len(curve), seconds) == (2, 1.0)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
def test_a_damaged_file_is_named_and_not_used(kept, capsys, damage):
    whole = kept.read_bytes()
    middle = len(whole) // 2
    kept.write_bytes(
        {
            "cut": whole[:middle],
            "flipped": whole[:middle] + bytes([whole[middle] ^ 64]) + whole[middle + 1 :],
            "empty": b"",
            "text": b"not a checkpoint",
        }[damage]
    )
    step = begun("plain")
    before = state(step)
    assert Checkpoint(kept, "key").restore(step) == ([], 0.0)
    assert "kept.npz is damaged" in capsys.readouterr().err
    assert all(np.array_equal(one, other) for one, other in zip(state(step), before, strict=True))


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(kept, tmp_path, monkeypatch):
    step, checkpoint = begun("plain"), Checkpoint(kept, "key")
    curve, _ = checkpoint.restore(step)
    before = kept.read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.keep(step, curve, 9.0)
    assert kept.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["kept.npz"]
