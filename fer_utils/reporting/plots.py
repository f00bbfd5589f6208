"""The plots of the book: each takes a tidy table and returns a figure; nothing is computed here.

A figure's label is its result in words, which captions and alternative texts say.
"""

from collections.abc import Sequence
from textwrap import fill
from typing import Any, Final

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, PercentFormatter, StrMethodFormatter

from face_sets.expressions import CHANCE
from fer_utils.reporting import in_words, style
from fer_utils.reporting.gate import check_publishable

style.apply()  # once, so that no notebook can forget it

DASHED: Final[dict[str, Any]] = {"color": style.INK, "linestyle": "--", "linewidth": 1}
ENDS: Final = ("estimate", "low", "high")
ROW: Final = 0.45
"""Inches: three intervals, whose dots of 6 points just touch, and a gap as wide as two of them."""


def contact_sheet(faces: pd.DataFrame, pixels: np.ndarray, columns: int = 7) -> Figure:
    """Show faces, rows of that table with their pixels, uint8 (n, height, width, 3), each under its expression.

    Raises PrivacyError if any of them may not be shown, ValueError if the numbers differ.
    """
    check_publishable(faces)
    if len(faces) != len(pixels):
        raise ValueError(f"{len(pixels)} pictures were given for {len(faces)} faces: give one each")
    rows = -(-len(pixels) // columns)
    figure = _figure(rows * (style.WIDTH / columns + 0.22), in_words.faces(len(faces)))
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.axis("off")
    for axes, image, label in zip(figure.axes, pixels, faces["expression"], strict=False):
        axes.imshow(image)
        axes.set_title(str(label), fontsize=10, pad=2)
    return figure


def learning_curves(curves: pd.DataFrame) -> Figure:
    """Show accuracy by epoch, one panel per architecture, one colour per cohort, held-out faces solid.

    Columns: architecture, cohort, epoch, accuracy, validation_accuracy.
    """
    architectures = _distinct(curves["architecture"])
    rows = -(-len(architectures) // 2)
    figure = _figure(2.3 * rows + 0.5, in_words.learning_curves(curves))
    panels = list(figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False).flat)
    for axes, architecture in zip(panels, architectures, strict=False):
        axes.set_title(style.name(architecture))
        chosen = curves[curves["architecture"] == architecture]
        for position, (cohort, part) in enumerate(chosen.groupby("cohort", observed=True, sort=False)):
            look = {"color": style.colour(str(cohort), position)}
            axes.plot(part["epoch"], part["validation_accuracy"], label=style.name(str(cohort)), **look)
            axes.plot(part["epoch"], part["accuracy"], linestyle=":", **look)
        _shares(axes.yaxis)
    panels[0].set_ylim(bottom=0)  # shared; only now, because setting it stops the scale from growing
    for axes in panels[len(architectures) :]:
        axes.axis("off")
    figure.supxlabel("epoch")
    figure.supylabel("accuracy")
    title = "trained on (solid: validation, dotted: training)"
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=3, title=title)
    return figure


def scores_with_intervals(scores: pd.DataFrame, label: str = "accuracy", chance: float = CHANCE) -> Figure:
    """Show each network's score and interval, one colour per cohort, with the line of chance.

    Columns: architecture, cohort, estimate, low, high, all shares from 0 to 1.
    """
    return _intervals(scores, "architecture", "cohort", label, chance, title="trained on")


def group_scores(
    scores: pd.DataFrame, label: str = "accuracy", chance: float = CHANCE, at_chance: str = "guessing"
) -> Figure:
    """Show each group's score and interval, one colour per series, with the line of chance, called `at_chance`.

    Columns: group, series, estimate, low, high, all shares from 0 to 1.
    """
    return _intervals(scores, "group", "series", label, chance, at_chance=at_chance)


def scores_near(scores: pd.DataFrame, label: str, level: float, level_label: str) -> Figure:
    """Show scores that lie close together, with the line of one to compare with; the axis covers only their range.

    Columns: group, series, estimate, low, high, all shares from 0 to 1.
    """
    names, kinds = _distinct(scores["group"]), _distinct(scores["series"])
    figure = _figure(ROW * len(names) + 1.6, in_words.scores_near(scores, level, level_label))
    axes = figure.subplots()
    _dots(axes, scores, ("group", names), ("series", kinds), ENDS, spread=0.5)
    axes.axvline(level, label=level_label, **DASHED)
    axes.set_xlabel(label)
    _shares(axes.xaxis)
    figure.legend(loc="outside upper center", ncols=1)
    return figure


