"""The five networks without TensorFlow: where each was published, on what idea it rests, what weights it starts from."""

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from fer_utils.paths import WEIGHTS_VARIABLE
from fer_utils.study import Architecture, Study


class Network(NamedTuple):
    """Where a network was published, its idea, and the name of Keras' ImageNet weights without the head."""

    source: str
    idea: str
    weights_file: str


NETWORKS: Final[Mapping[Architecture, Network]] = {
    "mobilenet_v3_small": Network(
        "Howard et al. 2019, arXiv:1905.02244", "searched blocks, hard-swish, squeeze-and-excite",
        "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5",
    ),
    "mobilenet_v2": Network(
        "Sandler et al. 2018, arXiv:1801.04381", "inverted residuals with linear bottlenecks",
        "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
    ),
    "efficientnet_b0": Network(
        "Tan & Le 2019, arXiv:1905.11946", "depth, width and size scaled together", "efficientnetb0_notop.h5"
    ),
    "mobilenet_v3_large": Network(
        "Howard et al. 2019, arXiv:1905.02244", "as MobileNetV3-Small, with more blocks",
        "weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5",
    ),
    "nasnet_mobile": Network(
        "Zoph et al. 2018, arXiv:1707.07012", "cells found by architecture search", "nasnet_mobile_no_top.h5"
    ),
}  # fmt: skip

DOWNLOAD_TIMEOUT_SECONDS: Final = 10  # a firewall that swallows packets must not hang a run


class WeightsError(RuntimeError):
    """ImageNet weights were asked for and are not available; the message says how to provide them."""


def network_facts() -> pd.DataFrame:
    """Return one row per network: architecture, source, idea.

    >>> network_facts().shape
    (5, 3)
    """
    rows = [(architecture, network.source, network.idea) for architecture, network in NETWORKS.items()]
    return pd.DataFrame(rows, columns=["architecture", "source", "idea"])


def find_initial_weights(study: Study) -> tuple[str, dict[Architecture, str | None]]:
    """Return what the study starts from, `imagenet` or `random`, and each network's weights file or None.

    All networks start alike: `auto` takes ImageNet weights only if every network's are available.
    Files are sought in the folder `FER_WEIGHTS`, then in Keras' cache, then downloaded by Keras.
    Raises WeightsError at once when `imagenet` was asked for and a file is not available.
    """
    if study.initial_weights != "random":
        try:
            return "imagenet", {each: _imagenet_file(each) for each in study.architectures}
        except WeightsError:
            if study.initial_weights == "imagenet":
                raise
    return "random", dict.fromkeys(study.architectures)


def _imagenet_file(architecture: Architecture) -> str:
    name = NETWORKS[architecture].weights_file
    own = os.environ.get(WEIGHTS_VARIABLE)
    cache = Path.home() / ".keras" / "models"
    for folder in [Path(own), cache] if own else [cache]:
        if (folder / name).is_file():
            return str(folder / name)
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT_SECONDS)
    try:
        _keras_download(architecture)
        return str((cache / name).resolve(strict=True))
    except Exception as error:  # Keras wraps every network failure in a bare Exception
        raise WeightsError(
            f"ImageNet weights of {architecture} cannot be downloaded; put {name} into a folder and name it in "
            f"{WEIGHTS_VARIABLE}, or set initial_weights to random or auto"
        ) from error
    finally:
        socket.setdefaulttimeout(timeout)


def _keras_download(architecture: Architecture) -> None:
    """Have Keras build the network once at its native size, which leaves the file in its cache."""
    from fer_utils.models.backbones import BACKBONES

    BACKBONES[architecture].build(input_shape=(224, 224, 3), include_top=False, weights="imagenet")
