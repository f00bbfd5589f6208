import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from london_photographs import LONDON, needs_london
from made_up import face
from made_up_sets import moved_hash, random_hashes

from face_sets import duplicates
from face_sets.catalogue import Worker
from face_sets.duplicates import (
    BESIDE,
    LINKED,
    SAME_PICTURE,
    beside,
    clusters,
    codes_of,
    distances,
    linked,
    perceptual_hash,
)
from face_sets.images import decode_image, encode_jpeg, read_image, resize, without_bars


def codes(count, seed=0):
    return codes_of(pd.Series(random_hashes(np.random.default_rng(seed), count), dtype="string"))


def moved(code, distance, seed=0):
    return codes_of(pd.Series([moved_hash(code.tobytes().hex(), distance, seed)]))[0]


def mirrored(code):
    return np.where(duplicates._ODD, -code, code).astype(np.int8)


def distance(one, two):
    return float(distances(codes_of(pd.Series([one])), codes_of(pd.Series([two])))[0, 0])


def grey(image):
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def shifted(image):
    """What a detector does that puts its box a little elsewhere: 1 % of the side, 2 % of zoom."""
    return resize(image[2:, 1:111], 112)


COPIES = {
    "jpeg": lambda image: decode_image(encode_jpeg(image, 60)),
    "half the size": lambda image: resize(image, 56),
    "quarter the size": lambda image: resize(image, 28),
    "brighter": lambda image: np.clip(image * 1.1 + 5.0, 0, 255).astype(np.uint8),
    "more contrast": lambda image: np.clip((image - 128.0) * 1.2 + 128, 0, 255).astype(np.uint8),
    "grey": grey,
    "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1]),
    "found a little elsewhere": shifted,
}


@pytest.mark.parametrize("name", COPIES)
def test_copies_have_near_hashes(name):
    images = [face(seed, 112) for seed in range(20)]
    far = [distance(perceptual_hash(image), perceptual_hash(COPIES[name](image))) for image in images]
    assert np.mean(np.array(far) <= LINKED) >= (0.8 if name == "found a little elsewhere" else 1)


def test_other_people_do_not():
    hashes = codes_of(pd.Series([perceptual_hash(face(seed, 112)) for seed in range(60)]))
    far = distances(hashes, hashes)[np.triu_indices(60, 1)]
    assert far.min() > LINKED
    assert (
        far <= BESIDE
    ).mean() < 0.001  # rendered people share one head: photographed ones are further apart


