"""What a recipe adds to a step of training, against its formula and against what it must leave alone."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from traced_training.checkpoints import Checkpoint
from traced_training.training_step import Recipe, TrainingStep, rate_of_epoch

FACES, LABELS = 12, 7


@pytest.fixture(scope="module")
def batch():
    generator = np.random.default_rng(0)
    return generator.integers(0, 255, (FACES, 8, 8, 3)).astype(np.float32), generator.integers(
        0, LABELS, FACES
    )


def network():
    """A network with the same first weights each time."""
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.layers.Conv2D(6, 3, strides=2, input_shape=(8, 8, 3)),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(LABELS, activation="softmax"),
        ]
    )


def after(batch, recipe, steps=5, rate=1e-2, **options):
    step = TrainingStep(network(), recipe=recipe)
    for _ in range(steps):
        step(*batch, rate, **options)
    return step


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_an_empty_recipe_changes_nothing(batch):
    assert same(after(batch, Recipe()).network.get_weights(), after(batch, None).network.get_weights())


def test_weight_decay_is_that_of_keras_adamw(batch):
    ours, theirs = after(batch, Recipe(weight_decay=0.5)).network, network()
    optimizer = keras.optimizers.AdamW(1e-2, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    theirs.compile(optimizer, "sparse_categorical_crossentropy")
    for _ in range(5):
        theirs.train_on_batch(*batch)
    assert not same(ours.get_weights(), after(batch, None).network.get_weights())
    kernel, theirs_kernel = ours.layers[-1].get_weights()[0], theirs.layers[-1].get_weights()[0]
    assert kernel == pytest.approx(theirs_kernel, abs=1e-4)


def test_label_smoothing_is_that_of_keras(batch):
    ours, theirs = after(batch, Recipe(label_smoothing=0.1)).network, network()
    theirs.compile(keras.optimizers.Adam(1e-2), keras.losses.CategoricalCrossentropy(label_smoothing=0.1))
    for _ in range(5):
        theirs.train_on_batch(batch[0], keras.utils.to_categorical(batch[1], LABELS))
    kernel, theirs_kernel = ours.layers[-1].get_weights()[0], theirs.layers[-1].get_weights()[0]
    assert kernel == pytest.approx(theirs_kernel, abs=1e-4)


def test_the_moving_average_is_its_formula(batch):
    step, plain = TrainingStep(network(), recipe=Recipe(weight_average=0.8)), TrainingStep(network())
    expected = [weight.copy() for weight in step.network.get_weights()]
    for _ in range(4):
        step(*batch, 1e-2)
        plain(*batch, 1e-2)
        expected = [0.8 * a + 0.2 * b for a, b in zip(expected, plain.network.get_weights(), strict=True)]
    last = step.network.get_weights()
    assert same(last, plain.network.get_weights()), "averaging must not change the training"
    with step.averaged():
        for ours, theirs in zip(step.network.get_weights(), expected, strict=True):
            assert ours == pytest.approx(theirs, abs=1e-5)
    assert same(step.network.get_weights(), last)
    step.use_chosen()
    assert step.network.get_weights()[0] == pytest.approx(expected[0], abs=1e-5)


def test_sharpness_aware_steps_are_those_of_the_plain_formula(batch):
    """Foret et al. 2021, algorithm 1, with Keras' own gradients and Adam."""
    radius, theirs, optimizer = 0.3, network(), keras.optimizers.Adam(1e-2)
    ours = after(batch, Recipe(sharpness_radius=radius)).network

    def gradients():
        with tf.GradientTape() as tape:
            probabilities = theirs(batch[0], training=True)
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(batch[1], probabilities))
        return tape.gradient(loss, theirs.trainable_variables)

    for _ in range(5):
        uphill, before = gradients(), [tf.identity(weight) for weight in theirs.weights]
        for variable, gradient in zip(theirs.trainable_variables, uphill, strict=True):
            variable.assign_add(radius * gradient / tf.linalg.global_norm(uphill))
        found = gradients()
        for weight, value in zip(theirs.weights, before, strict=True):
            weight.assign(value)
        optimizer.apply_gradients(zip(found, theirs.trainable_variables, strict=True))
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert one == pytest.approx(other, rel=1e-4, abs=1e-4)
    assert not np.allclose(ours.get_weights()[-2], after(batch, None).network.get_weights()[-2], atol=1e-3)


