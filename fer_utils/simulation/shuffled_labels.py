"""Labels that mean nothing must score like guessing, on the way that every score takes.

A network is too dear to train on nonsense at every build, so ridge regression of the seven labels on small grey
pictures (Hastie, Tibshirani & Friedman 2009, sections 3.4 and 4.2) stands in for it: it learns from the same split
and is scored by the same functions. With the true labels it must clear chance, or failing with shuffled ones would
show nothing. One decomposition serves all labellings, since the pictures stay.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import Ridge, RidgeCV

from face_sets.expressions import EXPRESSIONS, PROBABILITY_COLUMNS
from fer_utils.analysis.intervals import DRAWS
from fer_utils.analysis.metrics import Floats, join
from fer_utils.analysis.run_scores import ABOUT_RUN, run_scores

SIDE: Final = 16
"""Of the grey pictures, pixels: as coarse as leaves brows and mouth visible, our choice."""

PENALTIES: Final = tuple(10.0**power for power in range(-2, 4))
"""Tried on the true labels by leaving one picture out; six powers of ten, wide enough that neither end is chosen."""

TRUE: Final = "true labels"
SHUFFLED: Final = "shuffled"


def learned_from_labels(
    training: pd.DataFrame,
    training_pixels: NDArray[np.uint8],
    tested: pd.DataFrame,
    tested_pixels: NDArray[np.uint8],
    shuffles: int,
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the scores of a classifier that learned from true labels, and of as many others from shuffled ones.

    `training` and `tested` are rows of the `faces` table, the pixels their pictures, uint8 (n, SIDE, SIDE, 3).
    The columns are those of `run_scores`, and `labels` (TRUE or SHUFFLED), one row a classifier.
    """
    generator = np.random.default_rng(seed)
    labels = training["expression"].cat.codes.to_numpy()
    labellings = [labels, *(generator.permutation(labels) for _ in range(shuffles))]
    answers = _answers(_grey(training_pixels), labellings, _grey(tested_pixels))
    names = _names(shuffles)
    faces = tested["face_id"].to_numpy()
    predictions = pd.concat(
        pd.DataFrame(answer, columns=list(PROBABILITY_COLUMNS)).assign(run_id=name, face_id=faces)
        for name, answer in zip(names, answers, strict=True)
    )
    return _with_labels(run_scores(join(predictions, tested), _runs(names), draws, seed))


def scored_against_shuffled(
    joined: pd.DataFrame, shuffles: int, draws: int = DRAWS, seed: int = 0
) -> pd.DataFrame:
    """Return one run's scores against the true labels of the tested faces, and against shuffled ones.

    `joined` holds one run's predictions; columns as `learned_from_labels` has them.
    """
    generator = np.random.default_rng(seed)
    truths = [joined["expression"], *(_shuffled(joined["expression"], generator) for _ in range(shuffles))]
    names = _names(shuffles)
    frames = [joined.assign(run_id=name, expression=truth) for name, truth in zip(names, truths, strict=True)]
    return _with_labels(run_scores(pd.concat(frames), _runs(names), draws, seed))


def _shuffled(expression: pd.Series, generator: np.random.Generator) -> pd.Series:
    return expression.iloc[generator.permutation(len(expression))].set_axis(expression.index)


def _answers(
    training: Floats, labellings: list[NDArray[np.int8]], tested: Floats
) -> list[NDArray[np.float32]]:
    """Return for each labelling and tested picture a 1 at the expression that regression rates highest, else 0."""
    one_hot = np.eye(len(EXPRESSIONS))
    penalty = RidgeCV(alphas=PENALTIES).fit(training, one_hot[labellings[0]]).alpha_
    regression = Ridge(alpha=penalty).fit(training, np.concatenate([one_hot[y] for y in labellings], axis=1))
    rated = regression.predict(tested).reshape(len(tested), len(labellings), len(EXPRESSIONS))
    return list(one_hot.astype(np.float32)[rated.argmax(axis=2).T])


def _grey(pixels: NDArray[np.uint8]) -> Floats:
    """Return each picture as one row of brightnesses from 0 to 1, less their mean: exposure and tone tell less."""
    flat = pixels.mean(axis=3, dtype=np.float64).reshape(len(pixels), -1) / 255
    return np.asarray(flat - flat.mean(axis=1, keepdims=True))


def _names(shuffles: int) -> list[str]:
    return [TRUE, *(f"{SHUFFLED} {number + 1}" for number in range(shuffles))]


def _runs(names: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"run_id": names}).reindex(columns=list(ABOUT_RUN))


def _with_labels(scores: pd.DataFrame) -> pd.DataFrame:
    return scores.assign(labels=np.where(scores["run_id"] == TRUE, TRUE, SHUFFLED))
