"""The external test: what networks see, choosing among seven expressions, in adults who are neutral or smile."""

from itertools import product
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from expression_scores.calibration import calibration_error
from expression_scores.intervals import intervals
from expression_scores.metrics import confusions_by_subject, is_right, join, subjects_of
from expression_scores.printed_scores import wilson
from face_sets.expressions import PROBABILITY_COLUMNS
from face_sets.folders import MANIFESTS_FOLDER

PEERS_FILE: Final = MANIFESTS_FOLDER / "london_peers.csv"
"""Open networks on the same photographs, measured by this project; its first lines say how."""

HISTORY_FILE: Final = MANIFESTS_FOLDER / "ladder_history.csv"
"""What earlier generators of this project gave; its first lines say how."""

HALVES: Final = 1000
"""Random halves of the persons; the means over them are then steady to a tenth of a point."""

ADULTS: Final = {"women": "female", "men": "male"}


def measures(predictions: pd.DataFrame, faces: pd.DataFrame) -> pd.DataFrame:
    """Return one row per run, in the order of `predictions`; shares from 0 to 1.

    Columns: run_id, women and men (how many), accuracy, neutral_recall, happiness_recall, women_happiness_recall,
    men_happiness_recall, two_way_accuracy (between neutral and happiness only), smile_ranked (persons whose smiling
    photograph gets more probability of happiness than their neutral one). `faces` are neutral or happy. A share of nobody is
    missing.
    """
    joined = join(predictions, faces).assign(**predictions[list(PROBABILITY_COLUMNS)].reset_index(drop=True))
    smiles = joined["expression"] == "happiness"
    two_way = (joined["p_happiness"] > joined["p_neutral"]) == smiles
    joined = joined.assign(right=is_right(joined), two_way=two_way)
    rows = [{"run_id": run_id, **_measures(part)} for run_id, part in joined.groupby("run_id", sort=False)]
    return pd.DataFrame(rows)


RAF_DB: Final = np.array([2524, 281, 4772, 1982, 1290, 705, 717]) / 12271
"""Class shares of the training faces of RAF-DB (Li & Deng 2019, doi:10.1109/TIP.2018.2868382), in class order."""


def with_shares(answers: pd.DataFrame, shares: NDArray[np.float64]) -> pd.DataFrame:
    """Return answers of a network that learned from equal class shares as if it had learned from others, (7,)."""
    columns = list(PROBABILITY_COLUMNS)
    weighted = answers[columns].to_numpy(np.float64) * shares
    return answers.assign(**dict(zip(columns, (weighted / weighted.sum(1, keepdims=True)).T, strict=True)))


def rung_scores(answers: pd.DataFrame, draws: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Return one row per rung of the ladder and seed, in the order of `answers`, with intervals over persons.

    Columns: rung, seed, those of `measures`, accuracy_low and accuracy_high, two_way_low and two_way_high,
    calibration_error, and accuracy_raf_db, that with the class shares of RAF-DB. `answers` holds rung, seed, the seven
    probabilities and the faces' columns.
    """
    rows = []
    for (rung, number), part in answers.groupby(["rung", "seed"], sort=False):
        given = part.assign(run_id=str(rung))
        faces = given[["face_id", "dataset", "subject_id", "expression", "sex"]]
        joined = join(given, faces)
        row = {"rung": rung, "seed": number, **measures(given, faces).drop(columns="run_id").iloc[0]}
        two = joined.assign(
            predicted=np.where(given["p_happiness"] > given["p_neutral"], "happiness", "neutral")
        )
        for name, each in {"accuracy": joined, "two_way": two}.items():
            found = intervals(confusions_by_subject(each)[1], draws, seed)["accuracy"]
            row |= {f"{name}_low": found.low, f"{name}_high": found.high}
        row["calibration_error"] = calibration_error(joined)
        row["accuracy_raf_db"] = float(is_right(join(with_shares(given, RAF_DB), faces)).mean())
        rows.append(row)
    return pd.DataFrame(rows)


def named(joined: pd.DataFrame) -> dict[str, dict[str, list[int]]]:
    """Return by run and expression how many photographs it named, and of how many; `joined` is a `metrics.join`."""
    counted = joined.assign(right=is_right(joined)).groupby(["run_id", "expression"], observed=True)["right"]
    records: dict[str, dict[str, list[int]]] = {}
    for (run_id, expression), right, count in counted.agg(["sum", "size"]).itertuples():
        records.setdefault(str(run_id), {})[str(expression)] = [int(right), int(count)]
    return records


def _measures(part: pd.DataFrame) -> dict[str, float]:
    smiling = part[part["expression"] == "happiness"]
    of_sex = {who: smiling[smiling["sex"] == sex] for who, sex in ADULTS.items()}
    happiness = part.pivot_table("p_happiness", "subject_id", "expression", observed=True)
    pairs = happiness.reindex(columns=["neutral", "happiness"]).dropna()
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
    """Return shares of smiles read as happiness: columns group, series (women, men), subjects, estimate, low, high.

    `measured` holds `group` and the columns of `measures`; one smile per person, so intervals are Wilson's (1927). Of a
    sex that nobody is of there is no row.
    """
    rows = []
    for row, who in product(measured.to_dict("records"), ADULTS):
        if pd.isna(row[f"{who}_happiness_recall"]):
            continue
        share = wilson(float(row[f"{who}_happiness_recall"]), row[who])
        rows.append((row["group"], who, row[who], share.estimate, share.low, share.high))
    return pd.DataFrame(rows, columns=["group", "series", "subjects", "estimate", "low", "high"])


def wilson_ends(scores: pd.DataFrame, column: str) -> dict[str, list[float]]:
    """Return low and high ends of shares of persons, one photograph of each, by Wilson (1927)."""
    found = [
        wilson(share, n) for share, n in zip(scores[column], scores["women"] + scores["men"], strict=True)
    ]
    return {"low": [each.low for each in found], "high": [each.high for each in found]}


AIMS: Final = {
    "released, int8 file": {
        "accuracy": 0.78, "two_way_accuracy": 0.86, "neutral_recall": 0.70, "happiness_recall": 0.70,
    },
    "rendered, all layers": {"accuracy": 0.62, "two_way_accuracy": 0.82},
}  # fmt: skip
"""What the project asked of a rung before it was trained, at least; of the other rungs it asked nothing."""

SEX_GAP: Final = 0.20
"""The most that the released model's recalls of women's and men's smiles may differ by."""


def aims(scores: pd.DataFrame) -> pd.DataFrame:
    """Return one row per aim: rung, measure, aim, value (the mean over seeds), reached."""
    means = scores.groupby("rung").mean(numeric_only=True)
    rows = [
        (rung, measure, f"at least {least:.2f}", means[measure].get(rung), means[measure].get(rung, 0) >= least)
        for rung, asked in AIMS.items() for measure, least in asked.items()
    ]  # fmt: skip
    gap = (means["women_happiness_recall"] - means["men_happiness_recall"]).abs()
    rung = next(iter(AIMS))
    rows.append(
        (
            rung,
            "women's minus men's smiles",
            f"at most {SEX_GAP:.2f}",
            gap.get(rung),
            gap.get(rung, 1) <= SEX_GAP,
        )
    )
    return pd.DataFrame(rows, columns=["rung", "measure", "aim", "value", "reached"])


def history() -> pd.DataFrame:
    """Return what prototypes of this project gave on the same adults: faces, and measures with their ends where known."""
    return pd.read_csv(HISTORY_FILE, comment="#")
