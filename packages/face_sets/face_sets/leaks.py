"""The one gate before training: nothing that a study tests on may be among the faces that it learns from."""

from typing import Final

import pandas as pd

from face_sets.duplicates import copies

LEARNING_SPLITS: Final = ("train", "validation", "test")
LEARNED_SPLITS: Final = ("train", "validation")
TEST_ONLY: Final = frozenset({"cafe", "london"})
"""The sets whose pictures and people a study only ever tests on: the children's, and the external test's photographs."""

_KEPT_APART: Final = "CAFE or of the external test"
REMEDY: Final = "make the faces again, and do not edit their table by hand"


class LeakError(ValueError):
    """Faces to learn from and faces to test on overlap; the message says how, and names no person and no file."""


def check_no_leak(faces: pd.DataFrame) -> None:
    """Check that no test face is learned from, in any of the ways in which it could be.

    No subject of a data set is in two of the training, validation and test splits; no picture and nobody of the sets
    in TEST_ONLY is in training or validation; no file in them is a copy of a test face, none a near-duplicate
    of a picture in TEST_ONLY. Columns: those of the `faces` table. Raises LeakError with the number of such cases.

    >>> columns = ["dataset", "subject_id", "split", "sha256"]
    >>> check_no_leak(pd.DataFrame([["kdef", "F01", "train", "a"], ["kdef", "F02", "test", "b"]], columns=columns))
    >>> copy = pd.DataFrame([["kdef", "F01", "train", "a"], ["jaffe", "KA", "test", "a"]], columns=columns)
    >>> check_no_leak(copy)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    face_sets.leaks.LeakError: 1 face(s) to learn from are copies of a face to test on: make the faces again...
    """
    split = faces["split"].astype("string")
    learned, tested = split.isin(LEARNED_SPLITS), split == "test"
    kept_apart = faces["dataset"].isin(TEST_ONLY)
    _refuse(
        _subjects_in_two_splits(faces), f"subject(s) are in more than one of {', '.join(LEARNING_SPLITS)}"
    )
    _refuse(int((learned & kept_apart).sum()), f"picture(s) of {_KEPT_APART} are in training or validation")
    people = set(faces.loc[kept_apart, "subject_id"])
    _refuse(
        int(faces.loc[learned, "subject_id"].isin(people).sum()),
        "face(s) to learn from show a child of CAFE, or someone of the external test",
    )
    copies = faces.loc[learned, "sha256"].isin(set(faces.loc[tested | kept_apart, "sha256"].dropna()))
    _refuse(int(copies.sum()), "face(s) to learn from are copies of a face to test on")
    if kept_apart.any():
        _refuse(
            _near_test_only(faces.loc[learned | kept_apart, ["dataset", "perceptual_hash", "picture_hash"]]),
            f"face(s) to learn from are near-duplicates of those of {_KEPT_APART}",
        )


def _refuse(number: int, what: str) -> None:
    if number:
        raise LeakError(f"{number} {what}: {REMEDY}")


def _subjects_in_two_splits(faces: pd.DataFrame) -> int:
    learning = faces.loc[faces["split"].isin(LEARNING_SPLITS), ["dataset", "subject_id", "split"]]
    pairs = learning.astype("string").drop_duplicates()
    return int(pairs.duplicated(["dataset", "subject_id"]).sum())


def _near_test_only(faces: pd.DataFrame) -> int:
    """How many rows of other sets are near-duplicates of a test-only picture; unknown hashes count as a leak."""
    unknown = int(faces.isna().any(axis=1).sum())
    _refuse(unknown, f"face(s) have no perceptual hash, so copies of {_KEPT_APART} cannot be found")
    return int(copies(faces, faces["dataset"].isin(TEST_ONLY).to_numpy(bool)).sum())
