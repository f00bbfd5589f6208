"""What claims are judged by: the tables of a study, the quantities computed from them, never typed, and from which data."""

import re
from collections.abc import Sequence, Sized
from dataclasses import dataclass, field
from functools import lru_cache, singledispatch
from io import StringIO
from itertools import product
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binomtest, norm

from expression_scores.copies import Answers, Copy, comparable_groups
from expression_scores.groups import FEWEST_SUBJECTS
from expression_scores.intervals import DRAWS, LEVEL, clears_chance, intervals
from expression_scores.metrics import (
    Counts,
    chance_level,
    confusions_by_subject,
    join,
    scores_of_confusions,
    subjects_of,
)
from face_sets import set_names
from face_sets.expressions import CHANCE, EXPRESSIONS, PROBABILITY_COLUMNS
from face_sets.manifests import load_manifest
from face_sets.readers.cafe import GROUPS
from face_sets.readers.label_tables import SEPARATORS
from fer_utils import tables as declared
from fer_utils.analysis import claims
from fer_utils.analysis.claims import printed
from fer_utils.analysis.estimates import Estimate, estimate
from fer_utils.paths import Paths
from fer_utils.study import ARCHITECTURES, COHORTS, SECTIONS, Study, load_study
from fer_utils.tables import TableError

LICENSED_SETS: Final = frozenset(set_names.LICENSED_SETS)
"""Sets of real faces, licensed by their owners; a set that is not named here never settles a claim."""

APP_SET: Final = "guesswhat"
UNPUBLISHED_SETS: Final = frozenset({"cafe", APP_SET})
"""Not among the public training sets: the test set, and the frames from the authors' own application."""

SHARE_NEEDED: Final = 0.99
"""Of CAFE's photographs, on all of which the paper tested; a face detector may miss a few. Our judgement."""

REPLICATION: Final = "licensed"
"""The profile whose training settings a run must have to settle a claim."""

SETTINGS: Final = ("face_size", *(f for f in SECTIONS["training"] if f not in ("seed", "cohorts", "device")))
"""The fields of a study that decide how good its networks are."""

TO_P90: Final = float(norm.ppf(0.9))
"""Standard deviations of a normal distribution from its median to its 90th percentile."""

OF_MEDIAN: Final = float(np.sqrt(np.pi / 2))
"""The error of a normal sample's median over that of its mean (Stuart & Ord, Kendall's Advanced Theory 1, 10.10)."""

COPIES_KEPT: Final = 256
"""Answers kept in memory once counted, since most claims are about the same ones; 5 networks, copies and seeds make 125."""


class Unavailable(Exception):
    """A quantity cannot be computed from the tables given; the message says what they lack."""


@dataclass(frozen=True, eq=False)  # compared as objects, so that what is computed from them can be kept
class Tables:
    """The tables of a study that claims are computed from, with the draws and seed of resampling.

    `curves` may be empty; `departures` says in words how its trainings differ from those of the replication.
    """

    faces: pd.DataFrame
    predictions: pd.DataFrame
    runs: pd.DataFrame
    measurements: pd.DataFrame
    draws: int = DRAWS
    seed: int = 0
    curves: pd.DataFrame = field(default_factory=lambda: declared.empty("curves"))
    departures: tuple[str, ...] = ()

    @classmethod
    def of(cls, study: Study, paths: Paths) -> "Tables":
        """Return the tables of a study from its results."""
        faces = [declared.read("faces", path) for path in (paths.faces, paths.external_faces)]
        runs = declared.read("runs", *_files("runs", paths))
        return cls(
            faces=declared.conform(declared.concatenated(faces), "faces"),
            predictions=declared.read("predictions", *_files("predictions", paths)),
            runs=runs,
            measurements=of_current_files(declared.read("measurements", *paths.all_measurements()), runs),
            draws=study.bootstrap_draws,
            seed=study.resampling_seed,
            curves=declared.read("curves", *paths.all_trained("curves")),
            departures=departures(study),
        )

    @staticmethod
    def files(paths: Paths) -> list[Path]:
        """Return the files that the tables of a study are read from."""
        return [
            paths.faces, paths.external_faces, *_files("runs", paths), *_files("predictions", paths),
            *paths.all_trained("curves"), paths.measurements,
        ]  # fmt: skip


OTHERS_COLUMNS: Final = ("architecture", "cohort", "face_id", "subject_id", "expression", "predicted")
"""What somebody else's table of predictions must have; `seed` (0) and `ethnicity` (not known) may be there."""


