"""Skins: what a made-up photograph leaves on the head's map."""

import numpy as np
import pytest
from made_up_faces import picture_of, template_of

from photograph_skins.skin_maps import skin_map
from rendered_faces.patterns import ANGLE, LEVEL


@pytest.fixture(scope="module")
def skin():
    points = template_of()
    return skin_map(picture_of(points), points)


def at(values, angle, level):
    return values[int(np.abs(LEVEL[:, 0] - level).argmin()), int(np.abs(ANGLE[0] - angle).argmin())]


def test_the_middle_of_the_face_is_covered_and_the_back_of_the_head_is_not(skin):
    assert at(skin.cover, 0.3, 6.9) > 0.95  # a cheek
    assert at(skin.cover, 1.6, 7.2) == 0
    assert at(skin.cover, 0, 5.5) == 0


def test_plain_skin_is_one_everywhere_it_is_covered(skin):
    cheek = at(skin.colour, 0.3, 6.9)
    np.testing.assert_allclose(cheek, 1, atol=0.15)


def test_brows_and_lips_lie_where_the_head_has_them(skin):
    assert at(skin.colour, 0.2, 7.46).mean() < 0.5  # a brow: dark
    lip, cheek = at(skin.colour, 0, 6.55), at(skin.colour, 0.3, 6.9)
    assert lip[0] / lip[1] > 1.3 * cheek[0] / cheek[1]  # redder
    assert skin.lips[0] > skin.lips[1]


def test_a_shifted_picture_gives_the_same_skin(skin):
    points = template_of(shift=(9, -7))
    moved = skin_map(picture_of(points), points)
    inside = (skin.cover > 0.99) & (moved.cover > 0.99)
    assert np.median(np.abs(moved.colour - skin.colour)[inside]) < 0.02


def test_most_of_the_light_from_a_side_is_taken_out():
    points = template_of()
    lit = skin_map(picture_of(points, side_light=0.2), points)
    given = (1.2 / 0.8) ** 2  # of the picture's sides, linear
    right, left = at(lit.colour, 0.45, 6.9).mean(), at(lit.colour, -0.45, 6.9).mean()
    assert 1 < right / left < given**0.5


def test_landmarks_of_another_picture_are_refused():
    with pytest.raises(ValueError, match="outside the picture"):
        skin_map(picture_of(template_of()), template_of(shift=(3000, 0)))
