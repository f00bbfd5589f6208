"""Gradients by matrix products against TensorFlow's own, for pictures and kernels of many shapes."""

from itertools import product

import numpy as np
import pytest
import tensorflow as tf

from traced_training.gradients import matrix_gradients

BATCH, CHANNELS = 3, 5


def gradients(operation, picture, kernel, own):
    """Gradients of picture and kernel of a sum of weighted outputs, and the operations in their graph."""

    @tf.function(autograph=False)
    def traced(picture, kernel):
        def loss():
            answer = operation(picture, kernel)
            weights = tf.reshape(tf.range(tf.size(answer), dtype=tf.float32), tf.shape(answer))
            return tf.reduce_sum(answer * tf.sin(weights))

        if own:
            with matrix_gradients():
                total = loss()
        else:
            total = loss()
        return tf.gradients(total, [picture, kernel])

    shapes = [tf.TensorSpec((None, *picture.shape[1:])), tf.TensorSpec(kernel.shape)]
    graph = traced.get_concrete_function(*shapes)
    return graph(tf.constant(picture), tf.constant(kernel)), {
        each.type for each in graph.graph.get_operations()
    }


def drawn(*shape):
    return np.random.default_rng(7).normal(size=shape).astype(np.float32)


def assert_equal_gradients(operation, picture, kernel, replaced, by_matrices):
    ours, made = gradients(operation, picture, kernel, own=True)
    theirs, _ = gradients(operation, picture, kernel, own=False)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)
    assert ("MatMul" in made or "BatchMatMulV2" in made) == by_matrices
    if not by_matrices:
        assert replaced in made


DEPTHWISE = [
    (height, width, size, stride, padding)
    for (height, width), size, stride, padding in product(
        [(1, 1), (2, 2), (3, 3), (4, 4), (2, 4), (4, 2), (7, 7)], [1, 2, 3, 5, 7], [1, 2], ["SAME", "VALID"]
    )
    if padding == "SAME" or size <= min(height, width)
]


@pytest.mark.parametrize(("height", "width", "size", "stride", "padding"), DEPTHWISE)
def test_depthwise_kernels_larger_than_the_picture(height, width, size, stride, padding):
    assert_equal_gradients(
        lambda picture, kernel: tf.nn.depthwise_conv2d(picture, kernel, [1, stride, stride, 1], padding),
        drawn(BATCH, height, width, CHANNELS), drawn(size, size, CHANNELS, 1),
        "DepthwiseConv2dNativeBackpropFilter", by_matrices=size > max(height, width),
    )  # fmt: skip


@pytest.mark.parametrize(("multiplier", "dilation"), [(2, 1), (1, 2), (2, 2)])
def test_other_depthwise_kernels_keep_their_gradients(multiplier, dilation):
    assert_equal_gradients(
        lambda picture, kernel: tf.nn.depthwise_conv2d(
            picture, kernel, [1, 1, 1, 1], "SAME", dilations=[dilation, dilation]
        ),
        drawn(BATCH, 4, 4, CHANNELS), drawn(5, 5, CHANNELS, multiplier),
        "DepthwiseConv2dNativeBackpropFilter", by_matrices=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("size", "stride", "padding"),
    product([1, 3], [1, 2], ["SAME", "VALID", [[0, 0], [1, 1], [0, 2], [0, 0]]]),
)
def test_convolutions(size, stride, padding):
    pointwise = size == stride == 1 and isinstance(padding, str)
    assert_equal_gradients(
        lambda picture, kernel: tf.nn.conv2d(picture, kernel, stride, padding),
        drawn(BATCH, 6, 4, CHANNELS), drawn(size, size, CHANNELS, 4),
        "Conv2DBackpropFilter", by_matrices=pointwise,
    )  # fmt: skip


def test_grouped_convolutions_keep_their_gradients():
    assert_equal_gradients(
        lambda picture, kernel: tf.nn.conv2d(picture, kernel, 1, "SAME"),
        drawn(BATCH, 4, 4, 6), drawn(1, 1, 3, 4), "Conv2DBackpropFilter", by_matrices=False,
    )  # fmt: skip
