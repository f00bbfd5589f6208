import pandas as pd
import pytest
from made_up_sets import ingested_rows

from face_sets.expressions import EXPRESSIONS
from fer_utils.analysis.coverage import coverage, holes


@pytest.fixture
def faces():
    both = pd.concat(
        [ingested_rows("kdef", 3, age_group="adult"), ingested_rows("nimh_chefs", 4)], ignore_index=True
    )
    lacking = (both["dataset"] == "nimh_chefs") & both["expression"].isin(["disgust", "surprise"])
    return both[~lacking].assign(split="train")


def test_holes_are_zeros_not_absent_rows(faces):
    table = coverage(faces)
    assert list(table.columns) == list(EXPRESSIONS)
    assert table.index.tolist() == [("kdef", "adult"), ("nimh_chefs", "child")]
    assert table.loc[("nimh_chefs", "child"), "disgust"] == 0
    assert table.to_numpy().sum() == len(faces)


def test_holes_are_told_in_words(faces):
    assert holes(faces) == ["no surprise, disgust in nimh_chefs (child)"]


def test_no_faces(faces):
    assert coverage(faces.iloc[:0]).empty
    assert holes(faces.iloc[:0]) == []
