"""The device of a training is the one that was asked for."""

import pytest

from face_sets.computer import host_device
from fer_utils.models import devices
from fer_utils.models.backbones import tf
from fer_utils.models.devices import DeviceError, device_name, is_deterministic, use_device
from fer_utils.study import load_study

CPU, GPU = load_study("quick"), load_study("quick", device="gpu")


class Card:
    name, device_type = "/physical_device:GPU:0", "GPU"


@pytest.fixture
def calls(monkeypatch):
    """What TensorFlow was told, in order; it has one made-up card."""
    told = []
    config = devices.tf.config
    monkeypatch.setattr(config, "list_physical_devices", lambda kind=None: [Card()])
    monkeypatch.setattr(config, "set_visible_devices", lambda *given: told.append(("visible", *given)))
    for name in ("set_memory_growth", "enable_tensor_float_32_execution", "enable_op_determinism"):
        monkeypatch.setattr(
            config.experimental, name, lambda *given, name=name: told.append((name, *given[-1:]))
        )
    monkeypatch.setattr(
        config.experimental, "get_device_details", lambda card: {"device_name": "Made-up 100"}
    )
    return told


def test_a_gpu_that_was_not_asked_for_is_not_used(calls):
    use_device(CPU, "none")
    assert ("visible", [], "GPU") in calls
    assert ("enable_op_determinism",) in calls
    assert device_name(CPU) == host_device()


def test_the_studys_threads_are_used_whatever_tensorflow_began_with(calls, monkeypatch):
    told = []
    monkeypatch.setattr(devices.tf.config.threading, "set_intra_op_parallelism_threads", told.append)
    for began, asked in (("1", 1), ("1", 3), ("4", 1)):
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", began)
        use_device(load_study("quick", threads=asked), "none")
    assert told == [3, 1]


def test_a_gpu_that_was_asked_for_shares_its_memory_and_keeps_full_precision(calls):
    use_device(GPU, "pruning")
    assert calls == [
        ("set_memory_growth", True),
        ("enable_tensor_float_32_execution", False),
        ("enable_op_determinism",),
    ]
    assert device_name(GPU) == "Made-up 100"


@pytest.mark.parametrize("technique", ["quantization_aware", "pruning_quantization_aware"])
def test_what_has_no_deterministic_gradient_on_gpus_is_not_asked_for_one(calls, technique):
    use_device(GPU, technique)
    assert ("enable_op_determinism",) not in calls
    assert not is_deterministic(GPU, technique)
    assert is_deterministic(CPU, technique)


@pytest.mark.parametrize("technique", ["none", "quantization_aware"])
def test_a_gpu_that_is_not_there_is_an_error_before_anything_is_trained(technique, monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: [])
    with pytest.raises(DeviceError, match="make gpu"):
        use_device(GPU, technique)
