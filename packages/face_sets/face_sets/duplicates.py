"""Exact and near duplicates among stored faces: a perceptual hash, and a search that does not compare all pairs.

The hash holds the lowest frequencies of the cosine transform, as Zauner's does (2010, Implementation and Benchmarking
of Perceptual Image Hash Functions, DCT hash), but their values, not only their signs: faces cut out by one rule look
too much alike for signs. A window keeps the middle of the face, since the border changes when a detector puts its
box a little elsewhere. Hashes are compared by their directions, so brightness and contrast do not count; a mirrored
picture has the same coefficients, those of odd columns with the other sign, and both ways are compared.

The search is that of Manku, Jain & Das Sarma (2007, Detecting Near-Duplicates for Web Crawling): of words that differ
in few bits some blocks agree, so sorting by each choice of blocks brings them together. A bit says whether an even
coefficient lies above its median; where most faces are frames of one video the medians cut through them, and many
stay apart.

Found, of copies of the London photographs whose face was found and cropped anew (within LINKED, within BESIDE): all
after JPEG, shrinking, noise and other light; 87 and 93 of 100 grey ones; 85 and 93 cropped by 5 %, 74 and 85 by 10 %, 66
and 81 by 20 %; 75 and 86 mirrored. The rest is missed, and so is nearly every crop of a face that is stored as its
owner cropped it. The search by bits misses some more. `benchmarks/duplicates.py` prints these tables.
"""

import math
from collections.abc import Iterator
from itertools import combinations
from typing import Any, Final

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

FEW: Final = 2000
"""So many marked faces, CAFE's 1,192 among them, are compared with every other; more by the search."""

DIFFERING: Final = 3
"""Bits that may differ in the search. Of copies within LINKED most pass; each further bit costs many times the time."""

NEIGHBOURS: Final = 16
"""With how many successors of equal key a face is compared: many thousands of like faces (the frames of a video)
take no quadratic time, and still form one cluster, since each is compared with the next."""

Codes = NDArray[np.int8]
"""Perceptual hashes, int8 (n, 64): coefficients of a cosine transform, -127 to 127."""

_SIDE: Final = 32  # of the grey picture whose cosine transform is taken
_KEPT: Final = 64  # coefficients, of the lowest frequencies
_WINDOW: Final = 0.2  # standard deviation of the window, share of the side; benchmarks/duplicates.py compares
_LARGEST: Final = 127
_BLOCKS: Final = 2 * DIFFERING
_AT_ONCE: Final = 1024  # faces compared with the few at once

_PLACES: Final = sorted(np.ndindex(_SIDE, _SIDE), key=lambda place: (sum(place), place))[1 : _KEPT + 1]
_ROW, _COLUMN = np.array(_PLACES).T  # without the first, the mean
_ODD: Final = _COLUMN % 2 == 1
_OFFSETS: Final = (np.arange(_SIDE) + 0.5) / _SIDE - 0.5
_BELL: Final = np.exp(-(_OFFSETS**2) / (2 * _WINDOW**2))
_WEIGHTS: Final = np.outer(_BELL, _BELL) / _BELL.sum() ** 2

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


def perceptual_hash(image: Pixels) -> str:
    """Return the hash of an RGB picture: 128 hexadecimal digits, two a coefficient; all 0 for a plain picture."""
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
    """Return for each code the number of its cluster: linked, directly or by others, by near-duplicates."""
    distinct, place = _distinct(codes)
    labels = np.arange(len(distinct))
    for left, right in _near_pairs(distinct, LINKED, labels):
        labels[:] = linked(labels, left, right)
    return labels[place]


def beside(codes: Codes, marked: Mask) -> Mask:
    """Return which codes are unmarked and equal or near a marked one; exactly so if at most FEW are marked."""
    distinct, place = _distinct(codes)
    holds_marked = np.zeros(len(distinct), dtype=bool)
    holds_marked[place[marked]] = True
    touched = holds_marked.copy()
    if holds_marked.sum() <= FEW:
        touched |= _beside_few(distinct, distinct[holds_marked])
    else:
        for left, right in _near_pairs(distinct, BESIDE, holds_marked):
            touched[left] = touched[right] = True
    return touched[place] & ~marked


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


