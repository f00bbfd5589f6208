"""Seconds and peak memory of a million faces catalogued: table written and read, split, duplicates found, leaks checked.

`python benchmarks/catalogue.py` runs on made-up rows; `--rows` takes another number. Hashes are drawn as alike as
those of the London photographs, one row in a hundred is a near-duplicate. For a sample
the search is timed beside the plain way, all pairs compared, and the same pairs must come out.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from face_sets.duplicates import LINKED, Codes, clusters, codes_of, distances, linked
from face_sets.expressions import EXPRESSIONS
from face_sets.leaks import check_no_leak
from face_sets.splits import assign_splits
from fer_utils import tables

SAMPLE = 20_000
COMMON = 0.1  # what faces share, standard deviation in each of 64 coefficients: a length of 0.8, as London's
OWN = np.sqrt(0.36 * np.array([0.31, 0.13, 0.12, 0.09, 0.08, 0.06, 0.05, 0.04, *[0.12 / 56] * 56]))
"""Standard deviations of a face's own part along 64 directions: the London photographs' principal components."""

SETS = ("affectnet", "expw", "raf_db", "fer2013", "kdef", "guesswhat")
CAFE = 1192


def hashes(rows: int, seed: int = 0) -> list[str]:
    """Return made-up hashes, as alike as those of faces; one in a hundred is another's, a little moved."""
    generator = np.random.default_rng(seed)
    common = generator.normal(0, COMMON, 64)
    directions = np.linalg.qr(generator.normal(size=(64, 64)))[0] * OWN[:, None]
    codes = np.empty((rows, 64), np.int8)
    for start in range(0, rows, 50_000):
        values = common + generator.normal(size=(min(50_000, rows - start), 64)) @ directions
        codes[start : start + 50_000] = (127 * values / np.linalg.norm(values, axis=1)[:, None]).round()
    copies = generator.choice(rows, rows // 100, replace=False)
    codes[copies] = codes[generator.integers(0, rows, len(copies))] + generator.integers(
        -1, 2, (len(copies), 64), dtype=np.int8
    )
    digits = codes.tobytes().hex()
    return [digits[start : start + 128] for start in range(0, len(digits), 128)]


def made_up(rows: int) -> pd.DataFrame:
    """Return rows of the table `ingested`: CAFE, web sets without people, sets with people."""
    numbers = np.arange(rows)
    dataset = np.array(SETS)[numbers % len(SETS)]
    dataset[:CAFE] = "cafe"
    text = pd.Series(numbers.astype(str), dtype="string")
    named = pd.Series(dataset).isin(["kdef", "guesswhat", "cafe"])
    frame = pd.DataFrame(
        {
            "face_id": pd.Series(dataset, dtype="string") + "-" + text.str.zfill(12),
            "dataset": pd.Series(dataset, dtype="string"),
            "subject_id": (
                pd.Series(dataset, dtype="string") + "-" + pd.Series(numbers // 60, dtype="string")
            ).where(named),
            "expression": pd.Categorical.from_codes(numbers % 7, list(EXPRESSIONS)),
            "age_group": "unknown",
            "source_key": "source-" + text,
            "owner_split": pd.Series(
                np.where(dataset == "raf_db", np.where(numbers % 5, "train", "test"), None)
            ),
            "path": "images/" + text.str.zfill(12) + ".jpg",
            "sha256": text.str.zfill(64),
            "perceptual_hash": pd.Series(hashes(rows), dtype="string"),
        }
    )
    return tables.conform(frame, "ingested")


def plain(codes: Codes) -> np.ndarray:
    """Return clusters by comparing all pairs, block by block."""
    labels = np.arange(len(codes))
    for start in range(0, len(codes), 1000):
        left, right = np.nonzero(distances(codes[start : start + 1000], codes) <= LINKED)
        labels = linked(labels, left + start, right)
    return labels


def timed(name: str, work: Callable[[], Any]) -> Any:
    """Run, print the seconds, return what came out."""
    started = time.perf_counter()
    result = work()
    print(f"{name:44} {time.perf_counter() - started:7.1f} s, peak {peak():5.2f} GB", flush=True)
    return result


def peak() -> float:
    """Return the process's peak memory, GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def main() -> None:
    """Time each part, and the whole."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    made = timed(f"made up: {rows:,} rows (not counted)", lambda: made_up(rows))
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "faces.parquet"
        timed("table written", lambda: tables.write(made, "ingested", path))
        ingested = timed("table read and checked", lambda: tables.read("ingested", path))
    faces, left_out = timed("subjects, duplicates, splits", lambda: assign_splits(ingested, 2023))
    print(
        f"    {len(left_out):,} left out, {faces['subject_id'].nunique():,} subjects, {dict(faces['split'].value_counts())}"
    )
    timed("leak check", lambda: check_no_leak(faces))
    print(f"all: {time.perf_counter() - started:.1f} s, peak {peak():.2f} GB")
    codes = codes_of(ingested["perceptual_hash"])[:SAMPLE]
    before = time.perf_counter()
    ours = clusters(codes)
    middle = time.perf_counter()
    theirs = plain(codes)
    after = time.perf_counter()
    ratio = (after - middle) / (middle - before)
    known = len(codes) - len(set(theirs))
    print(
        f"{len(codes):,} rows: all pairs compared take {ratio:.0f} times as long and link {known:,} faces to others; "
        f"the search links {len(codes) - len(set(ours)):,} of them"
    )


if __name__ == "__main__":
    main()
