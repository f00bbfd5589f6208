"""Labels permuted: scores must then fall to chance.

Ridge regression of the seven labels on small grey pictures (Hastie, Tibshirani & Friedman 2009, sections 3.4 and 4.2) stands
in for a network, which would be too costly to train. With the true labels it must clear chance, or failing with permuted
ones would show nothing.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t
from sklearn.linear_model import Ridge, RidgeCV

from expression_scores.intervals import DRAWS
from expression_scores.metrics import Floats, join
from expression_scores.printed_scores import ALPHA
from expression_scores.run_scores import ABOUT_RUN, run_scores
from face_sets.expressions import CHANCE, EXPRESSIONS, PROBABILITY_COLUMNS

SIDE: Final = 16
"""Of the grey pictures, pixels: as coarse as leaves brows and mouth visible, our choice."""

PENALTIES: Final = tuple(10.0**power for power in range(-2, 4))
"""Tried on the true labels by leaving one picture out; wide enough that neither end is chosen."""

Pictures = tuple[pd.DataFrame, NDArray[np.uint8]]
"""Rows of the `faces` table, and their pictures, uint8 (n, SIDE, SIDE, 3)."""

TRUE: Final = "true labels"
PERMUTED: Final = "permuted labels"


def learned_from_labels(
    training: Pictures, tested: Pictures, permutations: int, draws: int = DRAWS, seed: int = 0
) -> pd.DataFrame:
    """Return `run_scores` and `labels` (TRUE or PERMUTED) of classifiers that learned from true and permuted labels."""
    generator = np.random.default_rng(seed)
    labels = training[0]["expression"].cat.codes.to_numpy()
    labellings = [labels, *(generator.permutation(labels) for _ in range(permutations))]
    answers = _answers(_grey(training[1]), labellings, _grey(tested[1]))
    faces = tested[0]["face_id"].to_numpy()
    parts = [pd.DataFrame(answer, columns=list(PROBABILITY_COLUMNS)) for answer in answers]
    named = zip(_names(permutations), parts, strict=True)
    predictions = pd.concat(part.assign(run_id=name, face_id=faces) for name, part in named)
    return _scored(join(predictions, tested[0]), permutations, draws, seed)


def scored_against_permuted(
    joined: pd.DataFrame, permutations: int, draws: int = DRAWS, seed: int = 0
) -> pd.DataFrame:
    """Return one run's scores against true and permuted labels of the tested faces, as `learned_from_labels`."""
    generator = np.random.default_rng(seed)
    true = joined["expression"]
    orders = [generator.permutation(len(true)) for _ in range(permutations)]
    truths = [true, *(true.iloc[order].set_axis(true.index) for order in orders)]
    named = zip(_names(permutations), truths, strict=True)
    frames = [joined.assign(run_id=name, expression=truth) for name, truth in named]
    return _scored(pd.concat(frames), permutations, draws, seed)


def against_chance(scores: pd.DataFrame) -> dict[str, float | bool]:
    """Return balanced accuracy with true labels and its mean with permuted ones, 0 to 1, each with its 95 % interval.

    The interval of the mean is Student's over the permutations; `holds_chance`: it contains chance. `above_chance`
    counts the permutations whose own interval lies above chance.
    """
    true = scores[scores["labels"] == TRUE].iloc[0]
    permuted = scores[scores["labels"] == PERMUTED]
    values = permuted["balanced_accuracy"].astype(float)
    mean, reach = values.mean(), t.ppf(1 - ALPHA / 2, len(values) - 1) * values.sem()
    ends = {f"true{end}": true[f"balanced_accuracy{end}"] for end in ("", "_low", "_high")}
    return ends | {
        "permutations": len(values), "permuted_mean": mean, "permuted_low": mean - reach,
        "permuted_high": mean + reach, "holds_chance": bool(abs(mean - CHANCE) <= reach),
        "above_chance": int(permuted["has_learned"].sum()),
    }  # fmt: skip


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
    """Return each picture as one row of brightnesses from 0 to 1, less their mean: exposure and tone count less."""
    flat = pixels.mean(axis=3, dtype=np.float64).reshape(len(pixels), -1) / 255
    return np.asarray(flat - flat.mean(axis=1, keepdims=True))


def _names(permutations: int) -> list[str]:
    return [TRUE, *(f"permuted {number + 1}" for number in range(permutations))]


def _scored(joined: pd.DataFrame, permutations: int, draws: int, seed: int) -> pd.DataFrame:
    runs = pd.DataFrame({"run_id": _names(permutations)}).reindex(columns=list(ABOUT_RUN))
    scores = run_scores(joined, runs, draws, seed)
    return scores.assign(labels=np.where(scores["run_id"] == TRUE, TRUE, PERMUTED))
