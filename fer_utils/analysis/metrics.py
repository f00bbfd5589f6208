"""Metrics of seven-class predictions: from labels for the points, from confusion counts for resampling.

Every average over expressions runs over those that occur in the truth. With all seven present this is
scikit-learn's usual definition; where a set shows only some (a external test, a resampled handful of
subjects) a class that nobody posed neither helps nor hurts, but predicting it still costs recall.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score, recall_score

from face_sets.expressions import EXPRESSIONS, PROBABILITY_COLUMNS

METRICS: Final = ("accuracy", "balanced_accuracy", "macro_f1", "weighted_f1")

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def join(predictions: pd.DataFrame, faces: pd.DataFrame) -> pd.DataFrame:
    """Return one row a prediction: `run_id`, `predicted`, `confidence`, and every column of the face's row.

    `predicted` is the expression of highest probability, the first of them in a tie; `confidence` is that
    probability, from 0 to 1. Rows keep the order of
    `predictions`. Raises ValueError when a predicted face is not in `faces` or a probability is missing.
    """
    probabilities = predictions[list(PROBABILITY_COLUMNS)].to_numpy(dtype=np.float64)
    if np.isnan(probabilities).any():
        raise ValueError("some predictions hold no probability: run the stage that wrote them again")
    absent = sorted(set(predictions["face_id"]) - set(faces["face_id"]))
    if absent:
        raise ValueError(
            f"{len(absent)} predicted face(s), {absent[0]!r} the first, are not in the table of faces given: "
            "give the faces that these predictions were made on"
        )
    names = np.array(EXPRESSIONS)[probabilities.argmax(axis=1)]
    predicted = pd.DataFrame(
        {
            "run_id": predictions["run_id"].to_numpy(),
            "face_id": predictions["face_id"].to_numpy(),
            "predicted": pd.Categorical(names, categories=list(EXPRESSIONS)),
            "confidence": probabilities.max(axis=1),
        }
    )
    return predicted.merge(faces, on="face_id", how="left", validate="many_to_one")


def scores(truth: pd.Series, predicted: pd.Series) -> pd.Series:
    """Return accuracy, balanced accuracy, macro F1 and weighted F1, from 0 to 1, by scikit-learn.

    Both hold names of expressions. Raises ValueError for empty input.
    """
    true_names, names = _names(truth, predicted)
    present = sorted(set(true_names))
    return pd.Series(
        {
            "accuracy": float(accuracy_score(true_names, names)),
            "balanced_accuracy": float(recall_score(true_names, names, labels=present, average="macro")),
            "macro_f1": float(f1_score(true_names, names, labels=present, average="macro")),
            "weighted_f1": float(f1_score(true_names, names, labels=present, average="weighted")),
        }
    )


def recalls(truth: pd.Series, predicted: pd.Series) -> pd.Series:
    """Return the recall of each of the seven expressions, from 0 to 1; missing for one that never occurs."""
    true_names, names = _names(truth, predicted)
    values = recall_score(true_names, names, labels=list(EXPRESSIONS), average=None, zero_division=np.nan)
    return pd.Series(values, index=list(EXPRESSIONS), name="recall")


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
    """Return each of `METRICS` for confusion counts of shape (..., 7 true, 7 predicted), as arrays (...).

    Values from 0 to 1; not a number where the counts are all zero.
    """
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


def chance_level(confusions: Counts | Floats) -> float:
    """Return the balanced accuracy of always naming one expression: 1 / the number that occur in the truth.

    `confusions` are counts of shape (..., 7 true, 7 predicted); with all seven expressions this is 1/7.
    """
    true = np.asarray(confusions).sum(axis=-1).reshape(-1, len(EXPRESSIONS)).sum(axis=0)
    return 1 / int((true > 0).sum())


def _ratio(above: Floats, below: Floats | Counts, absent: float = 0.0) -> Floats:
    filled = np.full(np.broadcast(above, below).shape, absent)
    return np.asarray(np.divide(above, below, out=filled, where=below > 0), dtype=np.float64)


def _codes(expressions: pd.Series) -> NDArray[np.int8]:
    codes = pd.Categorical(expressions, categories=list(EXPRESSIONS)).codes
    if (codes < 0).any():
        raise ValueError(f"expected one of the seven expressions ({', '.join(EXPRESSIONS)}) in every row")
    return np.asarray(codes)


def _names(truth: pd.Series, predicted: pd.Series) -> tuple[list[str], list[str]]:
    if len(truth) == 0 or len(truth) != len(predicted):
        raise ValueError(
            "scores need as many predictions as truths and at least one, "
            f"given {len(predicted)} and {len(truth)}"
        )
    return truth.astype(str).tolist(), predicted.astype(str).tolist()


def confusion_shares(joined: pd.DataFrame) -> pd.DataFrame:
    """Return the confusion matrix of one run as row shares, 0 to 1: index shown, columns predicted (7 x 7).

    Rows of expressions that do not occur are missing values.
    """
    _, confusions = confusions_by_subject(joined)
    total = confusions.sum(axis=0).astype(float)
    shares = pd.DataFrame(total, index=list(EXPRESSIONS), columns=list(EXPRESSIONS))
    return shares.div(shares.sum(axis=1).replace(0, float("nan")), axis=0)
