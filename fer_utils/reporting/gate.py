"""The publication gate: which pictures may be shown (`may_publish`), and which models may be given away.

Every picture of a face passes here before it is shown; the page in the browser, the model cards and `fer export` ask
here before a model leaves.
"""

from pathlib import Path
from typing import Final

import pandas as pd

from face_sets.manifests import load_manifest
from fer_utils.compression.exported_files import exported_files
from fer_utils.paths import Paths
from fer_utils.study import Architecture, Precision, Study

BEST: Final[tuple[tuple[Architecture, Precision], ...]] = (
    ("mobilenet_v3_large", "float32"), ("mobilenet_v3_large", "int8"), ("mobilenet_v3_small", "float32"),
)  # fmt: skip
"""The paper's best network in two precisions, and the smallest network; the first is chosen when a page opens.

Named in advance, not selected by this run's scores: the score of a model selected on the test faces would be too high.
Of the cohorts, the one that trained on all faces, without compression beyond its precision."""

NOT_RELEASED: Final = (
    "The models were trained on data sets whose terms do not allow the release of such a model."
)


class PrivacyError(ValueError):
    """A picture was to be shown that its set's terms keep private; the message names no picture."""


def publishable(faces: pd.DataFrame) -> pd.DataFrame:
    """Return the faces whose set's terms allow that their pictures are shown; the result may be empty."""
    return faces[_permitted(faces)]


def check_publishable(faces: pd.DataFrame) -> None:
    """Check that every one of these faces may be shown.

    Raises PrivacyError with how many may not, and of which sets.
    """
    kept_back = faces[~_permitted(faces)]
    if len(kept_back):
        sets = ", ".join(sorted(set(kept_back["dataset"].astype(str))))
        raise PrivacyError(
            f"{len(kept_back)} of {len(faces)} pictures may not be shown by the terms of {sets}: "
            "choose among `publishable(faces)`"
        )


def _permitted(faces: pd.DataFrame) -> pd.Series:
    return faces["may_publish"].fillna(False).astype(bool)  # unknown means no


def best_models(study: Study, paths: Paths) -> dict[str, Path]:
    """Return the files of BEST that this run has exported, by run id, in that order."""
    wanted = [f"{architecture}.all.none.{precision}" for architecture, precision in BEST]
    models = exported_files(study.architectures, paths, only=wanted)
    return {run_id: models[run_id] for run_id in wanted if run_id in models}


def forbidding_sets(study: Study) -> list[str]:
    """Return the data sets that a study may train on and whose terms forbid the release of such a model.

    Sets for tests only do not forbid it: no model is trained on them.
    """
    if study.face_source == "synthetic":
        return []
    terms = {name: load_manifest(name).study for name in study.sets}
    return [name for name, t in terms.items() if t.use == "training" and not t.may_release_model]
