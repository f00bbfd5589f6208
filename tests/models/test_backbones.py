from functools import cache

import numpy as np
import pytest
from tf_keras.src.applications import nasnet

from fer_utils.models import backbones
from fer_utils.models.backbones import BACKBONES, Backbone, build_network, copy_of, keras, layers
from fer_utils.study import ARCHITECTURES

PARAMETERS = {  # Keras' include_top=False plus a dense layer of 7, counted by hand from the published shapes
    "mobilenet_v3_small": 939_120 + 576 * 7 + 7,
    "mobilenet_v2": 2_257_984 + 1280 * 7 + 7,
    "mobilenet_v3_large": 2_996_352 + 960 * 7 + 7,
}


def build(architecture, study):
    """Build a network by the study's seed."""
    keras.utils.set_random_seed(study.seed)
    return build_network(architecture, study, None)


@pytest.fixture(scope="module")
def built(small_study):
    """Return a function that builds a network once, for tests that only look at it."""
    return cache(lambda architecture: build(architecture, small_study))


def test_every_architecture_has_a_backbone():
    assert set(BACKBONES) == set(ARCHITECTURES)


@pytest.mark.parametrize("architecture", PARAMETERS)
def test_a_network_is_flat_with_the_common_head(architecture, built):
    network = built(architecture)
    assert network.count_params() == PARAMETERS[architecture]
    assert network.input_shape == (None, 32, 32, 3)
    assert network.output_shape == (None, 7)
    assert not [layer for layer in network.layers if isinstance(layer, keras.Model)]
    assert not [layer for layer in network.layers if "Lambda" in type(layer).__name__]
    normalizing = [layer for layer in network.layers if isinstance(layer, layers.BatchNormalization)]
    assert {layer.momentum for layer in normalizing} == {backbones.BATCH_NORMALIZATION_MOMENTUM}


@pytest.mark.parametrize(
    "architecture",
    [
        "mobilenet_v3_small",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ARCHITECTURES
            if name != "mobilenet_v3_small"
        ),
    ],
)
def test_networks_compute_what_keras_own_compute(architecture, small_study):
    """The network as rewritten for quantization, and its copy that is wrapped, equal Keras' own to 1e-5.

    Keras' own gets the same weights in the same order. Batch statistics are random, so that errors in them show.
    """
    ours = build_network(architecture, small_study, None)
    backbone = BACKBONES[architecture]
    theirs = backbone.build(input_shape=(32, 32, 3), include_top=False, weights=None)
    body = keras.Model(ours.input, ours.get_layer("pooled").input)
    generator = np.random.default_rng(0)
    weights = [
        weight
        if weight.ndim > 1
        else np.abs(weight + generator.normal(0, 0.2, weight.shape)).astype(np.float32)
        for weight in theirs.get_weights()
    ]
    theirs.set_weights(weights)
    body.set_weights(weights)
    faces = generator.uniform(0, 255, (4, 32, 32, 3)).astype(np.float32)
    expected = theirs(faces if backbone.scales_itself else faces / 127.5 - 1, training=False).numpy()
    scale = np.abs(expected).max()
    assert scale > 0
    np.testing.assert_allclose(body(faces, training=False).numpy() / scale, expected / scale, atol=1e-5)
    copy = copy_of(ours)
    np.testing.assert_allclose(copy(faces, training=False), ours(faces, training=False), atol=1e-5)


@pytest.mark.parametrize("architecture", ["mobilenet_v2", "mobilenet_v3_small"])
def test_networks_scale_bytes_themselves(architecture, built):
    """The first convolution sees values in [-1, 1], whichever network brings its own scaling."""
    network = built(architecture)
    first = next(layer for layer in network.layers if isinstance(layer, layers.Conv2D))
    extremes = np.stack([np.zeros((32, 32, 3)), np.full((32, 32, 3), 255)]).astype(np.float32)
    seen = keras.Model(network.input, first.input).predict(extremes, verbose=0)
    np.testing.assert_allclose([seen.min(), seen.max()], [-1, 1], atol=1e-6)


def test_two_builds_by_one_seed_are_equal(built, small_study):
    """In their weights, and in the names of their layers, which do not count the networks built before."""
    one, other = built("mobilenet_v3_small"), build("mobilenet_v3_small", small_study)
    assert [layer.name for layer in one.layers] == [layer.name for layer in other.layers]
    assert all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


def test_the_names_of_the_many_layers_of_nasnet_do_not_count_the_networks_built_before(
    small_study, monkeypatch
):
    """With one cell where NASNet has four in a row: they are named alike."""

    def few_cells(**options):
        return nasnet.NASNet(penultimate_filters=1056, num_blocks=1, skip_reduction=False, **options)

    monkeypatch.setitem(BACKBONES, "nasnet_mobile", Backbone(few_cells, scales_itself=False))
    one, other = (build("nasnet_mobile", small_study) for _ in range(2))
    assert [layer.name for layer in one.layers] == [layer.name for layer in other.layers]
