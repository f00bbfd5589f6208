"""The steps on a very small study: whole tables, failures recorded, nothing half-made."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import h5py
import numpy as np
import pandas as pd
import pytest

from face_sets.code_digests import code_digest
from face_sets.expressions import EXPRESSIONS
from face_sets.leaks import LeakError
from fer_utils import tables
from fer_utils.compression.export import CompressionError
from fer_utils.compression.exported_files import exported_files, parity
from fer_utils.compression.golden import answers_here, compare, read_golden
from fer_utils.models.backbones import BACKBONES, Backbone, mobilenet_v3_source, tf
from fer_utils.models.prediction import prediction_rows
from fer_utils.paths import Paths
from fer_utils.steps import compress as compress_step
from fer_utils.steps import faces as faces_step
from fer_utils.steps.external_faces import make_external_faces
from fer_utils.steps.faces import make_faces
from fer_utils.steps.generalization import predict_external, predict_external_by_files, retrain_last_layers
from fer_utils.steps.train import train
from fer_utils.study import load_study
from rendered_faces.design import plan_faces

NETWORK = "mobilenet_v3_small"
RENDER = """
import pathlib, sys
from fer_utils.steps.faces import make_faces
from fer_utils.paths import Paths
from fer_utils.study import load_study
if __name__ == "__main__":
    study = load_study("quick")
    make_faces(study, Paths(pathlib.Path(sys.argv[1]), study))
