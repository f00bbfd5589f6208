from functools import cache

import numpy as np
import pytest

from face_sets.face_images import FaceImages
from fer_utils.compression import quantization_aware
from fer_utils.compression.export import CompressionError, refused_by, to_tflite
from fer_utils.compression.exported_files import file_weights
from fer_utils.compression.techniques import (
    check_weights,
    compress,
    holds_most_weights,
    touched_weights,
)
from fer_utils.models.backbones import copy_of, layers
from fer_utils.models.prediction import predict_keras, predict_tflite
from fer_utils.models.training import TrainingSet
from fer_utils.study import BASE_TECHNIQUES, load_study
from fer_utils.tables import TECHNIQUES


@pytest.fixture(scope="module")
def study():
    return load_study(
        "quick", image_size=32, batch_size=8, clusters=4, compression_epochs=4, compression_learning_rate=1e-3
    )


@pytest.fixture(scope="module", autouse=True)
def no_collection():
    """Skip the garbage collection after each technique, which looks through the objects of all tests before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gc.collect", lambda: 0)
        yield


@pytest.fixture(scope="module")
def given():
    """Each technique's input network, as the technique left it."""
    return {}


@pytest.fixture(scope="module")
def compressed(tiny_network, striped_faces, study, given):
    """What each technique makes of the tiny network."""
    pixels, labels = striped_faces
    data = TrainingSet(FaceImages.of_pixels(pixels), labels)
    made = {"none": tiny_network}
    for technique in TECHNIQUES[1:]:
        given[technique] = copy_of(made[BASE_TECHNIQUES.get(technique, "none")])
        made[technique] = compress(
            given[technique], technique, f"tiny.{technique}", data, data, study
        ).network
    return made


@pytest.fixture(scope="module")
def file_of(compressed, striped_faces, tmp_path_factory):
    """Return a function that exports what a technique made, once in each precision, and returns the file's path."""
    folder = tmp_path_factory.mktemp("files")

    @cache
    def export(technique, precision):
        path = folder / f"{technique}.{precision}.tflite"
        path.write_bytes(to_tflite(compressed[technique], precision, striped_faces[0]))
        return path

    return export


def test_quantization_aware_training_leaves_the_plain_network_as_it_was(tiny_network, compressed, given):
    network, aware = given["quantization_aware"], compressed["quantization_aware"]
    assert aware is not network
    pairs = zip(network.get_weights(), tiny_network.get_weights(), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)


def test_pruning_reaches_its_sparsity_for_good(tiny_network, compressed, study):
    made = compressed
    assert touched_weights(tiny_network).sparsity == 0
    assert touched_weights(made["pruning"]).sparsity == pytest.approx(study.sparsity, abs=0.01)
    assert not [layer for layer in made["pruning"].layers if "prune" in layer.name]


def test_clustering_leaves_a_few_values_per_layer(tiny_network, compressed, study):
    made = compressed
    assert touched_weights(tiny_network).distinct_values > 100
    assert touched_weights(made["clustering"]).distinct_values <= study.clusters


def test_depthwise_kernels_are_spared(tiny_network):
    touched = {type(layer).__name__ for layer in tiny_network.layers if holds_most_weights(layer)}
    assert touched == {"Conv2D", "SeparableConv2D", "Dense"}


def test_an_unreached_sparsity_is_an_error(tiny_network, study):
    with pytest.raises(CompressionError, match="pruning reached a sparsity of 0.000, not 0.5"):
        check_weights(tiny_network, "pruning", study)


def test_unreached_clusters_are_an_error(tiny_network, study):
    with pytest.raises(CompressionError, match="distinct weights in a layer, not 4"):
        check_weights(tiny_network, "clustering", study)


def test_wrapping_for_quantization_keeps_the_weights(tiny_network):
    """Before training, the wrapped network holds the network's own kernels, every one of them."""
    ours = [
        each.kernel.numpy() for each in tiny_network.layers if type(each) in (layers.Conv2D, layers.Dense)
    ]
    separable = [each for each in tiny_network.layers if isinstance(each, layers.SeparableConv2D)]
    ours += [each.pointwise_kernel.numpy() for each in separable]
    theirs = quantization_aware.wrap(tiny_network).get_weights()
    assert len(ours) == 4
    assert all(any(np.array_equal(kernel, other) for other in theirs) for kernel in ours)


