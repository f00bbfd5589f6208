"""Simulated predictions of children whose true accuracy is known, on which every analysis can be checked.

Each child has an accuracy of its own about that of the child's cell (group, tone, network), sampled from a beta
distribution, so the number right is beta-binomial with the mean and the correlation between two photographs of one child
that are asked for (Skellam 1948, Journal of the Royal Statistical Society B 10).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import beta

from expression_scores.metrics import Floats
from face_sets.expressions import EXPRESSIONS
from fer_utils.analysis.claims import children_by_group, printed
from rendered_faces.design import GAP_GROUP, GROUPS, SKIN_TONES

SHARED: Final = 0.5
"""Share of photographs on which all networks have the same luck, so that paired comparisons gain by pairing.
Our choice: networks of one training set err together, and no published number says how much."""

_LEAST: Final = 0.01
"""Accuracies of cells stay this far from 0 and 1, or a beta distribution of that correlation would not exist."""

_LIGHT: Final = (1, 1, 2, 2, 3, 4, 5, 6, 7, 8)
"""Tones of ten children of a group that is mostly light; mirrored, of one that is mostly dark. They overlap."""


@dataclass(frozen=True)
class Population:
    """What is true: how many children each group has, and how well they are read. Accuracies are from 0 to 1.

    `group_gap` is by how much `gap_group` is read worse than the others, `tone_gap` by how much the darkest of ten tones
    is read worse than the lightest, `leads` by how much each network is better than `accuracy`. Each network is trained
    so many times as `trainings`, whose accuracies scatter about its own by the standard deviation `by_seed`. Tones are
    spread evenly over every group, unless `tones_go_with_groups`: then `gap_group` is mostly dark and the others are
    mostly light.
    """

    groups: tuple[tuple[str, int], ...]
    images: int
    gap_group: str
    accuracy: float = 0.6
    correlation: float = 0.2
    group_gap: float = 0.0
    tone_gap: float = 0.0
    leads: tuple[float, ...] = (0.0,)
    trainings: int = 1
    by_seed: float = 0.0
    tones_go_with_groups: bool = False


def like_synthetic_faces(replicates: int = 1, **truth: Any) -> Population:
    """Return a population that crosses groups with tones as synthetic faces do: every group `replicates` times in every
    tone, two photographs of each expression."""
    size = replicates * len(SKIN_TONES)
    images = 2 * len(EXPRESSIONS) * len(GROUPS) * size
    return Population(tuple((group, size) for group in GROUPS), images, GAP_GROUP, **truth)


def like_cafe(**truth: Any) -> Population:
    """Return a population of CAFE's size: its groups of children, and its photographs spread evenly over them."""
    sizes, photographs = children_by_group(), int(printed("cafe-photographs").value)
    return Population(tuple(sizes.items()), photographs, min(sizes, key=sizes.__getitem__), **truth)


def true_accuracy(population: Population, faces: pd.DataFrame, network: int = 0) -> Floats:
    """Return each face's probability of being classified correctly, from 0 to 1, shape (faces,)."""
    darkness = (faces["skin_tone"].to_numpy(np.float64) - 1) / (len(SKIN_TONES) - 1) - 0.5
    is_low = (faces["ethnicity"] == population.gap_group).to_numpy()
    overall = population.accuracy + population.leads[network]
    right = overall - population.group_gap * is_low - population.tone_gap * darkness
    if right.min() < _LEAST or right.max() > 1 - _LEAST:
        raise ValueError(
            f"this population asks for accuracies from {right.min():.2f} to {right.max():.2f}: "
            f"keep them between {_LEAST} and {1 - _LEAST}"
        )
    return np.asarray(right)


def sample_predictions(population: Population, seed: int) -> pd.DataFrame:
    """Return one sample of a population's predictions, joined with its faces: runs "network N", N counting trainings too.

    A child's place among the children of its cell is the same for all networks and trainings.
    """
    generator = np.random.default_rng(seed)
    faces, (child, truth, means) = faces_of(population), _cells(population)
    place, luck = generator.random(len(means[0])), generator.random(len(faces))
    concentration = 1 / population.correlation - 1  # of a beta whose draws correlate so (Skellam 1948)
    luck_of_training = population.by_seed * np.random.default_rng([seed, 1]).normal(
        size=len(means) * population.trainings
    )
    runs = []
    for network, shift in enumerate(luck_of_training, start=1):
        mean = np.clip(means[(network - 1) // population.trainings] + shift, _LEAST, 1 - _LEAST)
        own = beta.ppf(place, mean * concentration, (1 - mean) * concentration)[child]
        same = generator.random(len(faces)) < SHARED
        right = np.where(same, luck, generator.random(len(faces))) < own
        wrong = (truth + generator.integers(1, len(EXPRESSIONS), len(faces))) % len(EXPRESSIONS)
        predicted = _expressions(np.where(right, truth, wrong))
        runs.append(faces.assign(run_id=f"network {network}", predicted=predicted))
    return pd.concat(runs, ignore_index=True)


def _expressions(codes: NDArray[np.int64]) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, categories=list(EXPRESSIONS))  # type: ignore[call-overload]


@lru_cache(maxsize=32)
def faces_of(population: Population) -> pd.DataFrame:
    """Return the faces of a population, the same in every sample: columns of the `faces` table that analyses read."""
    group = np.repeat([name for name, _ in population.groups], [size for _, size in population.groups])
    place = np.concatenate([np.arange(size) for _, size in population.groups]) % len(SKIN_TONES)
    tone = place + 1
    if population.tones_go_with_groups:
        light = np.array(_LIGHT)[place]
        tone = np.where(group == population.gap_group, len(SKIN_TONES) + 1 - light, light)
    child = np.sort(np.arange(population.images) % len(group))
    number = np.arange(len(child)) - np.searchsorted(child, child)
    faces = {
        "face_id": [f"{c:04d}-{n:02d}" for c, n in zip(child, number, strict=True)],
        "dataset": "simulated",
        "subject_id": [f"{c:04d}" for c in child],
        "expression": _expressions((child + number) % len(EXPRESSIONS)),
        "age_group": "child",
        "split": "test",
        "ethnicity": group[child],
        "skin_tone": tone[child],
    }
    return pd.DataFrame(faces)


@lru_cache(maxsize=32)
def _cells(population: Population) -> tuple[np.ndarray, np.ndarray, tuple[Floats, ...]]:
    """Return each face's child and expression as codes, and for each network every child's true accuracy."""
    faces = faces_of(population)
    first = ~faces.duplicated("subject_id").to_numpy()
    means = (true_accuracy(population, faces, network)[first] for network in range(len(population.leads)))
    codes = faces["expression"].cat.codes.to_numpy(np.int64)
    return faces["subject_id"].astype(int).to_numpy(), codes, tuple(means)
