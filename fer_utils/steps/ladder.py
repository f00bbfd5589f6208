"""The ladder: MobileNetV2 trained on ever more lifelike faces, each rung scored on photographs of real adults.

A network climbs in stages: last layer, last blocks, all layers; the statistics of batch normalization stay as they were.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from face_sets.expressions import PROBABILITY_COLUMNS
from face_sets.face_images import FaceImages, load_pixels
from face_sets.files import write_bytes
from face_sets.images import resize
from face_sets.readers import london
from fer_utils import tables
from fer_utils.compression.export import REPRESENTATIVE_FACES, to_tflite
from fer_utils.compression.exported_files import file_name
from fer_utils.models.backbones import build_network, keras, layers
from fer_utils.models.networks import find_initial_weights
from fer_utils.models.prediction import predict_keras, predict_tflite
from fer_utils.models.training import TrainingSet, fit, set_up
from fer_utils.paths import SITTERS_FOLDER, Paths, data_folder
from fer_utils.reporting import released
from fer_utils.steps.external_faces import make_external_faces
from fer_utils.study import Study, load_study
from photograph_skins.blends import Sitter, load_sitters
from photograph_skins.portraits import IN_SKINS, Kind
from photograph_skins.training_faces import CROP, TrainingFaces, training_faces
from tflite_files.metadata import describe
from traced_training.checkpoints import Checkpoint
from traced_training.frozen_layers import FrozenLayers, learn
from traced_training.training_step import TrainingStep

FACES: Final[dict[str, tuple[Kind, ...]]] = {
    "rendered": ("painted",), "more rendered": ("more painted",), "single skins": ("single",), "skins": ("skins",),
    "mixed": ("painted", "skins"),
}  # fmt: skip
"""What the rungs learn from: painted faces, those of four times as many persons, or faces in skins, of one or of several."""

STAGES: Final[dict[str, tuple[str, int, float]]] = {
    "last layer": ("dropped", 8, 1e-3), "last blocks": ("block_13_expand", 3, 3e-4), "all layers": ("", 2, 2e-4),
}  # fmt: skip
"""The first layer that learns, epochs, and the learning rate, falling by half a cosine; blocks as in the prototypes. Of all
layers, 1 epoch at 1e-4, 3 at 1e-4 and 3 at 2e-4 read ever more of the held-out faces, painted and in skins; 2 save time."""

RELEASED: Final = "rendered"
"""Of FACES, what a released model learned from, in all STAGES: no layer is as it was at first. More persons did not help on
photographs. Rungs in skins are not released: the card of their photographs (data_manifests/cards/canada.yml) forbids it."""

RANDOM_SIZE, RANDOM_EPOCHS = 64, 12
"""Of the rung without ImageNet features: a quarter of the pixels, so that all layers can learn for longer."""

WEIGHTS_FILE: Final = Path("imagenet_weights", "mobilenet_v2_1.0_224_no_top.h5")
"""ImageNet features below FER_DATA; where they are not there, Keras' own."""

COPIES: Final = 2  # of each face behind frozen layers: mirrored, shifted, turned and exposed differently
BATCH: Final = 64

Keep = Callable[[str, int, Any], None]
"""Given a rung's name, its number of training faces and its network."""