"""


@pytest.fixture(scope="module")
def small():
    return load_study(
        "quick", architectures=[NETWORK], cohorts=["all"], image_size=32, face_size=32, images_per_expression=1,
        epochs=1, techniques=["none", "pruning", "quantization_aware", "pruning_clustering"],
        precisions=["float32", "int8"], sparsity_sweep=[0.8], clusters_sweep=[3],
    )  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def few_blocks():
    """Build the network of three blocks instead of eleven, with every kind of layer: its graph is traced again and again."""

    def blocks(x, kernel, activation, se_ratio):
        block = mobilenet_v3_source._inverted_res_block
        x = block(x, 1, 16, 3, 2, se_ratio, mobilenet_v3_source.relu, 0)
        x = block(x, 4, 24, kernel, 2, se_ratio, activation, 1)
        return block(x, 4, 24, kernel, 1, se_ratio, activation, 2)

    def build(**options):
        return mobilenet_v3_source.MobileNetV3(blocks, 1024, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BACKBONES, NETWORK, Backbone(build, scales_itself=True))
        yield


def few_faces(study, paths, every=5):
    """Make the faces of every fifth subject: some of each age and split, and the 25 children that a layer learns from.

    Or those of fewer of these subjects: `every` is then a multiple of five.
    """

    def few(design):
        plan = plan_faces(design)
        return plan[plan["subject_id"].str[-4:].astype(int) % every == 0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faces_step, "plan_faces", few)
        make_faces(study, paths)


@pytest.fixture(scope="module", autouse=True)
def read_once():
    """Let all jobs that compress one trained network share it, as all techniques of one job do: reading takes a second."""
    read, originals = compress_step.Original.read, {}

    def kept(architecture, study, paths):
        key = (architecture, study.model_dump_json(), paths.root)
        if key not in originals:
            originals[key] = read(architecture, study, paths)
        return originals[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compress_step.Original, "read", kept)
        yield read


@pytest.fixture(scope="module")
def made(small, tmp_path_factory):
    """A study made as far as compression, with a pruning that fails on purpose."""
    paths = Paths(tmp_path_factory.mktemp("study"), small)
    few_faces(small, paths)
    train(NETWORK, small, paths)
    patch = pytest.MonkeyPatch()
    real = compress_step.compress

    def failing(network, technique, *rest):
        if technique == "pruning":
            raise CompressionError("no weights to prune\nand more words")
        return real(network, technique, *rest)

    patch.setattr(compress_step, "compress", failing)
    patch.setattr(compress_step.Compression, "_loses", lambda *_: True)  # every int8 file is looked into
    for group in small.technique_groups:
        compress_step.compress_network(NETWORK, group, small, paths)
    patch.undo()
    return paths


def test_training_writes_tables_that_belong_together(small, made):
    faces = tables.read("faces", made.faces)
    runs = tables.read("runs", made.trained("runs", NETWORK))
    predictions = tables.read("predictions", made.trained("predictions", NETWORK))
    assert list(runs["run_id"]) == [f"{NETWORK}.all"]
    assert (made.trained("runs", NETWORK).parent / runs["artefact"][0]).is_file()
    assert set(predictions["face_id"]) == set(faces.loc[faces["split"] == "test", "face_id"])
    assert runs[["data_digest", "code_digest", "initial_weights"]].notna().all(axis=None)


def test_last_layers_are_trained_again_from_the_features_that_training_kept(small, made):
    faces = tables.read("faces", made.faces)
    children = faces[
        (faces["split"] == "test") & (faces["age_group"] == "child") & (faces["dataset"] == "synthetic")
    ]
    features = tables.read("features", made.trained("features", NETWORK))
    assert set(features["face_id"]) == set(children["face_id"])
    retrain_last_layers(small, made)
    answers = tables.read("few_shot", made.few_shot)
    assert set(answers["run_id"]) == {f"{NETWORK}.all"}
    assert set(answers["face_id"]) == set(children["face_id"])


def test_a_failed_technique_is_a_row_with_its_reason_and_stops_nothing(made):
    runs = tables.read("runs", *made.all_compressed("runs")).set_index("run_id")
    failed = runs.loc[f"{NETWORK}.all.pruning"]
    assert failed["status"] == "failed"
    assert failed["reason"] == "CompressionError: no weights to prune"
    assert runs.loc[f"{NETWORK}.all.none.int8", "status"] == "done"
    without_base = runs.loc[f"{NETWORK}.all.pruning_clustering"]
    assert without_base["status"] == "failed"
    assert without_base["reason"].endswith(
        "pruning_clustering goes on from pruning, which failed: see its row"
    )
    aware = runs.loc[f"{NETWORK}.all.quantization_aware.float32"]
    assert aware["status"] == "not attempted"
    assert "only its int8 file" in aware["reason"]
    assert runs.loc[f"{NETWORK}.all.quantization_aware.int8", "status"] == "done"


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"), MemoryError(), RuntimeError("a mistake of ours"), ValueError("another"),
        tf.errors.ResourceExhaustedError(None, None, "the card is full"),
    ],
)  # fmt: skip
def test_what_is_no_refusal_fails_the_job_and_becomes_no_row(small, made, monkeypatch, error):
    def failing(*_):
        raise error

    table = made.compressed("runs", NETWORK, "quantization_aware")
    before = table.read_bytes()
    monkeypatch.setattr(compress_step, "compress", failing)
    with pytest.raises(type(error)):
        compress_step.compress_network(NETWORK, "quantization_aware", small, made)
    assert table.read_bytes() == before


def test_every_file_can_be_compared_with_the_network_that_it_came_from(made):
    runs = tables.read("runs", *made.all_compressed("runs"))
    files = runs[runs["artefact"].str.endswith(".tflite").fillna(False)]
    asked = (made.trained("predictions", NETWORK), *made.all_compressed("predictions"))
    answers = tables.read("predictions", *asked)
    answers = answers[answers["face_id"].isin(tables.read("predictions", asked[1])["face_id"])]
    found = parity(answers, files)
    assert len(found) == len(files) > 2
    assert (found.loc[found["precision"] == "float32", "largest_difference"] < 1e-4).all()


def test_compressed_networks_answer_every_face_of_the_test_set_and_no_other(small, made):
    faces = tables.read("faces", made.faces)
    asked = faces.loc[(faces["split"] == "test") & (faces["dataset"] == small.test_set), "face_id"]
    answers = tables.read("predictions", *made.all_compressed("predictions"))
    assert set(faces.loc[faces["split"] == "test", "dataset"]) > {small.test_set}, "there are others"
    for run_id, part in answers.groupby("run_id"):
        assert sorted(part["face_id"]) == sorted(asked), run_id


@pytest.mark.parametrize("technique", ["none", "quantization_aware", "pruning"])
def test_labels_and_a_golden_pair_lie_beside_the_files(made, technique):
    table = made.compressed("runs", NETWORK, technique)
    files = {file for file in tables.read("runs", table)["artefact"].dropna() if file.endswith(".tflite")}
    golden = read_golden(table.parent)
    assert set(golden["answers"]) == files
    assert all(each.agrees for each in compare(golden, answers_here(table.parent, golden)))
    assert (table.parent / "labels.txt").read_text().split() == golden["labels"]


@pytest.fixture(scope="module")
def swept(small, made, read_once):
    """The tables of runs of the sweep's settings."""
    with pytest.MonkeyPatch.context() as patch:
        for setting in small.swept_settings:
            compress_step.sweep_network(NETWORK, setting, small, made)
            patch.setattr(compress_step.Original, "read", read_once)  # from the second on as a job of its own
    return made.all_swept("runs")


