from itertools import pairwise

import numpy as np

from synthetic_faces.identity import Identity, draw_identity
from synthetic_faces.skin import MONK_TONES, skin_colour


def person(**changes: object) -> Identity:
    return draw_identity(**({"seed": 5, "childness": 0.0, "sex": "female", "skin_tone": 3} | changes))  # type: ignore[arg-type]


def test_the_tone_changes_nothing_but_the_tone() -> None:
    light, dark = person(skin_tone=1), person(skin_tone=10)
    assert light.traits == dark.traits
    assert light.hairstyle == dark.hairstyle
    assert light.freckled == dark.freckled
    for name in ("hair", "iris", "clothes", "gain", "rest"):
        assert np.array_equal(getattr(light, name), getattr(dark, name))


def test_a_child_is_smooth_and_boys_and_girls_share_their_shape() -> None:
    boy, girl = person(childness=1.0, sex="male"), person(childness=1.0)
    assert boy.wrinkling == boy.masculinity == girl.masculinity == 0
    assert boy.traits == girl.traits


def test_grown_interpolates_between_adult_and_child() -> None:
    assert person(childness=0.0).grown(2.0, 4.0) == 2.0
    assert person(childness=1.0).grown(2.0, 4.0) == 4.0


def test_skin_colours_run_from_light_to_dark() -> None:
    brightness = [float(skin_colour(tone).mean()) for tone in range(1, len(MONK_TONES) + 1)]
    # swatches 2 and 3 are about equally light; from there each is darker than the one before
    assert all(a > b for a, b in pairwise(brightness[2:]))
    assert min(brightness[:3]) > brightness[3]
