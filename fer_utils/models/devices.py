"""What a training runs on: the processor, or a GPU where a study asks for one; never another than was asked for."""

import os
from typing import Any

from face_sets.computer import host_device
from fer_utils.models.backbones import tf
from fer_utils.study import Study


class DeviceError(RuntimeError):
    """The device that a study asks for is not there, or is too small; the message says what to do."""


def use_device(study: Study, technique: str) -> None:
    """Let TensorFlow use the study's device alone and its threads, with deterministic operations where it has them.

    TensorFloat-32 is off: products have the precision that they have on processors. To be called before the first
    network is built. Raises DeviceError if a GPU is asked for and TensorFlow sees none.
    """
    if study.threads != int(os.environ["TF_NUM_INTRAOP_THREADS"]):  # TensorFlow's, when it started
        tf.config.threading.set_intra_op_parallelism_threads(study.threads)
    if study.device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    else:
        for card in _cards():
            tf.config.experimental.set_memory_growth(card, True)  # several jobs can share a card
        tf.config.experimental.enable_tensor_float_32_execution(False)
    if is_deterministic(study, technique):
        tf.config.experimental.enable_op_determinism()


def is_deterministic(study: Study, technique: str) -> bool:
    """Return whether training again on the same device gives the same bits.

    On GPUs simulated 8-bit arithmetic has no deterministic gradient: with deterministic operations TensorFlow refuses
    to train with it (tensorflow/core/kernels/fake_quant_ops_gpu.cu.cc adds up in no fixed order).
    """
    return study.device == "cpu" or not technique.endswith("quantization_aware")


def device_name(study: Study) -> str:
    """Return of what kind the study's processor or GPU is."""
    if study.device == "cpu":
        return host_device()
    card = _cards()[0]
    return str(tf.config.experimental.get_device_details(card).get("device_name", card.name))


def too_little_memory(run_id: str, study: Study) -> DeviceError:
    """Return the error of a training step that does not fit into the device's memory."""
    return DeviceError(
        f"{run_id}: the memory of the device ({study.device}) does not hold a step on {study.batch_size} faces of "
        f"{study.image_size} pixels: choose a smaller batch_size, or run fewer jobs at once"
    )


def _cards() -> list[Any]:
    if cards := tf.config.list_physical_devices("GPU"):
        return list(cards)
    raise DeviceError(
        "the study asks for a GPU (device: gpu), and TensorFlow sees none: look at `nvidia-smi`, install NVIDIA's "
        "libraries by `make gpu`, or set device to cpu"
    )
