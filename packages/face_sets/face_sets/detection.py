"""Faces found in a picture, and cut out of it by one rule.

The detector is BlazeFace, short range (Bazarevsky et al. 2019, arXiv 1907.05047), run by LiteRT. The constants
of its decoding are those of MediaPipe's graph, `modules/face_detection/face_detection_short_range.pbtxt`.

The rule by which a face is cut out, written so that a page in a browser can do the same. Pixel (x, y) covers
the square from (x, y) to (x + 1, y + 1), so its centre is at (x + 0.5, y + 0.5).

1. Of several faces take the one with the largest box; where the data set's owner gives a box, look only around
   it and take the face that overlaps it most.
2. Let `side` be MARGIN times the longer side of the face's box. The crop's centre is the box's.
3. Let `angle` be the direction from the person's right eye to the left one: atan2(dy, dx), y downwards.
4. Divide the square of that centre, side and angle into `size` x `size` cells, rows running along `angle`.
5. Divide each cell into k x k, with k = floor(side / size) but at least 1. Samples then lie side / (k * size) pixels
   apart: less than two. If that is more than SPACING, smooth the picture first by SMOOTHING, along its rows and
   columns; beyond the border, the nearest pixel counts.
6. Read the picture at the middle of each part by bilinear interpolation; beyond the border as before.
7. A cell's colour is the mean over its k x k parts, rounded; red, green, blue.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol

import cv2
import numpy as np
import pandas as pd
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from face_sets.face_model import face_model_path
from face_sets.images import Pixels

MARGIN: Final = 1.35
"""Side of the crop over the longer side of the box. Chosen by eye among 1.2, 1.35 and 1.5: brows and chin lie inside
on all 102 London photographs and on synthetic children with open mouths, with room for the detector's scatter
of up to 0.06 of the side (see `traced_training.batches`), which 1.2 does not leave."""

SPACING: Final = 1.6
"""Pixels between samples up to which no smoothing is needed: up to 1.65 pixels bilinear reading lets through less of what
is too fine for the crop than the mean over each cell's area does (Pillow's BOX filter, gratings in several
directions); above, more."""

SMOOTHING: Final = (1 / 4, 1 / 2, 1 / 4)
"""Weights of a pixel and its two neighbours: the binomial ones, OpenCV's own for 3 x 3 pixels
(`cv::getGaussianKernel`), which it has a path for that takes a quarter of the time that other weights take. They let
nothing through of the finest gratings, and blur by 0.7 pixels where samples lie 1.6 to 2 apart."""

INPUT_SIZE: Final = 128
ANCHORS_A_CELL: Final = {8: 2, 16: 6}  # by stride in pixels; the three layers of stride 16 share their cells
SCORE_THRESHOLD: Final = 0.5
OVERLAP_THRESHOLD: Final = 0.3  # intersection over union above which two boxes are one face
KEY_POINTS: Final = ("right_eye", "left_eye", "nose_tip", "mouth", "right_ear", "left_ear")
"""The person's own right and left."""

AROUND: Final = 2.0
"""Where an owner gives a box the face is looked for in a square of this many times its longer side: the detector is
made for faces that fill a good part of the picture, and owners' boxes are wider or tighter than its own."""

OWNER_OVERLAP: Final = 0.2
"""Intersection over union with the owner's box, at least: a third of the side moved off still passes (2/3 x 2/3 of a
like square gives 0.29), a neighbour's face does not."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the upright picture."""


@dataclass(frozen=True)
class Face:
    """A face: box and key points in pixels of the picture (they may lie beyond its border), score 0 to 1.

    `key_points` holds (x, y) of the six points in the order of KEY_POINTS.
    """

    x: float
    y: float
    width: float
    height: float
    score: float
    key_points: tuple[tuple[float, float], ...]

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the box."""
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def area(self) -> float:
        """The box's area, square pixels."""
        return self.width * self.height

    @property
    def corners(self) -> NDArray[np.float64]:
        """Left, top, right, bottom."""
        return np.array([self.x, self.y, self.x + self.width, self.y + self.height])

    def moved(self, x: float, y: float) -> "Face":
        """Return the face moved by (x, y) pixels."""
        points = tuple((px + x, py + y) for px, py in self.key_points)
        return Face(self.x + x, self.y + y, self.width, self.height, self.score, points)

    @cached_property
    def roll(self) -> float:
        """Direction from the person's right eye to the left one, radians clockwise; 0 is level."""
        (right_x, right_y), (left_x, left_y) = self.key_points[:2]
        return math.atan2(left_y - right_y, left_x - right_x)


