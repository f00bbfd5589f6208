"""What was ingested: one folder per data set below the results, its tables, and what is known of how they were made.

`results/data/<set>/` holds `faces.parquet` (table `ingested`), `dropped.parquet` (faces that were not found or are blurred),
`rejected.csv` (files that could not be used, with the reason), `ingest.json`, and a folder of images.
"""

import hashlib
import json
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import pandas as pd

from face_sets import tables
from face_sets.catalogue import DROPPED_COLUMNS
from face_sets.files import write_text

FOLDER: Final = "data"


class IngestError(ValueError):
    """A data set was not ingested, or cannot be; the message says why and what to do, and names no picture."""


@dataclass(frozen=True)
class Report:
    """How an ingest went: counts of faces found, missed and blurred and of files that failed, and how it was made.

    `passed_over` counts files that no reader took for a picture or video of the set: they are no failures.
    """

    dataset: str
    found: int
    missed: int
    blurred: int
    failed: int
    dropped_labels: dict[str, int]
    by_expression: dict[str, int]
    by_age_group: dict[str, int]
    face_size: int
    made_from: str = field(metadata={"about": "digest of the files, the settings and the code"})
    versions: dict[str, str] = field(default_factory=dict)
    unknown_values: dict[str, int] = field(
        default_factory=dict,
        metadata={"about": "values that no code explains, left missing, by column and value"},
    )
    passed_over: int = 0

    @property
    def failed_share(self) -> float:
        """Share of the files that could not be used, 0 to 1; a face that is not found or blurred is no failed file."""
        seen = self.found + self.missed + self.blurred + self.failed
        return self.failed / seen if seen else 0.0


class IngestedSet:
    """The folder of one ingested data set; names of its files are decided here alone.

    Names of rejected files may identify people: that list is for the reader's eyes. The report is written last.
    """

    def __init__(self, results: Path, name: str) -> None:
        self.results, self.name = results, name
        self.folder = results / FOLDER / name  # everything that this project keeps of the set
        self.faces_file = self.folder / "faces.parquet"
        self.dropped_file = self.folder / "dropped.parquet"
        self.rejected_file = self.folder / "rejected.csv"
        self.report_file = self.folder / "ingest.json"
        self.lock_file = results / FOLDER / f".{name}" / "lock"  # outlives the folder; held by who changes it

    @property
    def is_whole(self) -> bool:
        """Whether an ingest came to its end."""
        return self.report_file.is_file()

    def report(self) -> Report:
        """Return the report of the ingest; raises IngestError if it is not there or damaged."""
        self._check_whole()
        try:
            fields: dict[str, Any] = json.loads(self.report_file.read_text(encoding="utf-8"))
            return Report(**fields)
        except (ValueError, TypeError) as error:
            raise IngestError(f"{self.report_file} is damaged: ingest {self.name} again") from error

    def write_report(self, report: Report) -> None:
        """Write the report atomically."""
        write_text(self.report_file, json.dumps(asdict(report), indent=1, sort_keys=True) + "\n")

    def faces(self) -> pd.DataFrame:
        """Return the table `ingested`, `path` relative to the set's folder."""
        self._check_whole()
        return tables.read("ingested", self.faces_file)

    def dropped(self) -> pd.DataFrame:
        """Return the faces that were not found or are blurred, with the columns DROPPED_COLUMNS."""
        self._check_whole()
        return tables.read_sealed(self.dropped_file)[list(DROPPED_COLUMNS)]

    def _check_whole(self) -> None:
        if not self.is_whole:
            raise IngestError(
                f"the data set {self.name} is not ingested: run `fer data ingest {self.name} --from FOLDER`"
            )


def damaged(faces: pd.DataFrame, folder: Path, threads: int = 4) -> int:
    """Return how many stored faces, rows of `path` and `sha256`, are not below the folder or not as they were stored."""

    def is_bad(path: str, sha256: str) -> bool:
        try:
            return hashlib.sha256((folder / path).read_bytes()).hexdigest() != sha256
        except OSError:
            return True

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(is_bad, faces["path"], faces["sha256"]))


def ingested_sets(results: Path) -> list[IngestedSet]:
    """Return the data sets that were ingested to the end, by name."""
    found = [IngestedSet(results, path.name) for path in sorted((results / FOLDER).glob("*"))]
    return [each for each in found if each.is_whole]


def ingest_summary(results: Path, names: Collection[str]) -> pd.DataFrame:
    """Return one row per ingested data set of those named: how many faces were ingested, how many not, and why.

    Columns: dataset, faces, not_found (no face detected), blurred, other_label (labels that the study does not use),
    failed (files that cannot be used).
    """
    reports = [each.report() for each in ingested_sets(results) if each.name in names]
    rows = [
        (r.dataset, r.found, r.missed, r.blurred, sum(r.dropped_labels.values()), r.failed) for r in reports
    ]
    return pd.DataFrame(rows, columns=["dataset", "faces", "not_found", "blurred", "other_label", "failed"])
