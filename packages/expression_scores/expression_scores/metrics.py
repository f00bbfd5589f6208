"""Metrics of seven-class predictions: from labels for the points, from confusion counts for resampling.

Every average over expressions runs over those that occur in the truth. With all seven present this is scikit-learn's
usual definition; a class that nobody posed neither helps nor hurts, but predicting it still costs recall.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score, recall_score

from face_sets.expressions import EXPRESSIONS, PROBABILITY_COLUMNS
from face_sets.tables import AGE_GROUPS

METRICS: Final = ("accuracy", "balanced_accuracy", "macro_f1", "weighted_f1")

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def join(predictions: pd.DataFrame, faces: pd.DataFrame) -> pd.DataFrame:
    """Return one row per prediction: `run_id`, `predicted`, `confidence`, and every column of the face's row.

    `predicted` is the expression of highest probability, the first of them in a tie; `confidence` is that probability.
    Raises ValueError when a predicted face is not in `faces` or a probability is missing.

    >>> faces = pd.DataFrame({"face_id": ["a", "b"], "expression": ["fear", "anger"]})
    >>> sure = dict.fromkeys(PROBABILITY_COLUMNS, 0.0) | {"p_fear": 1.0}
    >>> predictions = pd.DataFrame([sure, sure]).assign(run_id="net.all", face_id=["a", "b"])
    >>> join(predictions, faces)[["face_id", "predicted", "confidence", "expression"]]
      face_id predicted  confidence expression
    0       a      fear         1.0       fear
    1       b      fear         1.0      anger
    """
    probabilities = predictions[list(PROBABILITY_COLUMNS)].to_numpy(dtype=np.float64)
    if np.isnan(probabilities).any():
        raise ValueError("some predictions hold no probability: run the stage that wrote them again")
    if absent := sorted(set(predictions["face_id"]) - set(faces["face_id"])):
        raise ValueError(
            f"{len(absent)} predicted face(s), {absent[0]!r} the first, are not in the table of faces given: "
            "give the faces that these predictions were made on"
        )
    names = np.array(EXPRESSIONS)[probabilities.argmax(axis=1)]
    predicted = predictions[["run_id", "face_id"]].reset_index(drop=True).astype("str")
    named = pd.Categorical(names, categories=list(EXPRESSIONS))
    predicted = predicted.assign(predicted=named, confidence=probabilities.max(axis=1))
    return predicted.merge(faces, on="face_id", how="left", validate="many_to_one")


def is_right(joined: pd.DataFrame) -> pd.Series:
    """Return whether each row's prediction is the expression shown."""
    return joined["predicted"].astype(str) == joined["expression"].astype(str)


def scores(truth: pd.Series, predicted: pd.Series) -> pd.Series:
    """Return each of `METRICS`, 0 to 1, by scikit-learn; raises ValueError for empty input or different lengths."""
    if len(truth) == 0:
        raise ValueError(f"scores need at least one prediction and its truth, given {len(predicted)} and 0")
    both = (truth.astype(str).tolist(), predicted.astype(str).tolist())
    present = sorted(set(both[0]))
    return pd.Series({
        "accuracy": float(accuracy_score(*both)),
        "balanced_accuracy": float(recall_score(*both, labels=present, average="macro")),
        "macro_f1": float(f1_score(*both, labels=present, average="macro")),
        "weighted_f1": float(f1_score(*both, labels=present, average="weighted")),
    })  # fmt: skip


def subjects_of(joined: pd.DataFrame) -> pd.Series:
    """Return a name for each row's subject which is unique across data sets."""
    return joined["dataset"].astype(str) + "/" + joined["subject_id"].astype(str)


def confusions_by_subject(joined: pd.DataFrame) -> tuple[list[str], Counts]:
    """Return the subjects' names, sorted, and their counts: int64, (subjects, 7 true, 7 predicted)."""
    codes, subjects = pd.factorize(subjects_of(joined), sort=True)
    counts = np.zeros((len(subjects), len(EXPRESSIONS), len(EXPRESSIONS)), dtype=np.int64)
    np.add.at(counts, (codes, _codes(joined["expression"]), _codes(joined["predicted"])), 1)
    return [str(subject) for subject in subjects], counts


