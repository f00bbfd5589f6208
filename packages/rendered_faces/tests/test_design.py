from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from rendered_faces.action_units import EXPRESSIONS
from rendered_faces.design import (
    CAFE_CHILDREN,
    CAFE_PHOTOGRAPHS,
    DOMAINS,
    GROUPS,
    MOUTHS,
    SKIN_TONES,
    Design,
    plan_faces,
)

CARD = Path(__file__).parents[3] / "data_manifests" / "cards" / "cafe.yml"


@pytest.fixture(scope="module")
def plan() -> pd.DataFrame:
    return plan_faces(Design())


@pytest.fixture(scope="module")
def faces(plan: pd.DataFrame) -> pd.DataFrame:
    return plan[plan["dataset"] == "synthetic"]


def cramers_v(left: pd.Series, right: pd.Series) -> float:
    table = pd.crosstab(left, right).to_numpy(float)
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / table.sum()
    chi_squared = ((table - expected) ** 2 / expected).sum()
    return float(np.sqrt(chi_squared / table.sum() / (min(table.shape) - 1)))


@pytest.fixture(scope="module")
def tested(faces: pd.DataFrame) -> pd.DataFrame:
    return faces[(faces["split"] == "test") & (faces["age_group"] == "child")]


def test_every_training_cell_has_its_subjects_and_every_subject_its_images(faces: pd.DataFrame) -> None:
    training = faces[faces["split"] != "test"]
    cells = training.drop_duplicates("subject_id").groupby(["age_group", "skin_tone", "ethnicity"]).size()
    assert len(cells) == 2 * len(SKIN_TONES) * len(GROUPS)
    assert set(cells) == {1}
    images = training.groupby(["subject_id", "expression"]).size()
    assert len(images) == 100 * len(EXPRESSIONS)
    assert set(images) == {Design().images_per_expression}
    assert faces["face_id"].is_unique


def test_test_adults_are_crossed_and_show_half_the_images(faces: pd.DataFrame) -> None:
    adults = faces[(faces["split"] == "test") & (faces["age_group"] == "adult")]
    assert set(adults.groupby(["skin_tone", "ethnicity", "expression"]).size()) == {1}
    assert len(adults) == 50 * len(EXPRESSIONS)


@pytest.mark.parametrize("replicates", [1, 3])
def test_test_children_are_as_many_by_group_as_in_cafe(replicates: int) -> None:
    plan = plan_faces(Design(test_replicates=replicates))
    tested = plan[
        (plan["dataset"] == "synthetic") & (plan["split"] == "test") & (plan["age_group"] == "child")
    ]
    children = tested.drop_duplicates("subject_id")["ethnicity"].value_counts()
    assert dict(children) == {group: replicates * count for group, count in CAFE_CHILDREN.items()}
    assert dict(tested["expression"].value_counts()) == {
        expression: replicates * count for expression, count in CAFE_PHOTOGRAPHS.items()
    }


def test_cafes_numbers_are_those_of_its_card() -> None:
    card = yaml.safe_load(CARD.read_text())["study"]
    assert sum(CAFE_CHILDREN.values()) == card["subjects"]
    assert sum(CAFE_PHOTOGRAPHS.values()) == card["published_images"]


@pytest.mark.parametrize("factor", ["ethnicity", "skin_tone", "sex"])
def test_expressions_are_mixed_alike_whoever_shows_them(tested: pd.DataFrame, factor: str) -> None:
    assert cramers_v(tested["expression"], tested[factor]) < 0.06


def test_each_group_of_test_children_has_tones_sexes_and_clarity_alike(plan: pd.DataFrame) -> None:
    for dataset, few in (("synthetic", 0.12), ("synthetic-gap", 0.12)):
        children = plan[
            (plan["dataset"] == dataset) & (plan["split"] == "test") & (plan["age_group"] == "child")
        ]
        by_child = children.groupby("subject_id").agg(
            {"ethnicity": "first", "skin_tone": "first", "sex": "first", "intensity": "mean"}
        )
        planted = (by_child["ethnicity"] == "E") & (dataset == "synthetic-gap")
        by_child["intensity"] /= np.where(planted, Design().planted_gap, 1)
        by_child["vague"] = by_child["intensity"] < 0.6
        for group, part in by_child.groupby("ethnicity"):
            assert part["vague"].mean() == pytest.approx(by_child["vague"].mean(), abs=0.06), group
            assert part["intensity"].mean() == pytest.approx(by_child["intensity"].mean(), rel=few), group
            assert part["skin_tone"].mean() == pytest.approx(5.5, abs=0.6), group
            assert (part["sex"] == "male").mean() == pytest.approx(0.5, abs=0.11), group
        assert abs(np.corrcoef(by_child["vague"], by_child["skin_tone"])[0, 1]) < 0.1


def test_differences_in_clarity_keep_the_mean(faces: pd.DataFrame, tested: pd.DataFrame) -> None:
    trained = faces[(faces["split"] == "train") & (faces["age_group"] == "child")]
    assert tested["intensity"].mean() == pytest.approx(trained["intensity"].mean(), rel=0.06)


@pytest.mark.parametrize("factor", ["age_group", "expression", "skin_tone", "ethnicity", "sex", "split"])
def test_the_domain_tells_nothing_about_another_factor(faces: pd.DataFrame, factor: str) -> None:
    assert set(faces["domain"]) == set(DOMAINS)
    assert cramers_v(faces["domain"], faces[factor]) < 0.04


