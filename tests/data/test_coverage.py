import pandas as pd
import pytest
from made_up_sets import ingested_rows

from fer_utils.data.coverage import balance, coverage, holes
from fer_utils.expressions import EXPRESSIONS


@pytest.fixture
def faces():
    both = pd.concat(
        [ingested_rows("kdef", 3, cohort="adult"), ingested_rows("nimh_chefs", 4)], ignore_index=True
    )
    lacking = (both["dataset"] == "nimh_chefs") & both["expression"].isin(["disgust", "surprise"])
    return both[~lacking].assign(split="train")


def test_holes_are_zeros_not_absent_rows(faces):
    table = coverage(faces)
    assert list(table.columns) == list(EXPRESSIONS)
    assert table.index.tolist() == [("kdef", "adult"), ("nimh_chefs", "child")]
    assert table.loc[("nimh_chefs", "child"), "disgust"] == 0
    assert table.to_numpy().sum() == len(faces)


def test_holes_are_listed(faces):
    assert sorted(holes(faces).itertuples(index=False, name=None)) == [
        ("nimh_chefs", "child", "disgust"),
        ("nimh_chefs", "child", "surprise"),
    ]


def test_balance_tells_shares_and_rarity(faces):
    rows = balance(faces).set_index("expression")
    assert rows["images"].sum() == len(faces)
    assert rows["share"].sum() == pytest.approx(1)
    assert rows.loc["disgust", "rarity"] == pytest.approx(7 / 3)
    assert rows.loc["fear", "rarity"] == 1


def test_balance_of_an_absent_expression_is_infinite(faces):
    rows = balance(faces[faces["expression"] != "fear"]).set_index("expression")
    assert rows.loc["fear", ["images", "share"]].tolist() == [0, 0]
    assert rows.loc["fear", "rarity"] == float("inf")


def test_no_faces(faces):
    assert coverage(faces.iloc[:0]).empty
    assert holes(faces.iloc[:0]).empty
