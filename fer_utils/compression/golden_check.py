"""Whether a port, or this machine, gives the golden answers of exported files (see `fer_utils.compression.golden`)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from face_sets.expressions import EXPRESSIONS
from fer_utils.compression.golden import FACE_FILE, GOLDEN_FILE, GoldenError, sha256_digits
from fer_utils.models.prediction import predict_tflite

ROUNDING: Final = 1e-7  # of a float32 near 1, so that one step is not missed by a hair


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


def read_golden(folder: Path) -> dict[str, Any]:
    """Return what GOLDEN_FILE in a folder says, once the face beside it is the one that it was made with.

    Raises GoldenError for a folder without a golden pair, or a damaged one.
    """
    try:
        golden: dict[str, Any] = json.loads((folder / GOLDEN_FILE).read_text(encoding="utf-8"))
        face = (folder / FACE_FILE).read_bytes()
        whole = sha256_digits(face) == golden["face"]["sha256"] and golden["labels"] == list(EXPRESSIONS)
    except FileNotFoundError as error:
        raise GoldenError(
            f"{folder} holds no {Path(error.filename).name}: give the folder of an unpacked export"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
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
        if not path.is_file() or sha256_digits(path.read_bytes()) != known["sha256"]:
            raise GoldenError(f"{path} is not the file that the golden pair was made with: export it again")
        answers[name] = [float(p) for p in predict_tflite(path, face)[0]]
    return answers


def read_answers(path: Path, golden: Mapping[str, Any]) -> dict[str, list[float]]:
    """Return a port's answers from a JSON file: seven numbers in the order of the labels, or such a list by file name.

    Raises GoldenError for a file that is neither.
    """
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GoldenError(
            f"{path} cannot be read as JSON: write the seven probabilities as a list"
        ) from error
    if isinstance(given, list) and len(golden["answers"]) == 1:
        return {next(iter(golden["answers"])): given}
    if not isinstance(given, dict) or not given:
        raise GoldenError(
            f"{path} should hold seven numbers, or an object of such lists by file name: "
            + ", ".join(golden["answers"])
        )
    return given


def compare(golden: Mapping[str, Any], answers: Mapping[str, Sequence[float]]) -> list[Comparison]:
    """Return one comparison an answer (seven probabilities by file name) with the golden pair's.

    Raises GoldenError for a file that has no golden answer, or an answer that is not seven numbers from 0 to 1.
    """
    found = []
    for name, answer in answers.items():
        known = golden["answers"].get(name)
        if known is None:
            raise GoldenError(f"no golden answer of {name!r}: there are {', '.join(golden['answers'])}")
        given, expected = _numbers(name, answer), np.array(known["probabilities"])
        found.append(
            Comparison(
                name, EXPRESSIONS[int(given.argmax())], EXPRESSIONS[int(expected.argmax())],
                float(np.abs(given - expected).max()), float(known["tolerance"]),
            )
        )  # fmt: skip
    return found


def _numbers(name: str, answer: Sequence[float]) -> np.ndarray:
    try:
        numbers = np.array(answer, dtype=float)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.shape != (len(EXPRESSIONS),) or not ((numbers >= 0) & (numbers <= 1)).all():
        raise GoldenError(
            f"the answer of {name} should be seven numbers from 0 to 1 in the order {', '.join(EXPRESSIONS)}"
        )
    return numbers
