"""What a licensed study of many faces costs on paper: hours, memory and files opened, from made-up faces and a few steps.

`python benchmarks/sizes.py --to data_manifests` packs so many made-up faces as an ingest does, opens and reads them as a
training does, takes a few steps of each network at the profile's size, and writes two tables, of input and of training.
Times are processor seconds of one core, which work of others on the machine hardly changes.
"""

import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from face_sets.code_digests import code_digest
from face_sets.computer import host_device
from face_sets.face_images import FaceImages
from face_sets.files import write_bytes, write_text
from face_sets.images import encode_jpeg
from face_sets.ingest import QUALITY
from face_sets.packed_faces import write_packed
from fer_utils.models.backbones import build_network
from fer_utils.models.training import set_up
from fer_utils.study import Study, load_study
from rendered_faces.design import Design, plan_faces
from rendered_faces.portrait import render_face
from traced_training.batches import training_batches
from traced_training.training_step import TrainingStep

PICTURES = 128  # different ones, each of which stands for many: rendering more would take hours
BATCHES = 24
STEPS = 4  # timed, after one that traces
HEADINGS = {
    "network": "network", "faces": "faces", "training_hours": "training, hours",
    "compression_hours": "one compression, hours", "step_seconds": "a step, seconds", "files_opened": "files opened",
    "check_seconds": "check of all faces, seconds", "faces_per_second_per_core": "faces a second",
    "share_of_quickest_step": "share of the quickest network's step",
    "share_of_slowest_step": "share of the slowest network's step", "peak_memory_mb": "peak memory, MB",
}  # fmt: skip


def packed(folder: Path, count: int, size: int) -> pd.DataFrame:
    """Pack `count` faces of `size` pixels below a folder; return what of the table `faces` their reading needs."""
    plan = plan_faces(Design()).sample(PICTURES, random_state=1).to_dict("records")
    pictures = [encode_jpeg(render_face(row, size=size), QUALITY) for row in plan]
    for number, picture in enumerate(pictures):
        write_bytes(folder / "made" / f"{number}.jpg", picture)
    digests = [hashlib.sha256(picture).hexdigest() for picture in pictures]
    names = [f"made/{number:07}.jpg" for number in range(count)]
    for number, name in enumerate(names):  # links: packing opens a file a face, as it does after an ingest
        (folder / name).hardlink_to(folder / "made" / f"{number % PICTURES}.jpg")
    write_packed(folder, names)
    return pd.DataFrame({"path": names, "sha256": [digests[number % PICTURES] for number in range(count)]})


def reading(faces: pd.DataFrame, folder: Path, study: Study) -> dict[str, Any]:
    """What opening and reading the faces costs: files opened, seconds to check all, memory, seconds per face."""
    opened = []
    sys.addaudithook(lambda event, given: opened.append(given) if event in {"open", "pyarrow.open"} else None)
    started = time.process_time()
    images = FaceImages.stored(faces, folder, study.image_size)
    checked = time.process_time() - started
    labels = np.zeros(BATCHES * study.batch_size, np.int64)
    places = np.random.default_rng(1).choice(len(faces), len(labels), replace=False)
    chosen = images.part(np.isin(np.arange(len(faces)), places))
    next(iter(training_batches(chosen, labels, study.batch_size, (0,))))  # traces
    started = time.process_time()
    for _ in training_batches(chosen, labels, study.batch_size, (1,)):
        pass
    per_face = (time.process_time() - started) / len(labels)
    files = 1 + sum(str(folder) in str(given[0]) for given in opened)  # Arrow's own opening tells no hook
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    return {
        "faces": len(faces), "files_opened": files, "check_seconds": checked,
        "faces_per_second_per_core": 1 / per_face, "peak_memory_mb": memory,
    }  # fmt: skip


def steps(network: str, study: Study) -> dict[str, Any]:
    """Processor seconds of a step of all layers, of the head alone, and peak memory."""
    set_up(study)
    step = TrainingStep(build_network(network, study, None))
    generator = np.random.default_rng(1)
    shape = (study.batch_size, study.image_size, study.image_size, 3)
    faces, labels = generator.uniform(0, 255, shape).astype(np.float32), np.arange(study.batch_size) % 7
    seconds = {}
    for head_alone in (False, True) if study.head_epochs else (False,):
        step(faces, labels, 1e-4, head_alone)
        started = time.process_time()
        for _ in range(STEPS):
            step(faces, labels, 1e-4, head_alone)
        seconds[head_alone] = (time.process_time() - started) / STEPS
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    return {
        "network": network, "step_seconds": seconds[False], "head_step_seconds": seconds.get(True, 0.0),
        "peak_memory_mb": memory,
    }  # fmt: skip


def write_tables(to: Path, networks: pd.DataFrame, inputs: pd.DataFrame, study: Study) -> None:
    """Write `sizes_training.csv`, `sizes_input.csv`, and `sizes.json`: by what code and on what they were measured."""
    hours = [
        min(count, study.faces_per_epoch or count) / study.batch_size / 3600 * np.array(
            [study.epochs * row.step_seconds + study.head_epochs * row.head_step_seconds,
             study.compression_epochs * row.step_seconds]
        )
        for count in inputs["faces"] for row in networks.itertuples()
    ]  # fmt: skip
    rows = (
        inputs[["faces"]]
        .merge(networks, how="cross")
        .assign(**dict(zip(("training_hours", "compression_hours"), np.transpose(hours), strict=True)))
    )
    per_step = study.batch_size / inputs["faces_per_second_per_core"]
    for name, seconds in (
        ("quickest", networks["step_seconds"].min()),
        ("slowest", networks["step_seconds"].max()),
    ):
        inputs[f"share_of_{name}_step"] = per_step / seconds
    for name, table in (("training", rows), ("input", inputs)):
        shown = table[[column for column in HEADINGS if column in table]].rename(columns=HEADINGS)
        write_text(to / f"sizes_{name}.csv", shown.round(2).to_csv(index=False))
    about = {"code": code_digest("fer_utils.steps.train"), "measured on": host_device()}
    write_text(to / "sizes.json", json.dumps(about, indent=1) + "\n")


def main(
    to: Annotated[Path, typer.Option(help="Folder of the tables")] = Path("data_manifests"),
    faces: Annotated[str, typer.Option(help="Numbers of faces")] = "30000,300000,1000000",
    work: Annotated[Path | None, typer.Option(help="Folder with room for them, 20 GB a million")] = None,
    only: Annotated[str, typer.Option(help="For this command's own processes")] = "",
) -> None:
    """Measure each size and each network in a process of its own, so that its peak memory is its own."""
    study = load_study("licensed", threads=1)
    if only:
        kind, what = only.split(":")
        if kind == "faces":
            with tempfile.TemporaryDirectory(dir=work) as folder:
                made = packed(Path(folder), int(what), study.face_size)
                row = reading(made, Path(folder), study)
        else:
            row = steps(what, study)
        print(json.dumps(row))
        return

    def measured(kind: str, what: str) -> dict[str, Any]:
        command = [
            sys.executable,
            __file__,
            "--only",
            f"{kind}:{what}",
            *(["--work", str(work)] if work else []),
        ]
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        found: dict[str, Any] = json.loads(answer.splitlines()[-1])
        print(found, flush=True)
        return found

    networks = pd.DataFrame([measured("steps", network) for network in study.architectures])
    inputs = pd.DataFrame([measured("faces", count) for count in faces.split(",")])
    write_tables(to, networks, inputs, study)


if __name__ == "__main__":
    typer.run(main)