@pytest.mark.parametrize(("part", "most"), [("train", 0.03), ("test", 0.07)])
@pytest.mark.parametrize("factor", ["age_group", "skin_tone", "ethnicity", "sex", "domain"])
def test_mouths_are_open_and_closed_alike_but_for_surprise(
    faces: pd.DataFrame, part: str, most: float, factor: str
) -> None:
    shown = faces[(faces["split"] == "test") == (part == "test")]
    surprised = shown["expression"] == "surprise"
    assert set(shown.loc[surprised, "mouth"]) == {"open"}
    others = shown[~surprised]
    assert dict(others["mouth"].value_counts(normalize=True)) == pytest.approx(
        dict.fromkeys(MOUTHS, 0.5), abs=0.01
    )
    assert cramers_v(others["mouth"], others["expression"]) < most
    assert cramers_v(others["mouth"], others[factor]) < most


def test_children_are_of_the_ages_in_cafe_and_adults_grown_up(faces: pd.DataFrame) -> None:
    ages = faces.drop_duplicates("subject_id").groupby("age_group")["model_age"]
    assert ages.min()["child"] >= 2.7
    assert ages.max()["child"] <= 8.7
    assert ages.mean()["child"] == pytest.approx(5.3, abs=0.4)
    assert ages.min()["adult"] >= 18
    assert ages.nunique()["adult"] > 90


def test_children_differ_in_how_clearly_they_show_and_keep_to_it(faces: pd.DataFrame) -> None:
    spread = {}
    for age_group, part in faces.groupby("age_group"):
        by_person = part.groupby("subject_id")["intensity"]
        spread[age_group] = by_person.mean().std() / by_person.std().mean()
    assert spread["child"] > 1.5
    assert spread["adult"] < 0.6 * spread["child"]


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_domain_is_crossed_with_age_group_and_expression_together(
    faces: pd.DataFrame, split: str
) -> None:
    part = faces[faces["split"] == split]
    both = part["age_group"] + part["expression"]
    assert cramers_v(part["domain"], both) < 0.06


def test_sex_is_crossed_with_age_group_tone_and_group(faces: pd.DataFrame) -> None:
    subjects = faces.drop_duplicates("subject_id")
    for factor in ("age_group", "skin_tone", "ethnicity"):
        assert cramers_v(subjects["sex"], subjects[factor]) < 0.06


def test_validation_takes_a_tenth_balanced_over_age_group_tone_and_group(faces: pd.DataFrame) -> None:
    subjects = faces.drop_duplicates("subject_id")
    validation = subjects[subjects["split"] == "validation"]
    assert len(validation) == 10
    assert dict(validation["age_group"].value_counts()) == {"child": 5, "adult": 5}
    assert set(validation["skin_tone"]) == set(SKIN_TONES)
    assert set(validation["ethnicity"].value_counts()) == {2}
    assert not set(validation["subject_id"]) & set(subjects.loc[subjects["split"] == "test", "subject_id"])


def test_more_replicates_and_images_leave_the_faces_before_as_they_were(plan: pd.DataFrame) -> None:
    grown = plan_faces(Design(training_replicates=2, test_replicates=3, images_per_expression=3))
    same = grown.set_index("face_id").loc[plan["face_id"]].reset_index()
    pd.testing.assert_frame_equal(same[plan.columns], plan)


def test_another_seed_draws_other_people(plan: pd.DataFrame) -> None:
    other = plan_faces(Design(seed=1))
    assert not set(other["identity_seed"]) & set(plan["identity_seed"])
    assert not set(other["image_seed"]) & set(plan["image_seed"])


def test_seeds_are_one_a_subject_and_one_an_image(faces: pd.DataFrame) -> None:
    assert faces["identity_seed"].nunique() == faces["subject_id"].nunique()
    assert faces["image_seed"].is_unique


def test_the_child_shift_scales_childrens_intensity_and_nothing_else(plan: pd.DataFrame) -> None:
    study = Design()
    without = plan_faces(Design(child_shift=1.0))
    children = plan["age_group"] == "child"
    ratio = plan["intensity"] / without["intensity"]
    assert np.allclose(ratio[children], study.child_shift)
    assert (ratio[~children] == 1).all()
    pd.testing.assert_frame_equal(plan.drop(columns="intensity"), without.drop(columns="intensity"))


def test_the_gap_set_holds_test_children_and_weakens_group_e_alone(plan: pd.DataFrame) -> None:
    gap = plan[plan["dataset"] == "synthetic-gap"]
    assert set(gap["split"]) == {"test"}
    assert set(gap["age_group"]) == {"child"}
    assert set(gap.groupby(["subject_id", "expression"]).size()) == {1}
    children = gap.drop_duplicates("subject_id")["ethnicity"].value_counts()
    assert dict(children) == dict.fromkeys(GROUPS, min(CAFE_CHILDREN.values()))
    twin_ids = gap["face_id"].str.replace("synthetic-gap", "synthetic")
    twins = plan.set_index("face_id").loc[twin_ids].reset_index()
    ratio = gap["intensity"].to_numpy() / twins["intensity"].to_numpy()
    of_group_e = gap["ethnicity"].to_numpy() == "E"
    assert np.allclose(ratio[of_group_e], Design().planted_gap)
    assert (ratio[~of_group_e] == 1).all()
    others = plan.columns.drop(["dataset", "face_id", "intensity"])
    pd.testing.assert_frame_equal(gap[others].reset_index(drop=True), twins[others])


def test_difficulty_weakens_and_mixes_expressions() -> None:
    easy, hard = (plan_faces(Design(difficulty=d)) for d in (0.0, 0.8))
    assert hard["intensity"].mean() < easy["intensity"].mean() - 0.2
    assert (easy["blend"] == 0).all()
    assert hard["blend"].mean() > 0.1
