"""A golden pair beside exported files: one drawn face, and what each file answers to it on the machine that made it.

Whoever ports a model gives the port the same bytes and compares its seven probabilities. The face shows nobody.
"""

import json
import platform
from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from face_sets.detection import FaceDetector, crop_face, largest_face
from face_sets.expressions import EXPRESSIONS
from face_sets.images import Pixels, encode_png
from fer_utils.models.prediction import predict_tflite
from fer_utils.study import Precision
from synthetic_faces.portrait import Row, render_face

GOLDEN_FILE: Final = "golden.json"
FACE_FILE: Final = "golden_face.rgb"
PICTURE_FILE: Final = "golden_face.png"

FACE: Final[Row] = {
    "expression": "happiness", "blended_with": "neutral", "blend": 0.0, "intensity": 1.0, "difficulty": 0.0,
    "domain": "lab", "childness": 1.0, "sex": "female", "skin_tone": 5, "identity_seed": 1, "image_seed": 1,
}  # fmt: skip
"""A child's clear smile, which most of the networks name with some confidence: a port that swaps colours or scales
levels then answers visibly otherwise."""

PICTURE_SIZE: Final = 480  # pixels a side, drawn: more than the networks take, as a camera gives

FLOAT_TOLERANCE: Final = 1e-5
"""Of a probability, for float32: what runtimes may differ by in the order of their sums (the book's pages hold
browsers to the same)."""

STEP: Final = 1 / 256
"""Of a probability, for any smaller precision: a step of an 8-bit softmax (LiteRT's 8-bit quantization specification:
scale 1/256), since runtimes round differently."""


class GoldenError(ValueError):
    """A golden pair, or an answer to it, is not what it should be; the message says what to do."""


def golden_face(image_size: int) -> Pixels:
    """Return the golden face, uint8 RGB (image_size, image_size, 3), cut out by the rule that cuts all faces."""
    picture = render_face(FACE, PICTURE_SIZE)
    face = largest_face(FaceDetector().detect(picture))
    if face is None:
        raise GoldenError("the detector finds no face in the golden picture: draw another (golden.FACE)")
    return crop_face(picture, face, image_size)


def golden_files(models: Mapping[Path, Precision], image_size: int) -> dict[str, bytes]:
    """Return the golden pair of exported files of one input side: contents by file name, to lie beside them.

    FACE_FILE holds the input as bytes: rows from top to bottom, in each the pixels from left to right, of each red,
    green, blue. PICTURE_FILE is the same as a picture. GOLDEN_FILE is JSON: what the face is, and by file name the
    model's SHA-256, the seven probabilities (in the order of `labels`) and how far a port may be from each.
    """
    face = golden_face(image_size)
    known = {
        "face": {
            "file": FACE_FILE, "picture": PICTURE_FILE, "shape": [1, image_size, image_size, 3],
            "layout": "a byte a level (0 to 255), row by row, RGB; give it to the model as float32, unscaled",
            "shows": "a drawn child's face, happiness; it shows nobody", "sha256": sha256_digits(face.tobytes()),
        },
        "labels": list(EXPRESSIONS),
        "made_by": f"LiteRT {version('ai-edge-litert')} interpreter, {platform.machine()}, one thread",
        "answers": {path.name: _answer(path, precision, face) for path, precision in models.items()},
    }  # fmt: skip
    text = json.dumps(known, indent=1) + "\n"
    return {GOLDEN_FILE: text.encode(), FACE_FILE: face.tobytes(), PICTURE_FILE: encode_png(face)}


def _answer(path: Path, precision: Precision, face: Pixels) -> dict[str, Any]:
    return {
        "sha256": sha256_digits(path.read_bytes()),
        "probabilities": [
            float(f"{p:.9g}") for p in predict_tflite(path, face[None])[0]
        ],  # 9 digits: a float32
        "tolerance": FLOAT_TOLERANCE if precision == "float32" else STEP,
    }


def sha256_digits(data: bytes) -> str:
    """Return the SHA-256 of bytes, 64 hexadecimal digits."""
    return sha256(data).hexdigest()
