"""Gradients of some operations by others: the same numbers to rounding, in a fraction of the time on a processor.

oneDNN's gradients are slow on the small pictures of short trainings: that of a depthwise kernel visits every place of a
kernel that is larger than its output, those of a 1 x 1 kernel reorder memory before they multiply. Both become matrix
products. TensorFlow's own gradient of cropping goes pixel by pixel, that of a mean divides every pixel by the same
number, and that of swish computes the sigmoid again, to save memory. A step of MobileNetV3-Small at 64 pixels takes
30 % less time without oneDNN's, one of NASNetMobile 15 %; of the latter's 170 ms, cropping alone took 12.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import tensorflow as tf

# Private path: tensorflow is pinned
from tensorflow.python.framework import ops

_OVERRIDDEN = {
    "Conv2D": "PointwiseByMatrices",
    "DepthwiseConv2dNative": "SmallDepthwiseByMatrices",
    "StridedSlice": "CroppingByPadding",
    "Mean": "MeanDividedFirst",
}


@contextmanager
def fast_gradients() -> Iterator[None]:
    """Let `tf.gradients` use the gradients of this module for the operations that are traced in this context.

    Pictures have their channels last (NHWC), as all of Keras' on a CPU, and sides that are known.
    """
    graph: Any = tf.compat.v1.get_default_graph()
    # A gradient of its own keeps swish from being overridden by the name of its operation
    with graph.gradient_override_map(_OVERRIDDEN), patch.object(tf.compat.v2.nn, "silu", _swish):
        yield


@tf.custom_gradient
def _swish(features: Any) -> Any:
    """Swish, x sigmoid(x) (Ramachandran et al. 2017, arXiv:1710.05941), whose gradient keeps the sigmoid."""
    sigmoid = tf.sigmoid(features)
    return (
        features * sigmoid,
        lambda gradient: gradient * sigmoid + tf.raw_ops.SigmoidGrad(y=sigmoid, dy=gradient * features),
    )


@tf.RegisterGradient(_OVERRIDDEN["StridedSlice"])
def _of_cropping(operation: Any, gradient: Any) -> list[Any]:
    """Gradient of a picture of which some borders are cut off: zeros there."""
    picture, kept = operation.inputs[0].shape, operation.outputs[0].shape
    first, strides = (tf.get_static_value(operation.inputs[place]) for place in (1, 3))
    drops_axes = any(operation.get_attr(f"{kind}_mask") for kind in ("ellipsis", "new_axis", "shrink_axis"))
    if drops_axes or first is None or strides is None or picture.rank != len(first) or set(strides) != {1}:
        return _general(operation, gradient)
    starts, ends = (operation.get_attr(f"{kind}_mask") for kind in ("begin", "end"))
    borders = []
    for axis, (side, left) in enumerate(zip(picture, kept, strict=True)):
        ahead = 0 if starts & 1 << axis else int(first[axis])
        if starts & ends & 1 << axis:
            borders.append((0, 0))
        elif side is None or left is None or not 0 <= ahead <= side - left:
            return _general(operation, gradient)
        else:
            borders.append((ahead, side - left - ahead))
    return [tf.pad(gradient, borders), None, None, None]


@tf.RegisterGradient(_OVERRIDDEN["Mean"])
def _of_mean(operation: Any, gradient: Any) -> Any:
    """Gradient of the mean over some axes: that of the sum, of a gradient divided while it is small."""
    values, means = (tf.size(each) for each in (operation.inputs[0], operation.outputs[0]))
    count = tf.cast(values // tf.maximum(means, 1), gradient.dtype)
    return ops._gradient_registry.lookup("Sum")(operation, gradient / count)


@tf.RegisterGradient(_OVERRIDDEN["Conv2D"])
def _of_convolution(operation: Any, gradient: Any) -> list[Any]:
    """Gradients of picture and kernel, as products if the kernel is 1 x 1 and meets every pixel."""
    picture, kernel = operation.inputs
    every_pixel = set(operation.get_attr("strides")) == {1} and operation.get_attr("padding") != b"EXPLICIT"
    if not (
        every_pixel and tuple(kernel.shape[:3]) == (1, 1, picture.shape[-1])
    ):  # else in groups of channels
        return _general(operation, gradient)
    pixels, of_pixels = (tf.reshape(each, [-1, each.shape[-1]]) for each in (picture, gradient))
    matrix = tf.reshape(kernel, kernel.shape[2:])
    of_picture = tf.matmul(of_pixels, matrix, transpose_b=True)
    of_kernel = tf.matmul(pixels, of_pixels, transpose_a=True)
    return [tf.reshape(of_picture, tf.shape(picture)), tf.reshape(of_kernel, kernel.shape)]


@tf.RegisterGradient(_OVERRIDDEN["DepthwiseConv2dNative"])
def _of_depthwise_convolution(operation: Any, gradient: Any) -> list[Any]:
    """Gradients of picture and kernel; the kernel's as products if it is larger than the output.

    Each channel's input pixels times its output gradients, summed over the batch, give one product for each pair of
    pixels; a place of the kernel takes the sum over the pairs that it connects.
    """
    picture, kernel = operation.inputs
    of_picture, of_kernel = _general(operation, gradient)
    (height, width, channels), (rows, columns, _, multiplier) = picture.shape[1:], kernel.shape
    padding, dilated = operation.get_attr("padding"), set(operation.get_attr("dilations")) != {1}
    smaller = rows > gradient.shape[1] and columns > gradient.shape[2]
    if dilated or multiplier != 1 or padding == b"EXPLICIT" or not smaller:
        return [of_picture, of_kernel]
    stride_down, stride_right = operation.get_attr("strides")[1:3]
    connected = np.einsum(
        "por,qsc->pqosrc",
        _connected(height, gradient.shape[1], rows, stride_down, padding),
        _connected(width, gradient.shape[2], columns, stride_right, padding),
    ).reshape(-1, rows * columns)
    before, after = (
        tf.reshape(each, [-1, np.prod(each.shape[1:3]), channels]) for each in (picture, gradient)
    )
    pairs = tf.matmul(tf.transpose(before, [2, 1, 0]), tf.transpose(after, [2, 0, 1]))
    sums = tf.matmul(connected, tf.reshape(pairs, [channels, -1]), transpose_a=True, transpose_b=True)
    return [of_picture, tf.reshape(sums, kernel.shape)]


def _connected(side: int, outputs: int, size: int, stride: int, padding: bytes) -> np.ndarray:
    """1 where input pixel p reaches output pixel o by place r of a kernel's side, else 0: float32 (side, outputs, size).

    Padding is TensorFlow's VALID (none) or SAME (the larger half behind): https://www.tensorflow.org/api_docs/python/tf/nn.
    """
    ahead = max((outputs - 1) * stride + size - side, 0) // 2 if padding == b"SAME" else 0
    p, o, r = np.ogrid[:side, :outputs, :size]
    return (p == o * stride + r - ahead).astype(np.float32)


def _general(operation: Any, gradient: Any) -> Any:
    """TensorFlow's own gradients; of those that nobody uses the graph keeps nothing."""
    return ops._gradient_registry.lookup(operation.type)(operation, gradient)
