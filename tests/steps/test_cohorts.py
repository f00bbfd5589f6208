import numpy as np
import pandas as pd
import pytest

from fer_utils.models.training import of_cohort
from fer_utils.steps import cohorts
from fer_utils.study import COHORTS, MATCHED_BY, load_study


def faces(**counts):
    rows = [(f"{group}{n}", group, "train") for group, count in counts.items() for n in range(count)]
    rows += [(f"{group}-v", group, "validation") for group in ("child", "adult")]
    return pd.DataFrame(rows, columns=["face_id", "age_group", "split"]).assign(
        domain="lab", expression="fear"
    )


@pytest.fixture
def unequal():
    """Many adults from the web, few in studios; children in studios alone; expressions unlike each other."""
    generator = np.random.default_rng(0)
    counts = {("child", "lab"): 300, ("adult", "lab"): 120, ("adult", "web"): 900, ("unknown", "web"): 200}
    frame = pd.DataFrame(
        [key for key, count in counts.items() for _ in range(count)], columns=["age_group", "domain"]
    )
    frame["face_id"] = [f"face{n}" for n in range(len(frame))]
    frame["split"] = generator.choice(["train", "validation"], len(frame), p=[0.8, 0.2])
    frame["expression"] = generator.choice(["fear", "anger", "neutral"], len(frame), p=[0.2, 0.3, 0.5])
    return frame


@pytest.mark.parametrize("rung", MATCHED_BY)
@pytest.mark.parametrize("unknown_is_adult", [True, False])
def test_matched_copies_learn_from_as_many_faces_in_every_stratum(unequal, rung, unknown_is_adult):
    study = load_study("quick", unknown_age_is_adult=unknown_is_adult)
    strata = ["split", *MATCHED_BY[rung]]
    children, adults = (
        unequal[of_cohort(unequal, f"{rung}_{side}", study)] for side in ("children", "adults")
    )
    assert len(children) > 50
    assert children.groupby(strata).size().equals(adults.groupby(strata).size())
    assert set(children["age_group"]) == {"child"}
    assert ("unknown" in set(adults["age_group"])) == (unknown_is_adult and rung == "size_matched")


def test_a_matched_choice_depends_on_the_faces_alone(unequal):
    study, mixed = load_study("quick"), unequal.sample(frac=1, random_state=1)
    chosen = [
        set(each.loc[of_cohort(each, "class_matched_adults", study), "face_id"]) for each in (unequal, mixed)
    ]
    assert chosen[0] == chosen[1]
    moved = load_study("quick", seed=9)
    assert of_cohort(unequal, "class_matched_adults", moved).equals(
        of_cohort(unequal, "class_matched_adults", study)
    )


@pytest.mark.parametrize(
    ("counts", "unknown_is_adult", "possible"),
    [
        ({"child": 2}, True, ("children", "all")),
        ({"adult": 1}, False, ("adults", "known_adults", "all")),
        ({"unknown": 3}, True, ("adults", "all")),
        ({"unknown": 3}, False, ("all",)),
        ({"child": 1, "adult": 1}, False, COHORTS),
        ({"child": 3, "adult": 1}, True, COHORTS),
    ],
)
def test_a_cohort_is_trained_where_a_training_face_is_there(counts, unknown_is_adult, possible):
    study = load_study("quick", cohorts=list(COHORTS), unknown_age_is_adult=unknown_is_adult)
    given = faces(**counts)
    assert cohorts.trainable(given, study) == possible
    learned = given[given["split"] == "train"]
    assert all(of_cohort(learned, cohort, study).any() for cohort in possible)


def test_the_others_are_left_out_of_the_training_and_no_other_field_is_changed(monkeypatch):
    given = {}
    monkeypatch.setattr(cohorts.tables, "read", lambda *_: faces(child=1))
    monkeypatch.setattr(
        cohorts, "train", lambda network, study, paths, again: given.update(study=study, again=again)
    )
    study = load_study("quick", seed=3)
    cohorts.train_cohorts("mobilenet_v2", study, cohorts.Paths.of(study))
    assert given["study"].cohorts == ("children", "all")
    assert given["study"].model_copy(update={"cohorts": study.cohorts}) == study


def test_training_again_changes_the_seed_alone(monkeypatch):
    given = {}
    monkeypatch.setattr(cohorts.tables, "read", lambda *_: faces(child=1, adult=1))
    monkeypatch.setattr(
        cohorts, "train", lambda network, study, paths, again: given.update(study=study, again=again)
    )
    study = load_study("quick", seed=3, further_seeds=[7])
    cohorts.train_again("mobilenet_v2", "7", study, cohorts.Paths.of(study))
    assert given["again"]
    assert given["study"] == study.model_copy(update={"seed": 7})


def test_nothing_to_learn_from_is_said(monkeypatch):
    monkeypatch.setattr(cohorts.tables, "read", lambda *_: faces())
    study = load_study("quick")
    with pytest.raises(cohorts.CohortError, match="no face is there to train on"):
        cohorts.train_cohorts("mobilenet_v2", study, cohorts.Paths.of(study))
