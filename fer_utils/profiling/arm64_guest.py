"""The program that runs inside the emulated system: answers of a .tflite file, and marks around single inferences.

Started by `fer_utils.profiling.arm64` as a script, with nothing of this project on its path: NumPy and LiteRT alone.
"""

import os
import sys
from contextlib import suppress

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray


def main(model: str, given: str, answered: str) -> None:
    """Read `faces` (N, S, S, 3) and `counted` (1, P, P, 3), float32, and `inferences` from `given`; write `answers`.

    The faces are asked about one by one at the file's own size; then the input `counted` is run `inferences` times at
    its size, with a mark before each and after the last. `answers` is (N, outputs); `processor` is the text of
    /proc/cpuinfo, to prove which processor LiteRT saw.
    """
    with np.load(given) as stored:
        arrays = dict(stored)
    inferences = int(arrays["inferences"])
    interpreter = _opened(model, arrays["faces"].shape[1])
    answers = np.concatenate([_answer(interpreter, face[None]) for face in arrays["faces"]])
    interpreter = _opened(model, arrays["counted"].shape[1])
    _answer(interpreter, arrays["counted"])  # the first inference repacks weights and grows buffers
    for number in range(inferences):
        _mark(number)
        interpreter.invoke()
    _mark(inferences)
    with open("/proc/cpuinfo", encoding="ascii") as cpuinfo:
        np.savez(answered, answers=answers, processor=np.array(cpuinfo.read()))


def _opened(model: str, image_size: int) -> Interpreter:
    interpreter = Interpreter(model_path=model, num_threads=1)
    interpreter.resize_tensor_input(
        interpreter.get_input_details()[0]["index"], [1, image_size, image_size, 3]
    )
    interpreter.allocate_tensors()
    return interpreter


def _answer(interpreter: Interpreter, face: NDArray[np.float32]) -> NDArray[np.float32]:
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], face)
    interpreter.invoke()
    answer: NDArray[np.float32] = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return answer


def _mark(number: int) -> None:
    """Close a file that cannot be open: the plugin prints its totals at that system call (instruction_counts.c).

    What Python does for it is counted too: twelve thousand instructions, measured, of many millions.
    """
    with suppress(OSError):
        os.close(-2000 - number)


if __name__ == "__main__":
    main(*sys.argv[1:])
