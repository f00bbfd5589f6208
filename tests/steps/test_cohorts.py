import pandas as pd
import pytest

from fer_utils.models.training import of_cohort
from fer_utils.steps import cohorts
from fer_utils.study import COHORTS, load_study


def faces(**counts):
    rows = [(f"{group}{n}", group, "train") for group, count in counts.items() for n in range(count)]
    rows += [(f"{group}-v", group, "validation") for group in ("child", "adult")]
    return pd.DataFrame(rows, columns=["face_id", "age_group", "split"])


@pytest.mark.parametrize(
    ("counts", "unknown_is_adult", "possible"),
    [
        ({"child": 2}, True, ("children", "all")),
        ({"adult": 1}, False, ("adults", "known_adults", "all")),
        ({"unknown": 3}, True, ("adults", "all")),
        ({"unknown": 3}, False, ("all",)),
        ({"child": 1, "adult": 1}, False, COHORTS),
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
