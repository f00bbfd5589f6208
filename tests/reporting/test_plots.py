"""Each plot shows every row that it was given, with letters that a phone can show."""

import colorsys
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from face_sets.expressions import EXPRESSIONS
from fer_utils.reporting import plots, style
from fer_utils.study import ARCHITECTURES
from fer_utils.tables import COHORTS, PRECISIONS, TECHNIQUES

DRAW = np.random.default_rng(0)


def interval(**key):
    middle = DRAW.uniform(0.2, 0.8)
    return {**key, "estimate": middle, "low": middle - 0.1, "high": middle + 0.05}


SCORES = pd.DataFrame([interval(architecture=a, cohort=c) for a in ARCHITECTURES for c in COHORTS])
GROUPS = pd.DataFrame(
    [interval(group=g, series=s) for g in "ABCDE" for s in ("gap planted", "no gap planted")]
)
FILES = pd.DataFrame(
    [interval(architecture=a, technique=t, precision=p, size_mb=DRAW.uniform(1, 20))
     for a in ARCHITECTURES for t in TECHNIQUES for p in ("float32", "int8")]
)  # fmt: skip
CURVES = pd.DataFrame(
    [{"architecture": a, "cohort": c, "epoch": e, "accuracy": 0.1 * e, "validation_accuracy": 0.09 * e}
     for a in ARCHITECTURES for c in COHORTS for e in (1, 2, 3)]
)  # fmt: skip
TIMES = pd.DataFrame(
    [{"architecture": a, "precision": p, "device": d, "latency_ms_median": DRAW.uniform(5, 90),
      "interval_low_ms": pd.NA, "interval_high_ms": pd.NA}
     for a in ARCHITECTURES for p in PRECISIONS for d in ("host", "phone")]
).astype({"interval_low_ms": "Float64", "interval_high_ms": "Float64"})  # fmt: skip
SOURCES = pd.DataFrame(
    [{"architecture": a, "source": s, "ms": DRAW.uniform(5, 90), "low_ms": np.nan, "high_ms": np.nan}
     for a in ARCHITECTURES for s in ("published", "predicted", "measured")]
).astype({"source": "category"})  # fmt: skip
RESIDUALS = pd.DataFrame(
    [{"threads": t, "network": n, "board": b, "measured_ms": 100.0, "predicted_ms": DRAW.uniform(60, 140)}
     for t in (1, 4) for n in "klm" for b in ("first board", "second board")]
)  # fmt: skip
SHARES = pd.DataFrame({"convolution": [0.5, 0.75], "add": [0.5, 0.25]}, index=["a, float32", "b, int8"])
MATRIX = pd.DataFrame(np.eye(7), index=list(EXPRESSIONS), columns=list(EXPRESSIONS))
COUNTS = pd.DataFrame([[1, 0], [3, 22]], index=["a", "b"], columns=["c", "d"])
PIXELS = DRAW.integers(0, 255, (10, 8, 8, 3), dtype=np.uint8)
FACES = pd.DataFrame(
    {"dataset": "made_up", "expression": [str(number) for number in range(10)], "may_publish": True}
)

FIGURES = {
    "contact_sheet": lambda: plots.contact_sheet(FACES, PIXELS),
    "learning_curves": lambda: plots.learning_curves(CURVES),
    "scores_with_intervals": lambda: plots.scores_with_intervals(SCORES),
    "group_scores": lambda: plots.group_scores(GROUPS),
    "accuracy_against": lambda: plots.accuracy_against(FILES, "size_mb", "MB"),
    "latency_intervals": lambda: plots.latency_intervals(TIMES),
    "latency_sources": lambda: plots.latency_sources(SOURCES),
    "relative_residuals": lambda: plots.relative_residuals(RESIDUALS),
    "operator_shares": lambda: plots.operator_shares(SHARES),
    "confusion": lambda: plots.confusion(MATRIX),
    "coverage": lambda: plots.coverage(COUNTS),
}


def test_the_parts_of_a_bar_are_its_shares_and_the_largest_is_said():
    figure = plots.operator_shares(SHARES)
    assert figure.get_label() == "convolution takes most on average: from 50 % to 75 % of a file's time."
    widths = [[bar.get_width() for bar in part] for part in figure.axes[0].containers]
    assert widths == [[0.75, 0.5], [0.25, 0.5]], "the first file uppermost"


def test_operators_are_told_apart_without_colours():
    operators = [f"operator {place}" for place in range(len(style.PALETTE))]
    shares = pd.DataFrame([[1 / len(operators)] * len(operators)], ["a file"], operators)
    hatches = [{bar.get_hatch() for bar in part} for part in plots.operator_shares(shares).axes[0].containers]
    assert len(set().union(*hatches)) == len(operators)


@pytest.mark.parametrize("name", FIGURES)
def test_figures_fit_the_column_and_their_letters_are_no_smaller_than_9(name):
    figure = FIGURES[name]()
    figure.draw_without_rendering()
    assert figure.get_size_inches()[0] == style.WIDTH
    written = [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]
    assert min(text.get_fontsize() for text in written) >= 9