def differences(points: pd.DataFrame, label: str, *, simultaneous: bool = False) -> Figure:
    """Show each row's difference and interval, one colour per series, with a line at no difference.

    Columns: group, series, estimate, low, high, all shares from -1 to 1. `simultaneous`: the intervals of one series
    hold together at 95 %, not each by itself.
    """
    figure = _intervals(points, "group", "series", f"{label}, points", None)
    figure.set_label(in_words.differences(points, "group", "series", simultaneous=simultaneous))
    return figure


def _intervals(
    table: pd.DataFrame, rows: str, series: str, label: str, chance: float | None, *,
    title: str | None = None, at_chance: str = "guessing",
) -> Figure:  # fmt: skip
    names, kinds = _distinct(table[rows]), _distinct(table[series])
    told = "" if chance is None else in_words.scores(table, rows, series, chance, at_chance)
    figure = _figure(ROW * len(names) * max(1, len(kinds) / 3) + 1.6, told)
    axes = figure.subplots()
    _dots(axes, table, (rows, names), (series, kinds), ENDS, spread=0.6)
    line, meaning = (0.0, "no difference") if chance is None else (chance, at_chance)
    axes.axvline(line, label=meaning, **DASHED)
    axes.set_xlabel(label, loc="right")  # with room for a long one
    _shares(axes.xaxis, "" if chance is None else "%")
    if chance is None:
        axes.xaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10], integer=False, nbins=6))
    else:
        axes.set_xlim(left=0)
    longest = max(len(style.name(str(kind))) for kind in kinds)
    columns = 4 if longest <= 15 else 2 if longest <= 30 else 1  # a name of 30 letters takes half the width
    figure.legend(loc="outside upper center", ncols=columns, title=title)
    return figure


def _dots(
    axes: Axes, table: pd.DataFrame, rows: tuple[str, Sequence[str]], series: tuple[str, Sequence[str]],
    ends: Sequence[str], *, spread: float,
) -> None:  # fmt: skip
    """Show one dot with its interval per row of a table.

    `rows` and `series` are a column and its values in order, a height for each of the first, a colour and marker for
    each of the second; `ends` are the columns of the dot and of its interval, which may be missing.
    """
    (row_column, names), (column, kinds) = rows, series
    for position, kind in enumerate(kinds):
        part = table[table[column] == kind]
        offset = spread * ((position + 0.5) / len(kinds) - 0.5)
        middle, low, high = (part[end].astype(float) for end in ends)
        reach = np.array([middle - low, high - middle]).clip(min=0)
        reach = np.nan_to_num(reach)  # 0 where an end is missing
        axes.errorbar(middle, [names.index(name) + offset for name in part[row_column]], xerr=reach,
                      fmt=style.MARKERS[position % len(style.MARKERS)], color=style.colour(str(kind), position),
                      capsize=3, markersize=6, label=style.name(str(kind)))  # fmt: skip
    _named_rows(axes, names)


def confusion(matrix: pd.DataFrame) -> Figure:
    """Show a confusion matrix: row shares from 0 to 1, index the true expression, columns the predicted."""
    figure, axes = _heatmap(matrix, 5.0, in_words.confusion(matrix), square=True)
    axes.set_xlabel("predicted")
    axes.set_ylabel("shown")
    return figure


def recalls(shares: pd.DataFrame) -> Figure:
    """Show a share from 0 to 1 of each combination: index the groups, columns the expressions; missing ones stay white."""
    figure, axes = _heatmap(shares, 0.42 * len(shares) + 1.5, in_words.recalls(shares), linewidths=1)
    axes.tick_params(axis="y", rotation=0)
    return figure


def coverage(counts: pd.DataFrame) -> Figure:
    """Show how many faces each combination has: counts, index and columns the two factors; hidden ones are blank."""
    look = {"cmap": "Greens", "fmt": ".0f", "vmax": None, "linewidths": 1}
    figure, axes = _heatmap(counts.astype(float), 0.42 * len(counts) + 1.5, in_words.coverage(counts), **look)
    axes.tick_params(axis="y", rotation=0)
    return figure


def _heatmap(table: pd.DataFrame, height: float, told: str, **look: Any) -> tuple[Figure, Axes]:
    figure = _figure(height, told)
    axes = figure.subplots()
    look = {"cmap": "Blues", "fmt": ".2f", "vmax": 1} | look  # shares, unless told otherwise
    sns.heatmap(table, ax=axes, vmin=0, annot=True, cbar=False, annot_kws={"fontsize": 10}, **look)
    axes.tick_params(axis="x", rotation=35)
    return figure, axes


