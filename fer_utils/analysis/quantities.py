"""The quantities that claims speak of, computed from the tables that stages pass on, never typed."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd

from fer_utils.analysis import claims
from fer_utils.analysis.evidence import (
    Evidence,
    Tables,
    Unavailable,
    evidence_of,
    is_moto_g6,
    joined_predictions,
    trained_run,
    training_kind,
    training_sets,
)
from fer_utils.analysis.groups import NOT_GIVEN
from fer_utils.analysis.metrics import chance_level, confusions_by_subject, scores_of_confusions
from fer_utils.analysis.resampling import (
    clears_chance,
    intervals,
    paired_confusions,
    paired_differences,
    unpaired_differences,
)


def compute(quantity: claims.Quantity, tables: Tables) -> Evidence:
    """Return the evidence for a quantity: percentages and points from 0 to 100, milliseconds, counts.

    Raises Unavailable, saying what the tables lack.
    """
    return _COMPUTATIONS[type(quantity)](quantity, tables)


def _score(q: claims.Score, tables: Tables) -> Evidence:
    run = trained_run(tables, q.architecture, q.cohort)
    _, confusions = confusions_by_subject(joined_predictions(tables, run, q.dataset))
    interval = intervals(confusions, tables.draws, tables.seed)[q.metric]
    return evidence_of(interval, q.dataset, [run], tables)


def _score_difference(q: claims.ScoreDifference, tables: Tables) -> Evidence:
    runs = [trained_run(tables, q.architecture, cohort) for cohort in (q.cohort, q.minus)]
    return _difference_of_runs(q, runs, tables)


def _lead_over_others(q: claims.LeadOverOthers, tables: Tables) -> Evidence:
    architectures = _networks(q, tables)
    if q.architecture not in architectures:
        raise Unavailable(f"no {q.architecture} was trained")
    points = {a: _point(q, a, tables) for a in architectures if a != q.architecture}
    rival = max(points, key=points.__getitem__)
    runs = [trained_run(tables, a, q.cohort) for a in (q.architecture, rival)]
    return _difference_of_runs(q, runs, tables)


def _smallest_difference(q: claims.SmallestDifference, tables: Tables) -> Evidence:
    architectures = _networks(q, tables)
    found = [
        _difference_of_runs(q, [trained_run(tables, a, cohort) for cohort in (q.cohort, q.minus)], tables)
        for a in architectures
    ]
    return min(found, key=lambda each: each.low)  # the one whose gain is least sure decides


def _networks(q: claims.LeadOverOthers | claims.SmallestDifference, tables: Tables) -> list[str]:
    """Return the networks that were trained; raises Unavailable if they are fewer than the quantity is about."""
    architectures = sorted(set(tables.runs["architecture"].astype(str)))
    if len(architectures) < q.networks:
        raise Unavailable(f"{len(architectures)} of {q.networks} networks were trained")
    return architectures


def _difference_of_runs(
    q: claims.ScoreDifference | claims.LeadOverOthers | claims.SmallestDifference,
    runs: list[pd.Series],
    tables: Tables,
) -> Evidence:
    if runs[0]["initial_weights"] != runs[1]["initial_weights"]:
        raise Unavailable("the networks to compare did not start from the same kind of weights")
    joined = [joined_predictions(tables, run, q.dataset) for run in runs]
    for run, frame in zip(runs, joined, strict=True):
        _check_learned(run, frame, tables)
    difference = paired_differences(paired_confusions(*joined), tables.draws, tables.seed)[q.metric]
    return evidence_of(difference, q.dataset, runs, tables)


def _lowest_group(q: claims.LowestGroup, tables: Tables) -> Evidence:
    run, grouped = _grouped(q, tables)
    found = {group: intervals(c, tables.draws, tables.seed)[q.metric] for group, c in grouped.items()}
    return evidence_of(min(found.values(), key=lambda each: each.estimate), q.dataset, [run], tables)


def _group_difference(q: claims.GroupDifference, tables: Tables) -> Evidence:
    run, grouped = _grouped(q, tables)
    higher = q.higher or tuple(group for group in grouped if group not in q.lower)
    _check_groups((*q.lower, *higher), grouped, q.column)
    first, second = (np.concatenate([grouped[group] for group in side]) for side in (higher, q.lower))
    difference = unpaired_differences(first, second, tables.draws, tables.seed)[q.metric]
    return evidence_of(difference, q.dataset, [run], tables)


def _largest_gap(q: claims.LargestGap, tables: Tables) -> Evidence:
    run, grouped = _grouped(q, tables)
    lower = q.lower or tuple(grouped)
    _check_groups(lower, grouped, q.column)
    points = {g: float(scores_of_confusions(c.sum(axis=0))[q.metric]) for g, c in grouped.items()}
    worst = min(lower, key=points.__getitem__)
    best = max((group for group in grouped if group != worst), key=points.__getitem__)
    gap = unpaired_differences(grouped[best], grouped[worst], tables.draws, tables.seed)[q.metric]
    return evidence_of(gap, q.dataset, [run], tables)


def _latency(q: claims.Latency, tables: Tables) -> Evidence:
    runs, timed = tables.runs, tables.measurements
    wanted = {
        "architecture": q.architecture,
        "cohort": q.cohort,
        "technique": q.technique,
        "precision": q.precision,
    }
    files = runs.loc[np.logical_and.reduce([runs[c] == v for c, v in wanted.items()]), "run_id"]
    rows = timed[
        timed["run_id"].isin(files)
        & (timed["device_kind"] == q.device_kind)
        & (timed["image_size"] == q.image_size)
        & (timed["threads"] == q.threads)
        & timed["latency_ms_median"].notna()
    ]
    if q.device_kind == "phone":
        rows = rows[rows["device"].map(is_moto_g6).astype(bool) & rows["remark"].isna()]  # not of a hot phone
    if rows.empty:
        where = "on a Moto G6" if q.device_kind == "phone" else f"of kind {q.device_kind!r}"
        raise Unavailable(f"no time {where} at {q.image_size} pixels with {q.threads} thread(s) is here")
    row = rows.iloc[0]
    ends = [float(row[c]) if pd.notna(row[c]) else np.nan for c in ("interval_low_ms", "interval_high_ms")]
    return Evidence(float(row["latency_ms_median"]), ends[0], ends[1], q.device_kind)


def _count(q: claims.Count, tables: Tables) -> Evidence:
    trained = tables.runs[tables.runs["status"] == "done"]
    if tables.faces.empty:
        raise Unavailable("there are no faces")
    things = {
        "licensed training sets": training_sets(tables),
        "networks": set(trained["architecture"]),
        "training cohorts": set(trained["cohort"]),
        "expressions": set(tables.faces["expression"]),
        "network and technique pairs": {
            (row["architecture"], row["technique"])
            for _, row in trained.iterrows()
            if row["technique"] != "none"
        },
    }
    return Evidence(float(len(things[q.of])), np.nan, np.nan, training_kind(tables))


_COMPUTATIONS: Final[dict[type, Callable[[Any, Tables], Evidence]]] = {
    claims.Score: _score,
    claims.ScoreDifference: _score_difference,
    claims.LeadOverOthers: _lead_over_others,
    claims.SmallestDifference: _smallest_difference,
    claims.LowestGroup: _lowest_group,
    claims.GroupDifference: _group_difference,
    claims.LargestGap: _largest_gap,
    claims.Latency: _latency,
    claims.Count: _count,
}


def _point(q: claims.LeadOverOthers, architecture: str, tables: Tables) -> float:
    run = trained_run(tables, architecture, q.cohort)
    _, confusions = confusions_by_subject(joined_predictions(tables, run, q.dataset))
    return float(scores_of_confusions(confusions.sum(axis=0))[q.metric])


def _check_learned(run: pd.Series, joined: pd.DataFrame, tables: Tables) -> None:
    _, confusions = confusions_by_subject(joined)
    balanced = intervals(confusions, tables.draws, tables.seed)["balanced_accuracy"]
    if not clears_chance(balanced, chance_level(confusions)):
        raise Unavailable(f"the {run['architecture']} trained on {run['cohort']} has not learned")


def _grouped(
    q: claims.LowestGroup | claims.GroupDifference | claims.LargestGap, tables: Tables
) -> tuple[pd.Series, dict[str, np.ndarray]]:
    run = trained_run(tables, q.architecture, q.cohort)
    joined = joined_predictions(tables, run, q.dataset)
    _check_learned(run, joined, tables)
    known = joined[joined[q.column].notna() & (joined[q.column] != NOT_GIVEN)]
    grouped = {str(group): confusions_by_subject(rows)[1] for group, rows in known.groupby(q.column)}
    if len(grouped) < 2:
        raise Unavailable(f"the children of {q.dataset!r} are of {len(grouped)} {q.column} group(s)")
    return run, grouped


def _check_groups(wanted: tuple[str, ...], grouped: dict[str, np.ndarray], column: str) -> None:
    if absent := [group for group in wanted if group not in grouped]:
        raise Unavailable(f"no children of {column} {', '.join(absent)} are here")
