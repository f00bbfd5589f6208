"""Blends: whose skins are mixed, on which side of the split, and what wearing one changes."""

import numpy as np
import pytest
from made_up_faces import photographs

from photograph_skins import blends
from photograph_skins.blends import FEWEST, HELD_OUT, blended, load_sitters, wearing
from photograph_skins.portraits import dressed, plan
from rendered_faces.person import person_of
from rendered_faces.portrait import render_face


@pytest.fixture(scope="module")
def sitters(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sitters")
    return load_sitters(photographs(folder), folder)


def test_every_person_is_on_one_side_and_both_sides_can_blend(sitters):
    sides = {(each.sex, each.split) for each in sitters}
    assert len({each.subject_id for each in sitters}) == len(sitters)
    assert len(sides) == 4
    for sex, split in sides:
        assert sum((each.sex, each.split) == (sex, split) for each in sitters) >= FEWEST


def test_the_split_depends_on_the_persons_alone(sitters, tmp_path, monkeypatch):
    monkeypatch.setattr(blends, "_skin_of", lambda path: None)
    again = load_sitters(photographs(tmp_path)[::-1], tmp_path)
    assert {each.subject_id: each.split for each in again} == {
        each.subject_id: each.split for each in sitters
    }


def test_a_blend_lies_between_its_persons_and_is_none_of_them(sitters):
    skin = blended(sitters, "female", "train", seed=3)
    own = [each.skin.lips for each in sitters if (each.sex, each.split) == ("female", "train")]
    assert (np.min(own, 0) - 1e-6 <= skin.lips).all()
    assert (skin.lips <= np.max(own, 0) + 1e-6).all()
    assert min(np.abs(skin.lips - each).max() for each in own) > 1e-6
    np.testing.assert_array_equal(skin.colour, blended(sitters, "female", "train", seed=3).colour)
    assert not np.array_equal(skin.colour, blended(sitters, "female", "train", seed=4).colour)


@pytest.mark.parametrize("persons", [0, 4])
def test_a_blend_of_nobody_or_of_more_than_there_are_is_refused(sitters, persons):
    with pytest.raises(ValueError, match=f"cannot blend {persons} of 3"):
        blended(sitters, "male", "train", seed=1, persons=persons)


def test_too_few_persons_are_refused(tmp_path):
    with pytest.raises(ValueError, match=f"at least {FEWEST + HELD_OUT}"):
        load_sitters(photographs(tmp_path, count=FEWEST + HELD_OUT - 1), tmp_path)


def test_a_picture_without_landmarks_and_a_file_that_is_none_are_named(tmp_path):
    rows = photographs(tmp_path)
    (tmp_path / "000f.tem").unlink()
    with pytest.raises(ValueError, match="000f.tem"):
        load_sitters(rows, tmp_path)
    (tmp_path / "000f.jpg").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="000f.jpg"):
        load_sitters(rows, tmp_path)


def test_a_skin_changes_the_face_and_neither_hair_nor_head(sitters):
    row = plan("skins").iloc[0]
    bare, person = person_of(row), dressed(row, "skins", sitters)
    assert person.identity is bare.identity
    assert person.hair is bare.hair
    covered = bare.hair.cover > 0.99
    np.testing.assert_allclose(person.paint[covered], bare.paint[covered], atol=0.02)
    plain, worn = render_face(row, 64), render_face(row, 64, person)
    assert 1 < np.abs(plain.astype(int) - worn).mean() < 60
    np.testing.assert_array_equal(worn, render_face(row, 64, person))


def test_a_skin_is_worn_in_the_persons_own_tone(sitters):
    row = plan("skins").iloc[0]
    skin = blended(sitters, "female", "train", seed=1)
    light, dark = (wearing(person_of(dict(row) | {"skin_tone": tone}), skin) for tone in (1, 10))
    assert light.paint[..., :3].mean() > 2 * dark.paint[..., :3].mean()


def test_the_plan_is_of_adults_in_skins_and_holds_out_persons():
    painted, skins = plan("painted"), plan("skins")
    assert set(skins["age_group"]) == {"adult"}
    assert set(painted["age_group"]) == {"adult", "child"}
    for rows in (painted, skins):
        assert (rows.groupby("subject_id")["split"].nunique() == 1).all()
        assert set(rows["split"]) == {"train", "validation"}
        assert rows["expression"].value_counts().nunique() == 1  # equal class shares
    assert not set(skins["identity_seed"]) & set(painted["identity_seed"])


def test_more_painted_persons_are_the_painted_ones_and_others_each_on_one_side():
    painted, more = (plan(kind).drop_duplicates("subject_id") for kind in ("painted", "more painted"))
    assert len(more) == 4 * len(painted)
    both = painted.merge(more, on="subject_id", suffixes=("", "_more"))
    assert len(both) == len(painted)
    for column in ("split", "identity_seed", "skin_tone", "age_group"):
        assert (both[column] == both[f"{column}_more"]).all()
    assert not set(plan("skins")["identity_seed"]) & set(more["identity_seed"])
