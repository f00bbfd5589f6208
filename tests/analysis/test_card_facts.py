"""What a model card is told of a run: known answers from faces whose mistakes were made on purpose."""

import numpy as np
import pandas as pd
import pytest

from face_sets.expressions import EXPRESSIONS, PROBABILITY_COLUMNS
from fer_utils import tables as declared
from fer_utils.analysis.card_facts import card_facts, photographs_score
from fer_utils.analysis.evidence import Tables

FLOAT, INT8 = "net.all.none.float32", "net.all.none.int8"


def says(faces, names, run_id):
    probabilities = np.full((len(faces), 7), 0.1, dtype=np.float32)
    probabilities[np.arange(len(faces)), [EXPRESSIONS.index(name) for name in names]] = 0.4
    frame = pd.DataFrame(probabilities, columns=list(PROBABILITY_COLUMNS))
    return frame.assign(run_id=run_id, face_id=faces["face_id"].to_numpy())


@pytest.fixture
def made(faces_of):
    """Every fear is taken for surprise, and every second child of group B for neutral; int8 also misses sadness."""
    faces = faces_of(80, 7, skin_tone=3).assign(sha256="x", path="x", sex="female", may_publish=True)
    said = faces["expression"].where(faces["expression"] != "fear", "surprise")
    number = faces["subject_id"].str[1:].astype(int)
    said = said.where(number % 4 != 1, "neutral")
    runs = [
        {"run_id": run_id, "parent_run_id": "net.all", "architecture": "mobilenet_v2", "cohort": "all",
         "technique": "none", "precision": precision, "status": "done", "artefact": f"{run_id}.32.tflite"}
        for run_id, precision in ((FLOAT, "float32"), (INT8, "int8"))
    ]  # fmt: skip
    worse = said.where(faces["expression"] != "sadness", "anger")
    predictions = pd.concat([says(faces, said, FLOAT), says(faces, worse, INT8)])
    return Tables(
        declared.conform(faces, "faces"), predictions, declared.conform(pd.DataFrame(runs), "runs"),
        declared.empty("measurements"), draws=200,
    )  # fmt: skip


def test_the_worst_expression_and_what_it_is_taken_for(made):
    facts = card_facts(made, FLOAT, "made_up")
    worst = facts.worst_expression
    assert worst["expression"] == "fear"
    assert worst["recall"] == 0
    assert worst["taken_for"] == "surprise"
    assert worst["taken_share"] == pytest.approx(60 / 80)
    assert list(facts.recalls["expression"]) == list(EXPRESSIONS)
    assert facts.recalls["images"].sum() == facts.scores["images"] == 560


def test_the_worst_group(made):
    group = card_facts(made, FLOAT, "made_up").worst_group
    assert (group["factor"], group["group"]) == ("ethnicity", "B")
    assert group["accuracy"] == pytest.approx(0.5 * 6 / 7 + 0.5 * 1 / 7)


def test_factors_that_part_nobody_are_left_out(made):
    assert set(card_facts(made, FLOAT, "made_up").groups["factor"]) == {"ethnicity"}


def test_groups_too_small_to_speak_of_are_never_called_the_worst(made):
    facts = card_facts(made, FLOAT, "made_up")
    facts.groups["too_small"] = [False, True]
    assert facts.worst_group["group"] == "A"
    facts.groups["too_small"] = True
    assert facts.worst_group is None


def test_int8_is_set_beside_its_float_twin_and_float_beside_nothing(made):
    assert card_facts(made, FLOAT, "made_up").against_float is None
    against = card_facts(made, INT8, "made_up").against_float
    assert against.estimate == pytest.approx(-0.75 / 7)  # three in four children lose their sadness
    assert against.high < 0


def test_numbers_of_groups_stand_by_size(faces_of, made):
    tones = made.faces.assign(skin_tone=[10 if n % 2 else 2 for n in range(len(made.faces))])
    parted = Tables(
        declared.conform(tones, "faces"), made.predictions, made.runs, made.measurements, draws=200
    )
    groups = card_facts(parted, FLOAT, "made_up").groups
    assert list(groups.loc[groups["factor"] == "skin_tone", "group"]) == ["2", "10"]


def test_photographs_that_were_not_asked_about_have_no_score(made):
    photographs = made.faces.head(14)
    assert photographs_score(made, FLOAT, photographs)["images"] == 14
    assert photographs_score(made, FLOAT, photographs.head(0)) is None
