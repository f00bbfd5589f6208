from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from arm_latency.interpreters import ProfilingError, open_at, resized

TinyFile = Callable[[str], Path]


def answer(interpreter: Interpreter, image: np.ndarray) -> np.ndarray:
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


@pytest.mark.parametrize("side", [32, 64, 224])
@pytest.mark.parametrize("precision", ["float32", "float16", "dynamic", "int8"])
def test_a_resized_file_states_its_size_and_answers_as_the_file_that_is_resized_when_opened(
    tiny_file: TinyFile, precision: str, side: int
) -> None:
    whole = Interpreter(model_content=resized(tiny_file(precision), side), num_threads=1)
    whole.allocate_tensors()
    given = whole.get_input_details()[0]
    assert list(given["shape"]) == list(given["shape_signature"]) == [1, side, side, 3]
    image = np.random.default_rng(0).integers(0, 100, (1, side, side, 3)).astype(given["dtype"])
    assert (answer(whole, image) == answer(open_at(tiny_file(precision), side), image)).all()


def test_all_inner_shapes_are_of_that_size_too(tiny_file: TinyFile, tmp_path: Path) -> None:
    """A runtime may plan its memory by them before it computes them."""
    path = tmp_path / "resized.tflite"
    path.write_bytes(resized(tiny_file("float32"), 64))
    found = [list(each["shape"]) for each in open_at(path, 64, delegate=False).get_tensor_details()]
    stated = [list(each["shape"]) for each in Interpreter(str(path)).get_tensor_details()]
    assert stated == found[: len(stated)]
    assert [1, 32, 32, 64] in stated
    assert resized(path, 32) == tiny_file("float32").read_bytes()


def test_a_file_of_fixed_size_is_refused(reshaping_file: Path) -> None:
    with pytest.raises(ProfilingError, match="cannot be resized to 64 pixels"):
        resized(reshaping_file, 64)
