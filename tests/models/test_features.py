import numpy as np
import pandas as pd

from fer_utils.models.backbones import build_network
from fer_utils.models.face_images import FaceImages
from fer_utils.models.features import features_of_children, penultimate_features
from fer_utils.models.prediction import predict_keras


def test_the_last_layer_on_the_features_gives_the_predictions(small_study):
    network = build_network("mobilenet_v3_small", small_study, None)
    pixels = np.random.default_rng(0).integers(0, 256, (70, 32, 32, 3)).astype(np.uint8)
    weights, bias = network.get_layer("probabilities").get_weights()
    logits = penultimate_features(network, FaceImages.of_pixels(pixels)) @ weights + bias
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(
        shares / shares.sum(axis=1, keepdims=True), predict_keras(network, pixels), atol=1e-5
    )


def test_only_test_children_of_the_studys_own_set_are_kept(small_study):
    network = build_network("mobilenet_v3_small", small_study, None)
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
