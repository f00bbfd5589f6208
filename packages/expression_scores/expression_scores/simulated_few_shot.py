"""Simulated children with features, on which the gain from retraining a last layer can be checked.

Each photograph has features of its expression, which children show more or less clearly, of its child and of its own.
The last layer is that of a network which learned from other people: right for features without the shift that all of
these children share. What retraining gains on average, over samples of children to train on and to test, is found from
many independent samples.
"""

from functools import cache
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import softmax

from expression_scores.few_shot import CHILDREN, gains, retrain_last_layers
from expression_scores.metrics import join
from face_sets.expressions import EXPRESSIONS, PROBABILITY_COLUMNS

FEATURES: Final = 16
APART: Final = 0.5
OF_CHILD: Final = 0.5
CLARITY: Final = 0.5
"""Standard deviations of an expression's mean in each feature, of children about it, and of the logarithm of how clearly
children show it; photographs vary by 1. Our choices: the network then reads about half of the photographs, and
photographs of one child correlate by a tenth, as in real sets."""

SHIFT: Final = 2.0
"""Standard deviation of what all children add to each feature, which the network has not seen."""

SAMPLES: Final = 300
"""Independent samples from which the true gain is found, to a tenth of a point."""

CHILDREN_OF_TRUTH: Final = 154
"""In each of them: CAFE's. The gain on a child that was not trained on does not depend on it."""

RUN: Final = "network"


def gains_of_sample(children: int, photographs: int, seed: int, draws: int, inner: int) -> pd.DataFrame:
    """Return the `gains` of one sample of children with so many photographs each; `inner` is the seed of the analysis."""
    faces, features, predictions = sampled(children, photographs, seed)
    few_shot = retrain_last_layers(predictions, features, faces, inner)
    return gains(few_shot, join(predictions, faces), draws, inner)


@cache
def true_gains(photographs: int, samples: int = SAMPLES) -> dict[int, float]:
    """Return by number of children trained on the mean gain in accuracy on others, from -1 to 1."""
    found = [
        gains_of_sample(CHILDREN_OF_TRUTH, photographs, 2**40 + each, 2, each) for each in range(samples)
    ]
    means = pd.concat(found).groupby("children")["difference"].mean()
    return {children: float(means[children]) for children in CHILDREN}


def sampled(children: int, photographs: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the faces, the features and the predictions of one sample, as those tables have them."""
    fixed, generator = np.random.default_rng(0), np.random.default_rng(seed)
    means = APART * fixed.normal(size=(len(EXPRESSIONS), FEATURES))
    shift = SHIFT * fixed.normal(size=FEATURES)
    child = np.repeat(np.arange(children), photographs)
    shown = (child + np.arange(len(child)) % photographs) % len(EXPRESSIONS)
    of_child = OF_CHILD * generator.normal(size=(children, FEATURES))
    clarity = np.exp(CLARITY * generator.normal(size=(children, 1)))
    inputs = (
        clarity[child] * means[shown]
        + shift
        + of_child[child]
        + generator.normal(size=(len(child), FEATURES))
    )
    # linear discriminant analysis of features without the shift
    within = 1 + OF_CHILD**2
    probabilities = softmax((inputs @ means.T - (means**2).sum(axis=1) / 2) / within, axis=1)
    names = [f"{c:04d}-{n:02d}" for c, n in zip(child, np.arange(len(child)) % photographs, strict=True)]
    subjects, shown_names = [f"{c:04d}" for c in child], np.array(EXPRESSIONS)[shown]
    about = pd.DataFrame({"run_id": RUN, "face_id": names})
    faces = pd.DataFrame(
        {"face_id": names, "dataset": "simulated", "subject_id": subjects, "expression": shown_names}
    )
    columns = dict(zip(PROBABILITY_COLUMNS, probabilities.T, strict=True))
    return faces, about.assign(features=list(inputs)), about.assign(**columns)