@pytest.mark.parametrize(
    ("precision", "mean_difference"),
    [("float32", 1e-6), ("float16", 1e-3), ("dynamic", 0.03), ("int8", 0.03)],
)
def test_an_exported_file_computes_what_the_network_computes(
    tiny_network, striped_faces, file_of, precision, mean_difference
):
    pixels, _ = striped_faces
    expected = predict_keras(tiny_network, pixels)
    assert expected.std(0).max() > 0.05, "a network with flat outputs would prove nothing"
    answers = predict_tflite(file_of("none", precision), pixels)
    assert np.abs(answers - expected).mean() < mean_difference
    assert (answers.argmax(1) == expected.argmax(1)).mean() > 0.9


@pytest.mark.parametrize("technique", ["pruning", "clustering"])
def test_stripped_networks_export_as_they_are(compressed, striped_faces, file_of, technique):
    pixels, _ = striped_faces
    answers = predict_tflite(file_of(technique, "float32"), pixels)
    np.testing.assert_allclose(answers, predict_keras(compressed[technique], pixels), atol=1e-5)


def test_a_quantization_aware_file_is_8_bit_throughout_and_agrees(compressed, striped_faces, file_of):
    from ai_edge_litert.interpreter import Interpreter

    pixels, _ = striped_faces
    path = file_of("quantization_aware", "int8")
    theirs = predict_keras(compressed["quantization_aware"], pixels)
    ours = predict_tflite(path, pixels)
    assert np.abs(ours - theirs).mean() < 0.03
    assert (ours.argmax(1) == theirs.argmax(1)).mean() > 0.85
    interpreter = Interpreter(model_path=str(path))
    kinds = [operator["op_name"] for operator in interpreter._get_ops_details()]
    assert (
        kinds.count("QUANTIZE") <= 2
    )  # the input's, and one that brings both sides of Concatenate to one scale
    assert kinds.count("DEQUANTIZE") == 1


def test_an_int8_file_holds_8_bit_kernels(file_of):
    from ai_edge_litert.interpreter import Interpreter

    details = Interpreter(model_path=str(file_of("none", "int8"))).get_tensor_details()
    kernels_in_file = [
        d for d in details if len(d["shape"]) == 4 and d["shape"][0] == 16 and d["shape"][-1] >= 16
    ]
    assert kernels_in_file
    assert {d["dtype"] for d in kernels_in_file} == {np.int8}


def test_a_copy_does_not_share_layers(tiny_network):
    copy = copy_of(tiny_network)
    assert not {id(layer) for layer in copy.layers} & {id(layer) for layer in tiny_network.layers}


@pytest.mark.parametrize("technique", [name for name in TECHNIQUES if "pruning" in name])
def test_files_of_pruned_networks_keep_their_zeros(file_of, technique, study):
    assert file_weights(file_of(technique, "int8").read_bytes()).sparsity >= study.sparsity - 0.01


@pytest.mark.parametrize("technique", [name for name in TECHNIQUES if "clustering" in name])
def test_files_of_clustered_networks_keep_their_few_values(file_of, technique, study):
    assert file_weights(file_of(technique, "int8").read_bytes()).distinct_values <= study.clusters


def test_without_keeping_quantization_aware_training_loses_zeros_and_shared_values(
    compressed, striped_faces, tmp_path, study
):
    made = compressed
    pixels, labels = striped_faces
    data = TrainingSet(FaceImages.of_pixels(pixels), labels)
    path = tmp_path / "file.tflite"
    for base in ("pruning", "clustering"):
        again = compress(copy_of(made[base]), "quantization_aware", "x", data, data, study).network
        path.write_bytes(to_tflite(again, "int8", pixels))
        found = file_weights(path.read_bytes())
        assert (
            found.sparsity < study.sparsity - 0.1
            if base == "pruning"
            else found.distinct_values > study.clusters
        )


@pytest.mark.parametrize("precision", ["float32", "float16", "dynamic", "int8"])
def test_zeros_are_counted_in_files_of_every_precision(compressed, file_of, precision):
    pruned, plain = (file_weights(file_of(each, precision).read_bytes()) for each in ("pruning", "none"))
    assert pruned.sparsity == pytest.approx(touched_weights(compressed["pruning"]).sparsity, abs=0.02)
    assert plain.sparsity < 0.05
    assert plain.distinct_values > 16


@pytest.mark.parametrize("error", [ValueError, RuntimeError, NotImplementedError])
def test_what_a_toolkit_says_of_a_network_is_a_refusal(error):
    with pytest.raises(CompressionError, match="the toolkit refuses: this layer"), refused_by("the toolkit"):
        raise error("this layer\nand more")


@pytest.mark.parametrize("error", [OSError, MemoryError, KeyError])
def test_what_is_not_about_the_network_is_none(error):
    with pytest.raises(error), refused_by("the toolkit"):
        raise error("x")
