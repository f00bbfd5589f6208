"""The plots of the instrument's calibration: each takes a tidy table and returns a figure; nothing is computed here."""

from typing import Final

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from fer_utils.reporting import style

style.apply()

_ALLOWED: Final = "#cfe8cf"  # a pale green: a ground for dots, told from white by its lightness too
_KEPT: Final = {True: (style.PALETTE[0], "o"), False: (style.PALETTE[3], "X")}


def shares_allowed(rates: pd.DataFrame, label: str) -> Figure:
    """Show how often each question was answered by yes, over the band that is allowed; its words stand above it.

    Columns: truth, question, rate, low, high, allowed_low, allowed_high (shares from 0 to 1), kept (bool).
    """
    figure = Figure(figsize=(style.WIDTH, 0.52 * len(rates) + 1.0), layout="constrained")
    axes = figure.subplots()
    right = float(rates[["high", "allowed_high"]].to_numpy().max())
    for place, row in enumerate(rates.to_dict("records")):
        colour, marker = _KEPT[bool(row["kept"])]
        axes.barh(place, row["allowed_high"] - row["allowed_low"], 0.34, row["allowed_low"], color=_ALLOWED)
        axes.errorbar(row["rate"], place, xerr=[[row["rate"] - row["low"]], [row["high"] - row["rate"]]],
                      fmt=marker, color=colour, capsize=3)  # fmt: skip
        axes.annotate(f"{row['truth']}: {row['question']}", (0, place - 0.27), (2, 0), xycoords=("axes fraction", "data"),
                      textcoords="offset points", fontsize=8.5, va="bottom")  # fmt: skip
    axes.set_xlim(0, min(1.0, right * 1.05))
    axes.set_ylim(len(rates) - 0.5, -0.8)
    axes.set_yticks([])
    axes.set_xlabel(label)
    axes.xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    _legend(figure, rates)
    return figure


def _legend(figure: Figure, rates: pd.DataFrame) -> None:
    axes = figure.axes[0]
    for kept, words in ((True, "kept"), (False, "not kept")):
        if (rates["kept"] == kept).any():
            colour, marker = _KEPT[kept]
            axes.plot([], [], marker, color=colour, label=words)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        [Patch(color=_ALLOWED), *handles], ["allowed", *labels], loc="outside upper center", ncols=3
    )
