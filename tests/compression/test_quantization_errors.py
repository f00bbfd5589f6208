"""8-bit files: their ranges are those of the activations, and the layers that lose accuracy are identified."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from expression_scores.run_scores import ROUNDING
from fer_utils.compression.export import quantized, to_tflite, with_activation_ranges
from fer_utils.compression.quantization_errors import (
    FLOAT_SHARE,
    candidate_fixes,
    layer_errors,
    whole_hard_swish,
)
from fer_utils.models.backbones import HardSwish, keras, layers, tf
from fer_utils.models.prediction import predict_keras, predict_tflite
from tflite_files.activation_ranges import measured_ranges, with_ranges

Ask = Callable[[bytes], np.ndarray]
NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}


@pytest.fixture(scope="module")
def residual(striped_faces: tuple[np.ndarray, np.ndarray]) -> keras.Model:
    """A small network with what the calibrator of TensorFlow 2.21 misjudges: sums in place, and hard-swish in parts."""
    keras.utils.set_random_seed(2)
    pixels = keras.Input((32, 32, 3), name="rgb_0_to_255")
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scaling")(pixels)
    x = HardSwish()(layers.Conv2D(8, 3, strides=2, padding="same", name="before")(x))
    x = layers.Add(name="sum")([x, layers.Conv2D(8, 1, name="added")(layers.Conv2D(8, 1)(x))])
    x = HardSwish()(layers.Conv2D(16, 1, name="after")(x))
    probabilities = layers.Dense(7, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    network = keras.Model(pixels, probabilities)
    network.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy")
    network.fit(striped_faces[0].astype(np.float32), striped_faces[1], batch_size=14, epochs=25, verbose=0)
    return network


@pytest.fixture(scope="module")
def faces(striped_faces: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return striped_faces[0]


@pytest.fixture(scope="module")
def model(residual: keras.Model, faces: np.ndarray) -> bytes:
    return with_activation_ranges(residual, faces)


@pytest.fixture
def ask(faces: np.ndarray, tmp_path: Path) -> Ask:
    def answers(file: bytes) -> np.ndarray:
        path = tmp_path / "file.tflite"
        path.write_bytes(file)
        return predict_tflite(path, faces)

    return answers


def operators(file: bytes) -> list[str]:
    parsed = schema.ModelT.InitFromPackedBuf(file, 0)
    return [
        NAMES[parsed.operatorCodes[each.opcodeIndex].builtinCode] for each in parsed.subgraphs[0].operators
    ]


def layer_of(tensor: str) -> str:
    """The layer in a tensor's name, `network/layer/operation`."""
    return tensor.split("/")[1] if "/" in tensor else tensor


def stored(file: bytes) -> dict[str, tuple[float, float, float]]:
    """Least and greatest value that each 8-bit activation of a file can hold, and its step, by the tensor's name."""
    graph = schema.ModelT.InitFromPackedBuf(file, 0).subgraphs[0]
    found = {}
    for output in {int(output) for operator in graph.operators for output in operator.outputs}:
        tensor = graph.tensors[output]
        if tensor.type == schema.TensorType.INT8:
            step, zero = float(tensor.quantization.scale[0]), int(tensor.quantization.zeroPoint[0])
            found[tensor.name.decode()] = (step * (-128 - zero), step * (127 - zero), step)
    return found


@pytest.mark.parametrize("layer", ["before", "added", "sum", "after"])
def test_a_file_stores_each_activation_in_the_range_that_it_takes(
    residual: keras.Model, faces: np.ndarray, model: bytes, layer: str
) -> None:
    values = keras.Model(residual.input, residual.get_layer(layer).output)(faces.astype(np.float32)).numpy()
    (found,) = [held for name, held in stored(quantized(model)).items() if layer_of(name) == layer]
    least, greatest, step = found
    assert least == pytest.approx(min(0, values.min()), abs=1.01 * step)
    assert greatest == pytest.approx(max(0, values.max()), abs=1.01 * step)


def test_the_converters_own_ranges_are_still_wrong(
    residual: keras.Model, faces: np.ndarray, model: bytes
) -> None:
    """The day this fails, tensorflow issue 127842 is fixed: ranges need no measuring here."""
    converter = tf.lite.TFLiteConverter.from_keras_model(residual)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([face[None].astype(np.float32)] for face in faces)
    theirs, ours = (stored(file) for file in (converter.convert(), quantized(model)))
    scaled = [
        next(held for name, held in file.items() if name.endswith("scaling/mul")) for file in (theirs, ours)
    ]
    assert scaled[0][0] == pytest.approx(-1, abs=0.02)  # from where 1 was subtracted, in its memory
    assert scaled[1][0] == pytest.approx(0, abs=0.02)


