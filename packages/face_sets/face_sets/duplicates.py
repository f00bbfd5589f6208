"""Exact and near duplicates among stored faces: a perceptual hash, and a search that compares all pairs.

The hash holds the lowest frequencies of the cosine transform, as Zauner's does (2010, Implementation and Benchmarking
of Perceptual Image Hash Functions, DCT hash), but their values, not only their signs: faces cut out by one rule look
too much alike for signs. A window keeps the middle of the face, since the border changes when a detector puts its
box a little elsewhere. Hashes are compared by their directions, so brightness and contrast do not count; a mirrored
picture has the same coefficients, those of odd columns with the other sign, and both ways are compared.

Every hash is compared with every other, in tiles of a bounded size: an exact search, whose time grows with the square
of their number.

Found, of copies of the London photographs whose face was found and cropped anew (within LINKED, within BESIDE): all
after JPEG, shrinking, noise, other light and letter-boxing; 88 and 93 of 100 grey ones; 85 and 91 cropped by 5 %, 71 and
86 by 10 %, 67 and 82 by 20 %; 76 and 86 mirrored. The whole picture, hashed too, finds all of these but the cropped
ones, and 99 of 100 that were stretched or blurred, whatever a detector does. The rest is missed, and so is nearly every
crop of a face that is stored as its owner cropped it. `benchmarks/duplicates.py` prints these tables.
"""

import math
from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from face_sets.images import Pixels

LINKED: Final = 0.2
"""Distance (0 to 2) up to which two faces are of one cluster: strict, since links make chains. Of the London
photographs no two people come closer than 0.29."""

BESIDE: Final = 0.23
"""Distance up to which a face is the copy of one to test on: wider, since a leak is worse than a face lost."""

SAME_PICTURE: Final = 0.08
"""Distance up to which two whole pictures are one: half of the nearest two people's, who were photographed in one studio
(0.14, London and Canadian photographs); copies come within 0.04."""

Codes = NDArray[np.int8]
"""Perceptual hashes, int8 (n, 64): coefficients of a cosine transform, -127 to 127."""

_SIDE: Final = 32  # of the grey picture whose cosine transform is taken
_KEPT: Final = 64  # coefficients, of the lowest frequencies
_WINDOW: Final = 0.2  # standard deviation of the window, share of the side; benchmarks/duplicates.py compares
_LARGEST: Final = 127
_TILE: Final = 1024  # hashes compared with as many others at once: 4 MB of distances
_PAIRS: Final = 1_000_000  # near pairs that are kept before they are linked

_PLACES: Final = sorted(np.ndindex(_SIDE, _SIDE), key=lambda place: (sum(place), place))[1 : _KEPT + 1]
_ROW, _COLUMN = np.array(_PLACES).T  # without the first, the mean
_ODD: Final = _COLUMN % 2 == 1
_OFFSETS: Final = (np.arange(_SIDE) + 0.5) / _SIDE - 0.5
_BELL: Final = np.exp(-(_OFFSETS**2) / (2 * _WINDOW**2))
_WEIGHTS: Final = np.outer(_BELL, _BELL) / _BELL.sum() ** 2

Units = NDArray[np.float32]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


