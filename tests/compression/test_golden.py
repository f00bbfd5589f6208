"""The golden pair: a correct port passes, and each kind of wrong one is detected."""

import json

import numpy as np
import pytest

from face_sets.expressions import EXPRESSIONS
from face_sets.images import read_image
from fer_utils.compression.export import to_tflite
from fer_utils.compression.golden import (
    FACE_FILE,
    FLOAT_TOLERANCE,
    GOLDEN_FILE,
    PICTURE_FILE,
    STEP,
    GoldenError,
    answers_here,
    compare,
    golden_face,
    golden_files,
    read_answers,
    read_golden,
)
from tflite_files.metadata import describe

SIZE = 32


@pytest.fixture(scope="module")
def made(tiny_network, striped_faces, tmp_path_factory):
    """A folder with a float and an int8 file and their golden pair."""
    folder = tmp_path_factory.mktemp("golden")
    models = {}
    for precision in ("float32", "int8"):
        path = folder / f"tiny.{precision}.{SIZE}.tflite"
        path.write_bytes(describe(to_tflite(tiny_network, precision, striped_faces[0]), "tiny", "x"))
        models[path] = precision
    for name, content in golden_files(models, SIZE).items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def copy(made, tmp_path):
    """A copy of the folder, to be damaged."""
    for path in made.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def test_this_machine_agrees_with_itself(made):
    golden = read_golden(made)
    found = compare(golden, answers_here(made, golden))
    assert len(found) == 2
    assert all(each.agrees and each.largest_difference < 1e-8 for each in found)


def test_bytes_and_picture_are_the_same_face_and_the_same_each_time(made):
    face = np.frombuffer((made / FACE_FILE).read_bytes(), np.uint8).reshape(SIZE, SIZE, 3)
    np.testing.assert_array_equal(face, read_image(made / PICTURE_FILE))
    np.testing.assert_array_equal(face, golden_face(SIZE))
    assert face.std() > 20, "a face has light and dark"


def test_the_pair_says_layout_labels_and_how_far_one_may_be_off(made):
    golden = json.loads((made / GOLDEN_FILE).read_text())
    assert golden["labels"] == list(EXPRESSIONS)
    assert golden["face"]["shape"] == [1, SIZE, SIZE, 3]
    tolerances = {name.split(".")[1]: each["tolerance"] for name, each in golden["answers"].items()}
    assert tolerances == {"float32": FLOAT_TOLERANCE, "int8": STEP}


@pytest.mark.parametrize(
    "port",
    [
        lambda face: face[..., ::-1],  # blue first
        lambda face: face / 255,
        lambda face: np.swapaxes(face, 1, 2),
        lambda face: face[:, ::-1],
    ],
    ids=["colours swapped", "levels scaled", "rows for columns", "upside down"],
)
def test_a_port_that_lays_the_face_out_wrongly_is_detected(made, port):
    from ai_edge_litert.interpreter import Interpreter

    golden = read_golden(made)
    face = np.frombuffer((made / FACE_FILE).read_bytes(), np.uint8).reshape(golden["face"]["shape"])
    name = next(name for name in golden["answers"] if "float32" in name)
    interpreter = Interpreter(model_path=str(made / name))
    interpreter.allocate_tensors()
    given = np.ascontiguousarray(port(face.astype(np.float32)))
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], given.astype(np.float32))
    interpreter.invoke()
    answer = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
    (found,) = compare(golden, {name: answer.tolist()})
    assert not found.agrees


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", FLOAT_TOLERANCE), ("int8", STEP)])
def test_an_answer_may_be_off_by_its_bound_and_no_more(made, precision, tolerance):
    golden = read_golden(made)
    name = next(name for name in golden["answers"] if precision in name)
    right = np.array(golden["answers"][name]["probabilities"])
    shift = np.zeros(7)
    first = right.argmax()
    second = np.where(np.arange(7) == first, -1, right).argmax()
    shift[first], shift[second] = 1, -1  # the sum stays, and so does the expression named
    for factor, agrees in ((0.9, True), (1.1, False)):
        (found,) = compare(golden, {name: (right + factor * tolerance * shift).clip(0, 1).tolist()})
        assert found.agrees is agrees


def test_another_expression_disagrees_however_close(made):
    golden = read_golden(made)
    name = next(iter(golden["answers"]))
    golden["answers"][name]["probabilities"] = [0.5, 0.499999, 0, 0, 0, 0, 0.000001]
    (found,) = compare(golden, {name: [0.499999, 0.5, 0, 0, 0, 0, 0.000001]})
    assert found.largest_difference < found.tolerance
    assert not found.agrees


def test_a_damaged_golden_answer_is_detected(copy):
    path = copy / GOLDEN_FILE
    golden = json.loads(path.read_text())
    name = next(iter(golden["answers"]))
    golden["answers"][name]["probabilities"][3] += 0.01
    path.write_text(json.dumps(golden))
    with pytest.raises(GoldenError, match="is damaged"):
        read_golden(copy)


@pytest.mark.parametrize("text", ["[]", "1", "null", '"digest"', "[" * 100_000, '{"digest": 1}'])
def test_json_of_another_shape_is_damaged(copy, text):
    (copy / GOLDEN_FILE).write_text(text)
    with pytest.raises(GoldenError, match="is damaged"):
        read_golden(copy)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (FACE_FILE, "is not the face of golden.json"),
        (GOLDEN_FILE, "is damaged: unpack the export again"),
        (f"tiny.int8.{SIZE}.tflite", "is not the file that the golden pair was made with"),
    ],
)
def test_a_damaged_file_is_reported_in_a_sentence(copy, name, sentence):
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 0xFF
    (copy / name).write_bytes(bytes(content))
    with pytest.raises(GoldenError, match=sentence):
        answers_here(copy, read_golden(copy))


def test_a_folder_without_a_pair_says_so(tmp_path):
    with pytest.raises(GoldenError, match="holds no golden.json"):
        read_golden(tmp_path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("seven", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        (
            f'{{"tiny.float32.32.tflite": [{10**400}, 0, 0, 0, 0, 0, 0]}}',
            "should be seven numbers from 0 to 1",
        ),
        ("[0.1, 0.2]", "seven numbers"),  # two models here: a bare list does not say of which
        ("{}", "seven numbers"),
        ('{"other.tflite": [0, 0, 1, 0, 0, 0, 0]}', "no golden answer of 'other.tflite'"),
        ('{"tiny.float32.32.tflite": [0.1, 0.2]}', "should be seven numbers from 0 to 1"),
        ('{"tiny.float32.32.tflite": [0, 0, 255, 0, 0, 0, 0]}', "should be seven numbers from 0 to 1"),
        ('{"tiny.float32.32.tflite": {"fear": 1}}', "should be seven numbers from 0 to 1"),
    ],
)
def test_an_invalid_answer_is_reported_in_a_sentence(made, tmp_path, content, sentence):
    path = tmp_path / "answer.json"
    path.write_text(content)
    golden = read_golden(made)
    with pytest.raises(GoldenError, match=sentence):
        compare(golden, read_answers(path, golden))
