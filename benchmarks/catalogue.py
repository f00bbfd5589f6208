"""Seconds and peak memory of a million faces catalogued: table written and read, split, duplicates found, leaks checked.

`python benchmarks/catalogue.py` runs on simulated rows; `--rows` takes another number. Hashes are simulated as alike as
those of the London photographs, one row in a hundred is a near-duplicate.
"""

import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import typer

from face_sets import tables
from face_sets.expressions import EXPRESSIONS
from face_sets.leaks import check_no_leak
from face_sets.splits import assign_splits

COMMON = 0.1  # what faces share, standard deviation in each of 64 coefficients: a length of 0.8, as London's
OWN = np.sqrt(0.36 * np.array([0.31, 0.13, 0.12, 0.09, 0.08, 0.06, 0.05, 0.04, *[0.12 / 56] * 56]))
"""Standard deviations of a face's own part along 64 directions: the London photographs' principal components."""

SETS = ("affectnet", "expw", "raf_db", "fer2013", "kdef", "guesswhat")
CAFE = 1192


def hashes(rows: int) -> list[str]:
    """Return simulated hashes, as alike as those of faces; one in a hundred is another's, a little moved."""
    generator = np.random.default_rng(0)
    common = generator.normal(0, COMMON, 64)
    directions = np.linalg.qr(generator.normal(size=(64, 64)))[0] * OWN[:, None]
    codes = np.empty((rows, 64), np.int8)
    for start in range(0, rows, 50_000):
        values = common + generator.normal(size=(min(50_000, rows - start), 64)) @ directions
        codes[start : start + 50_000] = (127 * values / np.linalg.norm(values, axis=1)[:, None]).round()
    copies = generator.choice(rows, rows // 100, replace=False)
    moves = generator.integers(-1, 2, (len(copies), 64), dtype=np.int8)
    codes[copies] = codes[generator.integers(0, rows, len(copies))] + moves
    return [code.tobytes().hex() for code in codes]


def simulated(rows: int) -> pd.DataFrame:
    """Return rows of the table `ingested`: CAFE, web sets without people, sets with people."""
    numbers = np.arange(rows)
    dataset = pd.Series(np.array(SETS)[numbers % len(SETS)], dtype="string")
    dataset[:CAFE] = "cafe"
    text = pd.Series(numbers.astype(str), dtype="string")
    person = dataset + "-" + pd.Series(numbers // 60, dtype="string")
    frame = pd.DataFrame(
        {
            "face_id": dataset + "-" + text.str.zfill(12),
            "dataset": dataset,
            "subject_id": person.where(dataset.isin(["kdef", "guesswhat", "cafe"])),
            "expression": pd.Categorical.from_codes(numbers % 7, list(EXPRESSIONS)),
            "age_group": "unknown",
            "source_key": "source-" + text,
            "owner_split": np.where(dataset == "raf_db", np.where(numbers % 5, "train", "test"), None),
            "path": "images/" + text.str.zfill(12) + ".jpg",
            "sha256": text.str.zfill(64),
            "perceptual_hash": pd.Series(hashes(rows), dtype="string"),
            "picture_hash": pd.Series(hashes(rows)[::-1], dtype="string"),
        }
    )
    return tables.conform(frame, "ingested")


def timed(name: str, work: Callable[[], Any]) -> Any:
    """Run, print the seconds and the process's peak memory, return the result."""
    started = time.perf_counter()
    result = work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    print(f"{name:44} {time.perf_counter() - started:7.1f} s, peak {peak:5.2f} GB", flush=True)
    return result


def main(rows: int = 1_000_000) -> None:
    """Time each part."""
    frame = timed(f"simulated: {rows:,} rows (not counted)", lambda: simulated(rows))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "faces.parquet"
        timed("table written", lambda: tables.write(frame, "ingested", path))
        ingested = timed("table read and checked", lambda: tables.read("ingested", path))
    faces, left_out = timed("subjects, duplicates, splits", lambda: assign_splits(ingested, 2023))
    print(f"    {len(left_out):,} left out; {dict(faces['split'].value_counts())}")
    timed("leak check", lambda: check_no_leak(faces))


if __name__ == "__main__":
    typer.run(main)
