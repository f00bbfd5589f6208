from itertools import combinations

import numpy as np
import pytest

from rendered_faces.action_units import (
    EXPRESSIONS,
    MOUTHS,
    NUMBERS,
    PROTOTYPES,
    STRONGEST,
    UNITS,
    performed,
    prototypes,
    shape_weights,
)  # fmt: skip
from rendered_faces.head import Head, load_head

ONES, NO_REST = np.ones((len(NUMBERS), 2)), np.zeros(len(NUMBERS))


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head()


def alone(unit: int, strength: float = 1.0) -> np.ndarray:
    return np.array([[strength * (number == unit)] * 2 for number in NUMBERS])


def moved(head: Head, unit: int) -> np.ndarray:
    """How one unit at strength 1 shifts the head's vertices (n, 3), decimetres."""
    weights = shape_weights(alone(unit))
    return sum(head.unit[name] * weight for name, weight in weights.items())


def near(head: Head, x: float, y: float, reach: float = 0.08) -> np.ndarray:
    """Vertices of the face's front near a place of the base mesh, on the person's left."""
    place = np.abs(head.vertices[:, :2] - (x, y)).max(1) < reach
    return place & head.skin & (head.vertices[:, 2] > 0.9)


def test_every_expression_has_both_mouths_and_neutral_moves_nothing_but_the_mouth() -> None:
    for expression in EXPRESSIONS:
        for mouth in MOUTHS:
            assert len(prototypes(expression, mouth)) >= 1
    assert prototypes("neutral", "closed").sum() == 0
    assert set(PROTOTYPES["neutral"]["open"][0]) == {25, 26}


def test_prototypes_of_two_expressions_lie_well_apart() -> None:
    for one, other in combinations(EXPRESSIONS, 2):
        for mouth in MOUTHS:
            for a in prototypes(one, mouth):
                for b in prototypes(other, mouth):
                    assert np.linalg.norm(a - b) > 0.7, (one, other)


@pytest.mark.parametrize(
    ("expression", "units"),
    [("fear", (1, 4, 20)), ("happiness", (12,)), ("sadness", (4, 15)), ("surprise", (1, 2)), ("anger", (4,)),
     ("disgust", (9, 10))],
)  # fmt: skip
def test_every_variant_holds_the_units_that_most_people_show(expression: str, units: tuple[int, ...]) -> None:
    for mouth in MOUTHS:
        for variant in PROTOTYPES[expression][mouth]:
            assert set(units) <= set(variant), (mouth, variant)


def test_unknown_names_are_named() -> None:
    with pytest.raises(ValueError, match="unknown expression 'calm'"):
        prototypes("calm", "open")
    with pytest.raises(ValueError, match="unknown mouth 'wide': expected closed or open"):
        prototypes("fear", "wide")


@pytest.mark.parametrize(
    ("unit", "place", "axis", "sign"),
    [(1, (0.10, 7.50), 1, 1), (2, (0.45, 7.50), 1, 1), (4, (0.25, 7.48), 1, -1), (12, (0.25, 6.60), 1, 1),
     (12, (0.25, 6.60), 0, 1), (15, (0.25, 6.60), 1, -1), (20, (0.25, 6.60), 0, 1), (26, (0.0, 6.35), 1, -1),
     (9, (0.12, 6.98), 1, 1), (10, (0.10, 6.69), 1, 1), (16, (0.10, 6.52), 1, -1), (43, (0.32, 7.35), 1, -1)],
)  # fmt: skip
def test_a_unit_moves_the_right_place_the_right_way(
    head: Head, unit: int, place: tuple[float, float], axis: int, sign: int
) -> None:
    here = near(head, *place)
    assert here.any()
    assert sign * moved(head, unit)[here, axis].mean() > 0.01


@pytest.mark.parametrize("unit", [1, 2, 4, 5, 7, 9, 43])
def test_units_of_the_upper_face_leave_the_chin_and_those_of_the_lower_the_brows(
    head: Head, unit: int
) -> None:
    assert np.abs(moved(head, unit)[near(head, 0.0, 6.35)]).max() < 0.02
    for lower in (15, 16, 17, 20, 26):
        assert np.abs(moved(head, lower)[near(head, 0.25, 7.48)]).max() < 0.02


def test_each_side_has_its_own_strength(head: Head) -> None:
    strengths = np.zeros((len(NUMBERS), 2))
    strengths[NUMBERS.index(12)] = 1.0, 0.2
    weights = shape_weights(strengths)
    assert weights["mouthSmileRight"] == pytest.approx(5 * weights["mouthSmileLeft"])


def test_every_shape_of_every_unit_is_in_the_head(head: Head) -> None:
    for unit in UNITS:
        assert set(shape_weights(alone(unit))) <= set(head.unit), unit


def test_performed_units_stay_in_range_and_jitter_grows_with_difficulty() -> None:
    target, spread = prototypes("fear", "open")[0], []
    for difficulty in (0.0, 1.0):
        random = np.random.default_rng(3)
        shown = np.array([performed(target, ONES, NO_REST, difficulty, random) for _ in range(300)])
        assert shown.min() >= 0
        assert shown.max() <= STRONGEST
        assert (shown[:, target == 0] == 0).all()
        spread.append(shown.std(0).sum())
    assert spread[1] > 1.5 * spread[0]


def test_the_strongest_units_are_always_shown_and_others_are_sometimes_dropped() -> None:
    target, random = prototypes("anger", "open")[0], np.random.default_rng(1)
    shown = (np.array([performed(target, ONES, NO_REST, 1.0, random) for _ in range(200)]) > 0).mean((0, 2))
    strongest = target >= 0.8 * target.max()
    assert (shown[strongest] == 1).all()
    others = (target > 0) & ~strongest
    assert others.any()
    assert ((shown[others] > 0.6) & (shown[others] < 0.9)).all()


def test_a_resting_trace_shows_in_every_expression() -> None:
    rest = np.where(np.array(NUMBERS) == 15, 0.1, 0.0)
    random = np.random.default_rng(0)
    for expression in ("neutral", "surprise"):
        shown = performed(prototypes(expression, "open")[0], ONES, rest, 0.0, random)
        assert (shown[NUMBERS.index(15)] >= 0.1).all()
