"""The last layer trained again on a few children: a modern comparison, which the paper did not make.

It moves by multinomial logistic regression that is penalised for its distance from the layer that the network had.
Children are sampled many times: some train it, the others are scored.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax
from threadpoolctl import threadpool_limits

from expression_scores.intervals import DRAWS, intervals, paired_confusions, paired_differences
from expression_scores.metrics import Floats, confusions_by_subject, is_right, subjects_of
from face_sets.expressions import EXPRESSIONS, PROBABILITY_COLUMNS

CHILDREN: Final = (10, 25)
"""How many children it trains on: the range of a 2026 audit of five networks (arXiv:2610.08279, known from a summary)."""

REPEATS: Final = 20
"""Samples of the children: most are then held out ten times or more, at either number."""

PENALTY: Final = 1.0
"""Weight of half the squared change of the layer beside the summed cross-entropy.

One, as in scikit-learn's LogisticRegression, on features scaled to a mean squared length of one.
"""

SMALLEST: Final = 1e-9
"""Probabilities below are taken as this, so that their logarithm is finite: far below any that matters."""


def retrain_last_layers(
    predictions: pd.DataFrame, features: pd.DataFrame, faces: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Return the `few_shot` of the runs in `features`: held-out faces as the moved last layers name them.

    A number of children is left out where fewer would remain to be scored. Runs are trained on the same children.
    """
    about = faces[["face_id", "dataset", "subject_id", "expression"]]
    seen = features.merge(predictions, on=["run_id", "face_id"], validate="one_to_one")
    seen = seen.merge(about, on="face_id", validate="many_to_one")
    parts = [
        _answers(rows, trains).assign(run_id=run_id, children=children, repeat=repeat)
        for run_id, rows in seen.groupby("run_id", sort=False)
        for children, repeat, trains in _samples(subjects_of(rows).to_numpy(dtype=str), seed)
    ]
    columns = ["run_id", "children", "repeat", "face_id", "predicted"]
    return (
        pd.concat([part[columns] for part in parts], ignore_index=True)
        if parts
        else pd.DataFrame(columns=columns)
    )


def gains(few_shot: pd.DataFrame, joined: pd.DataFrame, draws: int = DRAWS, seed: int = 0) -> pd.DataFrame:
    """Return what moving the last layer gains on children it was not trained on, one row per run and number of children.

    `joined` holds the runs' own predictions. Columns: run_id, children, repeats, subjects (tested, over all samples),
    before, after, after_low, after_high (accuracies from 0 to 1 over all samples), difference, low, high (paired, over
    children), worst, best (sample).
    """
    before = joined.rename(columns={"predicted": "named_before"})
    after = few_shot.merge(before, on=["run_id", "face_id"], validate="many_to_one")
    parts = after.groupby(["run_id", "children"], sort=False)
    gained = [{"run_id": run, "children": n} | _gain(rows, draws, seed) for (run, n), rows in parts]
    return pd.DataFrame(gained)


def _gain(after: pd.DataFrame, draws: int, seed: int) -> dict[str, object]:
    before = after.assign(predicted=after["named_before"])
    difference = paired_differences(paired_confusions(after, before), draws, seed)["accuracy"]
    level = intervals(confusions_by_subject(after)[1], draws, seed)["accuracy"]
    right = [is_right(rows) for rows in (after, before)]
    by_sample = (right[0].astype(float) - right[1]).groupby(after["repeat"]).mean()
    return {
        "repeats": len(by_sample), "subjects": subjects_of(after).nunique(), "before": float(right[1].mean()),
        "after": level.estimate, "after_low": level.low, "after_high": level.high,
        "difference": difference.estimate, "low": difference.low, "high": difference.high,
        "worst": float(by_sample.min()), "best": float(by_sample.max()),
    }  # fmt: skip


def retrained(
    inputs: Floats,
    offsets: Floats,
    labels: NDArray[np.int8],
    trains: NDArray[np.bool_],
    penalty: float = PENALTY,
) -> Floats:
    """Return the moved last layer's logits, up to a constant per row, for the faces not trained on, (M, 7).

    `inputs` are the layer's (N, F), `offsets` its logarithms of probabilities (N, 7) before it moves, `labels` class
    indices, `trains` the faces to train on. The squared norm of the change of weights, bias included, is penalised;
    features are standardised by the faces to train on. Solved in the space that their faces span, where the solution lies.
    """
    middle, spread = inputs[trains].mean(axis=0), inputs[trains].std(axis=0)
    scaled = (inputs - middle) / np.where(spread > 0, spread, 1) / np.sqrt(inputs.shape[1])
    with threadpool_limits(limits=1):  # the same sums whatever the machine's cores
        axes = np.linalg.svd(scaled[trains], full_matrices=False)[2]
        reduced = np.column_stack([scaled @ axes.T, np.ones(len(scaled))])
        targets = np.eye(len(EXPRESSIONS))[labels[trains]]
        change = _least_loss(reduced[trains], offsets[trains], targets, penalty)
        return np.asarray(offsets[~trains] + reduced[~trains] @ change)


def _least_loss(inputs: Floats, offsets: Floats, targets: Floats, penalty: float) -> Floats:
    shape = (inputs.shape[1], targets.shape[1])

    def loss(flat: Floats) -> tuple[float, Floats]:
        change = flat.reshape(shape)
        logarithms = log_softmax(offsets + inputs @ change, axis=1)
        slope = inputs.T @ (np.exp(logarithms) - targets) + penalty * change
        return float(penalty * (change**2).sum() / 2 - (targets * logarithms).sum()), slope.ravel()

    return np.asarray(minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B").x).reshape(shape)


def _answers(seen: pd.DataFrame, trains: NDArray[np.bool_]) -> pd.DataFrame:
    inputs = np.stack(seen["features"].to_list()).astype(np.float64)
    offsets = np.log(seen[list(PROBABILITY_COLUMNS)].to_numpy(np.float64).clip(SMALLEST))
    labels = pd.Categorical(seen["expression"], categories=list(EXPRESSIONS)).codes
    logits = retrained(inputs, offsets, np.asarray(labels), trains)
    names = np.array(EXPRESSIONS)[logits.argmax(axis=1)]
    return pd.DataFrame({"face_id": seen["face_id"].to_numpy()[~trains], "predicted": names})


def _samples(subjects: NDArray[np.str_], seed: int) -> Iterator[tuple[int, int, NDArray[np.bool_]]]:
    everyone = np.unique(subjects)
    for children in CHILDREN:
        for repeat in range(REPEATS if len(everyone) >= 2 * children else 0):
            chosen = np.random.default_rng([seed, repeat]).permutation(everyone)[:children]
            yield children, repeat, np.isin(subjects, chosen)
