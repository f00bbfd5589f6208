"""The publication gate: which pictures may be shown (`may_publish`), which models given away, which cells printed.

Every picture of a face passes here before it is shown; the page in the browser, the model cards and `fer export` ask
here before a model leaves. Every table on a page, and every CSV behind a figure, passes here as well.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pandas as pd
from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype

from expression_scores.groups import FEWEST_SUBJECTS
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

_guarded: set[str] = set()  # names of studies, of this process, whose small cells stay hidden


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


def guard(study: Study) -> None:
    """From now on hide small cells in this process, if the study's faces are of restricted sets."""
    if study.face_source == "licensed":
        _guarded.add(study.name)


def without_small_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose rows about few persons hold no numbers, if a guarded study is read; else as it is.

    Few are fewer `subjects` than FEWEST_SUBJECTS, or a row marked `too_small`: accuracies and counts of so few could
    tell of single children. A table without a column `subjects` is of all persons, or made by `counted`.
    """
    if not _guarded or "subjects" not in table:
        return table
    small = table["subjects"].astype("Float64") < FEWEST_SUBJECTS
    if "too_small" in table:
        small |= table["too_small"].astype("boolean")
    small = small.fillna(True)
    hidden = {}
    for name, column in table.items():
        if is_numeric_dtype(column) and not is_bool_dtype(column):
            hidden[str(name)] = (column.astype("Int64") if is_integer_dtype(column) else column).mask(small)
    return table.assign(**hidden)


def counted(
    faces: pd.DataFrame, factors: Sequence[str], count: Callable[[pd.DataFrame], pd.DataFrame]
) -> pd.DataFrame:
    """Return `count(faces)`, a table of numbers of faces by `factors`; cells of few persons are hidden as above."""
    counts = count(faces)
    if not _guarded:
        return counts
    persons = count(faces.drop_duplicates([*factors, "subject_id"]))
    return counts.astype("Int64").mask((persons > 0) & (persons < FEWEST_SUBJECTS))


def large_groups(faces: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the rows of groups that are of enough persons to be printed; all where nothing is hidden."""
    if not _guarded:
        return faces
    persons = faces.groupby(column, observed=True)["subject_id"].nunique()
    return faces[faces[column].isin(persons.index[persons >= FEWEST_SUBJECTS])]
