import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from face_sets.folders import PROJECT_FOLDER
from fer_utils.models.networks import NETWORKS, WeightsError, find_initial_weights, network_facts
from fer_utils.study import ARCHITECTURES, load_study

RECOVERED = Path("imagenet_weights", "mobilenet_v2_1.0_224_no_top.h5")


def test_every_architecture_has_its_facts():
    facts = network_facts()
    assert set(facts["architecture"]) == set(ARCHITECTURES)
    assert facts["source"].str.contains("arXiv").all()


def study(**changes):
    return load_study("quick", architectures=["mobilenet_v2"], image_size=96, **changes)


@pytest.fixture
def empty_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("FER_WEIGHTS", raising=False)


def test_random_asks_for_nothing(empty_home):
    assert find_initial_weights(study(initial_weights="random")) == ("random", {"mobilenet_v2": None})


@pytest.fixture
def no_network(monkeypatch):
    def unreachable(_):
        raise OSError("no network")

    monkeypatch.setattr("fer_utils.models.networks._keras_download", unreachable)


def test_unavailable_weights_are_an_error_at_once(empty_home, no_network):
    started = time.monotonic()
    with pytest.raises(
        WeightsError, match=r"ImageNet weights of mobilenet_v2 cannot be downloaded; put .*no_top.h5"
    ):
        find_initial_weights(study(initial_weights="imagenet"))
    assert time.monotonic() - started < 5


def test_auto_takes_random_for_all_when_one_is_missing(empty_home, no_network, tmp_path, monkeypatch):
    (tmp_path / NETWORKS["mobilenet_v2"].weights_file).touch()
    monkeypatch.setenv("FER_WEIGHTS", str(tmp_path))
    both = load_study("quick", architectures=["mobilenet_v2", "nasnet_mobile"], initial_weights="auto")
    assert find_initial_weights(both) == ("random", {"mobilenet_v2": None, "nasnet_mobile": None})


def test_a_local_folder_is_used(empty_home, tmp_path, monkeypatch):
    file = tmp_path / NETWORKS["mobilenet_v2"].weights_file
    file.touch()
    monkeypatch.setenv("FER_WEIGHTS", str(tmp_path))
    assert find_initial_weights(study(initial_weights="auto")) == ("imagenet", {"mobilenet_v2": str(file)})


def test_recovered_weights_load_into_our_network(empty_home, tmp_path, monkeypatch):
    """Our network with Keras' own features file has those features: the first kernel is the file's."""
    folder = Path(os.environ.get("FER_DATA", PROJECT_FOLDER.parent / "shared" / "data"))
    if not (folder / RECOVERED).is_file():
        pytest.skip("the recovered MobileNetV2 weights are not below FER_DATA")
    import h5py

    from fer_utils.models.backbones import build_network, layers

    shutil.copy(folder / RECOVERED, tmp_path / NETWORKS["mobilenet_v2"].weights_file)
    monkeypatch.setenv("FER_WEIGHTS", str(tmp_path))
    start, files = find_initial_weights(study(initial_weights="imagenet"))
    assert start == "imagenet"
    network = build_network("mobilenet_v2", study(), files["mobilenet_v2"])
    first = next(layer for layer in network.layers if isinstance(layer, layers.Conv2D))
    kernels = []
    with h5py.File(files["mobilenet_v2"]) as stored:
        stored.visititems(lambda name, item: kernels.append(item[()]) if "Conv1/kernel" in name else None)
    np.testing.assert_array_equal(first.get_weights()[0], kernels[0])
