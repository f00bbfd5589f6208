import numpy as np
import pandas as pd
import pytest

from face_sets.face_images import FaceImages
from fer_utils.compression.export import to_tflite
from fer_utils.models.backbones import build_network
from fer_utils.models.prediction import (
    PredictionError,
    features_of_children,
    penultimate_features,
    predict_keras,
    predict_tflite,
    prediction_rows,
)


@pytest.fixture(scope="module")
def network(small_study):
    return build_network("mobilenet_v3_small", small_study, None)


@pytest.fixture(scope="module", params=["float32", "int8"])
def file(request, tiny_network, striped_faces, tmp_path_factory):
    """The file of the tiny network, in each precision."""
    path = tmp_path_factory.mktemp("file") / "tiny.tflite"
    path.write_bytes(to_tflite(tiny_network, request.param, striped_faces[0]))
    return path


def test_predictions_do_not_depend_on_the_batch(tiny_network, striped_faces):
    pixels, _ = striped_faces
    whole = predict_keras(tiny_network, pixels, batch_size=64)
    parts = predict_keras(tiny_network, pixels, batch_size=9)
    np.testing.assert_allclose(whole, parts, atol=1e-5)
    np.testing.assert_allclose(whole, tiny_network(pixels.astype(np.float32)).numpy(), atol=1e-5)


def test_no_faces_give_no_rows(tiny_network):
    assert predict_keras(tiny_network, np.empty((0, 32, 32, 3), np.uint8)).shape == (0, 7)


def test_a_file_refuses_faces_of_another_size(tiny_network, tmp_path):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(to_tflite(tiny_network, "float32", np.empty((0, 32, 32, 3), np.uint8)))
    with pytest.raises(
        PredictionError, match=r"tiny.tflite takes float32 \(1, 32, 32, 3\), not float32 \(1, 48, 48, 3\)"
    ):
        predict_tflite(path, np.zeros((1, 48, 48, 3), np.uint8))


def test_rows_are_checked():
    faces = pd.DataFrame({"face_id": ["a", "b"]})
    rows = prediction_rows("run", faces, np.full((2, 7), 1 / 7))
    assert list(rows["face_id"]) == ["a", "b"]
    with pytest.raises(PredictionError, match="expected 2 x 7 probabilities"):
        prediction_rows("run", faces, np.full((3, 7), 1 / 7))
    with pytest.raises(PredictionError, match="do not sum to 1"):
        prediction_rows("run", faces, np.full((2, 7), 0.5))


def test_the_last_layer_on_the_features_gives_the_predictions(network):
    pixels = np.random.default_rng(0).integers(0, 256, (70, 32, 32, 3)).astype(np.uint8)
    weights, bias = network.get_layer("probabilities").get_weights()
    logits = penultimate_features(network, FaceImages.of_pixels(pixels)) @ weights + bias
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(
        shares / shares.sum(axis=1, keepdims=True), predict_keras(network, pixels), atol=1e-5
    )


def test_only_test_children_of_the_studys_own_set_are_kept(network, small_study):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype(np.uint8)
    faces = pd.DataFrame({
        "face_id": list("abcd"), "age_group": ["child", "adult", "child", "child"],
        "dataset": ["synthetic", "synthetic", "synthetic-gap", "synthetic"],
    })  # fmt: skip
    images = FaceImages.of_pixels(pixels)
    rows = features_of_children("run", network, faces, images, small_study)
    assert list(rows["face_id"]) == ["a", "d"]
    whole = penultimate_features(network, FaceImages.of_pixels(pixels))
    np.testing.assert_allclose(np.stack(rows["features"].to_list()), whole[[0, 3]], atol=1e-5)
    nobody = faces.assign(age_group="adult")
    assert features_of_children("run", network, nobody, images, small_study).empty


@pytest.mark.parametrize("count", [0, 1, 2, 16, 17, 35])
def test_a_file_answers_many_faces_as_it_answers_each(file, striped_faces, count):
    pixels, _ = striped_faces
    together = predict_tflite(file, pixels[:count])
    assert together.shape == (count, 7)
    for answer, face in zip(together, pixels, strict=False):
        assert np.array_equal(answer, predict_tflite(file, face[None])[0])
