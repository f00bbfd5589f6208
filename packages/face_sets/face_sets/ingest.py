"""From a folder in the owner's layout to faces found, cropped and stored: once per data set, whatever studies use it.

The work is done in parts, each noted in a journal when it is done, so that an ingest that was interrupted goes on
where it stopped, and stored faces that were lost later are made again. The old tables stay valid until the new ones
are whole.
"""

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import pandas as pd
from tqdm import tqdm

from face_sets import tables
from face_sets.catalogue import (
    BLURRED,
    DROPPED_COLUMNS,
    NO_FACE,
    Row,
    Worker,
    check_names,
    columns_of,
    outcomes,
)
from face_sets.code_digests import code_digest
from face_sets.detectors import load_detector
from face_sets.files import atomic_path, digest
from face_sets.images import Pixels
from face_sets.ingested import IngestedSet, IngestError, Report, damaged
from face_sets.manifests import manifest_of
from face_sets.packed_faces import is_packed, write_packed
from face_sets.processes import one_at_a_time
from face_sets.readers.layouts import list_files
from face_sets.readers.reading import (
    ROW_COLUMNS,
    SENT_COLUMNS,
    Reading,
    Source,
    name_of,
    reader_module,
    source,
    told,
)

FACE_SIZE: Final = 224
"""Side of a stored face, pixels: the input of the paper's networks, so that nothing is resampled twice."""

TOLERATED_SHARE: Final = 0.02
"""Share of the files that may fail before an ingest counts as failed: KDEF's known damaged files are 0.3 % of it; two
in a hundred are more than any set is known for, and point to a broken copy."""

QUALITY: Final = 95
"""Of stored faces as JPEG: found faces were JPEG or video already, and as PNG they would take four times the room
and more time than all else. Aligned sets are kept without loss."""

_PART: Final = 1024  # rows per note in the journal: seconds of work, so little is lost
_SMALL: Final = 32  # rows that one process has done before others have started
_PACKAGES: Final = (
    "fer-utils", "opencv-python-headless", "pillow", "pi-heif", "simplejpeg", "ai-edge-litert",
)  # fmt: skip
_UNREADABLE: Final = (OSError, ValueError, KeyError)  # of damaged tables and notes
PASSED_OVER: Final = "is no picture, nor a video that the set needs: it was passed over"


def ingest(
    name: str,
    folder: Path,
    results: Path,
    face_size: int = FACE_SIZE,
    processes: int = 1,
    detector_model: Path | None = None,
    show_progress: bool = False,
) -> Report:
    """Read a data set's folder, find, crop and store its faces below `results`, and return how it went.

    Asked again for the same folder it goes on where it was interrupted; where all is done it only makes again what
    is damaged or missing. Files that changed, other settings or other code begin anew. Files that cannot be used, or
    were passed over, are listed in `rejected.csv`.

    Raises LayoutError for an unknown set or a folder in another layout, IngestError for a folder without one
    usable picture, DetectorError for an unusable `detector_model`, BusyError while another ingest of the set, or its
    deletion, is at work on these results.
    """
    chosen = source(name)
    if detector_model is not None:
        load_detector(detector_model)  # refuse it here rather than in every process
    reading = chosen.read(folder)
    target = IngestedSet(results, name)
    passed_over = sorted(set(list_files(folder).others) - {*reading.rows["path"], *reading.rejected["path"]})
    job = _Job.of(chosen, reading, passed_over, folder, target, face_size, detector_model)
    with one_at_a_time(target.lock_file):
        missing = job.missing_parts()
        if not missing and job.is_told():
            return target.report()
        job.journal.mkdir(parents=True, exist_ok=True)
        job.work(missing, processes, show_progress)
        return job.finish()