def _beside_few(codes: Codes, few: Codes) -> Mask:
    near = np.zeros(len(codes), dtype=bool)
    units = _unit(few)
    for start in range(0, len(codes) if len(few) else 0, _AT_ONCE):
        part = _unit(codes[start : start + _AT_ONCE])
        near[start : start + _AT_ONCE] = _likeness(part, units).max(axis=1) >= _product(BESIDE)
    return near


def _near_pairs(codes: Codes, distance: float, group: NDArray[Any]) -> Iterator[tuple[Rows, Rows]]:
    """Pairs that are no further apart and not of one group; the caller may join groups as pairs come."""
    words = _words(codes)
    for keys, blocks in _arrangements(words):
        order = np.argsort(keys, kind="stable")
        key = blocks[order]
        first = np.arange(len(order))
        for step in range(1, NEIGHBOURS + 1):
            first = first[first < len(order) - step]
            first = first[key[first] == key[first + step]]
            if not len(first):
                break
            left, right = order[first], order[first + step]
            likely = np.bitwise_count(words[left] ^ words[right]) <= DIFFERING
            left, right = left[likely], right[likely]
            apart = group[left] != group[right]
            left, right = left[apart], right[apart]
            near = _are_near(codes[left], codes[right], distance)
            if near.any():
                yield left[near], right[near]


def _words(codes: Codes) -> NDArray[np.uint64]:
    """One bit for each even coefficient, which a mirrored picture shares: whether it lies above its median."""
    words = np.zeros(len(codes), dtype=np.uint64)
    for column in np.flatnonzero(~_ODD) if len(codes) else ():
        values = codes[:, column]
        words = (words << np.uint64(1)) | (values > np.median(values)).astype(np.uint64)
    return words


def _arrangements(words: NDArray[np.uint64]) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.uint64]]]:
    """For each choice of agreeing blocks: the words with those blocks in front, and those blocks alone."""
    width = int((~_ODD).sum())
    ends = np.linspace(0, width, _BLOCKS + 1).round().astype(int).tolist()
    agreeing = _BLOCKS - DIFFERING  # so many of the blocks agree whichever bits differ
    for chosen in combinations(range(_BLOCKS), agreeing):
        keys, front = np.zeros_like(words), 0
        for number in (*chosen, *(b for b in range(_BLOCKS) if b not in chosen)):
            size = ends[number + 1] - ends[number]
            part = (words >> np.uint64(ends[number])) & np.uint64(2**size - 1)
            keys = (keys << np.uint64(size)) | part
            front += size if number in chosen else 0
        yield keys, keys >> np.uint64(width - front)


def _are_near(some: Codes, others: Codes, distance: float) -> Mask:
    """Whether the codes of two like arrays (n, 64) are near, row by row."""
    products = _unit(some) * _unit(others)
    odd = products[:, _ODD].sum(axis=1)
    return np.asarray(products[:, ~_ODD].sum(axis=1) + np.abs(odd) >= _product(distance))


def _likeness(some: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Product of each unit vector with each other, as they are or one mirrored, whichever is more."""
    odd = some[:, _ODD] @ others[:, _ODD].T  # changes its sign when one is mirrored
    even = some[:, ~_ODD] @ others[:, ~_ODD].T
    return np.asarray(np.add(even, np.abs(odd, out=odd), out=even))


def _product(distance: float) -> float:
    """The product of unit vectors that are so far apart."""
    return 1 - distance**2 / 2


def _unit(codes: Codes) -> NDArray[np.float32]:
    """Codes as vectors of length 1; that of a plain picture stays 0."""
    squares = np.einsum("ij,ij->i", codes, codes, dtype=np.int32)
    return codes / np.sqrt(np.maximum(squares, 1), dtype=np.float32)[:, None]
