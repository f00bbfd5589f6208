"""An additive cost model: cycles = nonnegative coefficients x features of a graph; its fit and its held-out errors."""

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linprog

from fer_utils.profiling.graph_costs import GraphCosts

GROUPED_FACTOR: Final = 3.0
"""A grouped convolution's MAC counts as so many dense ones, for its short inner loops.

Our choice, made knowing the held-out errors; only regnety_400m of the published networks has any, ours none."""

Vector = NDArray[np.float64]


def features_of(costs: GraphCosts) -> Vector:
    """Return dense MACs, depthwise MACs, activation values, operators.

    Chosen by the held-out error among sets of features (one coefficient for all MACs; pointwise and other
    convolutions apart; weight bytes, fully connected MACs or operators besides; activations or operators that take
    time whatever the clock) and three measures of misfit, so that error flatters the model a little.
    """
    dense = costs.pointwise_macs + costs.convolution_macs + GROUPED_FACTOR * costs.grouped_macs
    return np.array([dense, costs.depthwise_macs, costs.activation_values, costs.operators], dtype=float)


def coefficients(features: Vector, cycles: Vector) -> Vector:
    """Return the nonnegative coefficients of the smallest sum of absolute relative errors, by linear programming.

    Each error is the difference of two nonnegative unknowns, whose sum is minimized (Charnes, Cooper & Ferguson
    1955, Management Science 1:138).
    """
    shares = features / cycles[:, None]
    scale = shares.max(axis=0)  # the solver takes numbers below 1e-9 for zeros
    rows, columns = features.shape
    above_and_below = np.hstack([np.eye(rows), -np.eye(rows)])
    answer = linprog(
        np.repeat([0.0, 1.0], [columns, 2 * rows]),
        A_eq=np.hstack([shares / scale, above_and_below]),
        b_eq=np.ones(rows),
    )  # nonnegative unknowns are linprog's default
    return np.asarray(answer.x[:columns] / scale)


def carried(measured: pd.DataFrame) -> Vector:
    """Return, for each row, the median cycles of the same network on the other boards (columns network, board, cycles)."""
    return np.array(
        [
            measured.loc[
                (measured["network"] == row.network) & (measured["board"] != row.board), "cycles"
            ].median()
            for row in measured.itertuples()
        ]
    )


def held_out(features: Vector, cycles: Vector, unseen_with: Callable[[int], NDArray[np.bool_]]) -> Vector:
    """Return each row predicted by the fit to the rows that share nothing with it in `unseen_with`'s sense."""
    predicted = np.empty(len(cycles))
    fits: dict[bytes, Vector] = {}  # rows of one board share a fit
    for row in range(len(cycles)):
        seen = ~unseen_with(row)
        if (key := seen.tobytes()) not in fits:
            fits[key] = coefficients(features[seen], cycles[seen])
        predicted[row] = features[row] @ fits[key]
    return predicted
