from pathlib import Path

import pandas as pd

from synthetic_faces.action_units import EXPRESSIONS
from synthetic_faces.design import Design, plan_faces

NAMING = Path(__file__).parents[3] / "data_manifests" / "synthetic_naming.csv"


def test_the_naming_record_fits_the_faces_that_the_study_draws() -> None:
    naming = pd.read_csv(NAMING)
    assert list(naming.columns) == ["number", "face_id", "shown", "named", "drawn_by"]
    assert dict(naming["shown"].value_counts()) == dict.fromkeys(EXPRESSIONS, 10)
    assert set(naming["named"]) <= set(EXPRESSIONS)
    expression = plan_faces(Design()).set_index("face_id")["expression"]
    assert (expression.loc[naming["face_id"]].to_numpy() == naming["shown"].to_numpy()).all()