def accuracy_against(scores: pd.DataFrame, column: str, label: str, chance: float = CHANCE) -> Figure:
    """Show accuracy against a cost on a logarithmic axis: one colour per network, one marker per technique.

    int8 files are hollow. Columns: architecture, technique, precision, estimate, low, high, and `column`, which is
    positive; with a column on_frontier (true or false) steps join those points, beyond which there are none.
    """
    figure = _figure(4.1, in_words.accuracy_against(scores, column, label))
    axes = figure.subplots()
    techniques = _distinct(scores["technique"])
    for position, row in enumerate(scores.to_dict("records")):
        colour = style.colour(str(row["architecture"]), position)
        span = [[row["estimate"] - row["low"]], [row["high"] - row["estimate"]]]
        axes.errorbar(row[column], row["estimate"], yerr=span, color=colour, alpha=0.85, markersize=7,
                      linewidth=1, fmt=style.MARKERS[techniques.index(row["technique"])],
                      markerfacecolor=style.PAPER if row["precision"] == "int8" else colour)  # fmt: skip
    if "on_frontier" in scores:
        _frontier(axes, scores, column, chance)
    axes.axhline(chance, label="guessing", **DASHED)
    axes.set(xlabel=label, ylabel="accuracy")
    _logarithmic(axes)
    _shares(axes.yaxis)
    for architecture in _distinct(scores["architecture"]):
        axes.plot([], [], "o", color=style.colour(architecture, 0), label=style.name(architecture))
    for position, technique in enumerate(techniques):
        axes.plot([], [], style.MARKERS[position], color=style.INK, label=style.name(technique))
    if (scores["precision"] == "int8").any():
        axes.plot([], [], "o", color=style.INK, markerfacecolor=style.PAPER, label="int8 (hollow)")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _frontier(axes: Axes, scores: pd.DataFrame, column: str, floor: float) -> None:
    """Steps from the floor up through the points on the frontier, and on to the highest cost."""
    best = scores[scores["on_frontier"]].sort_values(column)
    costs = [best[column].iloc[0], *best[column], scores[column].max()]
    reached = [floor, *best["estimate"], best["estimate"].iloc[-1]]
    axes.plot(
        costs, reached, color="#888888", linewidth=1.4, drawstyle="steps-post", zorder=1, label="frontier"
    )


