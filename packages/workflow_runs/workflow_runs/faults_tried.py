"""What was tried on purpose to break the project, and how often it ended in which way: counted by tests, shown on a page."""

from collections import Counter
from pathlib import Path
from typing import Final

import pandas as pd

from face_sets.files import atomic_path
from face_sets.folders import MANIFESTS_FOLDER

TABLE: Final = MANIFESTS_FOLDER / "faults_tried.csv"
"""The shipped counts; `make chaos` adds those of its seed."""

ENDS: Final = ("went on", "one sentence")
"""The ends that are allowed: the result as if nothing had happened (of a damaged picture, a picture), or an error in one
sentence and nothing changed."""

COLUMNS: Final = ("tests", "commit", "seed", "seconds", "tried", "end", "times")


class FaultsTried:
    """Counts of faults by what was tried and how it ended."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def count(self, tried: str, *, same: bool) -> None:
        """Count one fault: whether it went on, else one sentence."""
        self._counts[tried, ENDS[not same]] += 1

    def add_to(self, path: Path, tests: str, commit: str, seed: int, seconds: float) -> None:
        """Write the counts to a table, in the place of those of this seed and of other `tests` (a digest)."""
        about = {"tests": tests, "commit": commit, "seed": seed, "seconds": round(seconds)}
        rows = [{**about, "tried": t, "end": end, "times": n} for (t, end), n in sorted(self._counts.items())]
        old = (
            pd.read_csv(path, dtype={"tests": "str"})
            if path.is_file()
            else pd.DataFrame(columns=list(COLUMNS))
        )
        kept = old[(old["tests"] == tests) & (old["seed"] != seed)]
        with atomic_path(path) as temporary:
            pd.DataFrame([*kept.to_dict("records"), *rows], columns=list(COLUMNS)).to_csv(
                temporary, index=False
            )


def faults_tried(path: Path = TABLE) -> pd.DataFrame:
    """Return one row per kind of fault: tried, times, and how many ended in each of ENDS."""
    counts = (
        pd.read_csv(path)
        .pivot_table("times", "tried", "end", "sum", fill_value=0)
        .reindex(columns=list(ENDS))
    )
    counts = counts.fillna(0).astype(int)
    counts.insert(0, "times", counts.sum(axis=1))
    return counts.rename_axis(columns=None).reset_index()


def tried_with(path: Path = TABLE) -> str:
    """Return in words with which seeds, and by which tests, the faults of a table were tried."""
    table = pd.read_csv(path, dtype={"tests": "str"})
    seeds = ", ".join(str(seed) for seed in sorted(set(table["seed"])))
    return f"seeds {seeds} (digest of the tests {', '.join(sorted(set(table['tests'])))})"
