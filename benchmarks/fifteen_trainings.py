"""Processor seconds of the quick profile's fifteen trainings, against the plain way of Keras: a process each.

`python benchmarks/fifteen_trainings.py` trains five networks on children, adults and all faces, by `fer step train` (a
process a network) and by `image_dataset_from_directory` and `fit` (a process a training), and lets each answer the test
faces. It reads the faces of `make book`; `--networks mobilenet_v3_small` takes three trainings of the fifteen.
"""

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Annotated

import typer

from face_sets.folders import PROJECT_FOLDER
from fer_utils import tables
from fer_utils.models.backbones import build_network, keras
from fer_utils.models.training import of_cohort
from fer_utils.paths import Paths
from fer_utils.study import ARCHITECTURES, load_study


def by_class(folder: Path) -> None:
    """Lay out each copy's faces in folders by split and class, as Keras reads them."""
    study = load_study("quick")
    paths = Paths.of(study)
    faces = tables.read("faces", paths.faces)
    for cohort in study.cohorts:
        chosen = faces[of_cohort(faces, cohort, study) | (faces["split"] == "test")]
        for face in chosen.itertuples():
            place = folder / cohort / face.split / face.expression / Path(face.path).name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to((paths.faces.parent / face.path).resolve())


def plain(network: str, folder: str) -> None:
    """Train one network on one copy's folder as Keras' guide does, with the study's settings; answer the test faces."""
    study = load_study("quick")
    keras.utils.set_random_seed(study.seed)
    training, validation, test = (
        keras.utils.image_dataset_from_directory(
            Path(folder) / split, image_size=(study.image_size, study.image_size), batch_size=study.batch_size,
            seed=study.seed, shuffle=split == "train",
        ).cache().prefetch(2)
        for split in ("train", "validation", "test")
    )  # fmt: skip
    model = build_network(network, study, None)
    model.compile(
        keras.optimizers.Adam(study.learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    cosine = keras.callbacks.LearningRateScheduler(
        lambda epoch: 0.5 * study.learning_rate * (1 + math.cos(math.pi * epoch / study.epochs))
    )
    model.fit(training, epochs=study.epochs, validation_data=validation, callbacks=[cosine], verbose=0)
    model.predict(test, verbose=0)


def processor_seconds(*commands: list[str], **environment: str) -> float:
    """Run commands, one after the other; return what their processes cost."""
    before = getrusage(RUSAGE_CHILDREN)
    for command in commands:
        subprocess.run(
            command,
            check=True,
            cwd=PROJECT_FOLDER,
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
        )
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(
    networks: Annotated[str, typer.Option(help="Networks, separated by commas")] = ",".join(ARCHITECTURES),
    one: Annotated[str, typer.Option(help="For this command's own processes")] = "",
) -> None:
    """Time both ways and print their ratio, by network and in all."""
    if one:
        plain(*json.loads(one))
        return
    study, total = load_study("quick"), [0.0, 0.0]
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)
        shutil.copytree(Paths.of(study).faces.parent, made / "results/quick/faces")
        by_class(made / "classes")
        for network in networks.split(","):
            step = [sys.executable, "-m", "fer_utils.cli", "step", "train", network, "--profile", "quick"]
            ours = processor_seconds(step, FER_RESULTS=str(made / "results"), FER_IN_WORKFLOW="1")
            trainings = [json.dumps([network, str(made / "classes" / cohort)]) for cohort in study.cohorts]
            theirs = processor_seconds(*([sys.executable, __file__, "--one", each] for each in trainings))
            total = [total[0] + ours, total[1] + theirs]
            print(f"{network}: {ours:.0f} s, Keras {theirs:.0f} s, ratio {theirs / ours:.2f}", flush=True)
    print(f"all: {total[0]:.0f} s, Keras {total[1]:.0f} s, ratio {total[1] / total[0]:.2f}")


if __name__ == "__main__":
    typer.run(main)