def heights_shown(axes):
    return np.concatenate([container.lines[0].get_xdata(orig=False) for container in axes.containers])


@pytest.mark.parametrize(("figure", "data"), [("scores_with_intervals", SCORES), ("group_scores", GROUPS)])
def test_every_score_is_a_dot_with_its_interval(figure, data):
    axes = FIGURES[figure]().axes[0]
    np.testing.assert_allclose(np.sort(heights_shown(axes)), np.sort(data["estimate"]))
    ends = np.concatenate([c.lines[2][0].get_segments() for c in axes.containers])[:, :, 0]
    np.testing.assert_allclose(np.sort(ends[:, 0]), np.sort(data["low"]))
    np.testing.assert_allclose(np.sort(ends[:, 1]), np.sort(data["high"]))


def test_the_line_of_guessing_is_where_it_was_asked_for():
    axes = plots.group_scores(GROUPS, chance=0.5).axes[0]
    lines = [line for line in axes.lines if line.get_label() == "guessing"]
    assert [list(line.get_xdata()) for line in lines] == [[0.5, 0.5]]


def test_latencies_without_an_interval_are_shown_all_the_same():
    figure = plots.latency_intervals(TIMES)
    shown = np.concatenate([heights_shown(axes) for axes in figure.axes])
    np.testing.assert_allclose(np.sort(shown), np.sort(TIMES["latency_ms_median"]))


def test_every_source_of_every_network_is_a_dot():
    (axes,) = plots.latency_sources(SOURCES).axes
    np.testing.assert_allclose(np.sort(heights_shown(axes)), np.sort(SOURCES["ms"]))


def test_every_residual_is_shown_by_network_and_by_board():
    off = np.sort(RESIDUALS["predicted_ms"] / RESIDUALS["measured_ms"] - 1)
    for axes in plots.relative_residuals(RESIDUALS).axes:
        shown = np.concatenate([line.get_xdata() for line in axes.lines if len(line.get_xdata()) > 2])
        np.testing.assert_allclose(np.sort(shown), off)


def test_the_frontier_passes_through_its_points_and_no_others():
    best = FILES.index == FILES["estimate"].idxmax()
    axes = plots.accuracy_against(FILES.assign(on_frontier=best), "size_mb", "MB").axes[0]
    (line,) = [each for each in axes.lines if each.get_label() == "frontier"]
    assert set(line.get_ydata()) - {plots.CHANCE} == {FILES["estimate"].max()}
    assert not [
        each
        for each in plots.accuracy_against(FILES, "size_mb", "MB").axes[0].lines
        if each.get_label() == "frontier"
    ]


def test_every_cohort_has_two_curves_within_the_panel():
    figure = plots.learning_curves(CURVES)
    panels = [axes for axes in figure.axes if axes.lines]
    assert [axes.get_title() for axes in panels] == [style.name(a) for a in ARCHITECTURES]
    assert {len(axes.lines) for axes in panels} == {2 * len(COHORTS)}
    assert panels[0].get_ylim()[1] >= CURVES["accuracy"].max()


def test_every_image_is_under_its_label():
    shown = [axes for axes in plots.contact_sheet(FACES, PIXELS).axes if axes.images]
    assert [axes.get_title() for axes in shown] == FACES["expression"].tolist()
    np.testing.assert_array_equal(shown[3].images[0].get_array(), PIXELS[3])


def as_deuteranope(colour):
    """Viénot, Brettel and Mollon (1999), Color Research and Application 24, 243-252: green cones missing."""
    linear = np.array(to_rgb(colour)) ** 2.2
    projection = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])
    return (projection @ linear).clip(0, 1) ** (1 / 2.2)


@pytest.mark.parametrize("kinds", [ARCHITECTURES, COHORTS, EXPRESSIONS, TECHNIQUES, PRECISIONS])
def test_colours_differ_for_all_eyes(kinds):
    colours = [style.colour(kind, 0) for kind in kinds]
    assert len(set(colours)) == len(kinds)
    for one, other in combinations(colours, 2):
        assert np.abs(as_deuteranope(one) - as_deuteranope(other)).max() > 0.08, (one, other)


def test_lines_can_be_seen_on_white():
    for colour in style.COLOURS.values():
        assert colorsys.rgb_to_hls(*to_rgb(colour))[1] < 0.85


def test_readers_see_names_and_not_identifiers():
    assert not [kind for kind in (*ARCHITECTURES, *TECHNIQUES) if "_" in style.name(kind)]


def test_a_long_label_of_an_axis_is_not_cut_off():
    row = {"group": "mobilenet_v3_small", "series": "all", "estimate": -0.1, "low": -0.15, "high": -0.05}
    figure = plots.differences(pd.DataFrame([row]), "difference in accuracy from the network as trained")
    figure.draw_without_rendering()
    label = figure.axes[0].xaxis.label.get_window_extent()
    assert figure.bbox.x0 <= label.x0 < label.x1 <= figure.bbox.x1