def test_a_sweep_reaches_each_strength_in_the_file(swept):
    runs = tables.read("runs", *swept).set_index("run_id")
    assert (runs["status"] == "done").all()
    assert runs.loc[f"{NETWORK}.all.pruning-0.8.int8", "sparsity"] >= 0.79
    assert runs.loc[f"{NETWORK}.all.clustering-3.float32", "distinct_values"] <= 3
    assert set(runs["technique"]) == {"pruning", "clustering"}


@pytest.mark.parametrize(
    ("wrong", "right", "loses"),
    [(0.0, 0.0, False), (0.1, 0.0, True), (0.05, 0.05, False), (0.0, 0.1, False), (0.004, 0.0, False)],
)
def test_a_loss_by_8_bits_is_explained_only_where_chance_does_not(wrong, right, loses):
    """Shares of the network's right and wrong answers that its file changes, on 600 faces of 60 children."""
    names = [f"f{place}" for place in range(600)]
    tested = pd.DataFrame({
        "face_id": names, "subject_id": np.repeat(range(60), 10).astype(str), "age_group": "child", "expression": "fear",
        "dataset": "synthetic",
    })  # fmt: skip
    drawn = np.random.default_rng(5).random((2, 600))
    correct = drawn[0] < 0.5
    changed = np.where(correct, drawn[1] < 2 * wrong, drawn[1] < 2 * right)

    def answers(run_id, is_right):
        sure = np.eye(7)[np.where(is_right, EXPRESSIONS.index("fear"), EXPRESSIONS.index("anger"))]
        return prediction_rows(run_id, tested, sure)

    work = SimpleNamespace(original=SimpleNamespace(tested=tested), answers=answers("net.all", correct))
    assert compress_step.Compression._loses(work, answers("net.all.none.int8", correct ^ changed)) == loses


def test_what_explains_a_loss_by_8_bits_is_written_beside_the_files(made):
    variants = tables.read("runs", made.compressed("variant_runs", NETWORK)).set_index("run_id")
    of = f"{NETWORK}.all.none.int8"
    names = ("whole_hard_swish", "first_layers_float", "noisiest_layers_float", "more_faces")
    assert list(variants.index) == [f"{of}.{name}" for name in names]
    assert (variants["status"] == "done").all()
    assert set(variants["parent_run_id"]) == {f"{NETWORK}.all"}
    assert re.fullmatch(
        r"the first \d+ of \d+ layers left float", variants["reason"][f"{of}.first_layers_float"]
    )
    answers = tables.read("predictions", made.compressed("variant_predictions", NETWORK))
    assert set(answers["run_id"]) == set(variants.index)
    errors = tables.read("layer_errors", made.compressed("layer_errors", NETWORK))
    assert set(errors["run_id"]) == {of}
    files = exported_files([NETWORK], made, "variant_runs")
    assert set(files) == set(variants.index)
    assert all(file.is_file() for file in files.values())


def test_rows_say_which_code_made_them(made, swept):
    runs = tables.read("runs", *made.all_compressed("runs"), *swept)
    assert set(runs["code_digest"]) == {code_digest("fer_utils.steps.compress")}


def test_exported_files_are_named_after_what_they_are(made):
    files = exported_files([NETWORK], made)
    assert files[f"{NETWORK}.all.none.int8"].name == f"{NETWORK}.all.none.int8.32.tflite"
    assert files[f"{NETWORK}.all.quantization_aware.int8"].parent.name == "quantization_aware"
    assert all(file.is_file() for file in files.values())


