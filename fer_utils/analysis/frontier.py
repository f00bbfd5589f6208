"""Which of several models nothing else beats in both accuracy and cost."""

import numpy as np
import pandas as pd


def on_frontier(costs: pd.Series, scores: pd.Series) -> pd.Series:
    """Return whether each row is on the frontier: none costs as little or less and scores better, or as well for less.

    Costs are better low, scores high; a row that lacks either is not on it. The frontier is of point estimates:
    neighbours on it may not differ by more than chance.
    """
    cost, score = costs.to_numpy(float), scores.to_numpy(float)
    at_least_as_good = (cost[None, :] <= cost[:, None]) & (score[None, :] >= score[:, None])
    better = (cost[None, :] < cost[:, None]) | (score[None, :] > score[:, None])
    beaten = (at_least_as_good & better).any(axis=1)
    return pd.Series(~beaten & np.isfinite(cost) & np.isfinite(score), index=costs.index)
