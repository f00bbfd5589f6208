"""Charts that a reader can explore: each names columns of a table and becomes a Vega-Lite specification.

A specification (https://vega.github.io/vega-lite/docs/spec.html) reads the table from the CSV file beside it, so chart
and table cannot differ. It is plain JSON: no library of Python is needed, and the tests check it by Vega-Lite's own
schema. Lists of choices filter it, and every mark has a description, which readers of a keyboard or a screen reader get.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import pandas as pd

SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"
ROW: Final = 34  # pixels: two intervals with their dots
LEGEND: Final = {"orient": "top", "columns": 2, "labelLimit": 260}
PERCENT: Final = "format(datum.%s, '.0%%')"


@dataclass(frozen=True)
class Look:
    """How values are shown: `name` gives a value's name for readers, `colour` the colour of a value at a position."""

    name: Callable[[str], str]
    colour: Callable[[str, int], str]


class Chart(Protocol):
    """What can be drawn from a table."""

    def body(self, table: pd.DataFrame, look: Look) -> dict[str, Any]:
        """Return the specification without its data."""


@dataclass(frozen=True)
class Intervals:
    """One row per value of `row`, one dot with its interval per value of `series`.

    The table holds both and estimate, low and high, shares from -1 to 1; `label` names the axis, `level` is a share to
    compare with.
    """

    row: str
    series: str
    label: str
    level: float

    def body(self, table: pd.DataFrame, look: Look) -> dict[str, Any]:
        """Return the specification without its data."""
        ends = " + ' [' + format(datum.low, '.0%') + ', ' + format(datum.high, '.0%') + ']'"
        told = f"datum.row_name + ', ' + datum.series_name + ': ' + {PERCENT % 'estimate'}{ends}"
        x = {"type": "quantitative", "axis": {"format": ".0%", "title": self.label}}
        lines = {"x": {"field": "low", **x}, "x2": {"field": "high"}}
        return {
            "height": {"step": ROW, "for": "position"},
            "params": [_choice("series", "Show", _names(table[self.series], look))],
            "transform": [
                _named(table[self.row], self.row, "row_name", look),
                _named(table[self.series], self.series, "series_name", look),
                _described(told),
                _chosen("series", "series_name"),
            ],
            "layer": [
                {"encoding": {
                    "y": {"field": "row_name", "type": "nominal", "title": None,
                          "sort": _names(table[self.row], look), "axis": {"labelLimit": 220}},
                    "yOffset": {"field": "series_name", "type": "nominal", "sort": _names(table[self.series], look)},
                    "color": _colours(table[self.series], "series_name", look),
                 },
                 "layer": [
                    {"mark": {"type": "rule", "strokeWidth": 2, "aria": False}, "encoding": lines},
                    {"mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                     "encoding": {"x": {"field": "estimate", **x}, "description": {"field": "told"}}},
                ]},
                {"mark": {"type": "rule", "strokeDash": [4, 3], "color": "currentColor", "aria": False},
                 "encoding": {"x": {"datum": self.level}}},
            ],
        }  # fmt: skip


@dataclass(frozen=True)
class Curves:
    """One line per value of `series` over `x`; a list chooses among the columns `measures`, shares from 0 to 1."""

    x: str
    series: str
    measures: Sequence[str]

    def body(self, table: pd.DataFrame, look: Look) -> dict[str, Any]:
        """Return the specification without its data."""
        told = f"datum.series_name + ', {self.x} ' + datum['{self.x}'] + ': ' + {PERCENT % 'share'}"
        measures = [measure.replace("_", " ") for measure in self.measures]
        return {
            "height": 260,
            "params": [
                _choice("series", "Show", _names(table[self.series], look)),
                {**_choice("measure", "Measure", measures, everything=False), "value": measures[0]},
            ],
            "transform": [
                _named(table[self.series], self.series, "series_name", look),
                {"fold": list(self.measures), "as": ["measure_column", "share"]},
                {"calculate": "replace(datum.measure_column, /_/g, ' ')", "as": "measure_name"},
                _described(told),
                _chosen("series", "series_name"),
                _chosen("measure", "measure_name"),
            ],
            "mark": {"type": "line", "point": {"size": 45}, "strokeWidth": 2},
            "encoding": {
                "x": {"field": self.x, "type": "quantitative", "axis": {"tickMinStep": 1}},
                "y": {
                    "field": "share",
                    "type": "quantitative",
                    "axis": {"format": ".0%", "title": "accuracy"},
                },
                "color": _colours(table[self.series], "series_name", look),
                "description": {"field": "told"},
            },
        }


@dataclass(frozen=True)
class Points:
    """One point with its interval per row, over a positive cost `x` on a logarithmic axis.

    Colour shows `series`, the marker `kind`; lists choose among both. The table holds estimate, low and high, shares
    from 0 to 1; `details` are further columns to tell of a point.
    """

    x: str
    label: str
    series: str
    kind: str
    details: Sequence[str] = ()

    def body(self, table: pd.DataFrame, look: Look) -> dict[str, Any]:
        """Return the specification without its data."""
        more = "".join(f" + ', ' + datum['{column}']" for column in self.details)
        told = (
            f"datum.series_name + ', ' + datum.kind_name{more} + ': ' + {PERCENT % 'estimate'} + ' at ' "
            f"+ format(datum['{self.x}'], '.3~r') + ' ({self.label})'"
        )
        y = {"type": "quantitative", "axis": {"format": ".0%", "title": "accuracy"}}
        x = {"field": self.x, "type": "quantitative", "axis": {"title": self.label, "tickCount": 5},
             "scale": {"type": "log", "nice": False, "padding": 12}}  # fmt: skip
        kinds = _names(table[self.kind], look)
        return {
            "height": 320,
            "params": [
                _choice("series", "Show", _names(table[self.series], look)),
                _choice("kind", self.kind.capitalize(), kinds),
            ],
            "transform": [
                _named(table[self.series], self.series, "series_name", look),
                _named(table[self.kind], self.kind, "kind_name", look),
                _described(told),
                _chosen("series", "series_name"),
                _chosen("kind", "kind_name"),
            ],
            "encoding": {"x": x, "color": _colours(table[self.series], "series_name", look)},
            "layer": [
                {"mark": {"type": "rule", "strokeWidth": 1, "aria": False},
                 "encoding": {"y": {"field": "low", **y}, "y2": {"field": "high"}}},
                {"mark": {"type": "point", "filled": True, "size": 80, "opacity": 0.9},
                 "encoding": {"y": {"field": "estimate", **y}, "description": {"field": "told"},
                              "shape": {"field": "kind_name", "type": "nominal", "title": None, "legend": LEGEND,
                                        "scale": {"domain": kinds}}}},
            ],
        }  # fmt: skip


def specification(chart: Chart, table: pd.DataFrame, file: str, look: Look) -> str:
    """Return the chart of a table as JSON; `file` is the name of the table's CSV file, in the same folder.

    Raises ValueError naming the columns that the chart needs and the table lacks.
    """
    lacking = [c for c in _columns(chart) if c not in table.columns]
    if lacking:
        raise ValueError(
            f"the chart of {file} needs the columns {lacking}; the table has {list(table.columns)}"
        )
    body = chart.body(table, look)
    whole = {
        "$schema": SCHEMA,
        "data": {"url": file, "format": {"type": "csv"}},
        "width": "container",
        **body,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _columns(chart: Chart) -> list[str]:
    if isinstance(chart, Curves):
        return [chart.x, chart.series, *chart.measures]
    named = [getattr(chart, field) for field in ("row", "series", "kind", "x") if hasattr(chart, field)]
    return [*named, *getattr(chart, "details", ()), "estimate", "low", "high"]


def _names(column: "pd.Series[Any]", look: Look) -> list[str]:
    """The names of a column's values, each once, in the order of the table."""
    return [look.name(str(value)) for value in dict.fromkeys(column)]


def _named(column: "pd.Series[Any]", field: str, to: str, look: Look) -> dict[str, str]:
    names = {str(value): look.name(str(value)) for value in dict.fromkeys(column)}
    return {"calculate": f"{json.dumps(names)}[datum[{json.dumps(field)}]]", "as": to}


def _described(told: str) -> dict[str, str]:
    return {"calculate": told, "as": "told"}


def _choice(name: str, label: str, options: Sequence[str], *, everything: bool = True) -> dict[str, Any]:
    values = [*([None] if everything else []), *options]
    shown = [*(["all"] if everything else []), *options]
    bound = {"input": "select", "options": values, "labels": shown, "name": f"{label} "}
    return {"name": f"chosen_{name}", "value": None, "bind": bound}


def _chosen(name: str, field: str) -> dict[str, str]:
    return {"filter": f"chosen_{name} == null || datum.{field} == chosen_{name}"}


def _colours(column: "pd.Series[Any]", field: str, look: Look) -> dict[str, Any]:
    values = list(dict.fromkeys(column))
    scale = {
        "domain": _names(column, look),
        "range": [look.colour(str(value), place) for place, value in enumerate(values)],
    }
    return {"field": field, "type": "nominal", "title": None, "scale": scale,
            "legend": LEGEND}  # fmt: skip
