"""Whether a network that says 80 % is right in 80 % of such cases: the expected calibration error.

Guo, Pleiss, Sun & Weinberger (2017, https://proceedings.mlr.press/v70/guo17a.html): photographs are sorted into
bins by the probability of the expression named; the error is the mean distance between that probability and the
share that is right, bins weighted by their photographs. It is above zero for a perfectly calibrated network too, the
more the fewer the photographs; `error_by_chance` says by how much.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from expression_scores.intervals import DRAWS, Interval, percentiles, resampled
from expression_scores.metrics import Floats, is_right, subjects_of

BINS: Final = 15
"""Bins of equal width from 0 to 1, as in the tables of Guo et al. (2017)."""


def calibration_error(joined: pd.DataFrame, draws: int = DRAWS, seed: int = 0) -> Interval:
    """Return the expected calibration error, 0 to 1, with its percentile interval, which lies a little high."""
    sums = _sums(joined)
    estimate = float(_error(sums.sum(axis=0)))
    if len(sums) < 2:
        return Interval(estimate, np.nan, np.nan)
    return percentiles(estimate, _error(resampled(sums, draws, seed)))


def error_by_chance(joined: pd.DataFrame, draws: int = 1000, seed: int = 0) -> float:
    """Return the mean error if every probability were true: photographs right with the probability named.

    Consistency resampling (Bröcker & Smith 2007, doi:10.1175/WAF993.1), photographs independent.
    """
    confidence = joined["confidence"].to_numpy(dtype=np.float64)
    right = np.random.default_rng(seed).random((draws, len(confidence))) < confidence
    gaps = (right - confidence) @ np.eye(BINS)[bins(confidence)]  # (draws, bins): right minus expected
    return float(np.abs(gaps).sum(axis=1).mean() / len(confidence))


def calibration_by(joined: pd.DataFrame, column: str, draws: int = DRAWS, seed: int = 0) -> pd.DataFrame:
    """Return one row per group of `column`, shares from 0 to 1; `joined` holds one run's predictions.

    Columns: the group, confidence and accuracy (means), error, error_low, error_high, by_chance.
    """
    rows = []
    for group, part in joined.groupby(joined[column].astype(str)):
        error = calibration_error(part, draws, seed)
        rows.append((group, part["confidence"].mean(), is_right(part).mean(), error.estimate, error.low, error.high,
                     error_by_chance(part, seed=seed)))  # fmt: skip
    columns = [column, "confidence", "accuracy", "error", "error_low", "error_high", "by_chance"]
    return pd.DataFrame(rows, columns=columns)


def bins(confidence: Floats) -> NDArray[np.int64]:
    """Return the number of each confidence's bin; bins are open below and closed above, as in Guo et al."""
    return np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)


def _sums(joined: pd.DataFrame) -> Floats:
    """Return per subject and bin the photographs, those read right and the summed confidence: (subjects, bins, 3)."""
    codes, subjects = pd.factorize(subjects_of(joined), sort=True)
    confidence = joined["confidence"].to_numpy(dtype=np.float64)
    sums = np.zeros((len(subjects), BINS, 3))
    each = [np.ones_like(confidence), is_right(joined).to_numpy(dtype=np.float64), confidence]
    np.add.at(sums, (codes, bins(confidence)), np.stack(each, axis=1))
    return sums


def _error(sums: Floats) -> Floats:
    images, right, confidence = np.moveaxis(sums, -1, 0)
    return np.asarray(np.abs(right - confidence).sum(axis=-1) / images.sum(axis=-1))
