"""What each stage declares that it reads is what its executed notebook has read: no more, no less."""

import json

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from fer_utils.graph import STAGES
from fer_utils.paths import Paths
from fer_utils.study import load_study

pytestmark = pytest.mark.results

NO_TABLES = {  # files of the project, which no job makes
    "claims", "published", "external/open networks", "external/history", "external/ladder.csv", "external/london.csv",
    "external/released.json", "simulated groups",
}  # fmt: skip


def tables_read(notebook):
    """The names in the table of provenance that ends each notebook."""
    (cell,) = [each for each in notebook["cells"] if "provenance().tables" in "".join(each["source"])]
    page = BeautifulSoup("".join(cell["outputs"][0]["data"]["text/html"]), "html.parser")
    first = page.find("table")  # beside it: versions
    return {row.td.text for row in first.select("tbody tr")}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_reads_what_it_declares(stage):
    paths = Paths.of(load_study("quick"))
    files = [path for path in STAGES[stage](paths) if paths.root in path.parents]
    empty = {path for path in files if path.name.startswith("layer_errors") and pd.read_parquet(path).empty}
    declared = {path.relative_to(paths.root).with_suffix("").as_posix() for path in files}
    unread = {path.relative_to(paths.root).with_suffix("").as_posix() for path in empty}
    read = tables_read(json.loads(paths.notebook(stage).read_text())) - NO_TABLES - {"simulations"}
    assert declared - unread <= read <= declared
