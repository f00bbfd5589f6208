"""The own training step against Keras' optimizer and loop, on a network with every kind of layer that the five have."""

import numpy as np
import pytest

from fer_utils.models.backbones import copy_of, keras, layers, tf
from fer_utils.models.training import set_up
from traced_training.training_step import TrainingStep


@pytest.fixture(scope="module")
def batches(striped_faces):
    pixels, labels = striped_faces
    parts = [slice(start, start + 14) for start in range(0, 56, 14)] * 3
    return [(tf.constant(pixels[part], tf.float32), tf.constant(labels[part])) for part in parts]


def largest_difference(one, other):
    return max(np.abs(a - b).max() for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


def test_steps_change_weights_as_keras_does(tiny_network, batches):
    ours, theirs = copy_of(tiny_network), copy_of(tiny_network)
    theirs.compile(keras.optimizers.Adam(1e-4), "sparse_categorical_crossentropy", metrics=["accuracy"])
    step = TrainingStep(ours)
    for faces, labels in batches:
        loss, correct = step(faces, labels, 1e-4)
        their_loss, their_accuracy = theirs.train_on_batch(faces, labels, reset_metrics=True)
        assert float(loss) / len(labels) == pytest.approx(their_loss, rel=1e-4)
        assert float(correct) / len(labels) == pytest.approx(their_accuracy)
    assert largest_difference(ours, tiny_network) > 1e-4, "steps that change nothing would prove nothing"
    # Biases before batch normalization have no gradient but rounding, which Adam scales up: judge what is answered,
    # by the batch's own statistics, which are free of such biases
    ours_says, theirs_say = (np.array(network(batches[0][0], training=True)) for network in (ours, theirs))
    assert np.abs(ours_says - theirs_say).max() < 1e-3
    differing = [
        np.abs(a - b).ravel() > 1e-5
        for a, b in zip(ours.trainable_weights, theirs.trainable_weights, strict=True)
    ]
    assert np.concatenate(differing).mean() < 0.05


def test_a_restarted_step_begins_as_a_new_one_does(tiny_network, batches):
    start = tiny_network.get_weights()
    used, fresh = copy_of(tiny_network), copy_of(tiny_network)
    step = TrainingStep(used)
    for faces, labels in batches[:4]:
        step(faces, labels, 1e-3)
    used.set_weights(start)
    step.restart()
    other = TrainingStep(fresh)
    for faces, labels in batches[:4]:
        step(faces, labels, 1e-3)
        other(faces, labels, 1e-3)
    assert largest_difference(used, fresh) == 0


def test_dropout_depends_on_the_numbers_given_alone(small_study):
    """With a dropout of whole layers before a sum, of which EfficientNet has many, and one of features, as all have."""
    set_up(small_study)
    pixels = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3)(pixels)
    x = layers.Add()([x, layers.Dropout(0.5, noise_shape=(None, 1, 1, 1))(layers.Conv2D(8, 1)(x))])
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    network = keras.Model(pixels, layers.Dense(7, activation="softmax")(x))
    faces = tf.constant(np.random.default_rng(0).integers(0, 255, (8, 32, 32, 3)), tf.float32)
    step = TrainingStep(network)
    drawn = []
    for numbers in ((5, 0), (5, 1), (5, 0)):
        step.seed(*numbers)
        drawn.append(np.array(network(faces, training=True)))
    assert np.array_equal(drawn[0], drawn[2])
    assert not np.array_equal(drawn[0], drawn[1])


def test_the_graph_is_traced_once_for_batches_of_any_size(tiny_network, batches):
    step = TrainingStep(copy_of(tiny_network))
    for faces, labels in batches[:2]:
        for count in (14, 5, 2):
            step(faces[:count], labels[:count], 1e-3)
    assert step._traced.experimental_get_tracing_count() == 1
