"""Photographs per second that an ingest takes, against the face detector and a JPEG decoder alone on the same cores.

`python benchmarks/ingest.py` takes 20,000 photographs of 640 x 480, made of PICTURES rendered ones; `--images` takes
another number. The decoder is OpenCV's (`cv2.imread`, the plain way). Both run in the same number of processes, detector
and decoder before the ingest and again after it, since a machine's clock drifts; their mean counts. On a busy machine
look at the ratio by processor time. The peak memory of the main process and of its largest worker must not grow with
the number of photographs.
"""

import os
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import typer
from rendered import rendered_faces

from face_sets import ingest as ingest_module
from face_sets.detection import FaceDetector
from face_sets.images import encode_jpeg
from face_sets.processes import usable_cores
from face_sets.readers.layouts import list_files, make_reading
from face_sets.readers.reading import Reading, Source, load_picture

PICTURES = 100
NAME = "kdef"
WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def write_photographs(folder: Path, images: int) -> None:
    """Write rendered faces in the middle of pictures of 640 x 480, and links to them until there are enough."""
    folder.mkdir()
    for number, face in enumerate(rendered_faces(PICTURES, 480)[1]):
        picture = np.pad(face, ((0, 0), (80, 80), (0, 0)), mode="edge")
        (folder / f"{number:06}.jpg").write_bytes(encode_jpeg(picture, 90))
    for number in range(PICTURES, images):
        os.link(folder / f"{number % PICTURES:06}.jpg", folder / f"{number:06}.jpg")


def read(folder: Path) -> Reading:
    """Return one row per picture."""
    found = pd.DataFrame({"path": list_files(folder).pictures, "code": "NE", "age_group": "adult"})
    return make_reading(NAME, found.assign(subject_id=found["path"]), [])


def detected(folder: Path, processes: int) -> None:
    """Only decode and detect."""
    names = [os.fspath(path) for path in sorted(folder.iterdir())]
    with ProcessPoolExecutor(processes, get_context("spawn"), _start) as pool:
        list(pool.map(_detect, names, chunksize=32))


def _start() -> None:
    global _detector
    cv2.setNumThreads(1)
    _detector = FaceDetector()


def _detect(name: str) -> int:
    return len(_detector.detect(cv2.cvtColor(cv2.imread(name), cv2.COLOR_BGR2RGB)))


def seconds(work: Callable[[], object]) -> np.ndarray:
    """Return the wall seconds and the processor seconds, workers included, that some work takes."""
    before = np.array([time.perf_counter(), _processor()])
    work()
    return np.array([time.perf_counter(), _processor()]) - before


def _processor() -> float:
    return sum(each.ru_utime + each.ru_stime for each in map(resource.getrusage, WHO))


def main(images: int = 20_000, processes: int = usable_cores()) -> None:
    """Time both ways and print rates and their ratio."""
    ingest_module.source = lambda name: Source(name, read, load_picture)  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as scratch:
        folder, results = Path(scratch) / "photographs", Path(scratch) / "results"
        write_photographs(folder, images)
        before = seconds(lambda: detected(folder, processes))
        ours = seconds(lambda: ingest_module.ingest(NAME, folder, results, processes=processes))
        main_mib, worker_mib = (resource.getrusage(who).ru_maxrss // 1024 for who in WHO)
        alone = (before + seconds(lambda: detected(folder, processes))) / 2
    ratio = alone / ours
    print(
        f"{images:,} photographs: ingest {images / ours[0]:.0f} per second, detector and decoder alone "
        f"{images / alone[0]:.0f}: ratio {ratio[0]:.2f} by the clock, {ratio[1]:.2f} by processor time; "
        f"peak memory {main_mib} MiB, largest worker {worker_mib} MiB"
    )


if __name__ == "__main__":
    typer.run(main)
