"""How large a gap between two groups must be before a test of so many children finds it four times in five.

Photographs of one child count for less than independent ones, by the design effect for children with unequal
numbers of photographs (Eldridge, Ashby & Kerry 2006, doi:10.1093/ije/dyl129); the correlation within children is
estimated from predictions by analysis of variance (Ridout, Demétrio & Firth 1999, doi:10.1111/j.0006-341X.1999.00137.x).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import t

from fer_utils.analysis.metrics import Counts, confusions_by_subject
from fer_utils.published.scores import ALPHA, POWER


@dataclass(frozen=True)
class Clustering:
    """How photographs cluster in children: the share right, the correlation of being right within children, the
    mean number of photographs a child and their coefficient of variation."""

    share: float
    correlation: float
    photographs: float
    variation: float

    @property
    def design_effect(self) -> float:
        """By what factor clustering multiplies the variance of a share (Eldridge et al. 2006)."""
        return 1 + ((self.variation**2 + 1) * self.photographs - 1) * self.correlation


def clustering(joined: pd.DataFrame) -> Clustering:
    """Return the clustering of one run's predictions; a negative estimate of the correlation counts as 0.

    Raises ValueError where no subject has two photographs, or there is one subject only.
    """
    return clustering_of(confusions_by_subject(joined)[1])


def clustering_of(confusions: Counts) -> Clustering:
    """Return the clustering of counts of shape (subjects, 7 true, 7 predicted); errors as `clustering`."""
    sizes = confusions.sum(axis=(1, 2)).astype(np.float64)
    right = np.trace(confusions, axis1=1, axis2=2).astype(np.float64)
    subjects, photographs = len(sizes), sizes.sum()
    if subjects < 2 or photographs == subjects:
        raise ValueError(
            "the correlation within children needs two children, and a child with two photographs"
        )
    share = right.sum() / photographs
    own = right / sizes
    between = (sizes * (own - share) ** 2).sum() / (subjects - 1)
    within = (sizes * own * (1 - own)).sum() / (photographs - subjects)
    typical = (photographs - (sizes**2).sum() / photographs) / (subjects - 1)
    total = between + (typical - 1) * within
    correlation = max(0.0, (between - within) / total) if total > 0 else 0.0
    return Clustering(
        float(share), float(correlation), float(sizes.mean()), float(sizes.std() / sizes.mean())
    )


def detectable_gap(cluster: Clustering, children: tuple[int, int]) -> float:
    """Return the true difference, 0 to 1, that a two-sided test at 5 % finds with a probability of 80 %.

    Both groups are taken to cluster alike; Student's t with Welch's degrees of freedom, as the test has them.
    """
    variance = cluster.share * (1 - cluster.share) * cluster.design_effect
    errors = variance / (cluster.photographs * np.array(children))
    freedom = errors.sum() ** 2 / (errors**2 / (np.array(children) - 1)).sum()
    return float((t.ppf(1 - ALPHA / 2, freedom) + t.ppf(POWER, freedom)) * np.sqrt(errors.sum()))


def detectable_gaps(cluster: Clustering, children: Mapping[str, int]) -> pd.DataFrame:
    """Return one row a pair of groups, smallest gap first: first, second, children of each, detectable (0 to 1)."""
    rows = [
        (a, b, children[a], children[b], detectable_gap(cluster, (children[a], children[b])))
        for a, b in combinations(children, 2)
    ]
    columns = ["first", "second", "children_first", "children_second", "detectable"]
    return pd.DataFrame(rows, columns=columns).sort_values("detectable", ignore_index=True)
