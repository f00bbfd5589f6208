"""What the training seed does to scores: over the seeds of a study, and what is known where a study has one."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from expression_scores.luck import differences_over_seeds, scores_over_seeds, variance_shares
from expression_scores.metrics import Counts, confusions_by_subject
from face_sets.folders import MANIFESTS_FOLDER

SPREAD_FILE: Final = MANIFESTS_FOLDER / "seed_spread.csv"
"""Accuracies of networks trained from several seeds on the quick profile's faces; `fer validate --seeds` makes it."""

COLUMNS: Final = (
    "architecture",
    "copy",
    "seeds",
    "accuracy",
    "low",
    "high",
    "sd_by_seed",
    "error_by_children",
)


class Spread(NamedTuple):
    """How far trainings scatter: standard deviation of children minus adults, in shares of accuracy, least and most.

    `seeds` is the fewest trainings of any of the networks.
    """

    architectures: tuple[str, ...]
    seeds: int
    least: float
    most: float


def known_spread() -> Spread:
    """Return the spread that was measured once, for pages of studies with a single seed."""
    rows = pd.read_csv(SPREAD_FILE)
    differences = (rows["children"] - rows["adults"]).groupby(rows["architecture"])
    spreads = differences.std()
    return Spread(
        tuple(spreads.index), int(differences.size().min()), float(spreads.min()), float(spreads.max())
    )


def left_out() -> str:
    """Return what a comparison of copies trained from a single seed leaves out, in words, with the spread known."""
    known = known_spread()
    spread = " to ".join(dict.fromkeys(f"{100 * each:.1f}" for each in (known.least, known.most)))
    return (
        f"with one seed they leave out how far trainings scatter. In {known.seeds} trainings of "
        f"{' and of '.join(known.architectures)} on the quick faces, children's copy minus adults' copy had a standard "
        f"deviation of {spread} points. How far other networks scatter, or longer "
        "trainings, or trainings on photographs, was not measured."
    )


def said(further_seeds: Sequence[int]) -> str:
    """Return what a page says of the seed where it compares trained copies: `left_out`, or where its luck is shown."""
    return "the page of cohorts shows the luck of the seed." if further_seeds else left_out()


def differences(answers: pd.DataFrame, again: pd.DataFrame, pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Return one row per pair of copies ("net.children"), first minus second, over seeds and children, from -1 to 1.

    Columns: run_id, reference, difference, low, high. `answers` and `again` are those of `over_seeds`.
    """
    counts = {f"{network}.{cohort}": each for network, copies in _counts(answers, again).items()
              for cohort, each in copies.items()}  # fmt: skip
    found = [differences_over_seeds(counts[a], counts[b])["accuracy"].interval for a, b in pairs]
    rows = [(*pair, each.estimate, each.low, each.high) for pair, each in zip(pairs, found, strict=True)]
    return pd.DataFrame(rows, columns=["run_id", "reference", "difference", "low", "high"])


def over_seeds(answers: pd.DataFrame, again: pd.DataFrame) -> pd.DataFrame:
    """Return one row per copy, and per network children minus adults: columns `COLUMNS`, accuracies from 0 to 1.

    `answers` holds joined predictions of a study's copies, `again` those of the same copies trained from further seeds.
    """
    rows = []
    for architecture, copies in _counts(answers, again).items():
        found = {cohort: scores_over_seeds(counts)["accuracy"] for cohort, counts in copies.items()}
        for children in [cohort for cohort in copies if cohort.endswith("children")]:
            adults = children.removesuffix("children") + "adults"
            if adults in copies:
                pair = (copies[children], copies[adults])
                found[f"{children} minus {adults}"] = differences_over_seeds(*pair)["accuracy"]
        rows += [
            (architecture, cohort, len(next(iter(copies.values()))), each.interval.estimate, each.interval.low,
             each.interval.high, each.by_seed, each.by_children)
            for cohort, each in found.items()
        ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))


def shares(answers: pd.DataFrame, again: pd.DataFrame) -> pd.DataFrame:
    """Return one row per copy: architecture, cohort, and the shares of variance of `variance_shares`."""
    return pd.DataFrame(
        {"architecture": architecture, "cohort": cohort, **variance_shares(part)}
        for architecture, cohort, part in _by_copy(answers, again)
    )


def _counts(answers: pd.DataFrame, again: pd.DataFrame) -> dict[str, dict[str, Counts]]:
    """Return by network and cohort the counts of every training, (seeds, subjects, 7, 7), the study's own seed first."""
    found: dict[str, dict[str, Counts]] = {}
    for architecture, cohort, part in _by_copy(answers, again):
        each = [confusions_by_subject(run)[1] for _, run in part.groupby("run_id", sort=False)]
        found.setdefault(architecture, {})[cohort] = np.stack(each)
    return found


def _by_copy(answers: pd.DataFrame, again: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield the network and cohort of each copy, and the answers of all its trainings."""
    both = pd.concat([answers, again], ignore_index=True)
    copies = both["run_id"].astype(str).str.split(".").str[:2].str.join(".")
    for copy, part in both.groupby(copies, sort=False):
        architecture, cohort = str(copy).split(".")
        yield architecture, cohort, part
