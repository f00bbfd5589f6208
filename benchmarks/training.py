"""Processor seconds to train, prune and cluster a network, against the plain way: `Model.fit` and wrappers.

`python benchmarks/training.py --network nasnet_mobile` makes three copies of one network from the quick profile's faces
(children, adults, all) and prunes and clusters the last, as `make book` does, by own steps traced once and by Keras and
tensorflow-model-optimization as their guides say. With `--seeds 5` both are repeated: answers must be equally good, within
the scatter of the seeds. It reads the faces of `make book`.
"""

import math
import time
from collections.abc import Callable, Iterator

import pandas as pd
import tensorflow_model_optimization as tfmot
import typer

from fer_utils.compression.techniques import compress, holds_most_weights
from fer_utils.models.backbones import build_network, copy_of, keras, tf
from fer_utils.models.prediction import predict_keras
from fer_utils.models.training import TrainingSet, of_cohort, set_up, train_copies
from fer_utils.paths import Paths
from fer_utils.steps.train import StudyFaces
from fer_utils.study import Study, load_study
from traced_training.pruning import MASK_UPDATES

Models = Iterator[tuple[str, object]]


def ours(network: str, faces: StudyFaces, study: Study) -> Models:
    """Yield each model by the project's own way, by name."""
    made = {}

    def keep(cohort: str, trained: object) -> None:
        made[cohort] = copy_of(trained.network)

    train_copies(network, faces.learned, faces.learned_images, study, None, lambda _: None, keep)
    yield from made.items()
    training, validation = parts(faces, "all", study)
    network, weights = made["all"], made["all"].get_weights()
    for technique in ("pruning", "clustering"):  # in place, on one graph, as the step `compress` does
        network.set_weights(weights)
        yield technique, copy_of(compress(network, technique, technique, training, validation, study).network)
    network.set_weights(weights)


def plain(network: str, faces: StudyFaces, study: Study) -> Models:
    """Yield the same models by `Model.fit`, each built anew, and the package's wrappers."""
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})
    for cohort in study.cohorts:
        keras.utils.set_random_seed(study.seed)
        model = build_network(network, study, None)
        fit(model, *parts(faces, cohort, study), study, study.epochs, study.learning_rate)
        yield cohort, model
    training, validation = parts(faces, "all", study)
    steps = study.compression_epochs * math.ceil(len(training.labels) / study.batch_size)
    frequency = max(1, int(0.75 * steps) // MASK_UPDATES)
    schedule = tfmot.sparsity.keras.PolynomialDecay(
        0.0, study.sparsity, 0, frequency * MASK_UPDATES, frequency=frequency
    )
    start = tfmot.clustering.keras.CentroidInitialization.KMEANS_PLUS_PLUS
    wrappers: dict[str, Callable[[object], object]] = {
        "pruning": lambda layer: tfmot.sparsity.keras.prune_low_magnitude(layer, pruning_schedule=schedule),
        "clustering": lambda layer: tfmot.clustering.keras.cluster_weights(
            layer, number_of_clusters=study.clusters, cluster_centroids_init=start
        ),
    }
    for technique, wrapper in wrappers.items():
        wrapped = keras.models.clone_model(
            copy_of(model),
            None,
            lambda layer, wrapper=wrapper: wrapper(layer) if holds_most_weights(layer) else layer,
        )
        callbacks = [tfmot.sparsity.keras.UpdatePruningStep()] if technique == "pruning" else []
        fit(
            wrapped, training, validation, study, study.compression_epochs, study.compression_learning_rate,
            callbacks,
        )  # fmt: skip
        strip = (
            tfmot.sparsity.keras.strip_pruning
            if technique == "pruning"
            else tfmot.clustering.keras.strip_clustering
        )
        yield technique, copy_of(strip(wrapped))  # its layers belong to the first model as well


def fit(model, training, validation, study, epochs, learning_rate, callbacks=()) -> None:
    """Train as a guide would: tf.data, Adam, a cosine by a callback."""
    held_out = (validation.images[:], validation.labels)
    data = tf.data.Dataset.from_tensor_slices((training.images[:], training.labels))
    data = data.shuffle(len(training.labels), seed=study.seed)
    data = data.batch(study.batch_size).map(
        lambda x, y: (tf.image.random_flip_left_right(tf.cast(x, tf.float32), study.seed), y)
    )
    held_out_data = tf.data.Dataset.from_tensor_slices(held_out).batch(study.batch_size)
    model.compile(
        keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    cosine = keras.callbacks.LearningRateScheduler(
        lambda epoch: 0.5 * learning_rate * (1 + math.cos(math.pi * epoch / epochs))
    )
    model.fit(
        data.prefetch(2), epochs=epochs, validation_data=held_out_data, verbose=0,
        callbacks=[cosine, *callbacks],
    )  # fmt: skip


def parts(faces: StudyFaces, cohort: str, study: Study) -> list[TrainingSet]:
    """Return the training and validation faces of one copy."""
    chosen = of_cohort(faces.learned, cohort, study)
    splits = [chosen & (faces.learned["split"] == split) for split in ("train", "validation")]
    return [TrainingSet.of(faces.learned, faces.learned_images, split) for split in splits]


def main(network: str = "mobilenet_v3_small", seeds: int = 1) -> None:
    """Time both ways and print their ratio, and how good their models are on the test children."""
    rows = []
    for seed in range(seeds):
        study = load_study("quick", seed=2023 + seed)
        faces = StudyFaces.read(study, Paths.of(load_study("quick")))
        tested = TrainingSet.of(
            faces.tested, faces.tested_images,
            (faces.tested["dataset"] == study.test_set) & (faces.tested["age_group"] == "child"),
        )  # fmt: skip
        for way in (ours, plain):
            keras.backend.clear_session()
            set_up(study)
            started = time.process_time()
            models = dict(way(network, faces, study))
            seconds = time.process_time() - started
            for name, model in models.items():
                accuracy = (predict_keras(model, tested.images).argmax(1) == tested.labels).mean()
                rows.append((seed, way.__name__, name, seconds, accuracy))
            print(f"seed {seed}, {way.__name__}: {seconds:.0f} s of processor time", flush=True)
    table = pd.DataFrame(rows, columns=["seed", "way", "model", "seconds", "accuracy"])
    total = table.groupby("way")["seconds"].mean()
    print(
        f"{network}: own {total['ours']:.0f} s, plain {total['plain']:.0f} s, ratio {total['plain'] / total['ours']:.2f}"
    )
    by_way = table.pivot_table(index=["model", "seed"], columns="way", values="accuracy").reset_index()
    for model, part in by_way.groupby("model"):
        means, deviations = part[["ours", "plain"]].mean(), part[["ours", "plain"]].std()
        print(
            f"    accuracy of {model}: own {means['ours']:.3f} (sd of seeds {deviations['ours']:.3f}), "
            f"plain {means['plain']:.3f} ({deviations['plain']:.3f})"
        )


if __name__ == "__main__":
    typer.run(main)
