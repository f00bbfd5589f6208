"""Where a network's initial weights come from: a local folder, Keras' download, or chance."""

import os
import socket
from pathlib import Path
from typing import Final

from fer_utils.paths import WEIGHTS_VARIABLE
from fer_utils.study import Architecture, Study

NO_TOP_FILES: Final[dict[Architecture, str]] = {  # names of Keras' own ImageNet files without the head
    "mobilenet_v3_small": "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5",
    "mobilenet_v2": "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
    "efficientnet_b0": "efficientnetb0_notop.h5",
    "mobilenet_v3_large": "weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5",
    "nasnet_mobile": "nasnet_mobile_no_top.h5",
}
DOWNLOAD_PATIENCE_SECONDS: Final = 10  # a firewall that swallows packets must not hang a run


class WeightsError(RuntimeError):
    """ImageNet weights were asked for and cannot be had; the message says how to provide them."""


def find_initial_weights(study: Study) -> tuple[str, dict[Architecture, str | None]]:
    """Return what the study starts from, `imagenet` or `random`, and each network's weights file or None.

    All networks start alike: `auto` takes ImageNet weights only if every network's are to be had.
    Files are sought in the folder `FER_WEIGHTS`, then in Keras' cache, then downloaded by Keras.
    Raises WeightsError at once when `imagenet` was asked for and a file cannot be had.
    """
    random: dict[Architecture, str | None] = dict.fromkeys(study.architectures)
    if study.initial_weights == "random":
        return "random", random
    try:
        return "imagenet", {
            architecture: _imagenet_file(architecture) for architecture in study.architectures
        }
    except WeightsError:
        if study.initial_weights == "imagenet":
            raise
        return "random", random


def _imagenet_file(architecture: Architecture) -> str:
    folders = [Path(os.environ[WEIGHTS_VARIABLE])] if os.environ.get(WEIGHTS_VARIABLE) else []
    folders.append(Path.home() / ".keras" / "models")
    for folder in folders:
        if (path := folder / NO_TOP_FILES[architecture]).is_file():
            return str(path)
    return _downloaded(architecture)


def _downloaded(architecture: Architecture) -> str:
    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_PATIENCE_SECONDS)
    try:
        return _keras_download(architecture)
    except Exception as error:  # Keras wraps every network failure in a bare Exception
        raise WeightsError(
            f"ImageNet weights of {architecture} cannot be downloaded; put {NO_TOP_FILES[architecture]} into a "
            f"folder and name it in {WEIGHTS_VARIABLE}, or set initial_weights to random or auto"
        ) from error
    finally:
        socket.setdefaulttimeout(patience)


def _keras_download(architecture: Architecture) -> str:
    """Have Keras build the network once at its native size, which leaves the file in its cache."""
    from fer_utils.models.backbones import BACKBONES

    BACKBONES[architecture].build(input_shape=(224, 224, 3), include_top=False, weights="imagenet")
    path = Path.home() / ".keras" / "models" / NO_TOP_FILES[architecture]
    if not path.is_file():
        raise FileNotFoundError(path)
    return str(path)
