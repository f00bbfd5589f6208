"""Numbers that pages give of the same things agree, and parts add up to the whole."""

import json

import pandas as pd
import pytest

from fer_utils.paths import Paths
from fer_utils.study import load_study

pytestmark = pytest.mark.results

PATHS = Paths.of(load_study("quick"))


def glued(stage, key):
    """The value that a page's executed notebook shows in its prose under a key."""
    notebook = json.loads(PATHS.notebook(stage).read_text(encoding="utf-8"))
    name = "application/papermill.record/text/plain"
    values = [output["data"][name] for cell in notebook["cells"] for output in cell.get("outputs", [])
              if output.get("metadata", {}).get("scrapbook", {}).get("name") == key]  # fmt: skip
    assert values, f"{stage} glues no {key}"
    return "".join(values[0]).strip("'")


def test_no_file_is_compared_with_itself():
    files = pd.read_csv(PATHS.figures("04_compression") / "accuracy-size.csv")
    itself = (files["technique"] == "none") & (files["precision"] == "float32")
    assert int(glued("04_compression", "files")) == int((~itself).sum())
    assert 0 <= int(glued("04_compression", "no_loss")) <= int((~itself).sum())


def test_groups_of_adults_add_up_to_the_persons_photographed(pages):
    shown = [t for t in pages["book/stages/01_data.html"].find_all("table")
             if t.caption and "London photographs with a detected face" in t.caption.text]  # fmt: skip
    adults = [int(cell.text) for table in shown for cell in table.select("td[data-label='adults']")]
    faces = pd.read_parquet(PATHS.external_faces)  # none without FER_DATA
    assert len(shown) == bool(len(faces))
    assert sum(adults) == faces["subject_id"].nunique()


def test_every_estimate_behind_a_figure_says_how_many_persons_it_rests_on():
    tables = {path: pd.read_csv(path) for path in sorted(PATHS.figures("x").parent.rglob("*.csv"))}
    estimates = {path: table for path, table in tables.items() if "estimate" in table}
    assert {"04_compression", "09_real_faces"} <= {path.parent.name for path in estimates}
    lacking = [
        f"{p.parent.name}/{p.name}"
        for p, t in estimates.items()
        if "subjects" not in t or t["subjects"].isna().any()
    ]
    assert lacking == []


def test_no_table_behind_a_figure_has_an_unnamed_column():
    tables = sorted(PATHS.figures("x").parent.rglob("*.csv"))
    assert tables
    unnamed = [t.parent.name + "/" + t.name for t in tables if t.read_text(encoding="utf-8").startswith(",")]
    assert unnamed == []
