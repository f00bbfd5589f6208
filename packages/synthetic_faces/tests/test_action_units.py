from itertools import combinations

import numpy as np
import pytest

from synthetic_faces.action_units import EXPRESSIONS, PROTOTYPES, STRONGEST, UNIT_COUNT, posed, prototype


def test_every_expression_has_a_prototype_and_neutral_is_empty() -> None:
    assert tuple(PROTOTYPES) == EXPRESSIONS
    assert prototype("neutral").sum() == 0


def test_prototypes_lie_well_apart() -> None:
    for one, other in combinations(EXPRESSIONS, 2):
        assert np.linalg.norm(prototype(one) - prototype(other)) > 1.0, (one, other)


def test_prototypes_hold_the_core_units_of_the_investigators_guide() -> None:
    assert PROTOTYPES["happiness"].cheek_raiser > 0.5 < PROTOTYPES["happiness"].lip_corner_puller
    assert PROTOTYPES["surprise"].jaw_drop > 0.5 > PROTOTYPES["fear"].jaw_drop
    assert PROTOTYPES["fear"].brow_lowerer > 0.5 > PROTOTYPES["surprise"].brow_lowerer
    assert PROTOTYPES["disgust"].nose_wrinkler > 0.5 > PROTOTYPES["anger"].nose_wrinkler


def test_posed_units_stay_in_range_and_jitter_grows_with_difficulty() -> None:
    ones, zeros = np.ones(UNIT_COUNT), np.zeros(UNIT_COUNT)
    spread = []
    for difficulty in (0.0, 1.0):
        random = np.random.default_rng(3)
        drawn = np.array(
            [posed(prototype("fear"), ones, zeros, difficulty, random).vector() for _ in range(300)]
        )
        assert drawn.min() >= 0
        assert drawn.max() <= STRONGEST
        assert (drawn[:, prototype("fear") == 0] == 0).all()
        spread.append(drawn.std(0).sum())
    assert spread[1] > 1.5 * spread[0]


def test_the_strongest_unit_is_always_shown_and_others_are_sometimes_dropped() -> None:
    ones, zeros, random = np.ones(UNIT_COUNT), np.zeros(UNIT_COUNT), np.random.default_rng(1)
    target = prototype("happiness")
    drawn = np.array([posed(target, ones, zeros, 1.0, random).vector() for _ in range(200)])
    shown = (drawn > 0).mean(0)
    assert shown[target.argmax()] == 1
    others = (target > 0.5) & (target < target.max())  # weaker ones may be jittered away as well
    assert 0.6 < shown[others].min() <= shown[others].max() < 0.9


def test_an_unknown_expression_is_named() -> None:
    with pytest.raises(ValueError, match="unknown expression 'calm'"):
        prototype("calm")
