"""A golden pair beside exported files: one rendered face, and what each file answers to it on this machine.

Whoever ports a model gives the port the same bytes and compares its seven probabilities. The face shows nobody.
"""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from face_sets.detection import FaceDetector, crop_face, largest_face
from face_sets.expressions import EXPRESSIONS
from face_sets.files import digest, read_plain
from face_sets.images import Pixels, encode_png
from fer_utils.models.prediction import predict_tflite
from fer_utils.study import Precision
from rendered_faces.portrait import Row, render_face

GOLDEN_FILE: Final = "golden.json"
FACE_FILE: Final = "golden_face.rgb"
PICTURE_FILE: Final = "golden_face.png"

FACE: Final[Row] = {
    "expression": "happiness", "mouth": "open", "blended_with": "neutral", "blend": 0.0, "intensity": 1.0, "difficulty": 0.0,
    "domain": "lab", "model_age": 6.0, "sex": "female", "skin_tone": 5, "identity_seed": 2, "image_seed": 1,
}  # fmt: skip
"""A child's clear smile, which most of the networks name with some confidence: the answer of a port that swaps
colours or scales levels then differs visibly."""

PICTURE_SIZE: Final = 480  # pixels a side: more than the networks take, as a camera gives

FLOAT_TOLERANCE: Final = 1e-5
"""Of a probability, for float32: what runtimes may differ by in the order of their sums (the book's pages hold
browsers to the same)."""

STEP: Final = 1 / 256
"""Of a probability, for any smaller precision: a step of an 8-bit softmax (LiteRT's 8-bit quantization specification:
scale 1/256), since runtimes round differently."""

LARGEST_ANSWER: Final = 1_000_000  # bytes; seven numbers a file have some hundred

ROUNDING: Final = 1e-7  # of a float32 near 1, added to a tolerance


class GoldenError(ValueError):
    """A golden pair, or an answer to it, is not what it should be; the message says what to do."""


