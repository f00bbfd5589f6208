"""Whether a network that says 80 % is right in 80 % of such cases.

`calibration_error` is the root mean square distance between the probability of the expression named and the share that is
right, in bins of that probability. The plug-in estimate is above zero for a perfectly calibrated network too, the more the
fewer the photographs, and the more alike those of one child are. Its square is therefore estimated from pairs of
photographs of different children (the debiased estimator of Kumar, Liang & Ma 2019, arXiv:1909.10155, for clusters): with
true probabilities these pairs average to zero. At that boundary no interval is known to keep its level, so none is given.

`overconfidence`, the mean probability minus the share that is right (calibration in the large: Van Calster et al. 2019,
doi:10.1186/s12916-019-1466-7), is a mean over children, and has one.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from expression_scores.intervals import DRAWS, Interval, difference_interval, intervals_of
from expression_scores.metrics import Floats, is_right, subjects_of

BINS: Final = 15
"""Bins of equal width from 0 to 1, as in the tables of Guo et al. (2017)."""


def calibration_error(joined: pd.DataFrame) -> float:
    """Return the debiased root mean square calibration error, 0 to 1; not a number where no bin holds two children.

    Zero also where chance makes the estimate of the square negative.
    """
    images, right, confidence = np.moveaxis(_sums(joined, bins(_confidence(joined)), BINS), -1, 0)
    gaps = right - confidence
    pairs = images.sum(axis=0) ** 2 - (images**2).sum(axis=0)  # of photographs of two children, by bin
    square = gaps.sum(axis=0) ** 2 - (gaps**2).sum(axis=0)
    known = pairs > 0
    if not known.any():
        return np.nan
    mean = np.average(square[known] / pairs[known], weights=images.sum(axis=0)[known])
    return float(np.sqrt(max(0.0, mean)))


def overconfidence(joined: pd.DataFrame, draws: int = DRAWS, seed: int = 0) -> Interval:
    """Return the mean probability of the expression named minus the share right, -1 to 1, with its 95 % interval."""
    sums = _sums(joined, np.zeros(len(joined), dtype=np.int64), 1)[:, 0]
    return intervals_of(sums, _overconfidence, difference_interval, draws, seed)["overconfidence"]


def calibration_by(joined: pd.DataFrame, column: str, draws: int = DRAWS, seed: int = 0) -> pd.DataFrame:
    """Return one row per group of `column`, shares from 0 to 1; `joined` holds one run's predictions.

    Columns: the group, confidence and accuracy (means), overconfidence with its ends low and high, error.
    """
    rows = []
    for group, part in joined.groupby(joined[column].astype(str)):
        over = overconfidence(part, draws, seed)
        rows.append((group, part["confidence"].mean(), is_right(part).mean(), over.estimate, over.low, over.high,
                     calibration_error(part)))  # fmt: skip
    columns = [column, "confidence", "accuracy", "overconfidence", "low", "high", "error"]
    return pd.DataFrame(rows, columns=columns)


def bins(confidence: Floats) -> NDArray[np.int64]:
    """Return the number of each confidence's bin; bins are open below and closed above, as in Guo et al."""
    return np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)


def _confidence(joined: pd.DataFrame) -> Floats:
    return joined["confidence"].to_numpy(dtype=np.float64)


def _sums(joined: pd.DataFrame, places: NDArray[np.int64], number: int) -> Floats:
    """Return per subject and place the photographs, those right and the summed confidence: (subjects, number, 3)."""
    codes, subjects = pd.factorize(subjects_of(joined), sort=True)
    confidence = _confidence(joined)
    sums = np.zeros((len(subjects), number, 3))
    each = [np.ones_like(confidence), is_right(joined).to_numpy(dtype=np.float64), confidence]
    np.add.at(sums, (codes, places), np.stack(each, axis=1))
    return sums


def _overconfidence(sums: Floats) -> dict[str, Floats]:
    images, right, confidence = np.moveaxis(sums, -1, 0)
    return {"overconfidence": np.asarray((confidence - right) / images)}
