"""Fast operations and gradients against TensorFlow's own, for pictures and kernels of many shapes."""

from contextlib import nullcontext
from itertools import product

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras
from tensorflow.python.ops import gen_nn_ops

from traced_training.gradients import fast_gradients

BATCH, CHANNELS = 3, 5
AS_TRACED = tf.compat.v1.ConfigProto()  # to optimize a graph takes longer than all that is computed here
AS_TRACED.graph_options.rewrite_options.disable_meta_optimizer = True


def gradients(operation, picture, kernel, own):
    """Outputs, gradients of picture and kernel of their weighted sum, and the operations in their graph."""

    with tf.Graph().as_default() as graph, tf.compat.v1.Session(config=AS_TRACED) as session:
        given = [
            tf.compat.v1.placeholder(tf.float32, (None, *picture.shape[1:])),
            tf.compat.v1.placeholder(tf.float32, kernel.shape),
        ]
        with fast_gradients() if own else nullcontext():
            answer = operation(*given)
            weights = tf.reshape(tf.range(tf.size(answer), dtype=tf.float32), tf.shape(answer))
            total = tf.reduce_sum(answer * tf.sin(weights))
        made = [each for each in (answer, *tf.gradients(total, given)) if each is not None]
        found = session.run(made, dict(zip(given, (picture, kernel), strict=True)))
        return found, {each.type for each in graph.get_operations()}


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
    return made


DEPTHWISE = [
    (height, width, size, stride, padding)
    for (height, width), size, stride, padding in product(
        [(1, 1), (2, 2), (3, 3), (4, 4), (2, 4), (4, 2), (7, 7)], [1, 2, 3, 5, 7], [1, 2], ["SAME", "VALID"]
    )
    if padding == "SAME" or size <= min(height, width)
]


@pytest.mark.parametrize(("height", "width", "size", "stride", "padding"), DEPTHWISE)
def test_depthwise_kernels_larger_than_their_output(height, width, size, stride, padding):
    covered = 0 if padding == "SAME" else size - 1
    outputs = -(-(max(height, width) - covered) // stride)
    assert_equal_gradients(
        lambda picture, kernel: tf.nn.depthwise_conv2d(picture, kernel, [1, stride, stride, 1], padding),
        drawn(BATCH, height, width, CHANNELS), drawn(size, size, CHANNELS, 1),
        "DepthwiseConv2dNativeBackpropFilter", by_matrices=size > outputs,
    )  # fmt: skip


@pytest.mark.parametrize(("height", "width"), [(8, 8), (7, 12)])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("rows", "columns"), [(3, 3), (4, 4), (5, 5), (7, 7), (5, 1), (2, 6)])
def test_large_depthwise_kernels_in_parts(height, width, stride, padding, rows, columns):
    picture, kernel = drawn(BATCH, height, width, CHANNELS), drawn(rows, columns, CHANNELS, 1)

    def convolved(picture, kernel):
        return tf.nn.depthwise_conv2d(picture, kernel, [1, stride, stride, 1], padding)

    outputs = convolved(picture, kernel).shape[1:3]
    by_matrices = rows > outputs[0] and columns > outputs[1]
    made = assert_equal_gradients(
        convolved, picture, kernel, "DepthwiseConv2dNativeBackpropFilter", by_matrices
    )
    assert ("ConcatV2" in made) == (max(rows, columns) > 3 and not by_matrices)


@pytest.mark.parametrize(("multiplier", "dilation"), [(2, 1), (1, 2), (2, 2)])
def test_depthwise_kernels_with_multiplier_or_dilation(multiplier, dilation):
    assert_equal_gradients(
        lambda picture, kernel: tf.nn.depthwise_conv2d(
            picture, kernel, [1, 1, 1, 1], "SAME", dilations=[dilation, dilation]
        ),
        drawn(BATCH, 4, 4, CHANNELS), drawn(5, 5, CHANNELS, multiplier),
        "DepthwiseConv2dNativeBackpropFilter", by_matrices=multiplier == 1,
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


def gradient(operation, values, own):
    """Gradient of a sum of weighted outputs, and the operations in its graph."""
    made, types = gradients(lambda values, _: operation(values), values, np.zeros(1, np.float32), own)
    return made[1], types


CROPPED = {
    "begin": lambda picture: picture[:, 1:, 2:, :],
    "end": lambda picture: picture[:, :-1, :-2, :],
    "both": lambda picture: picture[:, 1:-1, 2:3, :],
    "channels": lambda picture: picture[:, :, :, 1:2],
    "whole": lambda picture: picture[:, :, :, :],
    "nothing left": lambda picture: picture[:, 6:, :, :],
    "keras": keras.layers.Cropping2D(((1, 0), (0, 2))),
}


@pytest.mark.parametrize("crop", CROPPED.values(), ids=CROPPED)
def test_cropping(crop):
    (ours, made), (theirs, _) = (gradient(crop, drawn(BATCH, 6, 5, CHANNELS), own) for own in (True, False))
    np.testing.assert_array_equal(ours, theirs)
    assert "Pad" in made
    assert "StridedSliceGrad" not in made


SLICED = {
    "every second": lambda picture: picture[:, ::2, :, :],
    "backwards": lambda picture: picture[:, ::-1, :, :],
    "from the end": lambda picture: picture[:, -3:, :, :],
    "of the batch": lambda picture: picture[1:, :, :, :],
    "one row": lambda picture: picture[:, 2, :, :],
    "one more axis": lambda picture: picture[:, tf.newaxis, 1:],
    "the last axis": lambda picture: picture[..., 1:],
}


@pytest.mark.parametrize("cut", SLICED.values(), ids=SLICED)
def test_other_slices_keep_their_gradients(cut):
    (ours, made), (theirs, _) = (gradient(cut, drawn(BATCH, 6, 5, CHANNELS), own) for own in (True, False))
    np.testing.assert_array_equal(ours, theirs)
    assert "StridedSliceGrad" in made


@pytest.mark.parametrize("axes", [None, 0, 1, [1, 2], [0, 1, 2], [0, 1, 2, 3], -1])
@pytest.mark.parametrize("keepdims", [True, False])
def test_means(axes, keepdims):
    (ours, _), (theirs, _) = (
        gradient(lambda values: tf.reduce_mean(values, axes, keepdims), drawn(BATCH, 6, 5, CHANNELS), own)
        for own in (True, False)
    )
    np.testing.assert_array_equal(ours, theirs)


def test_swish():
    (ours, made), (theirs, also) = (
        gradient(keras.activations.swish, 5 * drawn(BATCH, 6, 5, CHANNELS), own) for own in (True, False)
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    assert "SigmoidGrad" in made
    assert "SigmoidGrad" not in also


@pytest.mark.parametrize(("module", "name"), [(tf.compat.v2.nn, "silu"), (gen_nn_ops, "conv2d")])
def test_operations_are_tensorflows_after_the_context(module, name):
    before = getattr(module, name)
    with tf.Graph().as_default(), fast_gradients():
        assert getattr(module, name) is not before
    assert getattr(module, name) is before
