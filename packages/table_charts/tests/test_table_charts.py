"""Every chart is valid by Vega-Lite's own schema, reads the file beside it and describes each value."""

import json

import jsonschema
import pandas as pd
import pytest

from arm_latency.litert_js import INSTALLED
from table_charts.charts import Curves, Intervals, Look, Points, specification

LOOK = Look(lambda value: {"a": "The first"}.get(value, value), lambda value, place: f"#00000{place}")
DOTS = pd.DataFrame({
    "group": ["a", "a", "it's \"b\""], "series": ["one", "two", "one"],
    "estimate": [0.5, 0.6, 0.7], "low": [0.4, None, 0.6], "high": [0.6, None, 0.8],
    "kb": [10.0, 20.0, 30.0], "kind": ["x", "y", "x"], "epoch": [1, 2, 3], "train_share": [0.1, 0.2, 0.3],
})  # fmt: skip
CHARTS = {
    "intervals": Intervals("group", "series", "accuracy", 1 / 7),
    "curves": Curves("epoch", "group", ("estimate", "train_share")),
    "points": Points("kb", "size, kB", "group", "kind", ["series"]),
}


@pytest.fixture(scope="module")
def schema():
    file = INSTALLED / "node_modules" / "vega-lite" / "build" / "vega-lite-schema.json"
    if not file.is_file():
        pytest.fail("Vega-Lite is not installed: `python -m arm_latency.litert_js`")
    return json.loads(file.read_text(encoding="utf-8"))


def read(chart):
    return json.loads(specification(chart, DOTS, "dots.csv", LOOK))


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_a_chart_is_valid_and_reads_the_file_beside_it(chart, schema):
    whole = read(chart)
    jsonschema.validate(whole, schema)
    assert whole["data"] == {"url": "dots.csv", "format": {"type": "csv"}}
    assert "values" not in json.dumps(whole["data"])


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_values_have_their_names_colours_and_a_description(chart):
    whole = read(chart)
    colour = whole.get("encoding", whole.get("layer", [{}])[0].get("encoding"))["color"]
    first = "one" if isinstance(chart, Intervals) else "The first"
    assert colour["scale"]["domain"][0] == first
    assert colour["scale"]["range"] == ["#000000", "#000001"]
    assert any(step.get("as") == "told" for step in whole["transform"])
    assert '"description": {"field": "told"}' in json.dumps(whole)


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_each_list_of_choices_filters(chart):
    whole = read(chart)
    filters = " ".join(step.get("filter", "") for step in whole["transform"])
    for choice in whole["params"]:
        assert choice["bind"]["input"] == "select"
        assert len(choice["bind"]["options"]) == len(choice["bind"]["labels"])
        assert choice["name"] in filters
        assert choice["value"] in choice["bind"]["options"]


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_a_table_without_a_column_is_an_error_that_names_it(chart):
    with pytest.raises(ValueError, match=r"dots\.csv.*'estimate'"):
        specification(chart, DOTS.drop(columns="estimate"), "dots.csv", LOOK)
