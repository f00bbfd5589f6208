"""Face detectors that a reader can plug in by a model file: another BlazeFace, or one of OpenCV's Haar cascades.

A detector is anything with `detect(rgb) -> list[Face]` (face_sets.detection.Detector). A further kind needs a
class with that method and a line in `load_detector`.
"""

from pathlib import Path
from typing import Final

import cv2

from face_sets.detection import Detector, Face, FaceDetector
from face_sets.images import Pixels

SMALLEST_SHARE: Final = 0.1  # of the picture's shorter side: smaller "faces" are texture
STEP: Final = 1.1  # of scale between searches: the default of detectMultiScale
AGREEING_BOXES: Final = 5  # that make one face; 3 is the default, 5 lets fewer collars and curtains through


class DetectorError(ValueError):
    """A model file is not a detector that can be used; the message says what would be."""


class HaarDetector:
    """A cascade of Viola & Jones (2001) as OpenCV ships it; it knows no eyes, so faces are taken as level."""

    def __init__(self, model: Path) -> None:
        """Load the cascade's XML file."""
        try:
            self._cascade = cv2.CascadeClassifier(str(model))
            is_empty = self._cascade.empty()
        except (cv2.error, SystemError):
            is_empty = True
        if is_empty:
            raise DetectorError(f"{model.name} is not a cascade of OpenCV: give one of its XML files")

    def detect(self, image: Pixels) -> list[Face]:
        """Return the faces in an RGB picture, the largest first; score is 1, key points are a level face's."""
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        least = max(24, round(SMALLEST_SHARE * min(grey.shape)))  # cascades are trained on 24 pixels
        boxes = self._cascade.detectMultiScale(grey, STEP, AGREEING_BOXES, minSize=(least, least))
        faces = [_level_face(*(float(v) for v in box)) for box in boxes]
        return sorted(faces, key=lambda face: -face.area)


def load_detector(model: Path | None = None) -> Detector:
    """Return the detector of a model file: BlazeFace for .tflite (None: the project's own), a cascade for .xml.

    Raises DetectorError, in one sentence, for another or an unreadable file.
    """
    if model is None:
        return FaceDetector()
    if not model.is_file():
        raise DetectorError(
            f"no detector model at {model}: give a .tflite file of BlazeFace or an .xml cascade"
        )
    if model.suffix == ".xml":
        return HaarDetector(model)
    if model.suffix != ".tflite":
        raise DetectorError(
            f"{model.name} is no known kind of detector: give a .tflite file of BlazeFace or an .xml cascade"
        )
    try:
        return FaceDetector(model)
    except (ValueError, RuntimeError, KeyError) as error:
        raise DetectorError(
            f"{model.name} is not a BlazeFace short-range model: give such a .tflite file"
        ) from error


def _level_face(x: float, y: float, width: float, height: float) -> Face:
    eyes, middle = y + 0.4 * height, x + width / 2  # shares of a frontal face's box; only their level matters
    points = ((x + 0.3 * width, eyes), (x + 0.7 * width, eyes), (middle, y + 0.6 * height),
              (middle, y + 0.8 * height), (x, eyes), (x + width, eyes))  # fmt: skip
    return Face(x, y, width, height, 1.0, points)
