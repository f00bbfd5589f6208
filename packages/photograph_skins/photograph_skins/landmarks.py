"""Which points of a photograph and of the rendered head are the same place of a face.

Photographs come with WebMorph's template of 189 points (DeBruine 2018, "webmorphR"; a `.tem` file: the count, then x and
y of each point in pixels of the picture). The head's places are measured on a frontal picture of the base mesh.
"""

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.interpolate import RBFInterpolator

Points = npt.NDArray[np.float64]

COUNT: Final = 189

_RIGHT_HALF: Final[dict[int, tuple[int, float, float]]] = {
    18: (27, -0.440, 7.290), 19: (26, -0.395, 7.325), 20: (25, -0.320, 7.335), 21: (24, -0.245, 7.322),
    22: (23, -0.172, 7.275), 28: (33, -0.380, 7.248), 29: (32, -0.318, 7.238), 30: (31, -0.250, 7.243),
    73: (80, -0.415, 7.505), 74: (79, -0.300, 7.515), 75: (78, -0.165, 7.480), 76: (77, -0.140, 7.395),
    71: (82, -0.560, 7.365), 84: (85, -0.300, 7.425), 83: (86, -0.425, 7.420),
    51: (57, -0.045, 7.250), 61: (66, -0.148, 6.965), 62: (67, -0.173, 6.920), 63: (68, -0.165, 6.870),
    64: (69, -0.125, 6.830),
    87: (93, -0.258, 6.612), 88: (92, -0.175, 6.672), 89: (91, -0.080, 6.712), 95: (97, -0.090, 6.612),
    104: (108, -0.165, 6.535), 105: (107, -0.085, 6.500),
    109: (112, -0.720, 7.150), 110: (113, -0.690, 6.970), 111: (114, -0.606, 6.710), 125: (133, -0.545, 6.575),
    126: (132, -0.485, 6.450), 127: (131, -0.330, 6.300), 128: (130, -0.190, 6.230), 134: (144, -0.733, 7.420),
}  # fmt: skip
"""Template point on the person's right: its twin on the left, and the right one's place on the base mesh: sideways (to the
person's left) and up, decimetres. Lids, brows, nose, mouth, the outline from temple to chin."""

_MIDDLE: Final = {
    55: 6.820,
    90: 6.695,
    96: 6.612,
    106: 6.492,
    129: 6.205,
}  # template point: height, decimetres

OUTLINE: Final = (*range(134, 145), 112, 187, 113, 188, 114, *range(133, 124, -1), 111, 186, 110, 185, 109)
"""Template points around the face: hairline from the right temple to the left, then down and round the chin."""

LIPS: Final = (*range(87, 94), 108, 107, 106, 105, 104)
"""Template points around the lips."""


class TemplateError(ValueError):
    """A file of landmarks cannot be used; the message says which and why."""


def read_template(path: Path) -> Points:
    """Return the points of a `.tem` file, (189, 2): x and y in pixels of the picture.

    Raises TemplateError if it is no such file, or has another number of points.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        count = int(lines[0])
        points = np.array([[float(value) for value in line.split()] for line in lines[1 : count + 1]])
    except (OSError, ValueError, IndexError) as error:
        raise TemplateError(f"{path.name} is not a file of landmarks ({error})") from error
    if points.shape != (COUNT, 2) or not np.isfinite(points).all():
        raise TemplateError(f"{path.name} holds landmarks of shape {points.shape}: expected {(COUNT, 2)}")
    return points


def head_places() -> tuple[npt.NDArray[np.int64], Points]:
    """Return the template's points that the head has, (n,) indices, and their places on it, (n, 2) decimetres."""
    rows = [(0.0 + index, 0.0, up) for index, up in _MIDDLE.items()]
    for right, (left, across, up) in _RIGHT_HALF.items():
        rows += [(right, across, up), (left, -across, up)]
    table = np.array(rows)
    return table[:, 0].astype(np.int64), table[:, 1:]


def to_photograph(template: Points) -> RBFInterpolator:
    """Return the smooth mapping from places of the head (n, 2), decimetres, to pixels of a photograph (n, 2).

    A thin-plate spline through the landmarks (Bookstein 1989, doi:10.1109/34.24792); it yields a little where
    landmarks were set by hand.
    """
    indices, places = head_places()
    return RBFInterpolator(places, template[indices], kernel="thin_plate_spline", smoothing=1e-3)
