"""The facts of a model card: one run's scores, expressions, groups and calibration on the held-out children."""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from expression_scores.groups import by_group, known_factors, with_age_band
from expression_scores.intervals import Interval, paired_confusions, paired_differences, recall_intervals
from expression_scores.metrics import confusions_by_subject, join
from expression_scores.run_scores import run_scores
from face_sets.expressions import EXPRESSIONS
from fer_utils.analysis.evidence import Tables, joined_predictions, where
from fer_utils.tables import with_file

FACTORS: Final = ("ethnicity", "skin_tone", "sex", "age_band", "mouth")
"""The factors that group the children, where the faces have them; expressions have a table of their own."""


class CardFacts(NamedTuple):
    """One run's results on the held-out children of one data set; shares and probabilities from 0 to 1.

    `scores` is a row of `run_scores`. `recalls` has one row per expression: expression, subjects, images, recall, low,
    high, taken_for (the wrong answer given most often, missing if none), taken_share. `groups` has one row per group:
    factor, group, subjects, images, accuracy, low, high, too_small. `against_float` is this run's accuracy minus its
    float32 twin's on the same faces, None for a float32 run.
    """

    dataset: str
    scores: pd.Series
    recalls: pd.DataFrame
    groups: pd.DataFrame
    against_float: Interval | None

    @property
    def worst_expression(self) -> pd.Series:
        """The row of `recalls` with the lowest recall, the first of several."""
        return self.recalls.sort_values("recall", kind="stable").iloc[0]

    @property
    def worst_group(self) -> pd.Series | None:
        """The row of `groups` with the lowest accuracy among groups that are large enough; None if there is none."""
        large = self.groups[~self.groups["too_small"].astype(bool)]
        return None if large.empty else large.sort_values("accuracy", kind="stable").iloc[0]


def card_facts(tables: Tables, run_id: str, dataset: str) -> CardFacts:
    """Return the facts of a run on the test children of a data set.

    Raises Unavailable when the run did not predict them all, IndexError for an unknown run.
    """
    run = tables.runs[tables.runs["run_id"] == run_id].iloc[0]
    joined = joined_predictions(tables, run["run_id"], dataset)
    runs = tables.runs[tables.runs["run_id"] == run_id]
    scores = run_scores(joined, runs, tables.draws, tables.seed).iloc[0]
    return CardFacts(
        dataset, scores, _recalls(joined, tables), _groups(joined, tables),
        _against_float(joined, run, dataset, tables),
    )  # fmt: skip


def photographs_score(tables: Tables, run_id: str, photographs: pd.DataFrame) -> pd.Series | None:
    """Return a run's row of `run_scores` on the external test's photographs; None if it was not tested on them."""
    answers = tables.predictions[tables.predictions["run_id"] == run_id]
    answers = answers[answers["face_id"].isin(photographs["face_id"])]
    if answers.empty:
        return None
    runs = tables.runs[tables.runs["run_id"] == run_id]
    return run_scores(join(answers, photographs), runs, tables.draws, tables.seed).iloc[0]


def _recalls(joined: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    _, confusions = confusions_by_subject(joined)
    total = confusions.sum(axis=0)
    rows = []
    recalls = recall_intervals(confusions, tables.draws, tables.seed)
    for code, (expression, recall) in enumerate(recalls.items()):
        wrong = np.delete(total[code], code)
        others = [name for name in EXPRESSIONS if name != expression]
        images = int(total[code].sum())
        subjects = int((confusions[:, code].sum(axis=1) > 0).sum())
        rows.append({
            "expression": expression, "subjects": subjects, "images": images,
            "recall": recall.estimate, "low": recall.low, "high": recall.high,
            "taken_for": others[int(wrong.argmax())] if wrong.any() else pd.NA,
            "taken_share": wrong.max() / images if images else np.nan,
        })  # fmt: skip
    return pd.DataFrame(rows)


def _groups(joined: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    banded = with_age_band(joined)
    parts = [
        by_group(banded, factor, tables.draws, tables.seed)
        .rename(columns={factor: "group", "accuracy_low": "low", "accuracy_high": "high"})
        .assign(factor=factor)
        .sort_values("group", key=_in_order)
        for factor in known_factors(banded, FACTORS)
    ]
    columns = ["factor", "group", "subjects", "images", "accuracy", "low", "high", "too_small"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _in_order(names: pd.Series) -> pd.Series:
    """Numbers by size, names by letter: "2" before "10"."""
    numbers = pd.to_numeric(names, errors="coerce")
    return numbers if numbers.notna().all() else names


def _against_float(joined: pd.DataFrame, run: pd.Series, dataset: str, tables: Tables) -> Interval | None:
    if run["precision"] == "float32":
        return None
    twins = with_file(where(tables.runs, precision="float32", **run[["parent_run_id", "technique"]]))
    if twins.empty:  # a quantization-aware network has no float file
        return None
    twin = joined_predictions(tables, twins["run_id"].iloc[0], dataset)
    return paired_differences(paired_confusions(joined, twin), tables.draws, tables.seed)["accuracy"]
