"""The plots of the book: each takes a tidy table and returns a figure; nothing is computed here."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, PercentFormatter, StrMethodFormatter

from face_sets.expressions import CHANCE
from fer_utils.reporting import style
from fer_utils.reporting.gate import check_publishable

style.apply()  # once, so that no notebook can forget it


def contact_sheet(faces: pd.DataFrame, pixels: np.ndarray, columns: int = 7) -> Figure:
    """Show faces, rows of that table with their pixels, uint8 (n, height, width, 3), each under its expression.

    Raises PrivacyError if any of them may not be shown, ValueError if the numbers differ.
    """
    check_publishable(faces)
    if len(faces) != len(pixels):
        raise ValueError(f"{len(pixels)} pictures were given for {len(faces)} faces: give one each")
    rows = -(-len(pixels) // columns)
    side = style.WIDTH / columns
    figure = Figure(figsize=(style.WIDTH, rows * (side + 0.22)), layout="constrained")
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.axis("off")
    for axes, image, label in zip(figure.axes, pixels, faces["expression"], strict=False):
        axes.imshow(image)
        axes.set_title(str(label), fontsize=9, pad=2)
    return figure


def learning_curves(curves: pd.DataFrame) -> Figure:
    """Show accuracy by epoch, a panel an architecture, a colour a cohort, held-out faces solid.

    Columns: architecture, cohort, epoch, accuracy, validation_accuracy.
    """
    architectures = list(dict.fromkeys(curves["architecture"]))
    rows = -(-len(architectures) // 2)
    figure = Figure(figsize=(style.WIDTH, 2.3 * rows + 0.5), layout="constrained")
    panels = list(figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False).flat)
    for axes, architecture in zip(panels, architectures, strict=False):
        axes.set_title(style.name(architecture))
        chosen = curves[curves["architecture"] == architecture]
        for position, (cohort, part) in enumerate(chosen.groupby("cohort", observed=True, sort=False)):
            colour = style.colour(str(cohort), position)
            label = style.name(str(cohort))
            axes.plot(part["epoch"], part["validation_accuracy"], color=colour, label=label)
            axes.plot(part["epoch"], part["accuracy"], color=colour, linestyle=":")
        _shares(axes, "y")
    panels[0].set_ylim(bottom=0)  # shared; only now, because setting it stops the scale from growing
    for axes in panels[len(architectures) :]:
        axes.axis("off")
    figure.supxlabel("epoch")
    figure.supylabel("accuracy")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside upper center",
        ncols=3,
        title="trained on (solid: held out, dotted: training)",
    )
    return figure


def scores_with_intervals(scores: pd.DataFrame, label: str = "accuracy", chance: float = CHANCE) -> Figure:
    """Show each network's score and interval, a colour a cohort, with the line of guessing.

    Columns: architecture, cohort, estimate, low, high, all shares from 0 to 1.
    """
    return _dots(scores, rows="architecture", series="cohort", title="trained on", label=label, chance=chance)


def group_scores(scores: pd.DataFrame, label: str = "accuracy", chance: float = CHANCE) -> Figure:
    """Show each group's score and interval, a colour a series, with the line of guessing.

    Columns: group, series, estimate, low, high, all shares from 0 to 1.
    """
    return _dots(scores, rows="group", series="series", title="", label=label, chance=chance)


def differences(points: pd.DataFrame, label: str) -> Figure:
    """Show each row's difference and interval, a colour a series, with a line at none.

    Columns: group, series, estimate, low, high, all shares from -1 to 1.
    """
    return _dots(points, rows="group", series="series", title="", label=label, chance=None)


def _dots(
    scores: pd.DataFrame, *, rows: str, series: str, title: str, label: str, chance: float | None
) -> Figure:
    names = list(dict.fromkeys(scores[rows]))
    kinds = list(dict.fromkeys(scores[series]))
    figure = Figure(figsize=(style.WIDTH, 0.55 * len(names) + 1.6), layout="constrained")
    axes = figure.subplots()
    for position, kind in enumerate(kinds):
        part = scores[scores[series] == kind]
        offset = 0.6 * ((position + 0.5) / len(kinds) - 0.5)
        _dot_series(axes, part, [names.index(n) + offset for n in part[rows]], str(kind), position)
    line, meaning = (0.0, "no difference") if chance is None else (chance, "guessing")
    axes.axvline(line, color="#444444", linestyle="--", linewidth=1, label=meaning)
    axes.set_yticks(range(len(names)), [style.name(str(n)) for n in names])
    axes.invert_yaxis()
    axes.set_xlabel(label)
    _shares(axes, "x")
    if chance is None:
        axes.xaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10], integer=False, nbins=6))
    else:
        axes.set_xlim(left=0)
    longest = max(len(style.name(str(kind))) for kind in kinds)
    columns = 4 if longest <= 15 else 2 if longest <= 30 else 1  # a name of 30 letters takes half the width
    figure.legend(loc="outside upper center", ncols=columns, title=title or None)
    return figure


def _dot_series(axes: Axes, part: pd.DataFrame, heights: list[float], kind: str, position: int) -> None:
    axes.errorbar(
        part["estimate"],
        heights,
        xerr=_reach(part, "estimate", "low", "high"),
        fmt=style.MARKERS[position % len(style.MARKERS)],
        color=style.colour(kind, position),
        capsize=3,
        markersize=6,
        label=style.name(kind),
    )


def confusion(matrix: pd.DataFrame) -> Figure:
    """Show a confusion matrix: row shares from 0 to 1, index the true expression, columns the predicted."""
    figure = Figure(figsize=(style.WIDTH, 5.0), layout="constrained")
    axes = figure.subplots()
    sns.heatmap(matrix, ax=axes, vmin=0, vmax=1, cmap="Blues", annot=True, fmt=".2f", cbar=False, square=True,
                annot_kws={"fontsize": 10})  # fmt: skip
    axes.set_xlabel("predicted")
    axes.set_ylabel("shown")
    axes.tick_params(axis="x", rotation=35)
    return figure


def coverage(counts: pd.DataFrame) -> Figure:
    """Show how many faces each combination has: counts, index and columns the two factors."""
    figure = Figure(figsize=(style.WIDTH, 0.42 * len(counts) + 1.5), layout="constrained")
    axes = figure.subplots()
    sns.heatmap(counts, ax=axes, vmin=0, cmap="Greens", annot=True, fmt="d", cbar=False, linewidths=1,
                annot_kws={"fontsize": 10})  # fmt: skip
    axes.tick_params(axis="x", rotation=35)
    axes.tick_params(axis="y", rotation=0)
    return figure


def accuracy_against(scores: pd.DataFrame, column: str, label: str, chance: float = CHANCE) -> Figure:
    """Show accuracy against a cost on a logarithmic axis: a colour a network, a marker a technique.

    int8 files are hollow. Columns: architecture, technique, precision, estimate, low, high, and `column`,
    which is positive; with a column on_frontier (true or false) steps join those points, beyond
    which nothing lies.
    """
    figure = Figure(figsize=(style.WIDTH, 4.6), layout="constrained")
    axes = figure.subplots()
    techniques = list(dict.fromkeys(scores["technique"]))
    for position, row in enumerate(scores.to_dict("records")):
        colour = style.colour(str(row["architecture"]), position)
        span = [[row["estimate"] - row["low"]], [row["high"] - row["estimate"]]]
        axes.errorbar(row[column], row["estimate"], yerr=span, color=colour, alpha=0.85, markersize=7,
                      linewidth=1,                      fmt=style.MARKERS[techniques.index(row["technique"])],
                      markerfacecolor="white" if row["precision"] == "int8" else colour)  # fmt: skip
    if "on_frontier" in scores:
        _frontier(axes, scores, column, chance)
    axes.axhline(chance, color="#444444", linestyle="--", linewidth=1, label="guessing")
    axes.set(xlabel=label, ylabel="accuracy")
    _logarithmic(axes)
    _shares(axes, "y")
    for architecture in dict.fromkeys(scores["architecture"]):
        axes.plot([], [], "o", color=style.colour(architecture, 0), label=style.name(architecture))
    for position, technique in enumerate(techniques):
        axes.plot([], [], style.MARKERS[position], color="#444444", label=style.name(technique))
    if (scores["precision"] == "int8").any():
        axes.plot([], [], "o", color="#444444", markerfacecolor="white", label="int8 (hollow)")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _frontier(axes: Axes, scores: pd.DataFrame, column: str, floor: float) -> None:
    """Steps from the floor up through the points on the frontier, and on to the dearest: nothing lies beyond them."""
    best = scores[scores["on_frontier"]].sort_values(column)
    costs = [best[column].iloc[0], *best[column], scores[column].max()]
    reached = [floor, *best["estimate"], best["estimate"].iloc[-1]]
    axes.plot(
        costs, reached, color="#888888", linewidth=1.4, drawstyle="steps-post", zorder=1, label="frontier"
    )


def latency_intervals(measurements: pd.DataFrame) -> Figure:
    """Show latencies in milliseconds on a logarithmic axis, a panel a device, with intervals where known.

    Columns: architecture, precision, device, latency_ms_median, and interval_low_ms, interval_high_ms, which
    may be missing.
    """
    devices = list(dict.fromkeys(measurements["device"]))
    names = list(dict.fromkeys(measurements["architecture"]))
    precisions = list(dict.fromkeys(measurements["precision"]))
    figure = Figure(figsize=(style.WIDTH, (0.5 * len(names) + 1.0) * len(devices)), layout="constrained")
    panels = figure.subplots(len(devices), 1, squeeze=False)[:, 0]
    for axes, device in zip(panels, devices, strict=True):
        chosen = measurements[measurements["device"] == device]
        for position, precision in enumerate(precisions):
            part = chosen[chosen["precision"] == precision].astype(
                {"latency_ms_median": float, "interval_low_ms": float, "interval_high_ms": float}
            )
            offset = 0.5 * ((position + 0.5) / len(precisions) - 0.5)
            axes.errorbar(part["latency_ms_median"], [names.index(n) + offset for n in part["architecture"]],
                          xerr=_reach(part, "latency_ms_median", "interval_low_ms", "interval_high_ms"),
                          fmt=style.MARKERS[position], color=style.colour(precision, position), capsize=3,
                          label=precision)  # fmt: skip
        axes.set_title(device)
        _logarithmic(axes)
        axes.set_yticks(range(len(names)), [style.name(n) for n in names])
        axes.invert_yaxis()
    panels[-1].set_xlabel("median latency, milliseconds")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def _reach(part: pd.DataFrame, middle: str, low: str, high: str) -> np.ndarray:
    """Return error bar lengths, shape (2, n); 0 where an end is missing."""
    ends = [part[middle] - part[low], part[high] - part[middle]]
    return np.nan_to_num(np.array([np.asarray(end, dtype=float) for end in ends]).clip(min=0))


def _shares(axes: Axes, which: str) -> None:
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))


def _logarithmic(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))  # 1, 2, 5, 10: few enough for a phone
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))


def predicted_against_measured(residuals: pd.DataFrame) -> Figure:
    """Show predicted against measured latency on logarithmic axes, a colour a number of threads.

    Columns: threads, measured_ms, predicted_ms.
    """
    figure = Figure(figsize=(style.WIDTH, 4.8), layout="constrained")
    axes = figure.subplots()
    ends = [
        residuals[["measured_ms", "predicted_ms"]].min().min(),
        residuals[["measured_ms", "predicted_ms"]].max().max(),
    ]
    axes.plot(ends, ends, color="#444444", linestyle="--", linewidth=1, label="prediction equals measurement")
    for position, (threads, part) in enumerate(residuals.groupby("threads")):
        axes.plot(part["measured_ms"], part["predicted_ms"], style.MARKERS[position], alpha=0.8,
                  color=style.PALETTE[position], label=f"{threads} thread(s)")  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel="measured, milliseconds", ylabel="predicted, milliseconds")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_locator(NullLocator())
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def relative_residuals(residuals: pd.DataFrame) -> Figure:
    """Show by how much each prediction is off, a panel by network and one by board, a colour a number of threads.

    Columns: threads, network, board, measured_ms, predicted_ms.
    """
    figure = Figure(figsize=(style.WIDTH, 7.0), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True)
    for axes, column in zip(panels, ("network", "board"), strict=True):
        names = sorted(set(residuals[column]))
        for position, (threads, part) in enumerate(residuals.groupby("threads")):
            off = part["predicted_ms"] / part["measured_ms"] - 1
            heights = [names.index(name) + 0.3 * position - 0.15 for name in part[column]]
            axes.plot(off, heights, style.MARKERS[position], alpha=0.7, markersize=5, color=style.PALETTE[position],
                      label=f"{threads} thread(s)")  # fmt: skip
        axes.axvline(0, color="#444444", linestyle="--", linewidth=1)
        axes.set_yticks(range(len(names)), names)
        axes.set_title(f"by {column}")
        axes.invert_yaxis()
    _shares(panels[-1], "x")
    panels[-1].set_xlabel("predicted too high (right) or too low (left)")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def latency_sources(latencies: pd.DataFrame) -> Figure:
    """Show latencies on a logarithmic axis, a row a network, a colour and marker a source, predictions with intervals.

    Columns: architecture, source (categorical), ms, and low_ms, high_ms, which may be missing.
    """
    names = list(dict.fromkeys(latencies["architecture"]))
    sources = list(latencies["source"].cat.remove_unused_categories().cat.categories)
    figure = Figure(figsize=(style.WIDTH, 0.95 * len(names) + 1.8), layout="constrained")
    axes = figure.subplots()
    for position, source in enumerate(sources):
        part = latencies[latencies["source"] == source]
        offset = 0.75 * ((position + 0.5) / len(sources) - 0.5)
        axes.errorbar(part["ms"], [names.index(n) + offset for n in part["architecture"]],
                      xerr=_reach(part, "ms", "low_ms", "high_ms"), fmt=style.MARKERS[position % len(style.MARKERS)],
                      color=style.PALETTE[position], capsize=3, markersize=6, label=source)  # fmt: skip
    for edge in range(len(names) - 1):
        axes.axhline(edge + 0.5, color="#cccccc", linewidth=1)
    _logarithmic(axes)
    axes.grid(visible=False, axis="y")
    axes.set_yticks(range(len(names)), [style.name(n) for n in names])
    axes.invert_yaxis()
    axes.set_xlabel("milliseconds a face, 224 pixels, float files")
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def rates_within_limits(rates: pd.DataFrame, label: str) -> Figure:
    """Show each question's rate and interval over the band that is allowed; its words stand above it.

    Columns: truth, question, rate, low, high, allowed_low, allowed_high (rates from 0 to 1), within_limit (bool).
    """
    figure = Figure(figsize=(style.WIDTH, 0.52 * len(rates) + 1.0), layout="constrained")
    axes = figure.subplots()
    looks = {True: (style.PALETTE[0], "o", "within limit"), False: (style.PALETTE[3], "X", "beyond limit")}
    for place, row in enumerate(rates.to_dict("records")):
        colour, marker, legend = looks[bool(row["within_limit"])]
        axes.barh(place, row["allowed_high"] - row["allowed_low"], 0.34, row["allowed_low"], color="#cfe8cf",
                  label="allowed")  # fmt: skip
        axes.errorbar(row["rate"], place, xerr=[[row["rate"] - row["low"]], [row["high"] - row["rate"]]],
                      fmt=marker, color=colour, capsize=3, label=legend)  # fmt: skip
        axes.annotate(f"{row['truth']}: {row['question']}", (0, place - 0.27), (2, 0), xycoords=("axes fraction", "data"),
                      textcoords="offset points", fontsize=8.5, va="bottom")  # fmt: skip
    axes.set_xlim(0, min(1.0, 1.05 * float(rates[["high", "allowed_high"]].to_numpy().max())))
    axes.set_ylim(len(rates) - 0.5, -0.8)
    axes.set_yticks([])
    axes.set_xlabel(label)
    _shares(axes, "x")
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=3)
    return figure


def curves(
    points: pd.DataFrame, *, x: str, y: str, level: float, level_label: str, logarithmic: bool = False
) -> Figure:
    """Show one curve a series against x, with a dashed line at a level to compare with.

    Columns: series, and those that `x` and `y` name, which also label the axes.
    """
    figure = Figure(figsize=(style.WIDTH, 3.9), layout="constrained")
    axes = figure.subplots()
    for position, (series, part) in enumerate(points.groupby("series", sort=False)):
        axes.plot(part[x], part[y], color=style.colour(str(series), position), label=str(series),
                  linestyle=("-", "--", "-.", ":")[position % 4], linewidth=2)  # fmt: skip
    axes.axhline(level, color="#444444", linestyle=(0, (1, 1)), linewidth=1.2, label=level_label)
    if logarithmic:
        _logarithmic(axes)
    axes.set(xlabel=x, ylabel=y)
    axes.set_ylim(bottom=0)
    figure.legend(loc="outside upper center", ncols=1)
    return figure
