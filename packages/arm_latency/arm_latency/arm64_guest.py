"""The program that runs inside the emulated system: answers of a .tflite file to faces.

Started by `fer_utils.profiling.arm64` as a script, with nothing of this project on its path: NumPy and LiteRT alone.
"""

import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def main(model: str, faces: str, answered: str) -> None:
    """Write `answers` (N, outputs) to the float32 `faces` (N, S, S, 3) of an .npy file, one face at a time.

    `processor` is the text of /proc/cpuinfo, to prove which processor LiteRT saw.
    """
    interpreter = Interpreter(model_path=model, num_threads=1)
    interpreter.allocate_tensors()
    entrance, exit_ = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    answers = []
    for face in np.load(faces):
        interpreter.set_tensor(entrance["index"], face[None])
        interpreter.invoke()
        answers.append(interpreter.get_tensor(exit_["index"])[0])
    with open("/proc/cpuinfo", encoding="ascii") as cpuinfo:
        np.savez(answered, answers=np.stack(answers), processor=np.array(cpuinfo.read()))


if __name__ == "__main__":
    main(*sys.argv[1:])
