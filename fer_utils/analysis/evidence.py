"""What claims are judged by: the tables of a study, the quantities computed from them, never typed, and from which data."""

import re
from collections.abc import Sequence, Sized
from dataclasses import dataclass
from functools import singledispatch
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from expression_scores.groups import FEWEST_SUBJECTS, comparable
from expression_scores.intervals import (
    DRAWS,
    Interval,
    clears_chance,
    intervals,
    paired_confusions,
    paired_differences,
    unpaired_differences,
)
from expression_scores.metrics import Counts, chance_level, confusions_by_subject, join, points_of
from face_sets import set_names
from fer_utils import tables as declared
from fer_utils.analysis import claims
from fer_utils.analysis.claims import printed
from fer_utils.paths import Paths
from fer_utils.study import Study

LICENSED_SETS: Final = frozenset(set_names.LICENSED_SETS)
"""Sets of real faces, licensed by their owners; a set that is not named here never settles a claim."""

UNPUBLISHED_SETS: Final = frozenset({"cafe", "guesswhat"})
"""Not among the public training sets: the test set, and the frames from the authors' own application."""

SHARE_NEEDED: Final = 0.99
"""Of CAFE's photographs, on all of which the paper tested; a face detector may miss a few. Our judgement."""


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

    @classmethod
    def of(cls, study: Study, paths: Paths) -> "Tables":
        """Return the tables of a study from its results."""
        faces = [declared.read("faces", path) for path in (paths.faces, paths.external_faces)]
        return cls(
            faces=declared.conform(declared.concatenated(faces), "faces"),
            predictions=declared.read("predictions", *_files("predictions", paths)),
            runs=declared.read("runs", *_files("runs", paths)),
            measurements=declared.read("measurements", *paths.all_measurements()),
            draws=study.bootstrap_draws,
            seed=study.resampling_seed,
        )

    @staticmethod
    def files(paths: Paths) -> list[Path]:
        """Return the files that the tables of a study are read from."""
        return [
            paths.faces, paths.external_faces, *_files("runs", paths), *_files("predictions", paths), paths.measurements,
        ]  # fmt: skip


class Evidence(NamedTuple):
    """A computed quantity in the claim's unit, the kind of data it is from, and what it falls short of."""

    value: float
    low: float
    high: float
    data_kind: str
    shortfalls: tuple[str, ...] = ()


@singledispatch
def compute(quantity: claims.Quantity, tables: Tables) -> Evidence:  # noqa: ARG001
    """Return the evidence for a quantity, in %, points, ms or counts; raises Unavailable, saying what the tables lack."""
    raise TypeError(f"no way to compute a {type(quantity).__name__}: register one")


@compute.register
def _score(q: claims.Score, tables: Tables) -> Evidence:
    run, confusions = _run_and_confusions(q, q.architecture, tables)
    return _evidence(intervals(confusions, tables.draws, tables.seed)[q.metric], q, [run], tables)


@compute.register
def _score_difference(q: claims.ScoreDifference, tables: Tables) -> Evidence:
    runs = [trained_run(tables, q.architecture, cohort) for cohort in (q.cohort, q.minus)]
    return _difference_of_runs(q, runs, tables)


@compute.register
def _lead_over_others(q: claims.LeadOverOthers, tables: Tables) -> Evidence:
    architectures = _networks(q, tables)
    if q.architecture not in architectures:
        raise Unavailable(f"no {q.architecture} was trained")
    others = {a: _run_and_confusions(q, a, tables)[1] for a in architectures if a != q.architecture}
    points = points_of(others, q.metric)
    rival = max(points, key=points.__getitem__)
    return _difference_of_runs(q, [trained_run(tables, a, q.cohort) for a in (q.architecture, rival)], tables)


@compute.register
def _smallest_difference(q: claims.SmallestDifference, tables: Tables) -> Evidence:
    pairs = [[trained_run(tables, a, c) for c in (q.cohort, q.minus)] for a in _networks(q, tables)]
    found = [_difference_of_runs(q, runs, tables) for runs in pairs]
    return min(found, key=lambda each: each.low)  # the one whose gain is least sure decides


@compute.register
def _lowest_group(q: claims.LowestGroup, tables: Tables) -> Evidence:
    run, grouped = _grouped(q, tables)
    found = [intervals(each, tables.draws, tables.seed)[q.metric] for each in grouped.values()]
    return _evidence(min(found, key=lambda each: each.estimate), q, [run], tables)


@compute.register
def _group_difference(q: claims.GroupDifference, tables: Tables) -> Evidence:
    run, grouped = _grouped(q, tables)
    higher = q.higher or tuple(group for group in grouped if group not in q.lower)
    _check_groups((*q.lower, *higher), grouped, q.column)
    first, second = (np.concatenate([grouped[group] for group in side]) for side in (higher, q.lower))
    difference = unpaired_differences(first, second, tables.draws, tables.seed)[q.metric]
    return _evidence(difference, q, [run], tables)