def test_weights_have_one_scale_per_channel(model: bytes) -> None:
    graph = schema.ModelT.InitFromPackedBuf(quantized(model), 0).subgraphs[0]
    kernels = [
        tensor for tensor in graph.tensors if len(tensor.shape) == 4 and tensor.quantization.scale is not None
    ]
    kernels = [tensor for tensor in kernels if len(tensor.quantization.scale) > 1]
    assert [len(tensor.quantization.scale) for tensor in kernels] == [
        int(tensor.shape[0]) for tensor in kernels
    ]
    assert sorted(len(tensor.quantization.scale) for tensor in kernels) == [8, 8, 8, 16]


def test_hard_swish_is_whole_in_float_files_and_in_parts_in_8_bit_ones(
    residual: keras.Model, faces: np.ndarray, model: bytes
) -> None:
    assert operators(to_tflite(residual, "float32", faces)).count("HARD_SWISH") == 2
    assert "HARD_SWISH" not in operators(quantized(model))
    (whole,) = whole_hard_swish(residual, faces)
    assert operators(whole.model).count("HARD_SWISH") == 2


def test_parts_of_hard_swish_answer_as_well_as_the_whole(
    residual: keras.Model, faces: np.ndarray, model: bytes, ask: Ask
) -> None:
    expected = predict_keras(residual, faces)
    (whole,) = whole_hard_swish(residual, faces)
    in_parts, in_one = (np.abs(ask(file) - expected).mean() for file in (quantized(model), whole.model))
    assert in_parts < 0.03
    assert in_parts < 1.5 * in_one + 0.002


def test_a_float_file_gives_the_8_bit_weights_and_steps_that_the_network_gives(
    residual: keras.Model, faces: np.ndarray
) -> None:
    made = (
        quantized(with_activation_ranges(residual, faces, file, fused=True))
        for file in (None, to_tflite(residual, "float32", faces))
    )
    of_network, of_file = (schema.ModelT.InitFromPackedBuf(file, 0) for file in made)
    for ours, theirs in zip(of_file.subgraphs[0].tensors, of_network.subgraphs[0].tensors, strict=True):
        assert (ours.name, ours.type) == (theirs.name, theirs.type)
        np.testing.assert_array_equal(ours.quantization.scale, theirs.quantization.scale)
        data = of_file.buffers[ours.buffer].data, of_network.buffers[theirs.buffer].data
        np.testing.assert_array_equal(*data)


def test_a_network_without_hard_swish_has_no_such_variant(faces: np.ndarray) -> None:
    pixels = keras.Input((32, 32, 3))
    plain = keras.Model(pixels, layers.Conv2D(2, 3)(pixels))
    assert list(whole_hard_swish(plain, faces)) == []


def test_a_healthy_layer_loses_what_rounding_costs(model: bytes, faces: np.ndarray) -> None:
    errors = layer_errors(model, faces)
    assert list(errors["position"]) == list(range(len(errors)))
    assert layer_of(errors["layer"][0]) == "scaling"
    convolutions = errors[errors["operator"] == "CONV_2D"]
    assert convolutions["error_steps"].between(0.5 * ROUNDING, 1.5 * ROUNDING).all()
    assert (convolutions["noise_share"] < 0.01).all()


def clipped(model: bytes, faces: np.ndarray, layer: str) -> tuple[bytes, str]:
    """The model with one layer's range cut to a fifth, so that values beyond are lost; and that layer's full name."""
    names = [
        tensor.name.decode() for tensor in schema.ModelT.InitFromPackedBuf(model, 0).subgraphs[0].tensors
    ]
    ranges = measured_ranges(model, faces)
    (hurt,) = [index for index in ranges if layer_of(names[index]) == layer]
    ranges[hurt] = (ranges[hurt][0] / 5, ranges[hurt][1] / 5)
    return with_ranges(model, ranges), names[hurt]


def test_a_clipped_layer_is_found(model: bytes, faces: np.ndarray) -> None:
    damaged, name = clipped(model, faces, "added")
    errors = layer_errors(damaged, faces)
    worst = errors.loc[errors["noise_share"].idxmax()]
    assert worst["layer"] == name
    assert worst["error_steps"] > 5 * ROUNDING


def test_candidate_fixes_leave_layers_float_or_take_more_faces(model: bytes, faces: np.ndarray) -> None:
    errors = layer_errors(model, faces)
    made = {variant.name: variant for variant in candidate_fixes(model, errors, faces)}
    assert list(made) == ["first_layers_float", "noisiest_layers_float", "more_faces"]
    count = round(FLOAT_SHARE * len(errors))
    assert made["first_layers_float"].about == f"the first {count} of {len(errors)} layers left float"
    as_it_is = quantized(model)
    assert operators(as_it_is)[0] == "QUANTIZE"
    assert operators(made["first_layers_float"].model)[0] != "QUANTIZE"
    assert made["more_faces"].model == as_it_is  # these faces are all there are
