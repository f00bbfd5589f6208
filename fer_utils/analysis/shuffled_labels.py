"""Labels that mean nothing must score like guessing, on the way that every score takes.

A network is too dear to train on nonsense at every build, so a linear discriminant on small grey pictures stands
in for it: it learns from the same split and is scored by the same functions. With the true labels it must clear
chance, or its failing with shuffled ones would show nothing.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from fer_utils.analysis.metrics import join
from fer_utils.analysis.run_scores import ABOUT_RUN, run_scores
from fer_utils.analysis.resampling import DRAWS
from fer_utils.expressions import EXPRESSIONS, PROBABILITY_COLUMNS

SIDE: Final = 16
"""Of the grey pictures, pixels: as coarse as leaves brows and mouth visible, our choice."""

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
    labels = training["expression"].astype(str).to_numpy()
    answers = [_answers(training_pixels, labels, tested_pixels)]
    answers += [
        _answers(training_pixels, generator.permutation(labels), tested_pixels) for _ in range(shuffles)
    ]
    return _scored(answers, tested, draws, seed)


def scored_against_shuffled(
    joined: pd.DataFrame, shuffles: int, draws: int = DRAWS, seed: int = 0
) -> pd.DataFrame:
    """Return one run's scores against the true labels of the tested faces, and against shuffled ones.

    `joined` holds one run's predictions; columns as `learned_from_labels` has them.
    """
    generator = np.random.default_rng(seed)
    truths = [joined["expression"], *(_shuffled(joined["expression"], generator) for _ in range(shuffles))]
    names = [TRUE, *(f"{SHUFFLED} {number + 1}" for number in range(shuffles))]
    frames = [
        joined.assign(run_id=name, expression=truth) for name, truth in zip(names, truths, strict=True)
    ]
    return _with_labels(run_scores(pd.concat(frames), _runs(names), draws, seed))


def _shuffled(expression: pd.Series, generator: np.random.Generator) -> pd.Series:
    return expression.iloc[generator.permutation(len(expression))].set_axis(expression.index)


def _answers(
    training_pixels: NDArray[np.uint8], labels: NDArray[np.str_], tested_pixels: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """Return seven probabilities for each tested picture, in the order of the expressions."""
    # Shrinkage (Ledoit & Wolf 2004): there are about as many pixels as training pictures of an expression
    classifier = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    classifier.fit(_grey(training_pixels), labels)
    order = [list(classifier.classes_).index(expression) for expression in EXPRESSIONS]
    return np.asarray(classifier.predict_proba(_grey(tested_pixels))[:, order])


def _grey(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return each picture as one row of brightnesses, mean 0, so that exposure and skin tone tell less."""
    flat = pixels.mean(axis=3, dtype=np.float64).reshape(len(pixels), -1)
    return flat - flat.mean(axis=1, keepdims=True)


def _scored(
    answers: list[NDArray[np.float64]], tested: pd.DataFrame, draws: int, seed: int
) -> pd.DataFrame:
    names = [TRUE, *(f"{SHUFFLED} {number}" for number in range(1, len(answers)))]
    parts = [
        pd.DataFrame(answer, columns=list(PROBABILITY_COLUMNS)).assign(
            run_id=name, face_id=tested["face_id"].to_numpy()
        )
        for name, answer in zip(names, answers, strict=True)
    ]
    return _with_labels(run_scores(join(pd.concat(parts), tested), _runs(names), draws, seed))


def _runs(names: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"run_id": names}).reindex(columns=list(ABOUT_RUN))


def _with_labels(scores: pd.DataFrame) -> pd.DataFrame:
    return scores.assign(labels=np.where(scores["run_id"] == TRUE, TRUE, SHUFFLED))