def test_without_photographs_the_external_check_is_empty_and_whole(small, made, monkeypatch):
    monkeypatch.delenv("FER_DATA", raising=False)
    make_external_faces(small, made)
    predict_external(small, made)
    predict_external_by_files(small, made)
    assert tables.read("faces", made.external_faces).empty
    for table in (made.external_predictions, made.external_compressed_predictions):
        assert tables.read("predictions", table).empty


def test_a_leak_stops_training_before_it_begins(small, made, tmp_path):
    faces = tables.read("faces", made.faces)
    first = faces.index[faces["split"] == "test"][0]
    faces.loc[first, "split"] = "train"
    leaking = Paths(tmp_path, small)
    tables.write(faces, "faces", leaking.faces)
    with pytest.raises(LeakError, match=r"1 subject\(s\) are in more than one of"):
        train(NETWORK, small, leaking)
    assert not leaking.trained("runs", NETWORK).exists()


def test_rendering_twice_by_one_seed_gives_identical_tables(small, made, tmp_path):
    """A tenth of the faces: what they are depends neither on the others nor on the processes that they are shared among."""
    again = Paths(tmp_path, small)
    few_faces(small, again, every=50)
    once, twice = (tables.read("faces", paths.faces) for paths in (made, again))
    assert set(twice["split"]) == set(once["split"])
    once = once[once["face_id"].isin(twice["face_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(twice, once)


@pytest.mark.system
def test_a_kill_in_the_middle_leaves_no_table(tmp_path):
    script = tmp_path / "render.py"
    script.write_text(RENDER)
    results = tmp_path / "results"
    process = subprocess.Popen([sys.executable, str(script), str(results)], start_new_session=True)
    deadline = time.monotonic() + 60
    while not list(results.rglob("*.png")) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert list(results.rglob("*.png")), "no face was rendered within a minute"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert list(results.rglob("*.parquet")) == []
    with pytest.raises(FileNotFoundError, match="run the stage that writes it"):
        tables.read("faces", Paths(results, load_study("quick")).faces)


@pytest.mark.slow
def test_two_trainings_by_one_seed_predict_the_same(small, made, tmp_path):
    again = Paths(tmp_path, small)
    few_faces(small, again)
    train(NETWORK, small, again)
    written = [paths.trained("predictions", NETWORK).read_bytes() for paths in (made, again)]
    assert written[0] == written[1]


TRAIN = """
import pathlib, sys
from fer_utils.paths import Paths
from fer_utils.steps.train import train
from fer_utils.study import Study
from traced_training import checkpoints
checkpoints.PAUSE = 0.0  # all epochs are kept, short as they are
study = Study.model_validate_json(sys.argv[2], strict=False)
train("mobilenet_v3_small", study, Paths(pathlib.Path(sys.argv[1]), study))
"""


def datasets(path):
    """The contents of every data set of an HDF5 file, by name."""
    found = {}

    def add(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[()].tobytes()

    with h5py.File(path) as file:
        file.visititems(add)
    return found


@pytest.mark.slow
def test_a_training_that_was_killed_goes_on_and_ends_as_one_that_was_not(small, made, tmp_path):
    study = small.model_copy(update={"epochs": 4})
    results = {}
    for name in ("whole", "killed"):
        paths = Paths(tmp_path / name, study)
        shutil.copytree(made.faces.parent, paths.faces.parent)
        command = [sys.executable, "-c", TRAIN, str(tmp_path / name), study.model_dump_json()]
        kept = paths.trained("runs", NETWORK).parent / f"{NETWORK}.all.checkpoint.npz"
        if name == "killed":
            process = subprocess.Popen(command)
            deadline = time.monotonic() + 120
            while not kept.exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            process.kill()
            process.wait()
            with np.load(kept) as state:
                assert 1 <= len(state["curve"]) < study.epochs, "it was not cut between two epochs"
        subprocess.run(command, check=True)
        assert not kept.exists(), "what a finished training kept is of no use"
        runs = tables.read("runs", paths.trained("runs", NETWORK))
        weights = paths.trained("runs", NETWORK).parent / runs["artefact"][0]
        results[name] = datasets(weights)
        results[name]["curves"] = tables.read("curves", paths.trained("curves", NETWORK)).to_csv()
    assert results["whole"] == results["killed"]