class Ladder:
    """The rungs of one seed; all that is made on the way lies in `folder`, where a run that was cut goes on."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed, self.folder, self.study = seed, folder, ladder_study(seed, CROP)
        there = {"painted", "more painted", *(IN_SKINS if data_folder(SITTERS_FOLDER) else ())}
        self.names = [name for name, kinds in FACES.items() if there.issuperset(kinds)]
        self.tested: list[Kind] = ["painted", "skins"] if "skins" in there else ["painted"]

    def faces(self, kind: Kind, held_out: bool) -> TrainingFaces:
        """Return one side of a kind of faces."""
        return training_faces(kind, self.folder / "faces", _sitters).side(held_out)

    def climb(self, name: str, keep: Keep) -> Any:
        """Train a network from ImageNet features on the faces of a name in FACES, `keep` it after each stage, return it."""
        set_up(self.study)
        network = build_network("mobilenet_v2", self.study, _imagenet_file(self.study))
        for layer in network.layers:
            layer.trainable = not isinstance(layer, layers.BatchNormalization)
        learned = {kind: self.faces(kind, held_out=False) for kind in FACES[name]}
        labels = np.concatenate([np.tile(each.labels, COPIES) for each in learned.values()])
        frozen = FrozenLayers(network, [first for first, *_ in STAGES.values() if first], COPIES)
        kept = [
            frozen.seen(each.images, self.folder / f"behind-{kind}.npz") for kind, each in learned.items()
        ]
        for stage, (first, epochs, rate) in STAGES.items():
            rung = f"{name}, {stage}"
            if not first and "single" in FACES[name]:
                return network  # it shows somebody: compared with, and never released
            if first:
                step = TrainingStep(keras.Model(network.get_layer(first).input, network.output))
                inputs = np.concatenate([each[first] for each in kept])
                learn(step, inputs, labels, epochs, rate, BATCH, self.seed, self.checkpoint(rung))
            else:
                images, classes, _ = map(np.concatenate, zip(*learned.values(), strict=True))
                self.fit(network, rung, images, classes, epochs, rate)
            keep(rung, len(labels) // COPIES, network)
        return network

    def climb_from_random(self, keep: Keep) -> None:
        """Train all layers from random weights on the painted faces, small, and `keep` the network."""
        study = ladder_study(self.seed, RANDOM_SIZE)
        network, faces = build_network("mobilenet_v2", study, None), self.faces("painted", held_out=False)
        images, rung = sized(faces.images, RANDOM_SIZE), "rendered, random weights"
        self.fit(network, rung, images, faces.labels, RANDOM_EPOCHS, study.learning_rate)
        keep(rung, len(faces.labels), network)

    def fit(
        self, network: Any, rung: str, images: np.ndarray, labels: np.ndarray, epochs: int, rate: float
    ) -> None:
        """Train a network on pictures in place."""
        training, none = (TrainingSet(FaceImages.of_pixels(images[:n]), labels[:n]) for n in (len(labels), 0))
        fit(TrainingStep(network), rung, training, none, self.study, epochs=epochs, learning_rate=rate,
            checkpoint=self.checkpoint(rung))  # fmt: skip

    def checkpoint(self, rung: str) -> Checkpoint:
        """Return where the training of a rung is kept as it goes on."""
        key = f"{rung} {self.seed}".replace(",", "").replace(" ", "-")
        return Checkpoint(self.folder / f"{key}.npz", key)


@lru_cache(maxsize=1)
def _sitters() -> list[Sitter]:
    folder = data_folder(SITTERS_FOLDER)
    assert folder is not None  # else no rung asks for them
    return load_sitters(london.read(folder, london.CANADA).rows.to_dict("records"), folder)


def ladder_study(seed: int, image_size: int) -> Study:
    """Return the study whose settings the rungs share; dropout as in the prototypes; random numbers are seeded."""
    study = load_study("quick", seed=seed, image_size=image_size, dropout=0.3, batch_size=BATCH // 2,
                       architectures=["mobilenet_v2"], initial_weights="imagenet", augmentation=1.0)  # fmt: skip
    set_up(study)
    return study


def _imagenet_file(study: Study) -> str | None:
    folder = data_folder(WEIGHTS_FILE.parent.name)
    own = folder / WEIGHTS_FILE.name if folder else None
    return str(own) if own and own.is_file() else find_initial_weights(study)[1]["mobilenet_v2"]


def sized(images: np.ndarray, size: int) -> np.ndarray:
    """Return images (N, S, S, 3) made smaller, (N, size, size, 3)."""
    return images if images.shape[1] == size else np.stack([resize(image, size) for image in images])


def make_ladder(seeds: Sequence[int], folder: Path, to: Path, report: Callable[[str], None]) -> None:
    """Train all rungs that the data allow, score them, and write the tables, the released model and its card into `to`.

    Released is, of the seeds' networks of RELEASED, the most accurate on held-out rendered faces; the external test
    chose RELEASED and nothing else.
    """
    score, best = Scores(folder, report), []
    for seed in seeds:
        ladder = Ladder(seed, folder)
        ladder.climb_from_random(partial(score.keep, ladder))
        for name in ladder.names:
            network = ladder.climb(name, partial(score.keep, ladder))
            if name == RELEASED:
                best.append((score.rungs[-1], network, ladder))
    row, network, ladder = max(best, key=lambda each: float(each[0]["held_out_painted"]))
    files = _exported(network, ladder.faces("painted", held_out=False).images, ladder.seed, to)
    for run_id, path in files.items():
        score.add(
            {**row, "rung": f"released, {run_id.split('.')[-1]} file"}, predict_tflite(path, score.crops)
        )
    released.write(to, row, files, pd.DataFrame(score.rungs), pd.concat(score.answers, ignore_index=True))


class Scores:
    """What the rungs score: on held-out faces in `rungs`, what they answer to the external test in `answers`."""

    def __init__(self, folder: Path, report: Callable[[str], None]) -> None:
        study = load_study("quick", face_size=CROP)
        paths = Paths(folder, study)
        make_external_faces(study, paths)
        self.faces = tables.read("faces", paths.external_faces)
        self.crops = load_pixels(self.faces, paths.external_faces.parent, CROP)
        self.report, self.rungs, self.answers = report, list[dict[str, Any]](), list[pd.DataFrame]()

    def keep(self, ladder: Ladder, rung: str, count: int, network: Any) -> None:
        """Score a network of a ladder."""
        size = network.input_shape[1]
        row: dict[str, Any] = {"rung": rung, "seed": ladder.seed, "image_size": size, "training_faces": count}
        for kind in ladder.tested:
            tested = ladder.faces(kind, held_out=True)
            said = predict_keras(network, sized(tested.images, size)).argmax(1)
            row[f"held_out_{kind}"] = float((said == tested.labels).mean())
        self.rungs.append(row)
        self.add(row, predict_keras(network, sized(self.crops, size)))
        self.report(", ".join(f"{name} {value}" for name, value in row.items()))

    def add(self, row: dict[str, Any], probabilities: np.ndarray) -> None:
        """Add answers (N, 7) to the external test's photographs."""
        known = self.faces[["face_id", "dataset", "subject_id", "expression", "sex"]].astype(str)
        given = dict(zip(PROBABILITY_COLUMNS, probabilities.T.round(5), strict=True))
        self.answers.append(known.assign(rung=row["rung"], seed=row["seed"], **given))


def _exported(network: Any, learned: np.ndarray, seed: int, to: Path) -> dict[str, Path]:
    """Write a network as float16 and int8 files; return them by run id."""
    chosen = np.random.default_rng(seed).permutation(len(learned))[:REPRESENTATIVE_FACES]
    files = {}
    for precision in released.PRECISIONS:
        run_id = f"mobilenet_v2.released.none.{precision}"
        files[run_id] = to / file_name(run_id, network.input_shape[1])
        model = to_tflite(network, precision, learned[chosen])
        write_bytes(files[run_id], describe(model, run_id, released.ABOUT_FACES))
    return files
