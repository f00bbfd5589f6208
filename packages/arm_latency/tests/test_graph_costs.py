from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arm_latency.graph_costs import graph_costs
from arm_latency.interpreters import ProfilingError

TinyFile = Callable[[str], Path]


def expected_macs(side: int) -> dict[str, int]:
    pixels = (side // 2) ** 2
    return {
        "convolution_macs": pixels * 32 * 3 * 3 * 3,
        "depthwise_macs": pixels * 32 * 5 * 5,
        "pointwise_macs": pixels * 32 * 64,
        "fully_connected_macs": 64 * 7,
        "grouped_macs": 0,
    }


@pytest.mark.parametrize("side", [32, 64, 224])
@pytest.mark.parametrize("precision", ["float32", "float16", "dynamic", "int8"])
def test_macs_are_those_computed_by_hand_at_every_size_and_precision(
    tiny_file: TinyFile, precision: str, side: int
) -> None:
    costs = graph_costs(tiny_file(precision), side)
    assert {name: getattr(costs, name) for name in expected_macs(side)} == expected_macs(side)


def test_activations_are_those_computed_by_hand(tiny_file: TinyFile) -> None:
    costs = graph_costs(tiny_file("float32"), 32)
    pixels = 16 * 16
    convolution = 32 * 32 * 3 + pixels * 32
    depthwise = 2 * pixels * 32
    pointwise = pixels * 32 + pixels * 64
    ends = (pixels * 64 + 64) + (64 + 7) + 2 * 7  # mean, dense, softmax
    assert costs.activation_values == convolution + depthwise + pointwise + ends
    assert costs.operators == 6


def test_the_arithmetic_of_every_precision_is_named(tiny_file: TinyFile) -> None:
    arithmetic = {
        p: graph_costs(tiny_file(p), 32).arithmetic for p in ("float32", "float16", "dynamic", "int8")
    }
    assert arithmetic == {"float32": "float32", "float16": "float32", "dynamic": "dynamic", "int8": "int8"}


def test_float16_costs_what_float32_costs_and_int8_moves_as_many_values(tiny_file: TinyFile) -> None:
    full, half, integer = (graph_costs(tiny_file(p), 64) for p in ("float32", "float16", "int8"))
    assert half == full
    assert integer.activation_values == full.activation_values


def test_a_graph_of_one_size_says_so(reshaping_file: Path) -> None:
    assert graph_costs(reshaping_file, 8).fully_connected_macs == 8 * 8 * 3 * 7
    for side in (12, 16):  # 16 x 16 pixels would pass for a batch of four images of 8 x 8
        with pytest.raises(ProfilingError, match=rf"reshaping\.tflite cannot be resized to {side} pixels"):
            graph_costs(reshaping_file, side)


@pytest.mark.parametrize("content", [b"", b"not a model at all, only text of some length"])
def test_a_file_that_is_no_model_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "photo.tflite"
    path.write_bytes(content)
    with pytest.raises(ProfilingError, match=r"photo\.tflite cannot be opened"):
        graph_costs(path, 32)


def test_a_damaged_model_is_an_error(tiny_file: TinyFile, tmp_path: Path) -> None:
    cut = tmp_path / "cut.tflite"
    cut.write_bytes(tiny_file("float32").read_bytes()[:2000])
    with pytest.raises(ProfilingError, match=r"cut\.tflite"):
        graph_costs(cut, 32)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MobileNetV2", "MobileNetV3Small"])
def test_macs_of_a_file_made_at_64_pixels_are_keras_own_at_224(
    name: str, converted: Callable[..., Path], tmp_path: Path
) -> None:
    import tf_keras as keras

    def network(side: int) -> Any:
        base = getattr(keras.applications, name)(
            include_top=False, weights=None, input_shape=(side, side, 3), pooling="avg"
        )
        return keras.Model(base.input, keras.layers.Dense(7)(base.output))

    path = converted(network(64), 64, tmp_path / "network.tflite")
    expected = sum(keras_macs(layer) for layer in network(224).layers)
    found = vars(graph_costs(path, 224)).items()
    assert sum(value for name, value in found if name.endswith("_macs")) == expected


def keras_macs(layer: Any) -> int:
    """MACs from Keras' own shapes: kernel size a pixel of output (depthwise) or times the output's filters."""
    kind = type(layer).__name__
    if kind == "Dense":
        return int(layer.kernel.shape.num_elements())
    if kind not in ("Conv2D", "DepthwiseConv2D"):
        return 0
    _, height, width, _ = layer.output_shape
    kernel = layer.depthwise_kernel if kind == "DepthwiseConv2D" else layer.kernel
    return int(height * width * kernel.shape.num_elements())
