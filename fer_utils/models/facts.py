"""Facts of the five networks that need no TensorFlow: where each was published, and on what idea it rests."""

import pandas as pd

_FACTS = (
    (
        "mobilenet_v3_small",
        "Howard et al. 2019, arXiv:1905.02244",
        "searched blocks, hard-swish, squeeze-and-excite",
    ),
    ("mobilenet_v2", "Sandler et al. 2018, arXiv:1801.04381", "inverted residuals with linear bottlenecks"),
    ("efficientnet_b0", "Tan & Le 2019, arXiv:1905.11946", "depth, width and size scaled together"),
    ("mobilenet_v3_large", "Howard et al. 2019, arXiv:1905.02244", "as MobileNetV3-Small, with more blocks"),
    ("nasnet_mobile", "Zoph et al. 2018, arXiv:1707.07012", "cells found by architecture search"),
)


def network_facts() -> pd.DataFrame:
    """Return one row a network: architecture, source, idea."""
    return pd.DataFrame(_FACTS, columns=["architecture", "source", "idea"])
