"""The `faces` table of a data set: every image loaded, its face found, cropped, stored and hashed, on all cores.

Loading or rendering, finding and cropping happen in one worker process, so that pictures never pass between
processes and memory stays flat, whatever the number of images.
"""

import hashlib
import os
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from itertools import compress
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from typing import Any, Final

import cv2
import pandas as pd

from face_sets import tables
from face_sets.detection import Detector, box_of, crop_face, face_in_box, largest_face
from face_sets.detectors import load_detector
from face_sets.duplicates import perceptual_hash
from face_sets.images import ImageError, Pixels, encode_jpeg, encode_png, shrunk, without_bars
from face_sets.manifests import manifest_of
from face_sets.sharpness import is_blank, is_blurred
from face_sets.tables import Row

NO_FACE: Final = "no face found"
BLURRED: Final = "the face is blurred"
BLANK: Final = "the face is blank: it is of nearly one colour"
DROPPED_COLUMNS: Final = ("face_id", "dataset", "skin_tone", "ethnicity", "age_group", "expression", "reason")

_SAFE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_CHUNK: Final = 32  # images per task: large against the cost of sending it, small against the wait at the end


class CatalogueError(ValueError):
    """A data set cannot become a `faces` table; the message says why, and names no file."""


def catalogue_faces(
    rows: pd.DataFrame,
    load: Callable[[Row], Pixels],
    folder: Path,
    face_size: int,
    processes: int = 1,
    picture_columns: Sequence[str] = ("dataset", "face_id"),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Find, crop and store the largest face of each image; return the `faces` table and what was dropped.

    `rows` holds the columns of `faces` that are known before, and whatever `load` needs: it gets a row as a
    dictionary and returns uint8 RGB (height, width, 3). It must be importable, since it runs in `processes`
    processes. Rows alike in the `picture_columns` have one picture, which is loaded once. Crops of `face_size`
    pixels a side are written as PNG to `folder/<dataset>/<face_id>.png`; the table's `path` and `sha256` are
    theirs, and `may_publish` is what the set's manifest says, whatever `rows` says. The second table says, with
    the columns DROPPED_COLUMNS, which images could not be read or showed no face. Both keep the order of `rows`,
    whatever the number of processes. The caller writes them, after the crops, so that a run killed in the middle
    leaves no table.

    Raises CatalogueError for names that cannot be file names and when a process is killed, ManifestError for
    a set without a manifest, TableError for rows that do not fit the table.
    """
    check_names(rows)
    permitted = {name: manifest_of(name).study.may_publish for name in rows["dataset"].unique()}
    records: list[Row] = [{str(k): v for k, v in row.items()} for row in rows.to_dict("records")]
    alike = list(picture_columns)
    first = ~rows.duplicated(alike).to_numpy()
    pictures = rows.groupby(alike, sort=False, dropna=False).ngroup()  # numbered as they first appear
    worker, processes = Worker(load, folder, face_size), processes if len(records) > _CHUNK else 1
    (made,) = outcomes([list(compress(records, first))], worker, processes)
    each = zip(records, first, pictures, strict=True)
    results = [made[number] if own else worker.twin(made[number], row) for row, own, number in each]
    stored = rows.assign(**columns_of(results), may_publish=rows["dataset"].map(permitted).astype(bool))
    found = stored["reason"].isna()
    known = [column for column in tables.COLUMNS["faces"] if column in stored]
    dropped = stored[~found].reindex(columns=list(DROPPED_COLUMNS)).reset_index(drop=True)
    return tables.conform(stored.loc[found, known], "faces"), dropped


def hit_rates(faces: pd.DataFrame, dropped: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return, for each group, how many faces the detector found and missed, and its hit rate (0 to 1).

    Columns: those of `by`, among DROPPED_COLUMNS, then found, missed, hit_rate. Images that could not be read
    and blurred faces count as neither.

    >>> faces = pd.DataFrame({"age_group": ["child", "adult", "adult"]})
    >>> dropped = pd.DataFrame({"age_group": ["child", "child"], "reason": [NO_FACE, BLURRED]})
    >>> hit_rates(faces, dropped, ["age_group"]).to_dict("list")
    {'age_group': ['adult', 'child'], 'found': [2, 1], 'missed': [0, 1], 'hit_rate': [1.0, 0.5]}
    """
    keys = list(by)
    found, missed = (rows[keys].astype(object) for rows in (faces, dropped[dropped["reason"] == NO_FACE]))
    both = pd.concat([found.assign(found=1, missed=0), missed.assign(found=0, missed=1)])
    counts = both.groupby(keys, dropna=False)[["found", "missed"]].sum().reset_index()
    return counts.assign(hit_rate=counts["found"] / (counts["found"] + counts["missed"]))


@dataclass(frozen=True)
class Outcome:
    """What became of one image: where its crop lies and what it is, or why it was dropped."""

    path: str | None = None
    sha256: str | None = None
    perceptual_hash: str | None = None
    picture_hash: str | None = None
    reason: str | None = None


@dataclass
class Worker:
    """What a process does with a row: load, find, cut out, store; each process loads a detector of its own.

    Crops go to `folder/<dataset>/<face_id>` as PNG, or as JPEG of `quality` if that is given. Pictures of
    `aligned` sets are faces already: they stay as they are, made smaller if larger than `face_size`. With
    `refuse_blurred`, blurred faces are dropped.
    """

    load: Callable[[Row], Pixels]
    folder: Path
    face_size: int
    detector_model: Path | None = None
    aligned: bool = False
    quality: int | None = None
    refuse_blurred: bool = False
    made: set[str] = field(default_factory=set)

    @cached_property
    def detector(self) -> Detector:
        """The process's own detector, loaded when the first picture needs it."""
        return load_detector(self.detector_model)

    def __call__(self, row: Row) -> Outcome:
        """Return what became of one row."""
        try:
            image = self.load(row)
        except ImageError as error:
            return Outcome(reason=f"the picture {error.reason}")
        crop = shrunk(image, self.face_size) if self.aligned else self._found(image, row)
        if crop is None:
            return Outcome(reason=NO_FACE)
        if is_blank(crop):
            return Outcome(reason=BLANK)
        if self.refuse_blurred and is_blurred(crop):
            return Outcome(reason=BLURRED)
        path = f"{row['dataset']}/{row['face_id']}{'.jpg' if self.quality else '.png'}"
        look = perceptual_hash(crop), perceptual_hash(without_bars(image))
        data = encode_jpeg(crop, self.quality) if self.quality else encode_png(crop)
        self._store(row["dataset"], path, data)
        return Outcome(path, hashlib.sha256(data).hexdigest(), *look)

    def twin(self, outcome: Outcome, row: Row) -> Outcome:
        """Return what becomes of a row whose picture is that of an outcome: its crop is stored for the row, too."""
        if outcome.path is None:
            return outcome
        path = f"{row['dataset']}/{row['face_id']}{Path(outcome.path).suffix}"
        self._store(row["dataset"], path, (self.folder / outcome.path).read_bytes())
        return replace(outcome, path=path)

    def _store(self, dataset: str, path: str, data: bytes) -> None:
        """Write plainly, but all: a half-written crop is in no table yet, and is written again with its part."""
        if dataset not in self.made:
            (self.folder / dataset).mkdir(parents=True, exist_ok=True)
            self.made.add(dataset)
        place = f"{self.folder}/{path}"
        try:
            with open(place, "wb") as file:  # unbuffered, a write may end short without an error
                file.write(data)
        except OSError as error:
            raise CatalogueError(
                f"a face could not be stored in {self.folder}: {error.strerror}. Free space and run again"
            ) from error

    def _found(self, image: Pixels, row: Row) -> Pixels | None:
        box = box_of(row)
        if box is None:
            image = without_bars(
                image
            )  # else the detector sees the face at another size than in the original
            face = largest_face(self.detector.detect(image))
        else:
            face = face_in_box(self.detector, image, box)
        return None if face is None else crop_face(image, face, self.face_size)


def outcomes(parts: Iterable[list[Row]], worker: Worker, processes: int) -> Iterator[list[Outcome]]:
    """Yield what became of the rows of each part, in order, worked on by `processes` processes.

    The next part is handed out before one is done, so that no process waits at its end; memory is that of two.
    Raises CatalogueError when a process is killed.
    """
    if processes <= 1:
        yield from ([worker(row) for row in part] for part in parts)
        return
    # Spawned, not forked: a fork of a process that runs TensorFlow's threads can hang
    context = get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, _start_process, (worker,))
    try:
        under_way: deque[Iterator[Outcome]] = deque()
        for part in parts:
            under_way.append(_handed_out(pool, part))
            if len(under_way) > 1:
                yield list(under_way.popleft())
        yield from map(list, under_way)
    except BrokenProcessPool as error:
        raise CatalogueError(
            "a process that finds faces was killed, by want of memory perhaps: free some and run again"
        ) from error
    finally:
        with suppress(RuntimeError):  # what never began cannot be waited for
            pool.shutdown()