class Detector(Protocol):
    """What a face detector must do; `face_sets.detectors` has those that can be plugged in."""

    def detect(self, image: Pixels) -> list[Face]:
        """Return the faces in an RGB picture, uint8 (height, width, 3)."""


class FaceDetector:
    """BlazeFace short range on one thread: made for faces within about two metres of the camera."""

    def __init__(self, model_path: Path | None = None) -> None:
        """Load the model, by default the file that `face_model_path` checks."""
        self._interpreter = Interpreter(str(model_path or face_model_path()), num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        outputs = {o["name"]: o["index"] for o in self._interpreter.get_output_details()}
        self._regressors, self._logits = outputs["regressors"], outputs["classificators"]
        self._anchors = anchor_centres()

    def detect(self, image: Pixels) -> list[Face]:
        """Return the faces in an RGB picture, uint8 (height, width, 3), the largest first."""
        squared, scale, left, top = _letterboxed(image)
        self._interpreter.set_tensor(self._input, squared[None])
        self._interpreter.invoke()
        logits = self._interpreter.get_tensor(self._logits)[0, :, 0].astype(np.float64)
        scores = 1 / (1 + np.exp(-logits.clip(-100, 100)))  # the graph's own clipping
        kept = scores >= SCORE_THRESHOLD
        rows = _decoded(self._interpreter.get_tensor(self._regressors)[0][kept], self._anchors[kept])
        rows = (rows * INPUT_SIZE - np.tile([left, top], 8)) / scale
        faces = [_face(row, score) for row, score in _merged(rows, scores[kept])]
        return sorted(faces, key=lambda face: (-face.area, -face.score))


def largest_face(faces: Sequence[Face]) -> Face | None:
    """Return the face with the largest box, None if there is none: the one a photograph is of."""
    return max(faces, key=lambda face: face.area, default=None)


def box_of(row: Mapping[str, Any]) -> Box | None:
    """Return the owner's box of a row of faces, None where there is none."""
    left, top, right, bottom = (float(_number(row.get(name))) for name in ("left", "top", "right", "bottom"))
    return (left, top, right, bottom) if right > left and bottom > top else None


def face_in_box(detector: Detector, image: Pixels, box: Box) -> Face | None:
    """Return the face that overlaps an owner's box most, None if none overlaps it by OWNER_OVERLAP."""
    left, top, right, bottom = box
    half = AROUND * max(right - left, bottom - top) / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    height, width = image.shape[:2]
    start_x, end_x = max(0, int(x - half)), min(width, math.ceil(x + half))
    start_y, end_y = max(0, int(y - half)), min(height, math.ceil(y + half))
    if end_x <= start_x or end_y <= start_y:
        return None  # the box lies outside the picture
    found = detector.detect(np.ascontiguousarray(image[start_y:end_y, start_x:end_x]))
    faces = [face.moved(start_x, start_y) for face in found]
    overlaps = [float(_overlap(np.array(box), face.corners[None])[0]) for face in faces]
    best = max(range(len(faces)), key=overlaps.__getitem__, default=None)
    return faces[best] if best is not None and overlaps[best] >= OWNER_OVERLAP else None


def _number(value: Any) -> float:
    return math.nan if value is None or value is pd.NA else value


def crop_face(image: Pixels, face: Face, size: int) -> Pixels:
    """Return a face cut out of an RGB picture by the module's rule: uint8 (size, size, 3), eyes level."""
    side = MARGIN * max(face.width, face.height)
    parts = max(1, int(side / size))
    step = side / (size * parts)  # pixels of the picture between samples
    part, left, top = _around(image, face, side)
    if step > SPACING:
        smooth = cv2.GaussianBlur(part, (len(SMOOTHING), len(SMOOTHING)), 0, borderType=cv2.BORDER_REPLICATE)
        part = smooth.astype(np.uint8, copy=False)  # sigma 0: the binomial weights
    cosine, sine = step * math.cos(face.roll), step * math.sin(face.roll)
    half = size * parts / 2 - 0.5  # from the first sample to the crop's centre, in samples
    # OpenCV's (0, 0) is the first pixel's middle
    x, y = face.centre[0] - left - 0.5, face.centre[1] - top - 0.5
    to_picture = np.array(
        [[cosine, -sine, x - half * (cosine - sine)], [sine, cosine, y - half * (sine + cosine)]]
    )
    samples = cv2.warpAffine(
        part, to_picture, (size * parts, size * parts),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    if parts == 1:
        return samples.astype(np.uint8, copy=False)
    # With a whole factor this is the plain mean over parts x parts
    return cv2.resize(samples, (size, size), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _around(image: Pixels, face: Face, side: float) -> tuple[Pixels, int, int]:
    """The part of a picture that holds all pixels which a crop of that side can need, and its left and top."""
    reach = side / 2 * (abs(math.cos(face.roll)) + abs(math.sin(face.roll))) + 3
    spans = []
    for middle, length in zip(face.centre, (image.shape[1], image.shape[0]), strict=True):
        first = min(max(math.floor(middle - reach), 0), length - 1)
        spans.append((first, min(max(math.ceil(middle + reach), first + 1), length)))
    (left, right), (top, bottom) = spans
    return image[top:bottom, left:right], left, top


def anchor_centres() -> NDArray[np.float64]:
    """Return the 896 anchors' centres (x, y) as shares of the input's side, float64 (896, 2).

    Two at each cell of the 16 x 16 map and six at each of the 8 x 8 map (Bazarevsky et al. 2019).
    """
    layers = [np.repeat(_cell_middles(stride), ANCHORS_A_CELL[stride], axis=0) for stride in ANCHORS_A_CELL]
    return np.concatenate(layers)


def _cell_middles(stride: int) -> NDArray[np.float64]:
    middles = (np.arange(INPUT_SIZE // stride) + 0.5) * stride / INPUT_SIZE
    y, x = np.meshgrid(middles, middles, indexing="ij")
    return np.stack([x, y], axis=-1).reshape(-1, 2)


def _letterboxed(image: Pixels) -> tuple[NDArray[np.float32], float, float, float]:
    """The picture centred on a black square as the network's input in -1 to 1, with scale, left and top."""
    height, width = image.shape[:2]
    scale = INPUT_SIZE / max(height, width)
    small_width, small_height = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    left, top = (INPUT_SIZE - small_width) // 2, (INPUT_SIZE - small_height) // 2
    square = np.full((INPUT_SIZE, INPUT_SIZE, 3), -1, dtype=np.float32)
    small = cv2.resize(image, (small_width, small_height), interpolation=method)
    square[top : top + small_height, left : left + small_width] = small / 127.5 - 1
    return square, scale, left, top


def _decoded(raw: NDArray[np.float32], anchors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Regressor rows (n, 16) as eight points (n, 16), shares of the input: box corners, then key points."""
    values = raw.astype(np.float64) / INPUT_SIZE
    centre, size = values[:, :2] + anchors, values[:, 2:4]
    key_points = values[:, 4:] + np.tile(anchors, 6)
    return np.hstack([centre - size / 2, centre + size / 2, key_points])


def _merged(
    rows: NDArray[np.float64], scores: NDArray[np.float64]
) -> list[tuple[NDArray[np.float64], float]]:
    """Non-maximum suppression that averages the boxes of one face by score (Bazarevsky et al. 2019)."""
    order = np.argsort(-scores, kind="stable")
    merged = []
    while order.size:
        same = _overlap(rows[order[0]], rows[order]) > OVERLAP_THRESHOLD
        same[0] = True  # a box of no area overlaps nothing, itself included
        group = order[same]
        merged.append((np.average(rows[group], axis=0, weights=scores[group]), float(scores[group[0]])))
        order = order[~same]
    return merged


def _overlap(box: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of one box with each of others, corners in the first four columns."""
    sides = np.minimum(box[2:4], boxes[:, 2:4]) - np.maximum(box[:2], boxes[:, :2])
    shared = sides.clip(0).prod(axis=1)
    union = np.prod(box[2:4] - box[:2]) + (boxes[:, 2:4] - boxes[:, :2]).prod(axis=1) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def _face(row: NDArray[np.float64], score: float) -> Face:
    left, top, right, bottom = (float(v) for v in row[:4])
    points = tuple((float(x), float(y)) for x, y in row[4:].reshape(6, 2))
    return Face(left, top, right - left, bottom - top, score, points)
