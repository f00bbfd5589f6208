from pathlib import Path

import pandas as pd

from rendered_faces.action_units import EXPRESSIONS

NAMING = Path(__file__).parents[3] / "data_manifests" / "synthetic_naming.csv"


def test_the_naming_record_is_whole_and_balanced() -> None:
    naming = pd.read_csv(NAMING)
    assert list(naming.columns) == ["reader", "number", "face_id", "shown", "named"]
    assert set(naming["named"]) <= set(EXPRESSIONS)
    for _, answers in naming.groupby("reader"):
        assert answers["face_id"].is_unique
        assert len(set(answers["shown"].value_counts())) == 1  # each expression equally often
    assert (naming["face_id"].str.split("-").str[-2] == naming["shown"]).all()
