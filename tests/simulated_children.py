"""Simulated children whose true scores are known exactly, for tests of coverage and power.

A simulated child has an ability of its own, which decides about all its photographs, and poses some expressions and
not others, so that children have between one and thirteen photographs, seven on average, about as CAFE has (1,192 of
154 children, LoBue & Thrasher 2015; five expressions and neutral with open and closed mouth, surprise open only).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.special import expit

from expression_scores.metrics import Counts, Floats, scores_of_confusions
from face_sets.expressions import EXPRESSIONS

OFFERED: Final = np.where(np.array(EXPRESSIONS) == "surprise", 1, 2)
"""Photographs that a child can have of each expression: mouth open and closed, surprise open only."""

SHARE_KEPT: Final = (0.1, 1.0)
"""Between which shares of its photographs a child's were kept, uniformly: 55 % on average, thus about seven."""

EASE: Final = np.array([1.0, -0.6, 1.8, 0.2, 1.2, 0.1, 0.3])
"""Log odds of reading each expression right in an average child: happiness easiest, fear hardest. Our choice."""

SPREAD: Final = 1.0
"""Standard deviation of children's abilities in log odds; the correlation within children is then 0.13."""

_QUADRATURE: Final = np.polynomial.hermite_e.hermegauss(60)


def mistakes(seed: int = 1) -> Floats:
    """Return how mistakes fall on the other expressions: (7, 7), rows add up to one, nothing on the diagonal."""
    generator = np.random.default_rng(seed)
    shares = np.zeros((len(EXPRESSIONS), len(EXPRESSIONS)))
    off_diagonal = ~np.eye(len(EXPRESSIONS), dtype=bool)
    shares[off_diagonal] = generator.dirichlet(np.full(len(EXPRESSIONS) - 1, 1.5), len(EXPRESSIONS)).ravel()
    return shares


def true_scores(shift: float = 0.0, spread: float = SPREAD) -> dict[str, float]:
    """Return each metric of a network that sees infinitely many such children; `shift` is added to all log odds."""
    nodes, weights = _QUADRATURE
    right = (expit(EASE[:, None] + shift + spread * nodes) * weights).sum(axis=1) / weights.sum()
    expected = OFFERED[:, None] * (np.diag(right) + (1 - right)[:, None] * mistakes())
    return {metric: float(value) for metric, value in scores_of_confusions(expected).items()}


def simulate_children(
    generator: np.random.Generator, subjects: int, shifts: Sequence[float] = (0.0,), spread: float = SPREAD
) -> Counts:
    """Return the confusion counts of children, each photograph seen by a network for each shift.

    Shape (subjects, networks, 7, 7), int64. A child's ability and photographs are the same for all networks.
    """
    shown = _shown(generator, subjects)
    ability = spread * generator.normal(size=(subjects, 1))
    counts = np.zeros((subjects, len(shifts), len(EXPRESSIONS), len(EXPRESSIONS)), dtype=np.int64)
    shares = mistakes()
    for network, shift in enumerate(shifts):
        right = generator.binomial(shown, expit(EASE + shift + ability))
        for true in range(len(EXPRESSIONS)):
            counts[:, network, true] = generator.multinomial(shown[:, true] - right[:, true], shares[true])
            counts[:, network, true, true] += right[:, true]
    return counts


def _shown(generator: np.random.Generator, subjects: int) -> Counts:
    """Photographs of each child and expression; children without any are sampled again."""
    shown = np.zeros((subjects, len(EXPRESSIONS)), dtype=np.int64)
    while (none := shown.sum(axis=1) == 0).any():
        kept = generator.uniform(*SHARE_KEPT, size=(int(none.sum()), 1))
        shown[none] = generator.binomial(OFFERED, kept)
    return shown