def test_distances_are_those_of_directions():
    one = codes(1)[0]
    for far in (0.0, 0.1, 0.2, 0.5):
        assert distances(one[None], moved(one, far)[None])[0, 0] == pytest.approx(far, abs=0.02)
    assert distances(one[None], mirrored(one)[None])[0, 0] == pytest.approx(0, abs=1e-3)
    assert distances(one[None], (one // 2)[None])[0, 0] < 0.06  # half the contrast, and rounding


@given(st.integers(0, 2**31), st.booleans())
@settings(max_examples=20, deadline=None)
def test_near_pairs_are_found(seed, mirror):
    some = codes(50, seed)
    near = moved(some[17], 0.04, seed)
    near = mirrored(near) if mirror else near
    found = clusters(np.vstack([some, near[None]]))
    assert found[50] == found[17]
    assert len(set(found)) == 50
    marked = np.arange(51) == 17
    assert beside(np.vstack([some, near[None]]), marked).tolist() == [False] * 50 + [True]


@pytest.mark.parametrize(("far", "near"), [(BESIDE - 0.02, True), (BESIDE + 0.02, False)])
@pytest.mark.parametrize("mirror", [False, True])
def test_beside_a_face_every_other_is_compared(far, near, mirror):
    some = codes(3000)
    some[7] = moved(some[3], far)
    if mirror:
        some[7] = mirrored(some[7])
    marked = np.arange(3000) == 3
    assert np.flatnonzero(beside(some, marked)).tolist() == ([7] if near else [])


def families():
    """60 codes and 200 near ones of them, mirrored or not."""
    some = codes(60, 1)
    generator = np.random.default_rng(2)
    family = [moved(some[generator.integers(60)], generator.uniform(0, 0.3), k) for k in range(200)]
    return np.vstack([some, family[:100], [mirrored(code) for code in family[100:]]])


@pytest.mark.parametrize("tile", [7, 64, 1024])
def test_clusters_and_beside_against_all_pairs(monkeypatch, tile):
    everything = families()
    apart = distances(everything, everything)
    plain = linked(np.arange(len(everything)), *np.nonzero(apart <= LINKED))
    marked = np.random.default_rng(3).random(len(everything)) < 0.1
    monkeypatch.setattr(duplicates, "_TILE", tile)
    monkeypatch.setattr(duplicates, "_PAIRS", tile)
    found = clusters(everything)
    assert len(set(zip(plain, found, strict=True))) == len(set(plain)) == len(set(found)) < 200
    assert (beside(everything, marked) == ((apart[:, marked] <= BESIDE).any(axis=1) & ~marked)).all()


def test_order_does_not_matter():
    some = np.vstack([codes(40), [moved(code, 0.03, k) for k, code in enumerate(codes(40))]])
    order = np.random.default_rng(5).permutation(80)
    found, mixed = clusters(some), clusters(some[order])
    assert len(set(zip(found[order], mixed, strict=True))) == len(set(found)) == 40


def test_a_flood_of_near_copies_is_one_cluster_and_links_nobody_else():
    """Frames of one video or black pictures: far more pairs than are linked at once."""
    base = codes(1, seed=1)[0]
    noise = np.random.default_rng(0).integers(-1, 2, (4000, 64))  # no more than 0.06 from the base
    found = clusters(np.vstack([np.clip(base + noise, -127, 127).astype(np.int8), codes(3000)]))
    assert (found[:4000] == found[0]).all()
    assert len(set(found[4000:])) == 3000


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one(count):
    some = codes(count)
    assert clusters(some).tolist() == list(range(count))
    assert beside(some, np.zeros(count, bool)).tolist() == [False] * count


def test_plain_pictures_are_copies_of_one_another_and_of_nothing_else():
    plain = [perceptual_hash(np.full((48, 48, 3), level, np.uint8)) for level in (0, 90, 255)]
    assert set(plain) == {"00" * 64}
    everything = np.vstack([codes_of(pd.Series(plain)), codes(5)])
    assert len(set(clusters(everything))) == 6
    assert beside(everything, np.arange(8) == 0).tolist() == [False, True, True] + [False] * 5


# As owners and phones change whole pictures: found by the face as the ingest finds it, and by the whole picture


def boxed(image, height, width, colour=0):
    scale = min(height / image.shape[0], width / image.shape[1])
    inner = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    top, left = (height - len(inner)) // 2, (width - inner.shape[1]) // 2
    whole = np.full((height, width, 3), colour, np.uint8)
    whole[top : top + len(inner), left : left + inner.shape[1]] = inner
    return whole


def a_third(image):
    return cv2.resize(image, None, fx=1 / 3, fy=1 / 3, interpolation=cv2.INTER_AREA)


def as_jpeg(image, quality=60):
    return decode_image(encode_jpeg(image, quality))


WAYS = {
    "re-encoded": as_jpeg,
    "a third of the size": lambda image: as_jpeg(a_third(image)),
    "letter-boxed, a frame of a phone held across": lambda image: as_jpeg(boxed(image, 360, 640)),
    "letter-boxed, a frame of a phone held upright": lambda image: as_jpeg(boxed(image, 640, 360)),
    "letter-boxed in white": lambda image: as_jpeg(boxed(image, 480, 640, 255), 80),
    "a third, within a wide frame": lambda image: as_jpeg(
        boxed(np.pad(a_third(image), ((99, 99), (0, 0), (0, 0))), 480, 640)
    ),
    "a third, in the middle of a frame": lambda image: as_jpeg(
        cv2.copyMakeBorder(a_third(image), 140, 140, 220, 220, cv2.BORDER_CONSTANT)
    ),
    "letter-boxed twice over": lambda image: as_jpeg(boxed(boxed(image, 720, 960), 360, 640)),
}


@pytest.fixture(scope="module")
def look(tmp_path_factory):
    """Return a function that finds the faces of pictures as an ingest does."""
    worker = Worker(lambda row: row["image"], tmp_path_factory.mktemp("faces"), 224)
    return lambda images: [
        worker({"image": image, "dataset": "d", "face_id": str(k)}) for k, image in enumerate(images)
    ]


@pytest.fixture(scope="module")
def originals(look):
    """Some photographs, and what is found in them."""
    photographs = [read_image(path) for path in sorted(LONDON.iterdir())[::9]]
    return photographs, look(photographs)


@needs_london
@pytest.mark.parametrize("way", WAYS)
def test_a_photograph_is_found_again_by_its_face_and_as_a_whole(originals, look, way):
    photographs, found = originals
    found = [*found, *look(map(WAYS[way], photographs))]
    for hashes, within, least in (("perceptual_hash", BESIDE, 0.99), ("picture_hash", SAME_PICTURE, 0.9)):
        known = codes_of(pd.Series([getattr(outcome, hashes) for outcome in found]))
        apart = distances(known[: len(photographs)], known[len(photographs) :])
        assert (np.diag(apart) <= within).mean() >= least
        assert (apart[~np.eye(len(apart), dtype=bool)] > within).all()


@pytest.mark.parametrize("size", [(360, 640), (640, 360), (480, 640), (300, 900)])
@pytest.mark.parametrize("colour", [0, 255, 127])
def test_bars_are_cut_off_and_nothing_else(size, colour):
    noise = np.random.default_rng(0).integers(0, 200, (40, 40, 3)).astype(np.uint8)
    image = resize(noise, 320)
    assert without_bars(image).shape == image.shape
    within = boxed(image, *size, colour)
    side = min(size)
    assert np.abs(np.subtract(without_bars(as_jpeg(within, 80)).shape[:2], side)).max() <= 4


def test_a_plain_background_is_no_bar_nor_is_a_plain_picture():
    background = np.full((200, 200, 3), 230, np.uint8)
    assert without_bars(background).shape == (200, 200, 3)
    cv2.circle(background, (100, 120), 60, (90, 60, 40), -1)
    assert without_bars(background).shape == (200, 200, 3)


def test_of_halves_stripes_and_frames_within_frames_something_is_left():
    halves = np.zeros((120, 120, 3), np.uint8)
    halves[60:] = 255
    stripes = np.zeros((120, 120, 3), np.uint8)
    stripes[np.arange(120) // 10 % 2 == 1] = 255
    frames = np.zeros((3001, 3001, 3), np.uint8)
    for depth in range(0, 1500, 2):
        frames[depth : 3001 - depth, depth : 3001 - depth] = 255 * (depth // 2 % 2)
    for image in (halves, stripes, frames, halves[:1], halves[:, :1], halves[:2, :3]):
        assert without_bars(image).size > 0
        assert without_bars(np.ascontiguousarray(image.transpose(1, 0, 2))).size > 0
