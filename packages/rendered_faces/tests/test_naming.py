from pathlib import Path

import pandas as pd

from rendered_faces.action_units import EXPRESSIONS
from rendered_faces.design import Design, plan_faces

NAMING = Path(__file__).parents[3] / "data_manifests" / "synthetic_naming.csv"


def test_the_naming_record_fits_the_faces_that_the_study_renders() -> None:
    naming = pd.read_csv(NAMING)
    assert list(naming.columns) == ["reader", "number", "face_id", "shown", "named"]
    assert set(naming["named"]) <= set(EXPRESSIONS)
    for _, answers in naming.groupby("reader"):
        assert answers["face_id"].is_unique
        assert len(set(answers["shown"].value_counts())) == 1  # each expression equally often
    expression = plan_faces(Design()).set_index("face_id")["expression"]
    assert (expression.loc[naming["face_id"]].to_numpy() == naming["shown"].to_numpy()).all()
