"""How much of a score is luck: of the training seed, of the children sampled, of the photographs.

The same network trained again from another seed scores differently on the same children. A score over several trainings is
their mean; its error has two sources that cross, seeds and children. Each is measured by leaving out one seed, or one child
in all trainings; the two variances are added, less what both contain, the luck of single answers (two-way analysis of
variance; Owen 2007, doi:10.1214/07-AOAS122), with Satterthwaite's (1946, doi:10.2307/3002019) degrees of freedom. A
bootstrap of three to seven seeds would be too short: resampling so few misses a good part of their variance.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import t

from expression_scores.intervals import (
    LEVEL,
    NOTHING,
    Interval,
    Statistics,
    first_minus_second,
)
from expression_scores.metrics import Counts, Floats, is_right, scores_of_confusions, subjects_of


class OverSeeds(NamedTuple):
    """A mean over trainings with its 95 % interval over seeds and children, and the standard deviation of each luck.

    `by_seed` is how far single trainings scatter, `by_children` the standard error that the children sampled leave.
    """

    interval: Interval
    by_seed: float
    by_children: float


def scores_over_seeds(confusions: Counts) -> dict[str, OverSeeds]:
    """Return each metric over trainings from counts of shape (seeds, subjects, 7 true, 7 predicted); two seeds at least."""
    return _over_seeds(confusions, scores_of_confusions)


def differences_over_seeds(first: Counts, second: Counts) -> dict[str, OverSeeds]:
    """Return first minus second for each metric, of two copies trained by the same seeds and tested on the same subjects.

    Both hold counts of shape (seeds, subjects, 7 true, 7 predicted).
    """
    return _over_seeds(np.stack([first, second], axis=2), first_minus_second)


def _over_seeds(counts: Counts, statistics: Statistics) -> dict[str, OverSeeds]:
    """Return statistics of counts (seeds, subjects, ...) over seeds and subjects. Raises ValueError for one of either."""
    seeds, subjects = counts.shape[:2]
    if min(seeds, subjects) < 2:
        raise ValueError(
            f"a score over seeds needs two trainings and two subjects, given {seeds} and {subjects}: "
            "name further seeds in the study"
        )
    whole = counts.sum(axis=1)
    each = statistics(whole)  # a value per seed
    left_out = statistics(whole[:, None] - counts)  # and without each subject
    return {name: _over(values, left_out[name]) for name, values in each.items()}


def variance_shares(joined: pd.DataFrame) -> pd.Series:
    """Return how much of the variance of single answers (right or wrong) goes with seed, child and photograph: 0 to 1.

    `joined` holds predictions of the same faces by two or more trainings, as runs. Index: seed, child, photograph, rest
    (which of these trainings reads this photograph). Components are differences of mean products of pairs of answers
    that share a seed, a child or a photograph; a negative one counts as 0. Raises ValueError where no pairs exist.
    """
    right = joined.assign(right=is_right(joined).astype(float)).pivot(
        index="face_id", columns="run_id", values="right"
    )
    subjects = joined.drop_duplicates("face_id").set_index("face_id").pipe(subjects_of).loc[right.index]
    answers, codes = right.to_numpy(), pd.factorize(subjects)[0]
    faces, seeds = answers.shape
    by_child = np.stack([np.bincount(codes, answers[:, seed]) for seed in range(seeds)], axis=1).astype(float)
    sizes = np.bincount(codes).astype(np.float64)
    other_seed, apart = seeds * (seeds - 1), faces**2 - (sizes**2).sum()
    together = (sizes**2).sum() - faces
    if np.isnan(answers).any() or min(other_seed, apart, together) <= 0:
        raise ValueError(
            "variance shares need two trainings on the same faces of two children, one with two faces"
        )
    of_photographs, of_children = _of_other_seeds(answers), _of_other_seeds(by_child)
    same_seed = ((answers.sum(axis=0) ** 2).sum() - (by_child**2).sum()) / (seeds * apart)
    neither = (_of_other_seeds(answers.sum(axis=0)[None]) - of_children) / (other_seed * apart)
    photograph = of_photographs / (other_seed * faces)
    child = (of_children - of_photographs) / (other_seed * together)
    parts = pd.Series(
        {"seed": same_seed - neither, "child": child - neither, "photograph": photograph - child}
    )
    parts = parts.clip(lower=0)
    parts["rest"] = max(0.0, answers.mean() - neither - parts.sum())
    return parts / parts.sum()


def _over(values: Floats, left_out: Floats) -> OverSeeds:
    """From values (seeds,), and values without each subject (seeds, subjects)."""
    seeds, subjects = left_out.shape
    child_error = float(np.sqrt((subjects - 1) * left_out.mean(axis=0).var()))
    variances = np.array([values.var(ddof=1) / seeds, child_error**2])
    of_both = left_out - left_out.mean(axis=0) - left_out.mean(axis=1, keepdims=True) + left_out.mean()
    shared = (of_both**2).sum() * (subjects - 1) / (subjects * seeds * (seeds - 1))
    variance = max(variances.sum() - shared, variances.max())
    error, estimate = float(np.sqrt(variance)), float(values.mean())
    freedom = variance**2 / (variances**2 / (seeds - 1, subjects - 1)).sum() if error > NOTHING else 1.0
    reach = float(t.ppf((1 + LEVEL) / 2, freedom)) * error
    interval = Interval(estimate, estimate - reach, estimate + reach)
    return OverSeeds(interval, float(values.std(ddof=1)), child_error)


def _of_other_seeds(sums: Floats) -> float:
    """Summed products of what two different seeds give one row: (rows, seeds)."""
    return float((sums.sum(axis=1) ** 2).sum() - (sums**2).sum())
