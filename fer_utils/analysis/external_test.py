"""The external test: what networks see, choosing among seven expressions, in adults who are neutral or smile."""

from itertools import product
from typing import Final

import numpy as np
import pandas as pd

from expression_scores.metrics import is_right, join, subjects_of
from expression_scores.printed_scores import wilson
from face_sets.expressions import PROBABILITY_COLUMNS
from face_sets.folders import PROJECT_FOLDER

PEERS_FILE: Final = PROJECT_FOLDER / "data_manifests" / "london_peers.csv"
"""Open networks on the same photographs, measured by this project; its first lines say how."""

HALVES: Final = 1000
"""Random halves of the persons; the means over them are then steady to a tenth of a point."""

ADULTS: Final = {"women": "female", "men": "male"}


def measures(predictions: pd.DataFrame, faces: pd.DataFrame) -> pd.DataFrame:
    """Return one row per run, in the order of `predictions`; shares from 0 to 1.

    Columns: run_id, women and men (how many), accuracy, neutral_recall, happiness_recall, women_happiness_recall,
    men_happiness_recall, two_way_accuracy (between neutral and happiness only), smile_ranked (persons whose smiling
    photograph gets more probability of happiness than their neutral one). `faces` are neutral or happy.
    """
    joined = join(predictions, faces).assign(**predictions[list(PROBABILITY_COLUMNS)].reset_index(drop=True))
    smiles = joined["expression"] == "happiness"
    two_way = (joined["p_happiness"] > joined["p_neutral"]) == smiles
    joined = joined.assign(right=is_right(joined), two_way=two_way)
    rows = [{"run_id": run_id, **_measures(part)} for run_id, part in joined.groupby("run_id", sort=False)]
    return pd.DataFrame(rows)


def _measures(part: pd.DataFrame) -> dict[str, float]:
    smiling = part[part["expression"] == "happiness"]
    of_sex = {who: smiling[smiling["sex"] == sex] for who, sex in ADULTS.items()}
    happiness = part.pivot_table("p_happiness", "subject_id", "expression", observed=True)
    pairs = happiness.dropna()
    return {
        **{who: int(smiles["subject_id"].nunique()) for who, smiles in of_sex.items()},
        "accuracy": float(part["right"].mean()),
        "neutral_recall": float(part.loc[part["expression"] == "neutral", "right"].mean()),
        "happiness_recall": float(smiling["right"].mean()),
        **{f"{who}_happiness_recall": float(smiles["right"].mean()) for who, smiles in of_sex.items()},
        "two_way_accuracy": float(part["two_way"].mean()),
        "smile_ranked": float((pairs["happiness"] > pairs["neutral"]).mean()),
    }


def choices_by_halves(joined: pd.DataFrame, halves: int = HALVES, seed: int = 0) -> pd.DataFrame:
    """Return one row per random half of the persons: which run is best there, and what it scores on the others.

    Columns: run_id, chosen_on (its accuracy where it was chosen), scored_on (its accuracy on the other persons).
    Ties go to the first in `joined`. Raises ValueError for fewer than two persons.
    """
    persons, names = pd.factorize(subjects_of(joined))
    runs, run_ids = pd.factorize(joined["run_id"].astype(str))
    if len(names) < 2:
        raise ValueError(f"{len(names)} person cannot be halved: choose and score need at least two")
    right, seen = np.zeros((2, len(names), len(run_ids)))
    np.add.at(right, (persons, runs), is_right(joined))
    np.add.at(seen, (persons, runs), 1)
    order = np.random.default_rng(seed).permuted(np.tile(np.arange(len(names)), (halves, 1)), axis=1)
    first = (order < len(names) // 2).astype(float)
    accuracies = [(half @ right) / (half @ seen) for half in (first, 1 - first)]
    best = accuracies[0].argmax(axis=1)
    picked = [np.take_along_axis(a, best[:, None], axis=1)[:, 0] for a in accuracies]
    return pd.DataFrame({"run_id": run_ids[best], "chosen_on": picked[0], "scored_on": picked[1]})


def peers() -> pd.DataFrame:
    """Return the open networks that this project measured, each in the setting most accurate on these photographs.

    Columns: network, source (address), women, men, crop_margin, channel_order, accuracy_low, accuracy_high, and those of
    `measures` without run_id and smile_ranked.
    """
    tried = pd.read_csv(PEERS_FILE, comment="#")
    best = tried.sort_values("accuracy", ascending=False, kind="stable").drop_duplicates("network")
    return best.reset_index(drop=True)


def smiles_by_sex(measured: pd.DataFrame) -> pd.DataFrame:
    """Return shares of smiles read as happiness: columns group, series (women, men), estimate, low, high.

    `measured` holds `group` and the columns of `measures`; one smile per person, so intervals are Wilson's (1927).
    """
    rows = []
    for row, who in product(measured.to_dict("records"), ADULTS):
        share = wilson(float(row[f"{who}_happiness_recall"]), row[who])
        rows.append((row["group"], who, share.estimate, share.low, share.high))
    return pd.DataFrame(rows, columns=["group", "series", "estimate", "low", "high"])
