import numpy as np
import pytest

from rendered_faces.rasteriser import rasterise

SIDE = 40


def square(left, top, right, bottom, depth):
    """Two triangles that cover a rectangle, seen from the front, and their corners' columns and rows as values."""
    points = np.array(
        [(left, top, depth), (left, bottom, depth), (right, bottom, depth), (right, top, depth)]
    )
    points = points.astype(np.float32)
    return points, np.array([(0, 1, 2), (0, 2, 3)], np.int32), points[:, :2]


def test_a_rectangle_covers_the_pixels_whose_centres_it_holds():
    seen = rasterise(*square(3, 5, 10, 9, 0), SIDE)
    shown = np.zeros((SIDE, SIDE), bool)
    shown.ravel()[seen.pixel] = True
    expected = np.zeros((SIDE, SIDE), bool)
    expected[5:9, 3:10] = True
    assert np.array_equal(shown, expected)
    assert len(np.unique(seen.pixel)) == len(seen.pixel)


def test_the_back_is_seen_only_of_two_sided_triangles():
    points, triangles, values = square(3, 5, 10, 9, 0)
    backwards = triangles[:, ::-1]
    assert len(rasterise(points, backwards, values, SIDE).pixel) == 0
    assert len(rasterise(points, backwards, values, SIDE, one_sided=False).pixel) == 28


@pytest.mark.parametrize("order", [1, -1])
def test_the_nearest_is_shown_whatever_the_order(order):
    (near, one, _), (far, two, _) = square(5, 5, 15, 15, 2.0), square(0, 0, 20, 20, 1.0)
    triangles = np.concatenate([one, two + 4])[::order]
    points = np.concatenate([near, far])
    seen = rasterise(points, triangles, points, SIDE)
    depth = np.zeros(SIDE * SIDE)
    depth[seen.pixel] = seen.depth
    depth = depth.reshape(SIDE, SIDE)
    np.testing.assert_allclose(depth[5:15, 5:15], 2, atol=1e-5)
    np.testing.assert_allclose(depth[:5, :20], 1, atol=1e-5)
    np.testing.assert_allclose(depth[15:20, :20], 1, atol=1e-5)


def test_values_are_interpolated_linearly():
    seen = rasterise(*square(0, 0, SIDE, SIDE, 0), SIDE)
    centres = np.stack(np.divmod(seen.pixel, SIDE)[::-1], 1) + 0.5
    np.testing.assert_allclose(seen.values, centres, atol=1e-4)


def test_what_lies_beyond_the_picture_is_left_out():
    assert len(rasterise(*square(-30, -30, 100, 100, 0), SIDE).pixel) == SIDE * SIDE
    assert len(rasterise(*square(50, 5, 60, 9, 0), SIDE).pixel) == 0
    assert len(rasterise(*square(5.1, 5.1, 5.4, 5.4, 0), SIDE).pixel) == 0  # between the centres


def test_a_mesh_has_no_holes_along_its_edges():
    random = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(np.arange(9), np.arange(9), indexing="xy"), -1).reshape(-1, 2) * 5.0
    inner = ((grid > 0) & (grid < 40)).all(1)
    grid[inner] += random.uniform(-1.5, 1.5, (inner.sum(), 2))
    points = np.column_stack([grid, np.zeros(81)]).astype(np.float32)
    corner = np.arange(81).reshape(9, 9)[:-1, :-1].ravel()
    below, beside = corner + 9, corner + 1
    triangles = np.concatenate(
        [np.stack([corner, below, beside], 1), np.stack([beside, below, below + 1], 1)]
    )
    assert len(rasterise(points, triangles.astype(np.int32), points, SIDE).pixel) == SIDE * SIDE


def test_of_two_triangles_at_one_depth_the_last_is_shown():
    points, triangles, values = square(5, 5, 15, 15, 1.0)
    twice = np.concatenate([triangles, triangles])
    assert set(rasterise(points, twice, values, SIDE).triangle) == {2, 3}


@pytest.mark.parametrize("seed", range(5))
def test_random_triangles_are_shown_as_every_pixel_tried_by_every_triangle_says(seed):
    random = np.random.default_rng(seed)
    points = random.uniform((-10, -10, 0), (SIDE + 10, SIDE + 10, 5), (60, 3)).astype(np.float32)
    triangles = random.permutation(60).reshape(20, 3).astype(np.int32)
    down, across = np.divmod(np.arange(SIDE * SIDE), SIDE)
    depths = np.full((len(triangles), SIDE * SIDE), -np.inf)
    for depth, corners in zip(depths, points[triangles].astype(float), strict=True):
        plane = np.linalg.inv(np.column_stack([corners[:, :2], np.ones(3)]))
        weights = np.column_stack([across + 0.5, down + 0.5, np.ones(SIDE * SIDE)]) @ plane
        inside = weights.min(1) >= 0
        depth[inside] = weights[inside] @ corners[:, 2]
    seen = rasterise(points, triangles, points, SIDE, one_sided=False)
    assert np.array_equal(seen.pixel, np.flatnonzero(depths.max(0) > -np.inf))
    assert np.array_equal(seen.triangle, depths.argmax(0)[seen.pixel])
    np.testing.assert_allclose(seen.depth, depths.max(0)[seen.pixel], atol=1e-3)