@compute.register
def _largest_gap(q: claims.LargestGap, tables: Tables) -> Evidence:
    run, grouped = _grouped(q, tables)
    lower = q.lower or tuple(grouped)
    _check_groups(lower, grouped, q.column)
    points = points_of(grouped, q.metric)
    worst = min(lower, key=points.__getitem__)
    best = max((group for group in grouped if group != worst), key=points.__getitem__)
    gap = unpaired_differences(grouped[best], grouped[worst], tables.draws, tables.seed)[q.metric]
    return _evidence(gap, q, [run], tables)


@compute.register
def _latency(q: claims.Latency, tables: Tables) -> Evidence:
    about = tables.runs[["run_id", "architecture", "cohort", "technique", "precision"]]
    rows = where(tables.measurements.merge(about, on="run_id"), **q.model_dump(exclude={"kind"}))
    rows = rows[rows["latency_ms_median"].notna()]
    if q.device_kind == "phone":
        rows = rows[rows["device"].map(is_moto_g6).astype(bool) & rows["remark"].isna()]  # not of a hot phone
    if rows.empty:
        place = "on a Moto G6" if q.device_kind == "phone" else f"of kind {q.device_kind!r}"
        raise Unavailable(f"no time {place} at {q.image_size} pixels with {q.threads} thread(s) is here")
    row = rows.iloc[0]
    ends = [float(row[c]) if pd.notna(row[c]) else np.nan for c in ("interval_low_ms", "interval_high_ms")]
    return Evidence(float(row["latency_ms_median"]), ends[0], ends[1], q.device_kind)


@compute.register
def _count(q: claims.Count, tables: Tables) -> Evidence:
    if tables.faces.empty:
        raise Unavailable("there are no faces")
    trained = tables.runs[tables.runs["status"] == "done"]
    compressed = trained[trained["technique"] != "none"]
    things: dict[str, Sized] = {
        "licensed training sets": training_sets(tables),
        "networks": set(trained["architecture"]),
        "training cohorts": set(trained["cohort"]),
        "expressions": set(tables.faces["expression"]),
        "network and technique pairs": compressed[["architecture", "technique"]].drop_duplicates(),
    }
    return Evidence(float(len(things[q.of])), np.nan, np.nan, _training_kind(tables))


def is_moto_g6(device: str) -> bool:
    """Return whether a device's name is that of a Moto G6; the G6 Play and Plus have other processors.

    >>> is_moto_g6("moto g(6)"), is_moto_g6("moto g(6) plus")
    (True, False)
    """
    plain = re.sub(r"[^a-z0-9]", "", device.lower())
    return re.search(r"motog6(?!\d|play|plus)", plain) is not None


def training_sets(tables: Tables) -> set[str]:
    """Return the names of the licensed public sets that the training faces came from."""
    return (_sets_seen_in_training(tables) & LICENSED_SETS) - UNPUBLISHED_SETS


def trained_run(tables: Tables, architecture: str, cohort: str) -> pd.Series:
    """Return the trained float network itself (not an export of it), of the lowest seed if there are several."""
    runs = tables.runs[tables.runs["parent_run_id"].isna()]
    runs = runs[runs["status"].isin(["done", "has not learned"])]
    fitting = where(runs, architecture=architecture, cohort=cohort, technique="none", precision="float32")
    if fitting.empty:
        raise Unavailable(f"no {architecture} trained on {cohort} is here")
    return fitting.sort_values(["seed", "run_id"]).iloc[0]


def joined_predictions(tables: Tables, run: pd.Series, dataset: str) -> pd.DataFrame:
    """Return a run's predictions of every test child of a data set, joined; raises Unavailable if any is absent."""
    children = _test_children(tables, dataset)
    if children.empty:
        raise Unavailable(f"no test children of the data set {dataset!r} are here")
    by_run = tables.predictions[tables.predictions["run_id"] == run["run_id"]]
    chosen = by_run[by_run["face_id"].isin(children["face_id"])]
    if len(chosen) < len(children):
        seen = f"{len(chosen)} of {len(children)} faces of {dataset}'s test children"
        raise Unavailable(f"{run['run_id']} predicted {seen}")
    return join(chosen, children)