def latency_intervals(measurements: pd.DataFrame) -> Figure:
    """Show latencies in milliseconds on a logarithmic axis, one panel per device, with intervals where known.

    Columns: architecture, precision, device, latency_ms_median, and interval_low_ms, interval_high_ms, which
    may be missing.
    """
    devices, names = _distinct(measurements["device"]), _distinct(measurements["architecture"])
    precisions = _distinct(measurements["precision"])
    figure = _figure((0.42 * len(names) + 0.9) * len(devices), in_words.latencies(measurements))
    panels = figure.subplots(len(devices), 1, squeeze=False)[:, 0]
    ends = ("latency_ms_median", "interval_low_ms", "interval_high_ms")
    for axes, device in zip(panels, devices, strict=True):
        chosen = measurements[measurements["device"] == device]
        _dots(axes, chosen, ("architecture", names), ("precision", precisions), ends, spread=0.5)
        axes.set_title(device)
        _logarithmic(axes)
    panels[-1].set_xlabel("median latency, milliseconds")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def latency_sources(latencies: pd.DataFrame) -> Figure:
    """Show latencies on a logarithmic axis, one row per network, one colour and marker per source.

    Columns: architecture, source (categorical), ms, and low_ms, high_ms, which may be missing.
    """
    names = _distinct(latencies["architecture"])
    sources = list(latencies["source"].cat.remove_unused_categories().cat.categories)
    figure = _figure(0.8 * len(names) + 1.6, in_words.sources(latencies))
    axes = figure.subplots()
    ends = ("ms", "low_ms", "high_ms")
    _dots(axes, latencies, ("architecture", names), ("source", sources), ends, spread=0.75)
    for edge in range(len(names) - 1):
        axes.axhline(edge + 0.5, color=style.GRID, linewidth=1)
    _logarithmic(axes)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("milliseconds per face, 224 pixels, float files")
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def operator_shares(shares: pd.DataFrame) -> Figure:
    """Show of what each file's time is made up: a bar a file (index), a part a kind of operator (columns), 0 to 1."""
    figure = _figure(0.3 * len(shares) + 2.2, in_words.operator_shares(shares))
    axes = figure.subplots()
    shares[::-1].plot.barh(stacked=True, ax=axes, legend=False, color=list(style.PALETTE), width=0.8)
    for place, bar in enumerate(axes.patches):  # operator by operator
        bar.set(hatch=style.HATCHES[place // len(shares) % len(style.HATCHES)], edgecolor=style.PAPER)
    axes.set(xlabel="share of the time", ylabel="", xlim=(0, 1))
    _shares(axes.xaxis)
    figure.legend(loc="outside upper left", ncols=2, handlelength=1.2, handletextpad=0.4, columnspacing=0.8)
    return figure


def relative_residuals(residuals: pd.DataFrame) -> Figure:
    """Show the relative error of each prediction, by network and by board, one colour per number of threads.

    Columns: threads, network, board, measured_ms, predicted_ms.
    """
    figure = _figure(5.0, in_words.residuals(residuals))
    panels = figure.subplots(2, 1, sharex=True)
    for axes, column in zip(panels, ("network", "board"), strict=True):
        names = sorted(set(residuals[column]))
        for position, (threads, part) in enumerate(residuals.groupby("threads")):
            error = part["predicted_ms"] / part["measured_ms"] - 1
            heights = [names.index(name) + 0.3 * position - 0.15 for name in part[column]]
            axes.plot(error, heights, style.MARKERS[position], alpha=0.7, markersize=5, color=style.PALETTE[position],
                      label=f"{threads} thread{'' if str(threads) == '1' else 's'}")  # fmt: skip
        axes.axvline(0, **DASHED)
        axes.set_title(f"by {column}")
        _named_rows(axes, names)
    _shares(panels[-1].xaxis)
    panels[-1].set_xlabel("predicted too high (right) or too low (left)")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def curves(
    points: pd.DataFrame, *, x: str, y: str, level: float, level_label: str, logarithmic: bool = False
) -> Figure:
    """Show one curve per series against x, with a dotted line at a level to compare with.

    Columns: series, and those that `x` and `y` name, which also label the axes.
    """
    figure = _figure(3.4, in_words.curves(points, x, y, level))
    axes = figure.subplots()
    for position, (series, part) in enumerate(points.groupby("series", sort=False)):
        axes.plot(part[x], part[y], color=style.colour(str(series), position), label=str(series),
                  linestyle=("-", "--", "-.", ":")[position % 4], linewidth=2)  # fmt: skip
    axes.axhline(level, color=style.INK, linestyle=(0, (1, 1)), linewidth=1.2, label=level_label)
    if logarithmic:
        _logarithmic(axes)
    axes.set(xlabel=x, ylabel=y)
    axes.set_ylim(bottom=0)
    figure.legend(loc="outside upper center", ncols=1)
    return figure


def rates_within_limits(rates: pd.DataFrame, label: str) -> Figure:
    """Show each question's rate and interval over the band that is allowed; its words stand above it.

    Columns: truth, question, rate, low, high, allowed_low, allowed_high (rates from 0 to 1), kept (yes, no, cannot tell),
    within_limit.
    """
    figure = _figure(0.64 * len(rates) + 1.0, in_words.rates(rates))
    axes = figure.subplots()
    looks = {"yes": (style.PALETTE[0], "o", "within limit"), "no": (style.PALETTE[3], "X", "beyond limit"),
             "cannot tell": (style.PALETTE[7], "s", "cannot tell")}  # fmt: skip
    for place, row in enumerate(rates.to_dict("records")):
        colour, marker, legend = looks[row["kept"]]
        axes.barh(place, row["allowed_high"] - row["allowed_low"], 0.34, row["allowed_low"], color="#cfe8cf",
                  label="allowed")  # fmt: skip
        axes.errorbar(row["rate"], place, xerr=[[row["rate"] - row["low"]], [row["high"] - row["rate"]]],
                      fmt=marker, color=colour, capsize=3, label=legend)  # fmt: skip
        told = fill(f"{row['truth']}: {row['question']}", 72)
        axes.annotate(told, (0, place - 0.27), (2, 0), xycoords=("axes fraction", "data"),
                      textcoords="offset points", fontsize=10, va="bottom")  # fmt: skip
    axes.set_xlim(0, min(1.0, 1.05 * float(rates[["high", "allowed_high"]].to_numpy().max())))
    axes.set_ylim(len(rates) - 0.5, -0.8)
    axes.set_yticks([])
    axes.set_xlabel(label)
    _shares(axes.xaxis)
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=3)
    return figure


def _figure(height: float, told: str) -> Figure:
    figure = Figure(figsize=(style.WIDTH, height), layout="constrained")
    figure.set_label(told)
    return figure


def _distinct(column: pd.Series) -> list[str]:
    """The values of a column, each once, in the order of the table."""
    return list(dict.fromkeys(column))


def _named_rows(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [style.name(str(name)) for name in names])
    axes.invert_yaxis()


def _shares(axis: Axis, unit: str = "%") -> None:
    axis.set_major_formatter(PercentFormatter(xmax=1, decimals=0, symbol=unit))


def _logarithmic(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))  # 1, 2, 5, 10: few enough for a phone
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
