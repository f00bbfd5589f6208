import hashlib
import json
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rendered_faces.action_units import EXPRESSIONS
from rendered_faces.design import DOMAINS, SKIN_TONES, Design, plan_faces
from rendered_faces.person import PICTURE_COLUMNS
from rendered_faces.portrait import render_face

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
    [("image_seed", 1), ("identity_seed", 1), ("skin_tone", 9), ("model_age", 12.0), ("sex", "male"), ("mouth", "open"),
     ("domain", "wild"), ("expression", "anger"), ("intensity", 0.2), ("difficulty", 0.9)],
)  # fmt: skip
def test_each_thing_drawn_changes_the_pixels(row: dict[str, Any], column: str, value: object) -> None:
    assert row[column] != value
    assert not np.array_equal(render_face(row, SIZE), render_face(row | {column: value}, SIZE))


def test_another_process_draws_the_same_pixels(row: dict[str, Any]) -> None:
    script = (
        "import hashlib, json, sys; from rendered_faces.portrait import render_face;"
        f"print(hashlib.sha256(render_face(json.loads(sys.argv[1]), {SIZE}).tobytes()).hexdigest())"
    )
    plain = {key: value for key, value in row.items() if key != "age_years"}
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(plain, default=float)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == hashlib.sha256(render_face(row, SIZE).tobytes()).hexdigest()


def test_the_order_of_rendering_changes_nothing(plan: pd.DataFrame) -> None:
    rows = plan.iloc[::422].to_dict("records")
    forwards = [render_face(row, SIZE) for row in rows]
    backwards = [render_face(row, SIZE) for row in rows[::-1]][::-1]
    assert all(np.array_equal(one, other) for one, other in zip(forwards, backwards, strict=True))


def test_group_dataset_and_split_change_nothing_in_the_pixels(row: dict[str, Any]) -> None:
    relabelled = row | {"ethnicity": "E", "dataset": "x", "split": "test", "subject_id": "x", "face_id": "x"}
    assert row["ethnicity"] != "E"
    assert np.array_equal(render_face(row, SIZE), render_face(relabelled, SIZE))


def test_the_picture_columns_alone_decide_the_pixels(row: dict[str, Any]) -> None:
    assert np.array_equal(
        render_face(row, SIZE), render_face({name: row[name] for name in PICTURE_COLUMNS}, SIZE)
    )


def test_twins_of_the_gap_set_have_the_pictures_of_their_originals_but_for_group_e(
    plan: pd.DataFrame,
) -> None:
    twins = plan["dataset"] == "synthetic-gap"
    assert not plan[~twins].duplicated(list(PICTURE_COLUMNS)).any()
    again = plan.duplicated(list(PICTURE_COLUMNS))
    assert (again == (twins & (plan["ethnicity"] != "E"))).all()


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
    quiet = row | {"domain": "lab", "difficulty": 0.0, "blend": 0.0, "model_age": 30.0}
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
    with pytest.raises(ValueError, match="unknown mouth 'wide': expected closed or open"):
        render_face(row | {"mouth": "wide"}, SIZE)
    with pytest.raises(ValueError, match="unknown domain 'moon': expected one of lab"):
        render_face(row | {"domain": "moon"}, SIZE)
    for size in (8, 2000):
        with pytest.raises(ValueError, match=f"a face of {size} pixels: ask for 32 to 900"):
            render_face(row, size)


@pytest.mark.parametrize("size", [32, 33, 900])
def test_the_smallest_and_largest_sizes_are_rendered(row: dict[str, Any], size: int) -> None:
    assert render_face(row, size).shape == (size, size, 3)


def test_every_cell_of_the_design_is_rendered_and_shows_a_face(plan: pd.DataFrame) -> None:
    assert len(plan.drop_duplicates(["age_group", "skin_tone", "ethnicity"])) == 2 * len(SKIN_TONES) * 5
    # The group changes nothing in the pixels, as is tested above: the cells that are drawn are those of the sexes
    drawn = plan.drop_duplicates(["age_group", "skin_tone", "sex"])
    assert len(drawn) == 2 * len(SKIN_TONES) * 2
    for row in drawn.to_dict("records"):
        face = render_face(row, 64)
        assert face.std() > 10, row["face_id"]
        left, right = face[20:44, 16:32].mean(), face[20:44, 32:48].mean()
        assert abs(left - right) < 90, row["face_id"]


def test_an_expression_moves_the_face_and_not_the_scene(row: dict[str, Any]) -> None:
    quiet = row | {"domain": "lab", "difficulty": 0.0, "blend": 0.0, "model_age": 30.0, "mouth": "closed"}
    one, other = (
        render_face(quiet | {"expression": expression}, SIZE).astype(int)
        for expression in ("happiness", "sadness")
    )
    change = np.abs(one - other).mean(2)
    corner = change[: SIZE // 8, : SIZE // 8].mean()
    mouth = change[SIZE // 2 : 3 * SIZE // 4, SIZE // 3 : 2 * SIZE // 3].mean()
    assert mouth > 3 * corner
