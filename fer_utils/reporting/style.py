"""The style of every figure: theme, palette, and the names that readers see.

The palette is seaborn's `colorblind` (Okabe and Ito's colours, https://jfly.uni-koeln.de/color/, slightly
darkened), which readers with any common colour deficiency can distinguish. A colour means one thing in the whole
book, and a marker repeats what the colour says.
"""

from pathlib import Path
from typing import Final

import seaborn as sns
from matplotlib import rc_params_from_file, rcParams

from face_sets.expressions import EXPRESSIONS
from fer_utils.study import ARCHITECTURES
from fer_utils.tables import COHORTS, PRECISIONS, TECHNIQUES

WIDTH: Final = 5.2
"""Inches: letters of 10 points have 9 pixels where a phone shows the figure 342 pixels wide."""
INK: Final = "#1f2328"
"""Letters and lines that have no meaning of their own; no cell of a heat map has this colour."""
PAPER: Final = "#fefefe"
"""The inside of hollow markers, and hatches."""
GRID: Final = "#e3e3e3"
EDGE: Final = "#666666"
IN_THE_DARK: Final = {INK: "#e6e6e6", PAPER: "#121212", GRID: "#3a3f45", EDGE: "#9a9a9a"}
"""What stands for these colours on dark pages."""
PALETTE: Final[tuple[str, ...]] = tuple(sns.color_palette("colorblind").as_hex())
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "*")
HATCHES: Final = ("", "//", "--", "\\\\", "||", "xx", "++", "/-", "\\|", "x")  # lines: SVG dots weigh 68 kB

NAMES: Final[dict[str, str]] = {
    "mobilenet_v3_small": "MobileNetV3-Small",
    "mobilenet_v2": "MobileNetV2",
    "efficientnet_b0": "EfficientNetB0",
    "mobilenet_v3_large": "MobileNetV3-Large",
    "nasnet_mobile": "NASNetMobile",
    "children": "children",
    "adults": "adults",
    "known_adults": "adults of known age",
    "all": "all faces",
    "size_matched_children": "size-matched children",
    "size_matched_adults": "size-matched adults",
    "domain_matched_children": "domain-matched children",
    "domain_matched_adults": "domain-matched adults",
    "class_matched_children": "class-matched children",
    "class_matched_adults": "class-matched adults",
    "none": "as trained",
    "pruning": "pruned",
    "clustering": "clustered",
    "quantization_aware": "quantization-aware",
    "pruning_clustering": "pruned, clustered",
    "pruning_quantization_aware": "pruned, quantization-aware",
    "clustering_quantization_aware": "clustered, quantization-aware",
    "pruning_clustering_quantization_aware": "pruned, clustered, quantization-aware",
}
"""The names of architectures, training cohorts and techniques in tables and figures."""

COLOURS: Final[dict[str, str]] = {
    **dict(zip(ARCHITECTURES, PALETTE, strict=False)),
    **dict(zip(COHORTS, (PALETTE[place] for place in (1, 0, 9, 7, 2, 3, 4, 5, 6, 8)), strict=True)),
    **dict(zip(EXPRESSIONS, PALETTE, strict=False)),
    **dict(zip(TECHNIQUES, (PALETTE[place] for place in (7, 0, 2, 1, 9, 4, 8, 3)), strict=True)),
    **dict(zip(PRECISIONS, (PALETTE[0], PALETTE[9], PALETTE[2], PALETTE[1]), strict=True)),
}
"""The colour of everything that has one; no other module chooses colours."""


def name(value: str) -> str:
    """Return the name of a table's value for readers: with blanks for underscores if it has no other."""
    return NAMES.get(value, value.replace("_", " "))


def named(text: str) -> str:
    """Return a text with the identifiers of networks and training cohorts in it replaced by their names for readers."""
    for identifier in sorted((each for each in NAMES if "_" in each), key=len, reverse=True):
        text = text.replace(identifier, NAMES[identifier])
    return text


def colour(value: str, position: int) -> str:
    """Return the fixed colour of a value, else the palette's colour at its position (0 based)."""
    return COLOURS.get(value, PALETTE[position % len(PALETTE)])


def apply() -> None:
    """Set the theme for all figures made from here on: seaborn's `whitegrid`, with what `book.mplstyle` changes."""
    changes = rc_params_from_file(Path(__file__).with_name("book.mplstyle"), use_default_template=False)
    sns.set_theme(style="whitegrid", palette=list(PALETTE), rc=changes)
    rcParams["text.color"] = rcParams["axes.labelcolor"] = INK
    rcParams["xtick.color"] = rcParams["ytick.color"] = INK
    rcParams["axes.edgecolor"], rcParams["grid.color"] = EDGE, GRID


def dark_rules() -> str:
    """Return the style sheet by which a figure's SVG takes dark colours in dark mode."""
    rules = "".join(
        f'[style*="{property}: {light}"]{{{property}:{dark} !important}}'
        for light, dark in IN_THE_DARK.items()
        for property in ("fill", "stroke")
    )
    return f"<style>@media (prefers-color-scheme: dark){{{rules}}}</style>"
