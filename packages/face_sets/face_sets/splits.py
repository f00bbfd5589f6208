"""Who is learned from and who is tested on: whole people, by rules that a further data set cannot upset.

A subject's split is drawn from a digest of the seed, the data set and the subject, not from an order: it stays
whatever else is added. A set whose owner names no people is split by source picture and cluster of near-duplicates
instead; two pictures of one person may then part, which cannot be excluded.
"""

import hashlib
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from face_sets.duplicates import clusters, codes_of, copies, linked
from face_sets.leaks import LEARNED_SPLITS, TEST_ONLY

VALIDATION_SHARE: Final = 0.1
"""Of a set's people, those that training is judged by while it goes on. A tenth of the smallest set with people,
JAFFE, is one woman; of the largest, enough for a score to a point."""

STRENGTH: Final = ("train", "validation", "test")
"""An owner's splits: where one person's or cluster's pictures are in several, the last of these counts."""

LEFT_OUT_COLUMNS: Final = ("face_id", "dataset", "ethnicity", "age_group", "expression", "reason")
OF_OWNERS_TEST: Final = "shows someone, or something, that is in its owner's test split"
NEAR_TEST: Final = "near-duplicate of a test face"
NEAR_VALIDATION: Final = "near-duplicate of a validation face"
OF_WHOM: Final = "shows someone of whom another picture is a {}"


def assign_splits(ingested: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of all sets with `subject_id` filled in and their `split`, and what is left out, with reasons.

    `ingested` is the table of that name, of several data sets. An owner's published splits are kept; where the
    owner publishes no validation split, VALIDATION_SHARE of the people to learn from are drawn for it; the sets
    in TEST_ONLY are for testing. Left out are faces that would let a test picture, or a validation picture, be
    learned from, whatever set they are in: copies and near-duplicates, of the face or of the whole picture, and all
    other pictures of those whom they show. The second table has the columns LEFT_OUT_COLUMNS.
    """
    rows = ingested.reset_index(drop=True)
    rows = rows.assign(subject_id=_subjects(rows))
    split = _splits(rows, seed)
    reason = pd.Series(pd.NA, index=rows.index, dtype="string")
    own = rows["owner_split"].astype("string")
    reason[(split == "test") & own.isin(LEARNED_SPLITS) & ~rows["dataset"].isin(TEST_ONLY)] = OF_OWNERS_TEST
    for judge, said in (("test", NEAR_TEST), ("validation", NEAR_VALIDATION)):
        learned = reason.isna() & split.isin(STRENGTH[: STRENGTH.index(judge)])
        near = learned & copies(rows, (split == judge).to_numpy(bool))
        shown = near.groupby([rows["dataset"], rows["subject_id"]]).transform("any")
        reason[learned & shown] = OF_WHOM.format(said)
        reason[near] = said
    left_out = rows.assign(reason=reason)[reason.notna()][list(LEFT_OUT_COLUMNS)].reset_index(drop=True)
    return rows.assign(split=split)[reason.isna()].reset_index(drop=True), left_out


def _subjects(rows: pd.DataFrame) -> pd.Series:
    """The owner's subject, or a name for the cluster that stands for one."""
    named = rows["subject_id"].astype("string").copy()
    for _, part in rows[named.isna()].groupby("dataset", sort=False):
        cluster = _clusters_of_sources(part)
        name = part["face_id"].groupby(cluster).transform("min")  # the same whatever the rows' order
        named[part.index] = name.str.replace(r"-(?=[^-]*$)", "-source-", regex=True)
    return named


def _clusters_of_sources(part: pd.DataFrame) -> NDArray[np.int64]:
    """Numbers of clusters that are linked by a common source or as near-duplicates."""
    labels = clusters(codes_of(part["perceptual_hash"]))
    sources = pd.factorize(part["source_key"])[0]
    first = pd.Series(np.arange(len(part))).groupby(sources).transform("first").to_numpy()
    return linked(labels, np.arange(len(part)), first)


def _splits(rows: pd.DataFrame, seed: int) -> pd.Series:
    """The split of each row: the strongest of the subject's owner splits, else drawn."""
    strength = rows["owner_split"].astype("string").map({name: rank for rank, name in enumerate(STRENGTH)})
    keys = [rows["dataset"], rows["subject_id"]]
    strongest = strength.astype("Float64").groupby(keys).transform("max")
    split = strongest.map(dict(enumerate(STRENGTH))).astype("string")
    has_validation = set(rows.loc[rows["owner_split"] == "validation", "dataset"])
    open_to_draw = split.isna() | ((split == "train") & ~rows["dataset"].isin(has_validation))
    drawn = _drawn(rows.loc[open_to_draw, ["dataset", "subject_id"]], seed)
    split[open_to_draw] = np.where(drawn < VALIDATION_SHARE, "validation", "train")
    split[rows["dataset"].isin(TEST_ONLY)] = "test"
    return split


def _drawn(subjects: pd.DataFrame, seed: int) -> NDArray[np.float64]:
    """A number from 0 to 1 for each subject, by a digest alone."""
    keys = str(seed) + "/" + subjects["dataset"].astype(str) + "/" + subjects["subject_id"].astype(str)
    places, distinct = pd.factorize(keys)
    numbers = [int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") for key in distinct]
    return np.array(numbers, dtype=np.float64)[places] / 2.0**64 if len(numbers) else np.empty(0)
