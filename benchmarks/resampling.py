"""Seconds for 10,000 bootstrap draws of all metrics at CAFE's size, against the plain way: rows resampled, scikit-learn.

`python benchmarks/resampling.py` times 154 children with about eight photographs each. The plain way samples children,
gathers their photographs and calls scikit-learn; it is timed on `--plain-draws` and scaled up. On a busy machine look at
the ratio. Both must give the same spread.
"""

import time

import numpy as np
import pandas as pd
import typer

from expression_scores.intervals import DRAWS, intervals, resampled
from expression_scores.metrics import METRICS, confusions_by_subject, scores, scores_of_confusions
from face_sets.expressions import EXPRESSIONS
from fer_utils.simulation.simulated_predictions import like_cafe, sample_predictions

CHILDREN = 154


def photographs(counts: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return each child's true and predicted expressions, one per photograph."""
    names = np.array(EXPRESSIONS)
    return [tuple(names[np.repeat(kind, own[own > 0])] for kind in np.nonzero(own)) for own in counts]


def plain(children: list[tuple[np.ndarray, np.ndarray]], draws: int) -> pd.DataFrame:
    """Return the metrics of draws made row by row."""
    generator = np.random.default_rng(0)
    rows = []
    for _ in range(draws):
        taken = [children[child] for child in generator.integers(len(children), size=len(children))]
        truth, predicted = (pd.Series(np.concatenate(part)) for part in zip(*taken, strict=True))
        rows.append(scores(truth, predicted))
    return pd.DataFrame(rows)


def main(plain_draws: int = 200) -> None:
    """Time both ways and print their ratio."""
    _, counts = confusions_by_subject(sample_predictions(like_cafe(), 1))
    intervals(counts, 100)  # warm
    started = time.process_time()
    intervals(counts, DRAWS)
    ours = time.process_time() - started
    children = photographs(counts)
    started = time.process_time()
    drawn = plain(children, plain_draws)
    theirs = (time.process_time() - started) * DRAWS / plain_draws
    print(
        f"{DRAWS:,} draws of {CHILDREN} children, {counts.sum():,} photographs: {ours:.2f} s of processor time"
    )
    print(
        f"the plain way, scaled up from {plain_draws} draws: {theirs:.0f} s, {theirs / ours:.0f} times as long"
    )
    spread = scores_of_confusions(resampled(counts, DRAWS, 0))
    for metric in METRICS:
        print(
            f"    standard deviation of {metric}: {spread[metric].std():.4f}, plainly {drawn[metric].std():.4f}"
        )


if __name__ == "__main__":
    typer.run(main)
