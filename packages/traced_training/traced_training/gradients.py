"""Faster replacements for some operations and gradients: the same numbers to rounding, in a fraction of the CPU time.

oneDNN is slow on the small pictures of short trainings: it reorders memory before it multiplies by a 1 x 1 kernel, and
its gradient of a depthwise kernel visits every place of a kernel that is larger than its output. Both become matrix
products. Its gradient of a depthwise kernel is fast only up to 3 x 3, so that of a larger kernel is assembled from such
parts (240 channels of 8 x 8 pixels, kernel 5 x 5: 0.6 ms instead of 2.4). TensorFlow's own gradient of cropping
goes pixel by pixel, that of a mean divides every pixel by the same number, and that of swish computes the sigmoid again,
to save memory.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np
import tensorflow as tf

# Private paths: tensorflow is pinned
from tensorflow.python.framework import ops
from tensorflow.python.ops import gen_nn_ops

_FAST_SIDE = 3
"""Sides of a depthwise kernel up to which oneDNN's gradient is fast, as timed on AVX-512."""

_OVERRIDDEN = {
    "DepthwiseConv2dNative": "DepthwiseByMatricesOrParts",
    "StridedSlice": "CroppingByPadding",
    "Mean": "MeanDividedFirst",
}


@contextmanager
def fast_gradients() -> Iterator[None]:
    """Let what is traced in this context, and its gradients by `tf.gradients`, use the operations of this module.

    Pictures have their channels last (NHWC), as all of Keras' on a CPU, and sides that are known.
    """
    graph: Any = tf.compat.v1.get_default_graph()
    with (
        graph.gradient_override_map(_OVERRIDDEN),
        # A gradient of its own keeps swish from being overridden by the name of its operation
        patch.object(tf.compat.v2.nn, "silu", _swish),
        patch.object(gen_nn_ops, "conv2d", partial(_convolution, gen_nn_ops.conv2d)),
    ):
        yield


def _convolution(general: Any, input: Any, filter: Any, strides: Any, padding: Any, **others: Any) -> Any:
    """`general`, TensorFlow's convolution, but a matrix product if the kernel is 1 x 1 and meets every pixel."""
    is_usual = padding in ("SAME", "VALID") and others.get("data_format", "NHWC") == "NHWC"
    every_pixel = is_usual and set(strides) == {1} and None not in input.shape[1:3]
    if not every_pixel or tuple(filter.shape[:3]) != (1, 1, input.shape[-1]):  # else in groups of channels
        return general(input, filter, strides, padding, **others)
    outputs = filter.shape[-1]
    product = tf.matmul(tf.reshape(input, [-1, input.shape[-1]]), tf.reshape(filter, [-1, outputs]))
    return tf.reshape(product, [-1, *input.shape[1:3], outputs])


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


@tf.RegisterGradient(_OVERRIDDEN["DepthwiseConv2dNative"])
def _of_depthwise_convolution(operation: Any, gradient: Any) -> list[Any]:
    """Gradients of picture and kernel; the kernel's as products if it is larger than the output, else in parts."""
    picture, kernel = operation.inputs
    of_picture, of_kernel = _general(operation, gradient)
    sides, outputs = kernel.shape[:2], gradient.shape[1:3]
    padding, dilated = operation.get_attr("padding"), set(operation.get_attr("dilations")) != {1}
    if dilated or kernel.shape[3] != 1 or padding == b"EXPLICIT":
        return [of_picture, of_kernel]
    strides = operation.get_attr("strides")[1:3]
    if sides[0] > outputs[0] and sides[1] > outputs[1]:
        of_kernel = _kernel_by_matrices(picture, kernel.shape, gradient, strides, padding)
    elif max(sides) > _FAST_SIDE:
        of_kernel = _kernel_in_parts(picture, kernel.shape, gradient, strides, padding)
    return [of_picture, of_kernel]


def _kernel_by_matrices(picture: Any, kernel: Any, gradient: Any, strides: Any, padding: bytes) -> Any:
    """Gradient of a depthwise kernel of this shape.

    Each channel's input pixels times its output gradients, summed over the batch, give one product for each pair of
    pixels; a place of the kernel takes the sum over the pairs that it connects.
    """
    rows, columns, channels, _ = kernel
    connected = np.einsum(
        "por,qsc->pqosrc",
        _connected(picture.shape[1], gradient.shape[1], rows, strides[0], padding),
        _connected(picture.shape[2], gradient.shape[2], columns, strides[1], padding),
    ).reshape(-1, rows * columns)
    before, after = (
        tf.reshape(each, [-1, np.prod(each.shape[1:3]), channels]) for each in (picture, gradient)
    )
    pairs = tf.matmul(tf.transpose(before, [2, 1, 0]), tf.transpose(after, [2, 0, 1]))
    sums = tf.matmul(connected, tf.reshape(pairs, [channels, -1]), transpose_a=True, transpose_b=True)
    return tf.reshape(sums, kernel)


def _connected(side: int, outputs: int, size: int, stride: int, padding: bytes) -> np.ndarray:
    """1 where input pixel p reaches output pixel o by place r of a kernel's side, else 0: float32 (side, outputs, size)."""
    p, o, r = np.ogrid[:side, :outputs, :size]
    return (p == o * stride + r - _padded(side, outputs, size, stride, padding)[0]).astype(np.float32)


def _kernel_in_parts(picture: Any, kernel: Any, gradient: Any, strides: Any, padding: bytes) -> Any:
    """Gradient of a depthwise kernel of this shape: each part of it meets a shifted part of the picture."""
    outputs = gradient.shape[1:3]
    borders = [
        _padded(*each, padding) for each in zip(picture.shape[1:3], outputs, kernel[:2], strides, strict=True)
    ]
    padded = tf.pad(picture, [(0, 0), *borders, (0, 0)]) if np.any(borders) else picture
    down, right = (np.array_split(range(side), -(-side // _FAST_SIDE)) for side in kernel[:2])

    def part(rows: Any, columns: Any) -> Any:
        sizes = len(rows), len(columns)
        reached = [(o - 1) * stride + size for o, stride, size in zip(outputs, strides, sizes, strict=True)]
        return tf.raw_ops.DepthwiseConv2dNativeBackpropFilter(
            input=tf.slice(padded, [0, rows[0], columns[0], 0], [-1, *reached, -1]),
            filter_sizes=[*sizes, *kernel[2:]], out_backprop=gradient, strides=[1, *strides, 1], padding="VALID",
        )  # fmt: skip

    return tf.concat([tf.concat([part(rows, columns) for columns in right], 1) for rows in down], 0)


def _padded(side: int, outputs: int, size: int, stride: int, padding: bytes) -> tuple[int, int]:
    """Pixels of zeros ahead of and behind a side of a picture.

    Padding is TensorFlow's VALID (none) or SAME (the larger half behind): https://www.tensorflow.org/api_docs/python/tf/nn.
    """
    missing = max((outputs - 1) * stride + size - side, 0) if padding == b"SAME" else 0
    return missing // 2, missing - missing // 2


def _general(operation: Any, gradient: Any) -> Any:
    """TensorFlow's own gradients; of those that nobody uses the graph keeps nothing."""
    return ops._gradient_registry.lookup(operation.type)(operation, gradient)