def test_a_sharpness_aware_step_leaves_the_statistics_and_the_head_phase_as_a_plain_one_does(batch):
    one, plain = (after(batch, recipe, steps=1).network for recipe in (Recipe(sharpness_radius=0.3), None))
    for ours, theirs in zip(one.layers[1].get_weights()[2:], plain.layers[1].get_weights()[2:], strict=True):
        assert ours == pytest.approx(theirs, rel=1e-6)
    heads = [
        after(batch, recipe, head_alone=True).network.get_weights()
        for recipe in (Recipe(sharpness_radius=0.3), None)
    ]
    assert same(*heads)


def test_the_head_alone_learns_while_all_else_stays_to_the_bit(batch):
    step = after(batch, Recipe(weight_decay=0.1), head_alone=True)
    start = network().get_weights()
    assert same(step.network.get_weights()[:-2], start[:-2])
    assert not np.array_equal(step.network.get_weights()[-2], start[-2])


def test_the_best_weights_are_used_and_the_first_of_equals(batch):
    step, kept = TrainingStep(network(), recipe=Recipe(keep_best=True)), []
    for score in (0.2, 0.5, 0.5, 0.1):
        step(*batch, 1e-2)
        step.keep_if_best(score)
        kept.append(step.network.get_weights())
    step.use_chosen()
    assert same(step.network.get_weights(), kept[1])
    step.restart()
    step.keep_if_best(0.0)
    step(*batch, 1e-2)
    step.use_chosen()
    assert same(step.network.get_weights(), kept[1]), "a new training does not remember the best of another"


def test_without_any_score_the_last_weights_stay(batch):
    step = after(batch, Recipe(keep_best=True))
    last = step.network.get_weights()
    step.use_chosen()
    assert same(step.network.get_weights(), last)


def test_a_training_that_was_cut_goes_on_with_its_average_and_its_best(batch, tmp_path):
    recipe = Recipe(0.01, 0.1, 0.9, keep_best=True)

    def epochs(step, scores):
        for score in scores:
            step(*batch, 1e-2)
            step.keep_if_best(score)

    whole, cut = (TrainingStep(network(), recipe=recipe) for _ in range(2))
    epochs(whole, (0.3, 0.9, 0.4))
    checkpoint = Checkpoint(tmp_path / "c.npz", "key")
    checkpoint.restore(cut)
    epochs(cut, (0.3, 0.9))
    checkpoint.keep(cut, [(1.0,), (2.0,)], 1.0)
    resumed = TrainingStep(network(), recipe=recipe)
    assert Checkpoint(tmp_path / "c.npz", "key").restore(resumed)[1] == 1.0
    epochs(resumed, (0.4,))
    assert same([each.numpy() for each in resumed.state], [each.numpy() for each in whole.state])
    resumed.use_chosen()
    whole.use_chosen()
    assert same(resumed.network.get_weights(), whole.network.get_weights())
    assert resumed.steps == 3


@pytest.mark.parametrize("warm_up", [0, 1, 3])
def test_the_learning_rate_rises_in_equal_steps_and_then_falls(warm_up):
    rates = [rate_of_epoch(epoch, 8, 1.0, warm_up) for epoch in range(8)]
    assert rates[warm_up] == max(rates) == 1.0
    rising, falling = np.diff(rates[: warm_up + 1]), np.diff(rates[warm_up:])
    assert rising == pytest.approx(np.full(warm_up, 1 / (warm_up + 1)))
    assert (falling < 0).all()
    assert rates[-1] > 0
