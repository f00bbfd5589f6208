"""The external test's measures: known answers, and a choice that never sees the persons it is scored on."""

import numpy as np
import pandas as pd
import pytest

from expression_scores.external_test import (
    aims,
    choices_by_halves,
    history,
    measures,
    peers,
    rung_scores,
    smiles_by_sex,
    with_shares,
)
from expression_scores.metrics import join
from expression_scores.run_scores import differences_by_run
from face_sets.expressions import EXPRESSIONS, PROBABILITY_COLUMNS


def london(persons):
    """Return faces of persons, women first, each neutral and smiling."""
    rows = [
        {"face_id": f"{p}-{e}", "dataset": "london", "subject_id": f"p{p}", "expression": e,
         "sex": "female" if p < persons // 2 else "male"}
        for p in range(persons) for e in ("neutral", "happiness")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def naming(faces, names, run_id="run", strength=0.9):
    """Return predictions that give each face the name in `names`."""
    shares = np.full((len(faces), 7), (1 - strength) / 6, dtype=np.float32)
    shares[np.arange(len(faces)), [EXPRESSIONS.index(n) for n in names]] = strength
    frame = pd.DataFrame(shares, columns=list(PROBABILITY_COLUMNS))
    return frame.assign(run_id=run_id, face_id=faces["face_id"].to_numpy())


def test_measures_of_a_network_that_misses_mens_smiles():
    faces = london(20)
    missed = (faces["sex"] == "male") & (faces["expression"] == "happiness")
    (row,) = measures(naming(faces, faces["expression"].where(~missed, "surprise")), faces).to_dict("records")
    assert (row["women"], row["men"]) == (10, 10)
    assert row["accuracy"] == 0.75
    assert (row["neutral_recall"], row["happiness_recall"]) == (1, 0.5)
    assert (row["women_happiness_recall"], row["men_happiness_recall"]) == (1, 0)
    assert row["two_way_accuracy"] == 0.75  # neither neutral nor happiness leads: not a smile
    assert row["smile_ranked"] == 0.5


def test_a_mild_smile_is_ranked_though_it_is_not_named():
    faces = london(10)
    predictions = naming(faces, ["neutral"] * 20, strength=0.6)
    smiling = (faces["expression"] == "happiness").to_numpy()
    predictions.loc[smiling, "p_happiness"] += 0.01
    (row,) = measures(predictions, faces).to_dict("records")
    assert (row["happiness_recall"], row["smile_ranked"]) == (0, 1)


def test_measures_keep_runs_apart():
    faces = london(10)
    both = pd.concat([naming(faces, faces["expression"], "good"), naming(faces, ["anger"] * 20, "bad")])
    found = measures(both.reset_index(drop=True), faces)
    assert found.set_index("run_id")["accuracy"].to_dict() == {"good": 1.0, "bad": 0.0}


def test_the_gap_of_smiles_is_found_with_its_sign():
    faces = london(40)
    missed = (faces["sex"] == "male") & (faces["expression"] == "happiness")
    joined = join(naming(faces, faces["expression"].where(~missed, "fear")), faces)
    smiles = joined[joined["expression"] == "happiness"]
    (gap,) = differences_by_run(smiles, "sex", ("female", "male"), 200).to_dict("records")
    assert (gap["difference"], gap["high"]) == (1, 1)
    assert 0.5 < gap["low"] < 1


def test_the_best_network_is_always_chosen_when_it_is_clear():
    faces = london(11)
    both = pd.concat([naming(faces, ["neutral"] * 22, "half"), naming(faces, faces["expression"], "whole")])
    found = choices_by_halves(join(both, faces), halves=50)
    assert (found["run_id"] == "whole").all()
    assert (found[["chosen_on", "scored_on"]] == 1).all(axis=None)


def test_persons_who_choose_are_never_scored():
    """One network is right on each person alone; scored on others, the chosen one knows nothing."""
    faces = london(10)
    runs = [
        naming(faces, np.where(faces["subject_id"] == f"p{p}", faces["expression"], "anger"), f"knows-{p}")
        for p in range(10)
    ]
    found = choices_by_halves(join(pd.concat(runs), faces), halves=40, seed=1)
    assert (found["chosen_on"] == 1 / 5).all()
    assert (found["scored_on"] == 0).all()
    assert found["run_id"].nunique() > 1


def test_choosing_among_guessers_flatters_only_where_it_chose():
    faces, generator = london(51), np.random.default_rng(0)
    runs = [naming(faces, generator.choice(EXPRESSIONS, 102), f"r{k}") for k in range(15)]
    joined = join(pd.concat(runs), faces)
    found = choices_by_halves(joined, seed=2)
    assert found["chosen_on"].mean() > found["scored_on"].mean() + 0.03
    assert found["scored_on"].mean() < 0.2
    pd.testing.assert_frame_equal(found, choices_by_halves(joined, seed=2))


def test_one_person_cannot_be_halved():
    faces = london(1)
    with pytest.raises(ValueError, match="1 person cannot be halved"):
        choices_by_halves(join(naming(faces, faces["expression"]), faces))


def test_peers_are_whole_and_each_is_there_once():
    found = peers()
    assert found["network"].is_unique
    assert len(found) == 11
    assert found["source"].str.startswith("https://github.com/").all()
    shares = found.filter(regex="accuracy|recall")
    assert shares.notna().all(axis=None)
    assert shares.to_numpy().min() >= 0
    assert shares.to_numpy().max() <= 1
    assert (found["accuracy_low"] < found["accuracy"]).all()
    recalls = found[["neutral_recall", "happiness_recall"]].mean(axis=1)
    np.testing.assert_allclose(recalls, found["accuracy"], atol=1e-3)  # as many neutral as smiling
    smiles = found["women"] * found["women_happiness_recall"] + found["men"] * found["men_happiness_recall"]
    weighted = smiles / (found["women"] + found["men"])
    np.testing.assert_allclose(weighted, found["happiness_recall"], atol=1e-3)


def test_smiles_by_sex_hold_two_intervals_a_network():
    rows = smiles_by_sex(peers().assign(group=peers()["network"]))
    assert len(rows) == 22
    assert (rows["low"] <= rows["estimate"]).all()
    assert (rows["estimate"] <= rows["high"]).all()


def rungs(**named):
    """Answers of rungs to the same photographs, by what each names."""
    faces = london(20)
    parts = [
        naming(faces, names(faces), rung)
        .merge(faces, on="face_id")
        .assign(rung=rung.replace("_", ", "), seed=1)
        for rung, names in named.items()
    ]
    return pd.concat(parts, ignore_index=True)


def test_rungs_are_scored_over_persons_with_the_priors_beside():
    found = rung_scores(
        rungs(sure=lambda f: f["expression"], blind=lambda f: ["neutral"] * len(f)), draws=200
    )
    sure, blind = found.to_dict("records")
    assert (sure["accuracy"], sure["two_way_accuracy"], sure["accuracy_raf_db"]) == (1, 1, 1)
    assert (blind["accuracy"], blind["neutral_recall"], blind["happiness_recall"]) == (0.5, 1, 0)
    assert blind["accuracy_low"] < 0.5 < blind["accuracy_high"]
    assert sure["seed"] == 1


def test_other_class_shares_change_answers_as_bayes_rule_does():
    answers = pd.DataFrame([dict.fromkeys(PROBABILITY_COLUMNS, 0.1) | {"p_fear": 0.4}])
    shares = np.array([0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    found = with_shares(answers, shares)
    assert found[list(PROBABILITY_COLUMNS)].to_numpy().sum() == pytest.approx(1)
    assert found["p_neutral"].item() == pytest.approx(found["p_fear"].item())
    same = with_shares(answers, np.ones(7) / 7)
    pd.testing.assert_frame_equal(same, answers)


def test_aims_are_judged_by_the_mean_and_a_missing_rung_reaches_none():
    names = {"released_int8 file": lambda f: f["expression"]}
    found = aims(rung_scores(rungs(**names), draws=100))
    reached = found.set_index(["rung", "measure"])["reached"]
    assert reached["released, int8 file"].all()
    assert not reached["rendered, all layers"].any()


def test_the_earlier_generators_are_shares():
    numbers = history().select_dtypes("number").to_numpy()
    assert ((numbers > 0) & (numbers < 1) | np.isnan(numbers)).all()
