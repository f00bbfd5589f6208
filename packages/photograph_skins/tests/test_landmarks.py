"""Landmarks: which files are read, and whether the mapping leads from the head to the picture."""

import numpy as np
import pytest
from made_up_faces import template_of, write_template

from photograph_skins.landmarks import COUNT, TemplateError, head_places, read_template, to_photograph


def test_a_template_is_read_as_it_was_written(tmp_path):
    points = template_of()
    found = read_template(write_template(tmp_path / "a.tem", points))
    np.testing.assert_allclose(found, points, atol=0.01)


@pytest.mark.parametrize("text", ["", "many\n1 2\n", "2\n1 2\n3 4\n", "189\n" + "1 2\n" * 188, "189\n" + "x y\n" * 189,
                                  "189\n" + "nan 1\n" * 189])  # fmt: skip
def test_what_is_no_template_is_refused_by_its_name(tmp_path, text):
    (tmp_path / "a.tem").write_text(text)
    with pytest.raises(TemplateError, match="a.tem"):
        read_template(tmp_path / "a.tem")


def test_places_on_the_head_are_mirrored_and_known_once():
    indices, places = head_places()
    assert len(set(indices)) == len(indices)
    assert indices.max() < COUNT
    off_middle = places[places[:, 0] != 0]
    mirrored = {(round(-x, 4), round(y, 4)) for x, y in off_middle}
    assert mirrored == {(round(x, 4), round(y, 4)) for x, y in off_middle}


def test_the_mapping_leads_from_places_to_landmarks():
    points = template_of()
    indices, places = head_places()
    assert np.abs(to_photograph(points)(places) - points[indices]).max() < 2