def of_current_files(measurements: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `measurements` without those of a device that timed other files than the `runs` name now."""
    now = measurements["run_id"].map(runs.set_index("run_id")["file_digest"])
    stale = measurements["file_digest"].notna() & (measurements["file_digest"] != now).fillna(True)
    return measurements[~stale]


def tables_of_others(path: Path, trained_on: Sequence[str], initial_weights: str) -> Tables:
    """Return tables for somebody else's answers to CAFE: a CSV file, a row per network, copy, training and photograph.

    `trained_on` names the data sets that the networks learned from, which the file cannot show. Raises TableError, in
    one sentence, for a file that is no such table.
    """
    given = _read_answers(path)
    if unknown := sorted(set(trained_on) - LICENSED_SETS):
        raise TableError(f"unknown data set {unknown[0]!r}: known are {', '.join(sorted(LICENSED_SETS))}")
    if tested := [name for name in trained_on if load_manifest(name).study.use != "training"]:
        raise TableError(f"a network that learned from {tested[0]!r} cannot be tested: give no set for tests")
    run_id = given["architecture"] + "." + given["cohort"] + "." + given["seed"]
    names = ["face_id", "subject_id", "expression", "ethnicity"]
    faces = given[names].drop_duplicates().assign(dataset="cafe", split="test", age_group="child")
    if (twice := faces["face_id"].duplicated()).any():
        raise TableError(f"{path}: {faces['face_id'][twice].iloc[0]!r} has two subjects, labels or groups")
    children = faces["subject_id"].nunique()
    if len(faces) > printed("cafe-photographs").value or children > printed("cafe-children").value:
        raise TableError(f"{path}: {len(faces)} photographs of {children} children: CAFE has fewer")
    groups = faces.groupby("subject_id")["ethnicity"].nunique()
    if (several := groups > 1).any():
        raise TableError(f"{path}: {groups.index[several][0]!r} is in several groups: give each child one")
    if (twice := pd.DataFrame({"run": run_id, "face": given["face_id"]}).duplicated()).any():
        raise TableError(f"{path}: {run_id[twice].iloc[0]} answers {given['face_id'][twice].iloc[0]!r} twice")
    learned = pd.DataFrame({"face_id": list(trained_on), "dataset": list(trained_on)}, dtype=str)
    learned = learned.assign(split="train", age_group="unknown", subject_id=learned["face_id"])
    certain = np.array(given["predicted"])[:, None] == np.array(EXPRESSIONS)
    answers = pd.DataFrame(certain, columns=list(PROBABILITY_COLUMNS), index=given.index).astype(np.float32)
    runs = pd.DataFrame({"run_id": run_id, **given[["architecture", "cohort", "seed"]]}).drop_duplicates()
    runs = runs.assign(seed=runs["seed"].astype(int), technique="none", precision="float32", status="done",
                       initial_weights=initial_weights.strip().lower() or "unknown")  # fmt: skip
    return Tables(
        faces=pd.concat([faces, learned], ignore_index=True),
        predictions=declared.conform(answers.assign(run_id=run_id, face_id=given["face_id"]), "predictions"),
        runs=declared.conform(runs, "runs"),
        measurements=declared.empty("measurements"),
    )


def _read_answers(path: Path) -> pd.DataFrame:
    try:
        text = path.read_bytes().decode("utf-8-sig")  # once: it may be a pipe
        # Excel writes semicolons where a comma marks decimals
        separator = max(SEPARATORS, key=text.partition("\n")[0].count)
        lines = pd.read_csv(StringIO(text), sep=separator, dtype="str", skipinitialspace=True, header=None,
                            keep_default_na=False, na_values=[""])  # fmt: skip
    except ValueError as error:  # pandas' errors of parsing and of letters are among them
        raise TableError(f"{path} cannot be read as CSV in UTF-8: {' '.join(str(error).split())}") from error
    header = lines.iloc[0].dropna()  # Excel writes empty columns behind the last one
    given = lines.loc[1:, header.index].set_axis(list(header), axis=1).reset_index(drop=True)
    if "\0" in text:
        raise TableError(f"{path} holds bytes that are no text: export it again as CSV, in UTF-8")
    if absent := [name for name in OTHERS_COLUMNS if name not in given]:
        raise TableError(f"{path} lacks the column {absent[0]!r}: needed are {', '.join(OTHERS_COLUMNS)}")
    if twice := header[header.duplicated()].tolist():
        raise TableError(f"{path} has two columns {twice[0]!r}: leave one")
    for column in given.columns.intersection(list(PROBABILITY_COLUMNS)):
        if not pd.to_numeric(given[column].str.replace(",", "."), errors="coerce").between(0, 1).all():
            raise TableError(f"{path}: {column} should hold probabilities from 0 to 1, in every row")
    given = given.reindex(columns=[*OTHERS_COLUMNS, "seed", "ethnicity"])
    given["seed"] = given["seed"].fillna("0")
    if given.empty or given[list(OTHERS_COLUMNS)].isna().any(axis=None):
        raise TableError(f"{path} should have a value in every row of {', '.join(OTHERS_COLUMNS)}")
    allowed = {"expression": EXPRESSIONS, "predicted": EXPRESSIONS, "cohort": COHORTS, "architecture": ARCHITECTURES,
               "ethnicity": tuple(GROUPS.values())}  # fmt: skip
    for column, words in allowed.items():
        if unknown := sorted(set(given[column].dropna()) - set(words)):
            raise TableError(f"{path}: {column} {unknown[0]!r} is not one of {', '.join(words)}")
    if not given["seed"].str.fullmatch(r"[0-9]{1,9}").all():
        raise TableError(f"{path}: a seed should be a whole number of up to nine digits, or left out")
    return given.assign(seed=given["seed"].astype(int).astype(str))  # 01 is 1


def departures(study: Study) -> tuple[str, ...]:
    """Return, in words, the training settings of a study that are not those of the replication's profile."""
    profile = load_study(REPLICATION)
    differing = [each for each in SETTINGS if getattr(study, each) != getattr(profile, each)]
    return tuple(
        f"{each.replace('_', ' ')} {getattr(study, each)}, where the replication has {getattr(profile, each)}"
        for each in differing
    )


class Evidence(NamedTuple):
    """A quantity in the claim's unit with the interval by which it is judged, from which data, and what these lack.

    `p_value` and `named_worst` are those of `Estimate`; `trainings` is the fewest of any network that it is from.
    """

    value: float
    low: float
    high: float
    data_kind: str
    shortfalls: tuple[str, ...] = ()
    p_value: float = np.nan
    named_worst: bool = False
    trainings: int = 0


@singledispatch
def compute(quantity: claims.Quantity, tables: Tables) -> Evidence:  # noqa: ARG001
    """Return the evidence for a quantity, in %, points, ms or counts; raises Unavailable, saying what the tables lack."""
    raise TypeError(f"no way to compute a {type(quantity).__name__}: register one")


@compute.register
def _score(q: claims.Score, tables: Tables) -> Evidence:
    return _of_copies(q, [(q.architecture, q.cohort)], tables)


@compute.register
def _score_difference(q: claims.ScoreDifference, tables: Tables) -> Evidence:
    return _of_copies(q, [(q.architecture, cohort) for cohort in (q.cohort, q.minus)], tables)


@compute.register
def _lead_over_others(q: claims.LeadOverOthers, tables: Tables) -> Evidence:
    architectures = _networks(q, tables)
    if q.architecture not in architectures:
        raise Unavailable(f"no {q.architecture} was trained")
    return _of_copies(q, [(each, q.cohort) for each in architectures], tables)


@compute.register
def _smallest_difference(q: claims.SmallestDifference, tables: Tables) -> Evidence:
    return _of_copies(q, list(product(_networks(q, tables), (q.cohort, q.minus))), tables)


@compute.register(claims.LowestGroup | claims.GroupDifference | claims.LargestGap)
def _of_groups(
    q: claims.LowestGroup | claims.GroupDifference | claims.LargestGap, tables: Tables
) -> Evidence:
    return _of_copies(q, [(q.architecture, q.cohort)], tables, q.column)


@compute.register
def _latency(q: claims.Latency, tables: Tables) -> Evidence:
    row = _timed(q, tables)
    value = float(row["latency_ms_median"])
    ends = [float(row[c]) if pd.notna(row[c]) else np.nan for c in ("interval_low_ms", "interval_high_ms")]
    if np.isnan(ends[0]) and pd.notna(row["latency_ms_p90"]) and pd.notna(row["runs"]):
        spread = (float(row["latency_ms_p90"]) - value) / TO_P90
        reach = norm.ppf((1 + LEVEL) / 2) * OF_MEDIAN * spread / np.sqrt(float(row["runs"]))
        ends = [value - reach, value + reach]
    return Evidence(value, ends[0], ends[1], q.device_kind)


@compute.register
def _score_on_phone(q: claims.ScoreOnPhone, tables: Tables) -> Evidence:
    run = where(tables.runs, run_id=_timed(q, tables)["run_id"]).iloc[0]
    counts = confusions_of(tables, run["run_id"], q.dataset)
    value = 100 * float(scores_of_confusions(counts.sum(axis=0))[q.metric])
    kind = _data_kind(tables, q.dataset)
    return Evidence(value, value, value, kind, _shortfalls(q.dataset, [run], tables))


def _timed(q: claims.OfFile, tables: Tables) -> pd.Series:
    about = tables.runs[["run_id", "architecture", "cohort", "technique", "precision"]]
    wanted = q.model_dump(include=set(claims.OfFile.model_fields))
    rows = where(tables.measurements.merge(about, on="run_id"), **wanted)
    rows = rows[rows["latency_ms_median"].notna()]
    if q.device_kind == "phone":
        rows = rows[rows["device"].map(is_moto_g6).astype(bool) & rows["remark"].isna()]  # not of a hot phone
    if rows.empty:
        place = "on a Moto G6" if q.device_kind == "phone" else f"of kind {q.device_kind!r}"
        raise Unavailable(f"no time {place} at {q.image_size} pixels, number of threads {q.threads}, is here")
    return rows.iloc[0]


@compute.register
def _count(q: claims.Count, tables: Tables) -> Evidence:
    if tables.faces.empty:
        raise Unavailable("there are no faces")
    trained = tables.runs[tables.runs["status"] == "done"]
    compressed = trained[trained["technique"] != "none"]
    things: dict[str, Sized] = {
        "licensed training sets": training_sets(tables),
        "networks": set(trained["architecture"]),
        "training cohorts": _cohorts_of_all(trained, q.among),
        "expressions": set(tables.faces["expression"].dropna()),
        "network and technique pairs": compressed[["architecture", "technique"]].drop_duplicates(),
    }
    counted = float(len(things[q.of]))
    return Evidence(counted, counted, counted, _training_kind(tables))


def _cohorts_of_all(trained: pd.DataFrame, among: Sequence[str]) -> set[str]:
    """The cohorts, among the named if any are, of which every trained network has a copy."""
    copies = trained.groupby("architecture", observed=True)["cohort"].agg(set)
    shared = set.intersection(*copies) if len(copies) else set()
    return shared & set(among) if among else shared


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


def trained_runs(tables: Tables, architecture: str, cohort: str) -> pd.DataFrame:
    """Return the trained float networks themselves (not exports of them), one row per training, by seed."""
    runs = tables.runs[tables.runs["parent_run_id"].isna() & (tables.runs["status"] == "done")]
    fitting = where(runs, architecture=architecture, cohort=cohort, technique="none", precision="float32")
    if fitting.empty:
        raise Unavailable(f"no {architecture} trained on {cohort} is here")
    return fitting.sort_values(["seed", "run_id"])


def joined_predictions(tables: Tables, run_id: str, dataset: str) -> pd.DataFrame:
    """Return a run's predictions of every test child of a data set, joined; raises Unavailable if any is absent."""
    children = _test_children(tables, dataset)
    if children.empty:
        raise Unavailable(f"this run has no test children of {dataset.upper()}")
    by_run = tables.predictions[tables.predictions["run_id"] == run_id]
    chosen = by_run[by_run["face_id"].isin(children["face_id"])]
    if len(chosen) < len(children):
        seen = f"{len(chosen)} of {len(children)} faces of {dataset}'s test children"
        raise Unavailable(f"{run_id} predicted {seen}")
    return join(chosen, children)


@lru_cache(maxsize=COPIES_KEPT)
def confusions_of(tables: Tables, run_id: str, dataset: str) -> Counts:
    """Return the counts (subjects, 7 true, 7 predicted) of `joined_predictions`, kept: not to be changed in place."""
    return confusions_by_subject(joined_predictions(tables, run_id, dataset))[1]


def _of_copies(q: claims.OfFaces, copies: Sequence[Copy], tables: Tables, column: str = "") -> Evidence:
    """Return the evidence from these copies, all their trainings together."""
    runs = {copy: trained_runs(tables, *copy) for copy in copies}
    every = pd.concat(runs.values())
    if every["initial_weights"].nunique() > 1:
        raise Unavailable("the networks to compare did not start from the same kind of weights")
    trainings = [run for _, run in every.iterrows()]
    if not isinstance(q, claims.Score):
        for run in trainings:
            _check_learned(run, q.dataset, tables)
    counts = {
        copy: np.stack([confusions_of(tables, run_id, q.dataset) for run_id in rows["run_id"]])
        for copy, rows in runs.items()
    }
    first = every["run_id"].iloc[0]
    groups = _groups_of(tables, first, q.dataset, column) if column else np.array([], dtype=str)
    if isinstance(q, claims.OfGroups):
        _check_groups(q, comparable_groups(groups))
    found: Estimate = estimate(q, Answers(counts, groups, tables.draws, tables.seed))
    return Evidence(
        found.value, found.low, found.high, _data_kind(tables, q.dataset),
        _shortfalls(q.dataset, trainings, tables), found.p_value, found.named_worst,
        trainings=min(len(each) for each in counts.values()),
    )  # fmt: skip


def _shortfalls(dataset: str, runs: Sequence[pd.Series], tables: Tables) -> tuple[str, ...]:
    """Return what a full test would have more, or otherwise."""
    shortfalls = list(tables.departures)
    if starts := sorted({str(run["initial_weights"]) for run in runs} - {"imagenet"}):
        shortfalls.append(f"trained from {', '.join(starts)} weights, not from ImageNet's")
    images, whole = len(_test_children(tables, dataset)), printed("cafe-photographs").value
    if dataset == "cafe" and images < SHARE_NEEDED * whole:
        shortfalls.append(f"{images} of {whole:.0f} photographs of CAFE are here")
    if APP_SET not in _sets_seen_in_training(tables):
        shortfalls.append("trained without frames from the GuessWhat app")
    return tuple(shortfalls)


def _networks(q: claims.LeadOverOthers | claims.SmallestDifference, tables: Tables) -> list[str]:
    """Return the networks that were trained; raises Unavailable if they are fewer than the quantity is about."""
    architectures = sorted(set(tables.runs["architecture"].astype(str)))
    if len(architectures) < q.networks:
        raise Unavailable(f"{len(architectures)} of {q.networks} networks were trained")
    return architectures


@lru_cache(maxsize=COPIES_KEPT)
def _groups_of(tables: Tables, run_id: str, dataset: str, column: str) -> np.ndarray:
    """Each child's group, in the order of `confusions_by_subject`; empty where it is not known."""
    joined = joined_predictions(tables, run_id, dataset)
    labels = joined[column].astype("string").fillna("").groupby(subjects_of(joined)).first()
    return labels.sort_index().to_numpy(dtype=str)


def _check_groups(q: claims.OfGroups, there: Sequence[str]) -> None:
    if len(there) < 2:
        raise Unavailable(
            f"{len(there)} {q.column} group(s) of {q.dataset!r} have {FEWEST_SUBJECTS} children or more"
        )
    wanted = (*getattr(q, "lower", ()), *getattr(q, "higher", ()))
    if absent := [group for group in wanted if group not in there]:
        raise Unavailable(f"too few children of {q.column} {', '.join(absent)} are here")


@lru_cache(maxsize=COPIES_KEPT)
def _clears_chance(tables: Tables, run_id: str, dataset: str) -> bool:
    counts = confusions_of(tables, run_id, dataset)
    balanced = intervals(counts, tables.draws, tables.seed)["balanced_accuracy"]
    return clears_chance(balanced, chance_level(counts))


def _check_learned(run: pd.Series, dataset: str, tables: Tables) -> None:
    """Raise Unavailable for a network that clears chance neither on the tested children nor on its own validation people.

    One that learned from adults and reads children at chance has learned: that is what a claim may be about.
    """
    if not _clears_chance(tables, run["run_id"], dataset) and not _learned_by_validation(run, tables):
        raise Unavailable(f"the {run['architecture']} trained on {run['cohort']} has not learned")


def _learned_by_validation(run: pd.Series, tables: Tables) -> bool:
    """Whether the last epoch's accuracy lies above chance, each person counted once (Clopper & Pearson 1934)."""
    epochs = where(tables.curves, run_id=run["run_id"]).sort_values("epoch")["validation_accuracy"].dropna()
    people = where(tables.faces, split="validation")
    if run["cohort"] != "all":  # faces of unknown age count as adults: these are fewer, on the safe side
        people = where(people, age_group="child" if run["cohort"].endswith("children") else "adult")
    persons = int(subjects_of(people).nunique()) if len(people) else 0
    if epochs.empty or not persons:
        return False
    right = int(float(epochs.iloc[-1]) * persons)
    return bool(binomtest(right, persons).proportion_ci(LEVEL, method="exact").low > CHANCE)


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
    trained = paths.all_trained(table) + paths.all_trained_again(table)
    return trained + paths.all_compressed(table) + (external if table == "predictions" else [])