def perceptual_hash(image: Pixels) -> str:
    """Return the hash of an RGB picture: 128 hexadecimal digits, two per coefficient; all 0 for a plain picture."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float64)
    kept = cv2.dct((small - np.vdot(small, _WEIGHTS)) * _WEIGHTS)[_ROW, _COLUMN]
    length = math.sqrt(np.vdot(kept, kept))
    scale = _LARGEST / length if length > 1e-9 else 0  # less is rounding, of a plain picture
    return (kept * scale).round().astype(np.int8).tobytes().hex()


def codes_of(hashes: pd.Series) -> Codes:
    """Return hashes as numbers; none may be missing."""
    codes = np.empty((len(hashes), _KEPT), dtype=np.int8)
    for place, digits in enumerate(hashes):
        codes[place] = np.frombuffer(bytes.fromhex(digits), dtype=np.int8)
    return codes


def distances(some: Codes, others: Codes) -> NDArray[np.float32]:
    """Return the distance, 0 to 2, of each code of `some` (n, 64) from each of `others` (m, 64): float32 (n, m).

    That is the distance of the unit vectors, as they are or one of them mirrored, whichever is less.
    """
    return np.sqrt(np.maximum(2 - 2 * _likeness(_unit(some), _unit(others)), 0))


def clusters(codes: Codes) -> Rows:
    """Return for each code the number of its cluster: linked, directly or by others, by near-duplicates.

    Shapes: int8 (n, 64) in, int64 (n,) out. Time grows with n²: about 10 s for 100,000 codes on two cores.

    >>> codes = np.array([[100] * 64, [-100, 100] * 32, [99] * 64], dtype=np.int8)
    >>> clusters(codes).tolist()
    [0, 1, 0]
    """
    distinct, place = _distinct(codes)
    units, labels = _unit(distinct), np.arange(len(distinct))
    for start in range(0, len(units), _TILE):
        left, right = [], []
        for rows, columns in _near_pairs(units[start : start + _TILE], units[start:], LINKED):
            apart = labels[start + rows] != labels[start + columns]
            left.append(start + rows[apart])
            right.append(start + columns[apart])
            if sum(map(len, left)) > _PAIRS:
                labels, left, right = linked(labels, np.concatenate(left), np.concatenate(right)), [], []
        if left:
            labels = linked(labels, np.concatenate(left), np.concatenate(right))
    return labels[place]


def copies(hashed: pd.DataFrame, marked: Mask) -> Mask:
    """Return which unmarked rows show the face, or the whole picture, of a marked one: bool (n,) in and out.

    Columns: perceptual_hash and picture_hash, none missing.
    """
    by_face = beside(codes_of(hashed["perceptual_hash"]), marked)
    return by_face | beside(codes_of(hashed["picture_hash"]), marked, SAME_PICTURE)


def beside(codes: Codes, marked: Mask, distance: float = BESIDE) -> Mask:
    """Return which codes are unmarked and equal or near a marked one: int8 (n, 64) and bool (n,) in, bool (n,) out."""
    distinct, place = _distinct(codes)
    touched = np.zeros(len(distinct), dtype=bool)
    touched[place[marked]] = True
    units, near = _unit(distinct), touched.copy()
    for start in range(0, len(units), _TILE):
        for rows, _ in _near_pairs(units[start : start + _TILE], units[touched], distance):
            near[start + rows] = True
    return near[place] & ~marked


def linked(labels: Rows, left: Rows, right: Rows) -> Rows:
    """Return cluster labels after linking rows `left` with rows `right`; what one label linked stays linked."""
    size = int(labels.max(initial=-1)) + 1
    edges = coo_array((np.ones(len(left), dtype=bool), (labels[left], labels[right])), shape=(size, size))
    return connected_components(edges, directed=False)[1].astype(np.int64)[labels]


def _distinct(codes: Codes) -> tuple[Codes, Rows]:
    """The different codes, and for each code the place of its like among them."""
    whole = np.ascontiguousarray(codes).view(np.dtype((np.void, _KEPT))).ravel()
    _, first, place = np.unique(whole, return_index=True, return_inverse=True)
    return codes[first], place


def _near_pairs(some: Units, others: Units, distance: float) -> Iterator[tuple[Rows, Rows]]:
    """Places of pairs of unit vectors that are no further apart, in tiles of `others`."""
    least = 1 - distance**2 / 2  # product of unit vectors that are so far apart
    for start in range(0, len(others), _TILE):
        near = _likeness(some, others[start : start + _TILE]) >= least
        if near.any():
            rows, columns = np.nonzero(near)
            yield rows, start + columns


def _likeness(some: Units, others: Units) -> NDArray[np.float32]:
    """Product of each unit vector with each other, as they are or one mirrored, whichever is more."""
    odd = some[:, _ODD] @ others[:, _ODD].T  # changes its sign when one is mirrored
    even = some[:, ~_ODD] @ others[:, ~_ODD].T
    return np.asarray(np.add(even, np.abs(odd, out=odd), out=even))


def _unit(codes: Codes) -> Units:
    """Codes as vectors of length 1; that of a plain picture stays 0."""
    squares = np.einsum("ij,ij->i", codes, codes, dtype=np.int32)
    return codes / np.sqrt(np.maximum(squares, 1), dtype=np.float32)[:, None]
