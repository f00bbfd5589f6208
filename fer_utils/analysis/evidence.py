"""What claims are judged by: the tables of a study, and from which kind of data a number comes."""

import re
from dataclasses import dataclass
from typing import Final

import pandas as pd

from fer_utils.analysis.metrics import join
from fer_utils.analysis.resampling import DRAWS, Interval
from fer_utils.published.numbers import printed

LICENSED_SETS: Final = frozenset(
    (
        "cafe", "guesswhat", "affectnet", "fer2013", "ckplus", "jaffe", "kdef", "rafd", "raf_db", "childefes",
        "defss", "ddcf", "nimh_chefs", "liris_cse", "emoreact", "sfew", "afew", "oulu_casia", "mmi", "faces",
        "expw",
    )
)  # fmt: skip
"""Sets of real faces with all or most of the seven expressions, had from their owners under a licence.

A set that is not named here never settles a claim. The abstract does not name its twelve; these are candidates.
"""

UNPUBLISHED_SETS: Final = frozenset({"cafe", "guesswhat"})
"""Not among the public training sets: the test set, and the frames from the authors' own application."""

SHARE_NEEDED: Final = 0.99
"""Of CAFE's photographs, which the paper tested on all (subsets are easier), how many must be here.

A face detector may miss a few. Our judgement."""


class Unavailable(Exception):
    """A quantity cannot be computed from the tables given; the message says what they lack."""


@dataclass(frozen=True)
class Tables:
    """The four tables of a study that claims are computed from, with the bootstrap's draws and seed."""

    faces: pd.DataFrame
    predictions: pd.DataFrame
    runs: pd.DataFrame
    measurements: pd.DataFrame
    draws: int = DRAWS
    seed: int = 0


@dataclass(frozen=True)
class Evidence:
    """A computed quantity in the claim's unit, the kind of data it is from, and what it falls short of."""

    value: float
    low: float
    high: float
    data_kind: str
    shortfalls: tuple[str, ...] = ()


def is_moto_g6(device: str) -> bool:
    """Return whether a device's name is that of a Moto G6; the G6 Play and Plus have other processors."""
    plain = re.sub(r"[^a-z0-9]", "", device.lower())
    return re.search(r"motog6(?!\d|play|plus)", plain) is not None


def training_sets(tables: Tables) -> set[str]:
    """Return the names of the licensed public sets that the training faces came from."""
    return (_sets_seen_in_training(tables) & LICENSED_SETS) - UNPUBLISHED_SETS


def _sets_seen_in_training(tables: Tables) -> set[str]:
    faces = tables.faces
    return set(faces.loc[faces["split"].isin(["train", "validation"]), "dataset"].astype(str))


def training_kind(tables: Tables) -> str:
    """Return "licensed" if every training and validation face comes from a licensed set, else what they are."""
    sets = _sets_seen_in_training(tables)
    if not sets:
        return "unknown training faces"
    if sets <= LICENSED_SETS:
        return "licensed"
    return "synthetic" if any(name.startswith("synthetic") for name in sets) else "unlicensed faces"


def _data_kind(tables: Tables, dataset: str) -> str:
    """Licensed only if both the test faces and every training face are."""
    trained_on = training_kind(tables)
    if dataset in LICENSED_SETS:
        return "licensed" if trained_on == "licensed" else f"licensed test faces, {trained_on} in training"
    return "synthetic" if dataset.startswith("synthetic") else "other photographs"


def evidence_of(interval: Interval, dataset: str, runs: list[pd.Series], tables: Tables) -> Evidence:
    """Return the evidence that an interval (0 to 1) gives, in percent, with what a full test would have more."""
    value, low, high = (100 * end for end in (interval.estimate, interval.low, interval.high))
    shortfalls = []
    if starts := sorted({str(run["initial_weights"]) for run in runs} - {"imagenet"}):
        shortfalls.append(f"trained from {', '.join(starts)} weights, not from ImageNet's")
    images = len(_test_children(tables, dataset))
    whole = printed("cafe-photographs").value
    if dataset == "cafe" and images < SHARE_NEEDED * whole:
        shortfalls.append(f"{images} of {whole:.0f} photographs of CAFE are here")
    return Evidence(value, low, high, _data_kind(tables, dataset), tuple(shortfalls))


def trained_run(tables: Tables, architecture: str, cohort: str) -> pd.Series:
    """Return the trained float network itself (not an export of it), of the lowest seed if there are several."""
    runs = tables.runs
    fitting = runs[
        (runs["architecture"] == architecture)
        & (runs["cohort"] == cohort)
        & (runs["technique"] == "none")
        & (runs["precision"] == "float32")
        & runs["parent_run_id"].isna()
        & runs["status"].isin(["done", "has not learned"])
    ]
    if fitting.empty:
        raise Unavailable(f"no {architecture} trained on {cohort} is here")
    return fitting.sort_values(["seed", "run_id"]).iloc[0]


def joined_predictions(tables: Tables, run: pd.Series, dataset: str) -> pd.DataFrame:
    """Return a run's predictions of every test child of a data set, joined with the faces.

    Raises Unavailable when there are none, or some of the faces were not predicted.
    """
    children = _test_children(tables, dataset)
    if children.empty:
        raise Unavailable(f"no test children of the data set {dataset!r} are here")
    by_run = tables.predictions[tables.predictions["run_id"] == run["run_id"]]
    chosen = by_run[by_run["face_id"].isin(children["face_id"])]
    if len(chosen) < len(children):
        raise Unavailable(
            f"{run['run_id']} predicted {len(chosen)} of {len(children)} faces of {dataset}'s test children"
        )
    return join(chosen, children)


def _test_children(tables: Tables, dataset: str) -> pd.DataFrame:
    faces = tables.faces
    return faces[(faces["dataset"] == dataset) & (faces["split"] == "test") & (faces["age_group"] == "child")]