def _evidence(interval: Interval, q: claims.OfFaces, runs: Sequence[pd.Series], tables: Tables) -> Evidence:
    """Return the evidence that an interval (0 to 1) gives, in percent, with what a full test would have more."""
    shortfalls = []
    if starts := sorted({str(run["initial_weights"]) for run in runs} - {"imagenet"}):
        shortfalls.append(f"trained from {', '.join(starts)} weights, not from ImageNet's")
    images, whole = len(_test_children(tables, q.dataset)), printed("cafe-photographs").value
    if q.dataset == "cafe" and images < SHARE_NEEDED * whole:
        shortfalls.append(f"{images} of {whole:.0f} photographs of CAFE are here")
    value, low, high = (100 * end for end in (interval.estimate, interval.low, interval.high))
    return Evidence(value, low, high, _data_kind(tables, q.dataset), tuple(shortfalls))


def _networks(q: claims.LeadOverOthers | claims.SmallestDifference, tables: Tables) -> list[str]:
    """Return the networks that were trained; raises Unavailable if they are fewer than the quantity is about."""
    architectures = sorted(set(tables.runs["architecture"].astype(str)))
    if len(architectures) < q.networks:
        raise Unavailable(f"{len(architectures)} of {q.networks} networks were trained")
    return architectures


def _difference_of_runs(q: claims.OfFaces, runs: Sequence[pd.Series], tables: Tables) -> Evidence:
    if runs[0]["initial_weights"] != runs[1]["initial_weights"]:
        raise Unavailable("the networks to compare did not start from the same kind of weights")
    joined = [joined_predictions(tables, run, q.dataset) for run in runs]
    for run, frame in zip(runs, joined, strict=True):
        _check_learned(run, frame, tables)
    difference = paired_differences(paired_confusions(*joined), tables.draws, tables.seed)[q.metric]
    return _evidence(difference, q, runs, tables)


def _run_and_confusions(q: claims.OfRun, architecture: str, tables: Tables) -> tuple[pd.Series, Counts]:
    run = trained_run(tables, architecture, q.cohort)
    return run, confusions_by_subject(joined_predictions(tables, run, q.dataset))[1]


def _grouped(q: claims.OfGroups, tables: Tables) -> tuple[pd.Series, dict[str, Counts]]:
    run = trained_run(tables, q.architecture, q.cohort)
    joined = joined_predictions(tables, run, q.dataset)
    _check_learned(run, joined, tables)
    labels = joined[q.column].astype("string")
    grouped = {
        group: confusions_by_subject(joined[labels == group])[1] for group in comparable(joined, q.column)
    }
    if len(grouped) < 2:
        raise Unavailable(
            f"{len(grouped)} {q.column} group(s) of {q.dataset!r} have {FEWEST_SUBJECTS} children or more"
        )
    return run, grouped


def _check_groups(wanted: tuple[str, ...], grouped: dict[str, Counts], column: str) -> None:
    if absent := [group for group in wanted if group not in grouped]:
        raise Unavailable(f"too few children of {column} {', '.join(absent)} are here")


def _check_learned(run: pd.Series, joined: pd.DataFrame, tables: Tables) -> None:
    _, confusions = confusions_by_subject(joined)
    balanced = intervals(confusions, tables.draws, tables.seed)["balanced_accuracy"]
    if not clears_chance(balanced, chance_level(confusions)):
        raise Unavailable(f"the {run['architecture']} trained on {run['cohort']} has not learned")


def _sets_seen_in_training(tables: Tables) -> set[str]:
    faces = tables.faces
    return set(faces.loc[faces["split"].isin(["train", "validation"]), "dataset"].astype(str))


def _training_kind(tables: Tables) -> str:
    """Return "licensed" if every training and validation face comes from a licensed set, else what they are."""
    sets = _sets_seen_in_training(tables)
    if not sets:
        return "unknown training faces"
    if sets <= LICENSED_SETS:
        return "licensed"
    return "synthetic" if any(name.startswith("synthetic") for name in sets) else "unlicensed faces"


def _data_kind(tables: Tables, dataset: str) -> str:
    """Licensed only if both the test faces and every training face are."""
    if dataset in LICENSED_SETS:
        kind = _training_kind(tables)
        return kind if kind == "licensed" else f"licensed test faces, {kind} in training"
    return "synthetic" if dataset.startswith("synthetic") else "other photographs"


def _test_children(tables: Tables, dataset: str) -> pd.DataFrame:
    return where(tables.faces, dataset=dataset, split="test", age_group="child")


def where(rows: pd.DataFrame, **wanted: object) -> pd.DataFrame:
    """Return the rows that hold the wanted values in these columns."""
    for column, value in wanted.items():
        rows = rows[rows[column] == value]
    return rows


def _files(table: str, paths: Paths) -> list[Path]:
    external = [paths.external_predictions, paths.external_compressed_predictions]
    return (
        paths.all_trained(table) + paths.all_compressed(table) + (external if table == "predictions" else [])
    )