@dataclass
class _Job:
    """One ingest: what was read, where it goes, and the journal of parts done."""

    source: Source
    reading: Reading
    passed_over: list[str]
    rows: pd.DataFrame
    repeated: pd.DataFrame
    target: IngestedSet
    worker: Worker
    made_from: str

    @classmethod
    def of(
        cls,
        chosen: Source,
        reading: Reading,
        passed_over: list[str],
        folder: Path,
        target: IngestedSet,
        face_size: int,
        detector_model: Path | None,
    ) -> "_Job":
        rows = reading.rows.reindex(columns=list(ROW_COLUMNS)).astype(dict(ROW_COLUMNS))
        check_names(rows)
        rows = rows.assign(source_key=rows["source_key"].fillna(rows["path"]))
        again = rows["face_id"].duplicated()
        repeated, rows = rows[again], rows[~again].reset_index(drop=True)
        if rows.empty:
            raise IngestError(
                f"no usable picture of {chosen.name} was found: {len(reading.rejected)} file(s) were refused"
                f"{told(reading.rejected['reason'])}, check that the folder is the one that its archive unpacks to"
            )
        for dataset in rows["dataset"].unique():
            manifest_of(dataset)  # a set that nobody described is not used
        aligned = chosen.aligned or reading.aligned
        settings = {"face_size": face_size, "quality": QUALITY, "aligned": aligned}
        model = detector_model.read_bytes() if detector_model else b""
        made_from = digest(
            rows.to_csv(index=False), reading.rejected.to_csv(index=False), passed_over, _stamps(rows, folder),
            settings, model, code_digest("face_sets.ingest", reader_module(chosen.name)),
        )  # fmt: skip
        worker = Worker(
            partial(_loaded, load=chosen.load, folder=folder),
            target.folder / f"images-{made_from}",
            face_size,
            detector_model,
            aligned,
            None if aligned else QUALITY,
            chosen.refuse_blurred,
        )
        return cls(chosen, reading, passed_over, rows, repeated, target, worker, made_from)

    @property
    def journal(self) -> Path:
        return self.target.folder / f"journal-{self.made_from}"

    def missing_parts(self) -> list[int]:
        """The parts that the journal does not hold, or whose faces are no longer as they were stored."""
        return [number for number in range(-(-len(self.rows) // _PART)) if not self._is_done(number)]

    def is_told(self) -> bool:
        """Whether the report is this ingest's, its tables are there and can be read, and all faces are packed."""
        try:
            report, faces, _ = self.target.report(), self.target.faces(), self.target.dropped()
        except _UNREADABLE:
            return False
        told = report.made_from == self.made_from and self.target.rejected_file.is_file()
        below = faces.assign(path=faces["path"].str.partition("/")[2])
        return told and is_packed(self.worker.folder, below)

    def work(self, numbers: list[int], processes: int, show_progress: bool) -> None:
        """Do some of the parts."""
        sent = self.rows[list(SENT_COLUMNS)].astype(object)
        rows = [sent.iloc[number * _PART : (number + 1) * _PART] for number in numbers]
        done = len(self.rows) - sum(map(len, rows))
        tqdm.monitor_interval = 0  # a thread that only redraws: without memory for it, a warning
        with tqdm(
            total=len(self.rows), initial=done, desc=self.target.name, unit="face", disable=not show_progress
        ) as bar:
            workers = processes if len(self.rows) > _SMALL else 1
            results_of_parts = outcomes(map(_records, rows), self.worker, workers)
            for number, results in zip(numbers, results_of_parts, strict=True):
                tables.write_sealed(pd.DataFrame(columns_of(results)), self._note(number))
                bar.update(len(results))

    def finish(self) -> Report:
        """Pack the faces, write the tables and, last, the report; then remove what earlier ingests left.

        The journal stays.
        """
        notes = [tables.read_sealed(self._note(number)) for number in range(-(-len(self.rows) // _PART))]
        stored = self.rows.assign(**{c: pd.concat(notes, ignore_index=True)[c] for c in notes[0].columns})
        found, left_out = stored["reason"].isna(), stored["reason"].isin([NO_FACE, BLURRED])
        write_packed(self.worker.folder, stored.loc[found, "path"].tolist())
        faces = stored[found].assign(
            path=self.worker.folder.name + "/" + stored.loc[found, "path"],
            source_key=[name_of(self.target.name, key) for key in stored.loc[found, "source_key"]],
        )
        columns = [column for column in tables.COLUMNS["ingested"] if column in faces]
        self.target.folder.mkdir(parents=True, exist_ok=True)
        tables.write(faces[columns], "ingested", self.target.faces_file)
        dropped = stored[left_out].reindex(columns=list(DROPPED_COLUMNS))
        tables.write_sealed(dropped, self.target.dropped_file)
        rejected = self._rejected(self.rows[["path"]].assign(reason=stored["reason"])[~found & ~left_out])
        with atomic_path(self.target.rejected_file) as temporary:
            passed_over = pd.DataFrame({"path": self.passed_over, "reason": PASSED_OVER})
            pd.concat([rejected, passed_over]).to_csv(temporary, index=False)
        report = self._report(faces, stored["reason"].value_counts(), len(rejected))
        self.target.write_report(report)
        self._clear()
        return report

    def _note(self, number: int) -> Path:
        return self.journal / f"{number:06}.parquet"

    def _is_done(self, number: int) -> bool:
        try:
            stored = tables.read_sealed(self._note(number)).dropna(subset="path")
        except _UNREADABLE:
            return False
        return not damaged(stored, self.worker.folder)

    def _rejected(self, unread: pd.DataFrame) -> pd.DataFrame:
        twice = pd.DataFrame({"path": self.repeated["path"], "reason": "is listed twice"})
        return pd.concat([self.reading.rejected[["path", "reason"]], twice, unread], ignore_index=True)

    def _report(self, faces: pd.DataFrame, reasons: pd.Series, failed: int) -> Report:
        packages = {package: importlib.metadata.version(package) for package in _PACKAGES}
        return Report(
            dataset=self.target.name,
            found=len(faces),
            missed=int(reasons.get(NO_FACE, 0)),
            blurred=int(reasons.get(BLURRED, 0)),
            failed=failed,
            dropped_labels={str(code): int(count) for code, count in self.reading.dropped_labels.items()},
            by_expression=_counts(faces["expression"]),
            by_age_group=_counts(faces["age_group"]),
            face_size=self.worker.face_size,
            made_from=self.made_from,
            versions={"python": platform.python_version(), **packages},
            unknown_values=dict(self.reading.unknown_values),
            passed_over=len(self.passed_over),
        )

    def _clear(self) -> None:
        for left in [*self.target.folder.glob("images-*"), *self.target.folder.glob("journal-*")]:
            if left not in (self.worker.folder, self.journal):
                shutil.rmtree(left)


def _loaded(row: Row, load: Callable[[Row, Path], Pixels], folder: Path) -> Pixels:
    return load(row, folder)


def _records(part: pd.DataFrame) -> list[Row]:
    rows = part.itertuples(index=False, name=None)  # a third of the time of pandas's own records
    return [dict(zip(part.columns, row, strict=True)) for row in rows]


def _counts(values: pd.Series) -> dict[str, int]:
    return {str(value): int(count) for value, count in sorted(values.value_counts().items())}


def _stamps(rows: pd.DataFrame, folder: Path) -> str:
    """Sizes and times of change of the files that rows come from: a file that was fetched anew is read anew."""
    return "\n".join(_stamp(f"{folder}/{path}") for path in rows["path"].unique().tolist())


def _stamp(path: str) -> str:
    try:
        state = os.stat(path)
    except OSError:
        return "absent"
    return f"{state.st_size} {state.st_mtime_ns}"
