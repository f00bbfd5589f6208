"""Which models of a study are shown to readers and given to app developers, and whether they may be.

The page in the browser, the model cards and `fer export` all ask here.
"""

from pathlib import Path
from typing import Final

from face_sets.manifests import load_manifest
from fer_utils.compression.exported_files import exported_files
from fer_utils.paths import Paths
from fer_utils.study import Architecture, Precision, Study

BEST: Final[tuple[tuple[Architecture, Precision], ...]] = (
    ("mobilenet_v3_large", "float32"), ("mobilenet_v3_large", "int8"), ("mobilenet_v3_small", "float32"),
)  # fmt: skip
"""The paper's best network as it is and as phones get it, and the smallest; the first is chosen when a page opens.

Named beforehand, not picked by this run's scores: a model picked as the best of many by the test faces would look
better on them than it is. Of the copies, the one that learned from all faces, uncompressed but for its precision."""

NOT_RELEASED: Final = (
    "The models learned from data sets whose terms do not allow that such a model is given away."
)


def best_models(study: Study, paths: Paths) -> dict[str, Path]:
    """Return the files of BEST that this run has made, by run id, in that order."""
    models = exported_files(study.architectures, paths)
    wanted = [f"{architecture}.all.none.{precision}" for architecture, precision in BEST]
    return {run_id: models[run_id] for run_id in wanted if run_id in models}


def forbidding_sets(study: Study) -> list[str]:
    """Return the data sets that a study may learn from and whose terms forbid to give such a model away.

    Sets that only serve tests are no hindrance: no model learns from them.
    """
    if study.face_source == "synthetic":
        return []
    manifests = {name: load_manifest(name).study for name in study.sets}
    return [
        name for name, terms in manifests.items() if terms.use == "training" and not terms.may_release_model
    ]
