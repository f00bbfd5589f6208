import time

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import face
from made_up_sets import changed_bits

from fer_utils.data import duplicates
from fer_utils.data.duplicates import LOW_BITS, NEAR_BITS, beside, clusters, codes_of, linked, perceptual_hash
from fer_utils.data.images import decode_image, resize


def codes(count, seed=0):
    return np.random.default_rng(seed).integers(0, 2**64, (count, 4), dtype=np.uint64)


def turned(code, low=0, high=0, seed=0):
    """A code with `low` of its 64 lowest frequencies' bits and `high` of the others turned over."""
    bits = np.unpackbits(code.astype(">u8").view(np.uint8))
    generator = np.random.default_rng(seed)
    bits[generator.choice(64, low, replace=False)] ^= 1
    bits[64 + generator.choice(192, high, replace=False)] ^= 1
    return np.packbits(bits).view(">u8").astype(np.uint64)


def distance(one, two):
    return int(np.bitwise_count(codes_of(pd.Series([one])) ^ codes_of(pd.Series([two]))).sum())


COPIES = {
    "jpeg": lambda image: decode_image(cv2.imencode(".jpg", image[:, :, ::-1], [1, 60])[1].tobytes()),
    "half the size": lambda image: resize(image, 56),
    "quarter the size": lambda image: resize(image, 28),
    "brighter": lambda image: np.clip(image * 1.1 + 5.0, 0, 255).astype(np.uint8),
    "same": lambda image: image,
}


@pytest.mark.parametrize("name", COPIES)
def test_copies_have_near_hashes(name):
    for seed in range(20):
        image = face(seed, 112)
        assert distance(perceptual_hash(image), perceptual_hash(COPIES[name](image))) <= NEAR_BITS


def test_other_people_do_not():
    hashes = [perceptual_hash(face(seed, 112)) for seed in range(60)]
    assert min(distance(a, b) for i, a in enumerate(hashes) for b in hashes[:i]) > NEAR_BITS


def test_hashes_and_numbers_agree():
    digits = perceptual_hash(face(1, 112))
    assert len(digits) == 64
    assert "".join(f"{int(word):016x}" for word in codes_of(pd.Series([digits]))[0]) == digits
    assert distance(digits, changed_bits(digits, 7)) == 7


@given(st.integers(0, LOW_BITS), st.integers(0, 2**31))
@settings(max_examples=150, deadline=None)
def test_every_near_pair_is_found(low, seed):
    """The promise of the blocks: whichever bits differ, some choice of blocks brings the two together."""
    some = codes(50, seed)
    near = turned(some[17], low, NEAR_BITS - low, seed)
    found = clusters(np.vstack([some, near[None]]))
    assert found[50] == found[17]
    assert len(set(found)) == 50
    marked = np.arange(51) == 17
    assert beside(np.vstack([some, near[None]]), marked).tolist() == [False] * 50 + [True]


@pytest.mark.parametrize(("low", "high"), [(LOW_BITS, NEAR_BITS - LOW_BITS + 1), (LOW_BITS + 1, 0)])
def test_a_bit_further_is_no_duplicate(low, high):
    some = codes(20)
    assert len(set(clusters(np.vstack([some, turned(some[3], low, high)[None]])))) == 21


def test_against_the_plain_way():
    """All pairs compared, on codes that come in families."""
    some = codes(60, 1)
    generator = np.random.default_rng(2)
    family = [
        turned(some[generator.integers(60)], generator.integers(0, 7), generator.integers(0, 30), k)
        for k in range(300)
    ]
    everything = np.vstack([some, *(code[None] for code in family)])
    differing = everything[:, None] ^ everything[None]
    near = (np.bitwise_count(differing).sum(-1) <= NEAR_BITS) & (
        np.bitwise_count(differing[..., 0]) <= LOW_BITS
    )
    left, right = np.nonzero(near)
    plain = linked(np.arange(len(everything)), left, right)
    found = clusters(everything)
    assert pd.Series(plain).groupby(found).nunique().max() == 1
    assert len(set(plain)) == len(set(found))
    marked = generator.random(len(everything)) < 0.3
    assert (beside(everything, marked) == (near[:, marked].any(axis=1) & ~marked)).all()


def test_order_does_not_matter():
    some = np.vstack([codes(40), [turned(codes(40)[k], 2, 5, k) for k in range(40)]])
    order = np.random.default_rng(5).permutation(80)
    found, mixed = clusters(some), clusters(some[order])
    assert len(set(zip(found[order], mixed, strict=True))) == len(set(found)) == 40


def test_thousands_of_like_faces_take_no_quadratic_time():
    """A flood of near copies: frames of one video, or black pictures."""
    base = codes(1)[0]
    flood = np.array([turned(base, k % 3, k % 9, k) for k in range(20_000)])
    started = time.process_time()
    assert len(set(clusters(flood))) == 1
    assert time.process_time() - started < 30


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one(count):
    some = codes(count)
    assert clusters(some).tolist() == list(range(count))
    assert beside(some, np.zeros(count, bool)).tolist() == [False] * count


def test_the_hash_of_a_plain_picture_is_a_hash():
    plain = perceptual_hash(np.zeros((48, 48, 3), np.uint8))
    assert len(plain) == 64
    assert duplicates.codes_of(pd.Series([plain])).shape == (1, 4)