@dataclass(frozen=True)
class Comparison:
    """One file's answer beside the golden one: probabilities 0 to 1, expressions by name."""

    file: str
    given: str
    expected: str
    largest_difference: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether the answer names the same expression and every probability is within the tolerance."""
        return self.given == self.expected and self.largest_difference <= self.tolerance + ROUNDING


@cache
def golden_face(image_size: int) -> Pixels:
    """Return the golden face, uint8 RGB (image_size, image_size, 3), cut out by the rule that cuts all faces."""
    picture = render_face(FACE, PICTURE_SIZE)
    face = largest_face(FaceDetector().detect(picture))
    if face is None:
        raise GoldenError("the detector finds no face in the golden picture: choose another (golden.FACE)")
    return crop_face(picture, face, image_size)


def golden_files(models: Mapping[Path, Precision], image_size: int) -> dict[str, bytes]:
    """Return the golden pair of exported files of one input side: contents by file name, to be written beside them.

    FACE_FILE holds the input as bytes: rows from top to bottom, in each the pixels from left to right, of each red,
    green, blue. PICTURE_FILE is the same as a picture. GOLDEN_FILE is JSON: what the face is, and by file name the
    model's SHA-256, the seven probabilities (in the order of `labels`) and how far a port may be from each.
    """
    face = golden_face(image_size)
    known = {
        "face": {
            "file": FACE_FILE, "picture": PICTURE_FILE, "shape": [1, image_size, image_size, 3],
            "layout": "one byte per level (0 to 255), row by row, RGB; give it to the model as float32, unscaled",
            "shows": "a rendered child's face, happiness; it shows nobody", "sha256": _sha256(face.tobytes()),
        },
        "labels": list(EXPRESSIONS),
        "made_by": f"LiteRT {version('ai-edge-litert')} interpreter, {platform.machine()}, one thread",
        "answers": {path.name: _answer(path, precision, face) for path, precision in models.items()},
    }  # fmt: skip
    text = json.dumps(known | {"digest": digest(known)}, indent=1) + "\n"
    return {GOLDEN_FILE: text.encode(), FACE_FILE: face.tobytes(), PICTURE_FILE: encode_png(face)}


def _answer(path: Path, precision: Precision, face: Pixels) -> dict[str, Any]:
    probabilities = predict_tflite(path, face[None])[0]
    return {
        "sha256": _sha256(path.read_bytes()),
        "probabilities": [float(f"{p:.9g}") for p in probabilities],  # 9 digits: a float32
        "tolerance": FLOAT_TOLERANCE if precision == "float32" else STEP,
    }


def _sha256(data: bytes) -> str:
    return sha256(data).hexdigest()


def read_golden(folder: Path) -> dict[str, Any]:
    """Return the content of GOLDEN_FILE in a folder, after checking that the face beside it is the one it names.

    Raises GoldenError for a folder without a golden pair, or a damaged one.
    """
    try:
        golden: dict[str, Any] = json.loads((folder / GOLDEN_FILE).read_text(encoding="utf-8"))
        face = (folder / FACE_FILE).read_bytes()
        if golden.pop("digest") != digest(golden):
            raise ValueError
        whole = _sha256(face) == golden["face"]["sha256"] and golden["labels"] == list(EXPRESSIONS)
    except (FileNotFoundError, NotADirectoryError) as error:
        missing = Path(error.filename).name
        raise GoldenError(f"{folder} holds no {missing}: give the folder of an unpacked export") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise GoldenError(f"{folder / GOLDEN_FILE} is damaged: unpack the export again") from error
    if not whole:
        raise GoldenError(f"{folder / FACE_FILE} is not the face of {GOLDEN_FILE}: unpack the export again")
    return golden


def answers_here(folder: Path, golden: Mapping[str, Any]) -> dict[str, list[float]]:
    """Return what the files beside a golden pair answer on this machine: seven probabilities by file name.

    Raises GoldenError for a model that is missing or not the one whose answers are golden.
    """
    face = np.frombuffer((folder / FACE_FILE).read_bytes(), np.uint8).reshape(golden["face"]["shape"])
    answers = {}
    for name, known in golden["answers"].items():
        path = folder / name
        if not path.is_file() or _sha256(path.read_bytes()) != known["sha256"]:
            raise GoldenError(f"{path} is not the file that the golden pair was made with: export it again")
        answers[name] = [float(p) for p in predict_tflite(path, face)[0]]
    return answers


def read_answers(path: Path, golden: Mapping[str, Any]) -> dict[str, list[float]]:
    """Return a port's answers from a JSON file: seven numbers in the order of the labels, or such a list by file name.

    Raises GoldenError for a file that is neither.
    """
    try:
        given = json.loads(read_plain(path, LARGEST_ANSWER))  # in any encoding of Unicode that JSON may have
    except OSError as error:
        raise GoldenError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise GoldenError(f"{path} is no JSON: write the seven probabilities as a list") from error
    names = list(golden["answers"])
    if isinstance(given, list) and len(names) == 1:
        return {names[0]: given}
    if not isinstance(given, dict) or not given:
        expected = "should hold seven numbers, or an object of such lists by file name"
        raise GoldenError(f"{path} {expected}: {', '.join(names)}")
    return given


def compare(golden: Mapping[str, Any], answers: Mapping[str, Sequence[float]]) -> list[Comparison]:
    """Return one comparison per answer (seven probabilities by file name) with the golden pair's.

    Raises GoldenError for a file that has no golden answer, or an answer that is not seven numbers from 0 to 1.
    """
    found = []
    for name, answer in answers.items():
        known = golden["answers"].get(name)
        if known is None:
            raise GoldenError(f"no golden answer of {name!r}: there are {', '.join(golden['answers'])}")
        given, expected = _probabilities(name, answer), np.array(known["probabilities"])
        ours, theirs = (EXPRESSIONS[int(each.argmax())] for each in (given, expected))
        largest = float(np.abs(given - expected).max())
        found.append(Comparison(name, ours, theirs, largest, float(known["tolerance"])))
    return found


def _probabilities(name: str, answer: Sequence[float]) -> np.ndarray:
    try:
        numbers = np.array(answer, dtype=float)
    except (TypeError, ValueError, OverflowError):
        numbers = np.empty(0)
    if numbers.shape != (len(EXPRESSIONS),) or not ((numbers >= 0) & (numbers <= 1)).all():
        order = ", ".join(EXPRESSIONS)
        raise GoldenError(f"the answer of {name} should be seven numbers from 0 to 1 in the order {order}")
    return numbers