def _handed_out(pool: ProcessPoolExecutor, part: list[Row]) -> Iterator[Outcome]:
    """Hand a part to the pool, which starts its processes at the first one; what they raise comes later."""
    try:
        return pool.map(_run, part, chunksize=_CHUNK)
    except BrokenProcessPool:
        raise
    except (OSError, RuntimeError) as error:  # of pipes and threads: whatever a start found no memory for
        for process in active_children():  # else each tells at length that nobody is there to talk to
            process.kill()
        raise CatalogueError(
            f"no process that finds faces could be started ({error}), for want of memory perhaps: free some and run again"
        ) from error


def columns_of(results: Sequence[Outcome]) -> dict[str, Any]:
    """Return outcomes as columns: path, sha256, perceptual_hash, picture_hash, reason."""
    return {
        each.name: pd.array([getattr(result, each.name) for result in results], dtype="string")
        for each in fields(Outcome)
    }


_worker: Worker  # set once in each process of the pool, so that the detector is loaded once


def _start_process(worker: Worker) -> None:
    global _worker
    cv2.setNumThreads(1)  # the processes are the parallelism
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker = worker


def _end_with_parent() -> None:
    """Wait for the main process to end, and end too: if it is killed, nobody else stops its workers."""
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)


def _run(row: Row) -> Outcome:
    return _worker(row)


def check_names(rows: pd.DataFrame) -> None:
    """Check that `dataset` and `face_id` can be names of files; raises CatalogueError with how many cannot."""
    for column in ("dataset", "face_id"):
        names = rows[column].astype("string")
        if bad := int((~names.str.fullmatch(_SAFE_NAME.pattern).fillna(False)).sum()):
            raise CatalogueError(
                f"{bad} row(s) have a {column} that cannot be a file's name: use letters, digits, dot, dash, underscore"
            )
