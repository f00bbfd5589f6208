from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthetic_faces.action_units import EXPRESSIONS
from synthetic_faces.design import DOMAINS, SKIN_TONES, Design, plan_faces
from synthetic_faces.portrait import render_face

SIZE = 96


@pytest.fixture(scope="module")
def plan() -> pd.DataFrame:
    return plan_faces(Design())


@pytest.fixture
def row(plan: pd.DataFrame) -> dict[str, Any]:
    return plan.iloc[4].to_dict()


def test_the_same_row_gives_the_same_pixels(row: dict[str, Any]) -> None:
    first, second = render_face(row, SIZE), render_face(pd.Series(row), SIZE)
    assert first.shape == (SIZE, SIZE, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, second)


@pytest.mark.parametrize(
    ("column", "value"),
    [("image_seed", 1), ("identity_seed", 1), ("skin_tone", 9), ("childness", 0.5), ("domain", "wild"),
     ("expression", "anger"), ("intensity", 0.2), ("difficulty", 0.9)],
)  # fmt: skip
def test_each_thing_drawn_changes_the_pixels(row: dict[str, Any], column: str, value: object) -> None:
    assert row[column] != value
    assert not np.array_equal(render_face(row, SIZE), render_face(row | {column: value}, SIZE))


def test_group_dataset_and_split_change_nothing_in_the_pixels(row: dict[str, Any]) -> None:
    relabelled = row | {"ethnicity": "E", "dataset": "x", "split": "test", "subject_id": "x", "face_id": "x"}
    assert row["ethnicity"] != "E"
    assert np.array_equal(render_face(row, SIZE), render_face(relabelled, SIZE))


def test_the_gap_set_differs_from_its_twin_for_group_e_alone(plan: pd.DataFrame) -> None:
    gap = plan[(plan["dataset"] == "synthetic-gap") & (plan["expression"] == "happiness")].head(10)
    twins = plan.set_index("face_id")
    for face in gap.to_dict("records"):
        twin = twins.loc[face["face_id"].replace("synthetic-gap", "synthetic")].to_dict()
        same = np.array_equal(render_face(face, SIZE), render_face(twin, SIZE))
        assert same == (face["ethnicity"] != "E")


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_tone_is_neither_black_nor_blown_out(row: dict[str, Any], domain: str) -> None:
    levels = []
    for tone in SKIN_TONES:
        face = render_face(row | {"domain": domain, "skin_tone": tone}, SIZE)
        centre = face[SIZE // 3 : 2 * SIZE // 3, SIZE // 3 : 2 * SIZE // 3]
        levels.append(centre.mean())
        assert 45 < centre.mean() < 215
        assert centre.std() > 5
        assert (face == 255).all(2).mean() < 0.05
    assert levels[0] > levels[-1] + 30  # the scale still shows


def test_a_stronger_expression_moves_more_of_the_face(row: dict[str, Any]) -> None:
    quiet = row | {"domain": "lab", "difficulty": 0.0, "blend": 0.0, "childness": 0.0}
    for expression in EXPRESSIONS[1:]:
        shown = quiet | {"expression": expression}
        still = render_face(shown | {"intensity": 0.0}, SIZE).astype(int)
        weak, strong = (
            np.abs(render_face(shown | {"intensity": i}, SIZE) - still).mean() for i in (0.5, 1.0)
        )
        assert 0.3 < weak < strong, expression


def test_unknown_names_and_tiny_sizes_say_what_is_expected(row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="unknown expression 'joy': expected one of neutral"):
        render_face(row | {"expression": "joy"}, SIZE)
    with pytest.raises(ValueError, match="unknown domain 'moon': expected one of lab"):
        render_face(row | {"domain": "moon"}, SIZE)
    for size in (8, 2000):
        with pytest.raises(ValueError, match=f"a face of {size} pixels: ask for 32 to 900"):
            render_face(row, size)


def test_the_largest_size_can_be_drawn_by_every_texture(row: dict[str, Any]) -> None:
    assert render_face(row | {"domain": "lab"}, 900).shape == (900, 900, 3)