def scores_of_confusions(confusions: Counts | Floats) -> dict[str, Floats]:
    """Return each of `METRICS` for counts (..., 7 true, 7 predicted), as arrays (...); NaN where all counts are zero."""
    counts = np.asarray(confusions, dtype=np.float64)
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    true, predicted = counts.sum(axis=-1), counts.sum(axis=-2)
    images, present = true.sum(axis=-1), (true > 0).sum(axis=-1)
    f1 = _ratio(2 * right, true + predicted)
    macro = np.where(true > 0, f1, 0.0).sum(axis=-1)
    return {
        "accuracy": _ratio(right.sum(axis=-1), images, absent=np.nan),
        "balanced_accuracy": _ratio(_ratio(right, true).sum(axis=-1), present, absent=np.nan),
        "macro_f1": _ratio(macro, present, absent=np.nan),
        "weighted_f1": _ratio((f1 * true).sum(axis=-1), images, absent=np.nan),
    }


def points_of(counts: Mapping[str, Counts], metric: str) -> dict[str, float]:
    """Return one of `METRICS` of each name's counts (subjects, 7 true, 7 predicted)."""
    return {name: float(scores_of_confusions(each.sum(axis=0))[metric]) for name, each in counts.items()}


def chance_level(confusions: Counts | Floats) -> float:
    """Return the balanced accuracy of always naming one expression, from counts (..., 7 true, 7 predicted)."""
    true = np.asarray(confusions).sum(axis=-1).reshape(-1, len(EXPRESSIONS)).sum(axis=0)
    return 1 / int((true > 0).sum())


def coverage(faces: pd.DataFrame) -> pd.DataFrame:
    """Return how many faces each data set and age group that it has shows of each expression, columns in class order."""
    counts = pd.crosstab([faces["dataset"], faces["age_group"]], faces["expression"])
    counts = counts.reindex(columns=list(EXPRESSIONS), fill_value=0)
    rows = [(d, g) for d in sorted(faces["dataset"].unique()) for g in AGE_GROUPS if (d, g) in counts.index]
    return counts.reindex(pd.MultiIndex.from_tuples(rows, names=["dataset", "age_group"]))


def holes(faces: pd.DataFrame) -> list[str]:
    """Return what no face shows, a line per data set and age group.

    >>> holes(pd.DataFrame({"dataset": "kdef", "age_group": "adult", "expression": EXPRESSIONS[1:]}))
    ['no neutral in kdef (adult)']
    """
    table = coverage(faces)
    lacking = [", ".join(table.columns[row == 0]) for row in table.to_numpy()]
    places = [f"{dataset} ({age_group})" for dataset, age_group in table.index]
    return [f"no {names} in {place}" for names, place in zip(lacking, places, strict=True) if names]


def confusion_shares(joined: pd.DataFrame) -> pd.DataFrame:
    """Return the confusion matrix of one run as row shares, 0 to 1: index shown, columns predicted (7 x 7)."""
    total = confusions_by_subject(joined)[1].sum(axis=0).astype(float)
    shares = pd.DataFrame(total, index=list(EXPRESSIONS), columns=list(EXPRESSIONS))
    return shares.div(shares.sum(axis=1).replace(0, float("nan")), axis=0)


def _ratio(above: Floats, below: Floats | Counts, absent: float = 0.0) -> Floats:
    filled = np.full(np.broadcast(above, below).shape, absent)
    return np.asarray(np.divide(above, below, out=filled, where=below > 0), dtype=np.float64)


def _codes(expressions: pd.Series) -> NDArray[np.int8]:
    codes = pd.Categorical(expressions, categories=list(EXPRESSIONS)).codes
    if (codes < 0).any():
        raise ValueError(f"expected one of the seven expressions ({', '.join(EXPRESSIONS)}) in every row")
    return np.asarray(codes)
