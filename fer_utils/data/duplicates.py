"""Exact and near duplicates among stored faces: a perceptual hash, and a search that does not compare all pairs.

The hash is that of Zauner (2010, Implementation and Benchmarking of Perceptual Image Hash Functions, DCT hash)
with 256 bits: faces that are cut out by one rule look too much alike for its usual 64. The search is that of
Manku, Jain & Das Sarma (2007, Detecting Near-Duplicates for Web Crawling): of codes that differ in few bits some
blocks agree, so sorting by each choice of blocks brings them together.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Final

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fer_utils.data.images import Pixels

NEAR_BITS: Final = 20
"""Faces whose hashes differ in no more bits are near-duplicates. On the London photographs two people differ in at
least 60 bits (5,100 pairs from one studio), drawn people in at least 34 (240,000 pairs). Copies of these photographs,
in which the face was found and cropped anew, are known in 100 of 100 cases after JPEG at quality 60, in 97 to 99 when
shrunk to a half or a quarter, in 98 with noise, in 96 when brighter. They are known in 19 of 100 when turned grey and
in 10 when the picture was cropped, because the detector then puts its box elsewhere."""

LOW_BITS: Final = 4
"""Of the 64 lowest frequencies at most so many may differ: the search goes by these. More would find few copies
more, since nine of ten differ there by 3 bits or fewer, and would take many times as long."""

BLOCKS: Final = 7
AGREEING: Final = BLOCKS - LOW_BITS  # so many of the blocks agree whichever LOW_BITS bits differ
NEIGHBOURS: Final = 128
"""With how many successors of equal key a code is compared: many thousands of like faces (the frames of a video)
take no quadratic time, and still form one cluster, since each is compared with the next."""

Codes = NDArray[np.uint64]
"""Perceptual hashes, uint64 (n, 4); the first of the four words holds the lowest frequencies."""

_SIDE: Final = 32  # of the grey picture whose cosine transform is taken; 16 x 16 of its coefficients are kept


def perceptual_hash(image: Pixels) -> str:
    """Return the hash of an RGB picture: 64 hexadecimal digits, a bit each coefficient above their median."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    kept = cv2.dct(small)[:16, :16]
    ordered = np.concatenate([kept[:8, :8].ravel(), kept[:8, 8:].ravel(), kept[8:].ravel()])
    median = np.sort(ordered)[127:129].mean()  # np.median takes as long as all the rest
    return np.packbits(ordered > median).tobytes().hex()


def codes_of(hashes: pd.Series) -> Codes:
    """Return hashes as numbers; none may be missing."""
    digits = "".join(hashes.tolist())
    return np.frombuffer(bytes.fromhex(digits), dtype=">u8").astype(np.uint64).reshape(-1, 4)


def clusters(codes: Codes) -> NDArray[np.int64]:
    """Return for each code the number of its cluster: linked, directly or by others, by near-duplicates."""
    distinct, place = _distinct(codes)
    labels = np.arange(len(distinct))
    for left, right in _near_pairs(distinct):
        labels = linked(labels, left, right)
    return labels[place]


def beside(codes: Codes, marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which codes are unmarked and equal or near a marked one."""
    distinct, place = _distinct(codes)
    holds_marked = np.zeros(len(distinct), dtype=bool)
    holds_marked[place[marked]] = True
    touched = holds_marked.copy()
    for left, right in _near_pairs(distinct, holds_marked):
        touched[left] |= holds_marked[right]
        touched[right] |= holds_marked[left]
    return touched[place] & ~marked


def linked(labels: NDArray[np.int64], left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return cluster labels after linking rows `left` with rows `right`; what one label linked stays linked."""
    size = int(labels.max(initial=-1)) + 1
    edges = coo_array((np.ones(len(left), dtype=bool), (labels[left], labels[right])), shape=(size, size))
    return connected_components(edges, directed=False)[1].astype(np.int64)[labels]


def _distinct(codes: Codes) -> tuple[Codes, NDArray[np.int64]]:
    """The different codes, and for each code the place of its like among them."""
    order = np.lexsort(codes.T)
    codes_in_order = codes[order]
    new = np.ones(len(codes), dtype=bool)
    new[1:] = (codes_in_order[1:] != codes_in_order[:-1]).any(axis=1)
    place = np.empty(len(codes), dtype=np.int64)
    place[order] = np.cumsum(new) - 1
    return codes_in_order[new], place


def _near_pairs(
    codes: Codes, marked: NDArray[np.bool_] | None = None
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs of near-duplicates, some of them several times; with `marked` only those of a marked and an unmarked."""
    for keys, masked in _arrangements(codes[:, 0]):
        order = np.argsort(keys, kind="stable")
        key = masked[order]
        first = np.arange(len(order))
        for step in range(1, NEIGHBOURS + 1):
            first = first[first < len(order) - step]
            first = first[key[first] == key[first + step]]
            if not len(first):
                break
            left, right = order[first], order[first + step]
            if marked is not None:
                one = marked[left] != marked[right]
                left, right = left[one], right[one]
            near = _near(codes, left, right)
            if near.any():
                yield left[near], right[near]


def _arrangements(words: NDArray[np.uint64]) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.uint64]]]:
    """For each choice of agreeing blocks: the words with those blocks in front, and those blocks alone."""
    ends = np.linspace(0, 64, BLOCKS + 1).round().astype(int)
    blocks = list(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))
    for chosen in combinations(range(BLOCKS), AGREEING):
        keys, filled = np.zeros_like(words), 0
        for number in (*chosen, *(b for b in range(BLOCKS) if b not in chosen)):
            start, end = blocks[number]
            width = end - start
            part = (words >> np.uint64(64 - end)) & np.uint64(2**width - 1)
            keys = (keys << np.uint64(width)) | part
            filled += width
        front = sum(blocks[number][1] - blocks[number][0] for number in chosen)
        yield keys, keys >> np.uint64(64 - front)


def _near(codes: Codes, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.bool_]:
    low = np.bitwise_count(codes[left, 0] ^ codes[right, 0])
    near = low <= LOW_BITS
    rows = np.flatnonzero(near)  # few are left: only they are compared in full
    bits = np.bitwise_count(codes[left[rows]] ^ codes[right[rows]]).sum(axis=1, dtype=np.int64)
    near[rows] = bits <= NEAR_BITS
    return near
