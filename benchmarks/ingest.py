"""Photographs a second that an ingest takes, against the face detector and a JPEG decoder alone on the same cores.

`python benchmarks/ingest.py` takes 20,000 photographs of 640 x 480, made of PICTURES drawn ones; `--images` takes
another number. The decoder is OpenCV's (`cv2.imread`, the plain way) and, told apart, the quicker one that the ingest
itself uses. All run in the same number of processes; detector and decoder alone before the ingest and again after it,
since a machine's clock drifts; their mean counts. On a busy machine look at the ratio by processor time. Wait some
minutes between runs: a file system that has just removed as many files makes new ones more slowly. After each tenth
of the ingest it prints the photographs a second of that tenth and the resident memory of the main process and of its
largest worker, which must not grow.
"""

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import psutil

from face_sets import ingest as ingest_module
from face_sets.catalogue import Outcome, Row, Worker, outcomes
from face_sets.detection import FaceDetector
from face_sets.images import Pixels, encode_jpeg, read_image
from face_sets.readers.reading import ROW_COLUMNS, Reading, Source, load_picture, name_of
from synthetic_faces.design import Design, plan_faces
from synthetic_faces.portrait import render_face

PICTURES = 100
NAME = "kdef"
_CHUNK = 32


def write_photographs(folder: Path, images: int) -> None:
    """Write drawn faces in the middle of pictures of 640 x 480, and links to them until there are enough."""
    folder.mkdir()
    rows = plan_faces(Design()).sample(PICTURES, random_state=0).to_dict("records")
    for number, row in enumerate(rows):
        picture = np.pad(render_face(row, 480), ((0, 0), (80, 80), (0, 0)), mode="edge")
        (folder / f"{number:06}.jpg").write_bytes(encode_jpeg(picture, 90))
    for number in range(PICTURES, images):
        os.link(folder / f"{number % PICTURES:06}.jpg", folder / f"{number:06}.jpg")


def read(folder: Path) -> Reading:
    """Return a row a picture."""
    names = sorted(path.name for path in folder.iterdir())
    rows = pd.DataFrame({"face_id": [name_of(NAME, name) for name in names], "path": names})
    rows = rows.assign(
        dataset=NAME,
        subject_id=rows["face_id"],
        expression="neutral",
        age_group="adult",
        source_key=rows["path"],
    )
    nothing = pd.DataFrame({"path": [], "reason": []}, dtype="string")
    return Reading(rows.reindex(columns=list(ROW_COLUMNS)).astype(dict(ROW_COLUMNS)), nothing, {})


def whole(folder: Path, results: Path, processes: int) -> None:
    """Ingest: read, find, crop, store, catalogue."""
    report = ingest_module.ingest(NAME, folder, results, processes=processes)
    print(f"    {report.found:,} faces found, {report.missed:,} missed", flush=True)


def told(images: int, parts: Iterable[list[Row]], worker: Worker, processes: int) -> Iterator[list[Outcome]]:
    """Yield outcomes as the ingest takes them; print after each tenth of the images its rate and memory."""
    seen, told_at, started = 0, 0, time.perf_counter()
    for results in outcomes(parts, worker, processes):
        seen += len(results)
        if seen - told_at >= images / 10 or seen == images:
            rate = (seen - told_at) / (time.perf_counter() - started)
            print(f"    {seen:7,} photographs, {rate:4.0f} a second, {memory()}", flush=True)
            told_at, started = seen, time.perf_counter()
        yield results


def memory() -> str:
    """Return the resident memory of this process and of its largest worker, as it is now."""
    here = psutil.Process()
    workers = max((child.memory_info().rss for child in here.children()), default=0)
    return f"main {here.memory_info().rss / 2**20:.0f} MiB, largest worker {workers / 2**20:.0f} MiB"


def alone(folder: Path, processes: int) -> dict[str, tuple[float, float]]:
    """Only decode and detect, by each decoder: wall and processor seconds by its name."""
    decoders = {"OpenCV's decoder": opencv, "the ingest's own decoder": own}
    return {name: seconds(partial(detected, decode, folder, processes)) for name, decode in decoders.items()}


def detected(decode: Callable[[str], Pixels], folder: Path, processes: int) -> None:
    """Decode by one decoder, and detect."""
    names = [os.fspath(path) for path in sorted(folder.iterdir())]
    with ProcessPoolExecutor(processes, get_context("spawn"), _start) as pool:
        list(pool.map(partial(_detect, decode), names, chunksize=_CHUNK))


def opencv(name: str) -> Pixels:
    """Decode a file as OpenCV does."""
    return cv2.cvtColor(cv2.imread(name), cv2.COLOR_BGR2RGB)


def own(name: str) -> Pixels:
    """Decode a file as the ingest does."""
    return read_image(Path(name))


def seconds(work: Callable[[], None]) -> tuple[float, float]:
    """Return the wall seconds and the processor seconds, workers included, that some work takes."""
    wall, processor = time.perf_counter(), _processor()
    work()
    return time.perf_counter() - wall, _processor() - processor


def _processor() -> float:
    used = [resource.getrusage(kind) for kind in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _start() -> None:
    global _detector
    cv2.setNumThreads(1)
    _detector = FaceDetector()


def _detect(decode: Callable[[str], Pixels], name: str) -> int:
    return len(_detector.detect(decode(name)))


def main() -> None:
    """Time both ways and print rates, their ratio and peak memory."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    ingest_module.source = lambda name: Source(name, read, load_picture)  # type: ignore[assignment]
    ingest_module.outcomes = partial(told, options.images)  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "photographs"
        write_photographs(folder, options.images)
        before = alone(folder, options.processes)
        ours = seconds(partial(whole, folder, Path(scratch) / "results", options.processes))
        after = alone(folder, options.processes)
    print(f"{options.images:,} photographs: ingest {options.images / ours[0]:.0f} a second")
    for name in before:
        clock, processor = (
            (first + second) / 2 for first, second in zip(before[name], after[name], strict=True)
        )
        print(
            f"    detector and {name} alone {options.images / clock:.0f}: ratio {clock / ours[0]:.2f} by the clock, "
            f"{processor / ours[1]:.2f} by processor time"
        )


if __name__ == "__main__":
    main()
