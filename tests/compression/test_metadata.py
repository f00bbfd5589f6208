import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools.flatbuffer_utils import convert_bytearray_to_object, convert_object_to_bytearray

from face_sets.expressions import EXPRESSIONS
from face_sets.face_model import LOCK_FILE
from fer_utils.compression.export import to_tflite
from fer_utils.compression.golden import FACE_FILE, compare, read_golden
from fer_utils.models.backbones import keras, layers
from fer_utils.models.prediction import predict_tflite
from fer_utils.paths import Paths
from fer_utils.reporting.gate import best_models
from fer_utils.study import load_study
from tflite_files.metadata import METADATA_NAME, describe, file_interface

CLASSIFY = """
import json, sys
import mediapipe, numpy
from mediapipe.tasks.python import BaseOptions, vision
pixels = numpy.load(sys.argv[1])
answers = []
for path in sys.argv[2:]:
    options = vision.ImageClassifierOptions(base_options=BaseOptions(model_asset_path=path))
    with vision.ImageClassifier.create_from_options(options) as classifier:
        for face in pixels:
            found = classifier.classify(mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=face))
            answers.append({c.category_name: c.score for c in found.classifications[0].categories})
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def plain(tiny_network, striped_faces):
    return {name: to_tflite(tiny_network, name, striped_faces[0]) for name in ("float32", "int8")}


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_described_file_answers_as_before(plain, striped_faces, tmp_path, precision):
    before, after = tmp_path / "before.tflite", tmp_path / "after.tflite"
    before.write_bytes(plain[precision])
    after.write_bytes(describe(plain[precision], "tiny", "says what it is"))
    np.testing.assert_array_equal(
        predict_tflite(before, striped_faces[0]), predict_tflite(after, striped_faces[0])
    )


def test_the_labels_are_behind_the_model_in_our_order(plain, tmp_path):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(describe(plain["int8"], "tiny", "says what it is"))
    with zipfile.ZipFile(path) as archive:
        assert archive.read("labels.txt").decode().split() == list(EXPRESSIONS)


def test_the_metadata_is_a_buffer_of_its_own_kind_and_the_same_each_time(plain):
    described = describe(plain["float32"], "tiny", "says what it is")
    model = schema.ModelT.InitFromPackedBuf(described, 0)
    (entry,) = [entry for entry in model.metadata if entry.name == METADATA_NAME.encode()]
    data = bytes(bytearray(model.buffers[entry.buffer].data))
    assert data[4:8] == b"M001"
    assert b"says what it is" in data
    assert described == describe(plain["float32"], "tiny", "says what it is")


def test_a_described_file_is_not_described_again(plain):
    with pytest.raises(ValueError, match="tiny has metadata already"):
        describe(describe(plain["int8"], "tiny", "x"), "tiny", "x")


@pytest.fixture
def described(plain, tmp_path):
    """Paths of described files by precision."""
    paths = {precision: tmp_path / f"{precision}.tflite" for precision in plain}
    for precision, path in paths.items():
        path.write_bytes(describe(plain[precision], "tiny", "x"))
    return paths


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_every_precision_takes_and_gives_the_same(described, precision):
    found = file_interface(described[precision])
    assert (found.input.shape, found.input.dtype) == ((1, 32, 32, 3), "float32")
    assert (found.output.shape, found.output.dtype) == ((1, 7), "float32")
    assert found.labels == EXPRESSIONS


def test_the_lowest_runtime_is_that_of_the_newest_operator(described, tmp_path):
    """Hard-swish was added in TensorFlow 1.15; a network without it runs on older ones."""
    assert file_interface(described["float32"]).lowest_runtime == "1.15.0"
    pixels = keras.Input((32, 32, 3))
    simple = layers.Dense(7, activation="softmax")(layers.GlobalAveragePooling2D()(pixels))
    path = tmp_path / "simple.tflite"
    path.write_bytes(describe(to_tflite(keras.Model(pixels, simple), "float32", None), "simple", "x"))
    assert [int(part) for part in file_interface(path).lowest_runtime.split(".")] < [1, 15]


def test_a_file_that_does_not_describe_itself_is_refused(plain, tmp_path):
    path = tmp_path / "plain.tflite"
    path.write_bytes(plain["int8"])
    with pytest.raises(ValueError, match=r"has no labels.txt inside: export it again"):
        file_interface(path)


def test_a_file_without_the_converters_note_is_refused(plain, tmp_path):
    model = convert_bytearray_to_object(plain["int8"])
    model.metadata = []
    path = tmp_path / "silent.tflite"
    path.write_bytes(describe(bytes(convert_object_to_bytearray(model)), "tiny", "x"))
    with pytest.raises(ValueError, match="does not say which runtime it needs"):
        file_interface(path)


@pytest.fixture(scope="module")
def answers_of_mediapipe(tmp_path_factory):
    """A function that asks MediaPipe's ImageClassifier: files and faces to (files * faces, 7) probabilities.

    MediaPipe needs packages that ours exclude: it gets an environment of its own, from the lock's version.
    """
    (pinned,) = [
        line.split()[0] for line in LOCK_FILE.read_text().splitlines() if line.startswith("mediapipe==")
    ]
    folder = tmp_path_factory.mktemp("mediapipe")
    python = folder / "environment" / "bin" / "python"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, python.parent.parent], check=True)
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, pinned], check=True)

    def ask(files, pixels):
        np.save(folder / "pixels.npy", pixels)
        command = [python, "-c", CLASSIFY, folder / "pixels.npy", *files]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        answers = json.loads(said.splitlines()[-1])
        return np.array([[answer[name] for name in EXPRESSIONS] for answer in answers])

    return ask


@pytest.mark.slow
def test_mediapipe_loads_the_files_unchanged_and_answers_as_the_interpreter(
    plain, striped_faces, tmp_path, answers_of_mediapipe
):
    pixels = striped_faces[0][:7]
    files, expected = [], []
    for precision, model in plain.items():
        files.append(tmp_path / f"{precision}.tflite")
        files[-1].write_bytes(describe(model, "tiny", "says what it is"))
        expected.append(predict_tflite(files[-1], pixels))
    theirs, ours = answers_of_mediapipe(files, pixels), np.concatenate(expected)
    np.testing.assert_allclose(theirs[:7], ours[:7], atol=1e-5)
    np.testing.assert_array_equal(theirs[7:].argmax(1), ours[7:].argmax(1))
    np.testing.assert_allclose(theirs[7:], ours[7:], atol=1 / 256 + 1e-6)  # one step of an int8 output


@pytest.mark.slow
@pytest.mark.results
def test_mediapipe_gives_the_golden_answers_of_the_runs_best_models(answers_of_mediapipe):
    study = load_study("quick")
    best = best_models(study, Paths.of(study))
    assert best
    for path in best.values():
        golden = read_golden(path.parent)
        face = np.frombuffer((path.parent / FACE_FILE).read_bytes(), np.uint8).reshape(
            golden["face"]["shape"]
        )
        (answer,) = answers_of_mediapipe([path], face)
        (found,) = compare(golden, {path.name: answer.tolist()})
        assert found.agrees, found
