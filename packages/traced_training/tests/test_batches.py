import numpy as np
import pytest

from traced_training import batches


@pytest.fixture(scope="module")
def smooth():
    """Twenty images of one bright blob each, left of the middle."""
    y, x = np.mgrid[:48, :48]
    blob = 40 + 180 * np.exp(-((x - 16) ** 2 + (y - 24) ** 2) / 60)
    return np.repeat(np.repeat(blob[None, ..., None], 3, axis=3), 20, axis=0).astype(np.uint8)


def passes(pixels, labels, seed, epochs=2, size=8, **options):
    each = (
        batches.training_batches(pixels, labels, size, (seed, epoch), **options) for epoch in range(epochs)
    )
    return [[(x, y) for x, y in epoch] for epoch in each]


def test_one_seed_gives_the_same_batches_and_each_epoch_differs(smooth):
    labels = np.arange(20)
    one, two, other = (passes(smooth, labels, seed) for seed in (3, 3, 4))
    for a, b in zip(one[0] + one[1], two[0] + two[1], strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])
    assert (one[0][0][1] != one[1][0][1]).any()
    assert not np.array_equal(one[0][0][0], one[1][0][0])
    assert not np.array_equal(one[0][0][0], other[0][0][0])


def test_every_face_is_seen_once_per_epoch_in_levels_of_255(smooth):
    for epoch in passes(smooth, np.arange(20), 0):
        assert sorted(np.concatenate([y for _, y in epoch])) == list(range(20))
        assert [len(y) for _, y in epoch] == [8, 8, 4]
        levels = np.concatenate([x for x, _ in epoch])
        assert levels.dtype == np.float32
        assert levels.min() >= 0
        assert 100 < levels.max() <= 255


def test_a_last_batch_of_one_is_left_out(smooth):
    (epoch,) = passes(smooth[:17], np.arange(17), 0, epochs=1)
    assert [len(y) for _, y in epoch] == [8, 8]
    (epoch,) = passes(smooth[:1], np.arange(1), 0, epochs=1)
    assert [len(y) for _, y in epoch] == [1]


def test_faces_keep_their_labels():
    levels = (np.arange(20) * 10).astype(np.uint8)
    flat = np.broadcast_to(levels[:, None, None, None], (20, 16, 16, 3)).copy()
    for x, y in passes(flat, np.arange(20), 1, epochs=1)[0]:
        assert np.abs(x.mean(axis=(1, 2, 3)) - levels[y]).max() <= batches.BRIGHTNESS + 1e-3


def test_strength_zero_only_mirrors(smooth):
    kinds = set()
    for x, _ in passes(smooth, np.arange(20), 0, epochs=1, strength=0.0)[0]:
        for image in x:
            straight = np.abs(image - smooth[0]).max() < 1e-2
            mirrored = np.abs(image - smooth[0, :, ::-1]).max() < 1e-2
            assert straight or mirrored
            kinds.add(straight)
    assert kinds == {True, False}


def test_a_face_stays_within_the_stated_reach(smooth):
    many = np.repeat(smooth[:1], 400, axis=0)
    for x, _ in passes(many, np.zeros(400, int), 5, epochs=1, size=100)[0]:
        places = np.array([np.unravel_index(np.argmax(image[..., 0]), (48, 48)) for image in x])
        from_middle = np.abs(places - 23.5)
        reach = 7.5 / (1 - batches.ZOOM) + batches.SHIFT * 48 / (1 - batches.ZOOM) + 1.5
        assert from_middle[:, 1].max() <= reach
        assert (
            from_middle[:, 0].max()
            <= 0.5 + 7.5 * np.sin(batches.ROTATION) * 1.2 + batches.SHIFT * 48 * 1.2 + 1.5
        )
        assert len(np.unique(places[:, 1])) > 8


def test_shares_decide_how_often_a_face_is_shown():
    images = np.zeros((4, 8, 8, 3), np.uint8)
    shares = np.array([0.7, 0.1, 0.1, 0.1])
    shown = [
        label
        for epoch in range(100)
        for _, labels in batches.training_batches(images, np.arange(4), 2, (1, epoch), 0.0, shares)
        for label in labels
    ]
    assert len(shown) == 400
    assert np.bincount(shown, minlength=4) / 400 == pytest.approx(shares, abs=0.08)


@pytest.mark.parametrize("shares", [None, np.full(20, 0.05)])
def test_an_epoch_shows_no_more_faces_than_asked_and_others_in_the_next(smooth, shares):
    shown = [
        np.concatenate([y for _, y in epoch])
        for epoch in passes(smooth, np.arange(20), 1, epochs=40, most=6, shares=shares)
    ]
    assert {len(each) for each in shown} == {6}
    assert set(np.concatenate(shown)) == set(range(20))
    if shares is None:
        assert all(len(set(each)) == 6 for each in shown)
    for a, b in zip(passes(smooth, np.arange(20), 1, most=50), passes(smooth, np.arange(20), 1), strict=True):
        np.testing.assert_array_equal(np.concatenate([y for _, y in a]), np.concatenate([y for _, y in b]))


def test_erasing_covers_one_rectangle_of_about_its_share_of_faces_and_nothing_else():
    faces = np.full((400, 64, 64, 3), -1, np.float32)
    erased = batches.erased(faces, np.random.default_rng(0), 0.3)
    covered = (erased != -1).all(axis=3)
    assert ((erased == -1).all(axis=3) | covered).all()
    hit = covered.any(axis=(1, 2))
    assert 0.22 <= hit.mean() <= 0.38
    assert erased[covered].min() >= 0
    assert 240 < erased.max() <= 255
    for mask in covered[hit]:
        rows, columns = mask.any(axis=1).sum(), mask.any(axis=0).sum()
        assert mask.sum() == rows * columns, "a full rectangle"
        assert 0.9 * batches.ERASED[0] <= mask.mean() <= 1.1 * batches.ERASED[1]
        assert max(rows / columns, columns / rows) <= 1.2 * batches.LONGEST
    assert covered[hit].mean(axis=0)[8:-8, 8:-8].min() > 0, "everywhere"


def test_erasing_depends_on_the_seed_alone_and_none_changes_nothing(smooth):
    labels = np.arange(20)
    plain, none, one, two = (
        passes(smooth, labels, 3, epochs=1, erasing=share)[0] for share in (0.0, 0.0, 0.5, 0.5)
    )
    for a, b, c, d in zip(plain, none, one, two, strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(c[0], d[0])
    assert any((a[0] != c[0]).any() for a, c in zip(plain, one, strict=True))
    assert any((a[0][k] == c[0][k]).all() for a, c in zip(plain, one, strict=True) for k in range(len(a[0])))
