"""The generated parts of the page on the instrument's calibration, from simulated predictions."""

from typing import Final

import pandas as pd

from fer_utils.reporting import control_plots
from fer_utils.reporting.page_figures import PageFigures
from fer_utils.reporting.pages import html_table
from fer_utils.simulation.experiments import SURENESS, Kind

PAGE: Final = "calibration"
"""The page's name, which is also the folder of its figures."""

ALARMS: Final = (Kind.ALARM_OF_TEST, Kind.ALARM_OF_INTERVAL, Kind.ALARM_OF_ONE_SIDE)

_TONES: Final = ("tone-even", "group-even", "tone-uneven", "group-uneven")


def version_part(rates: pd.DataFrame, is_full: bool) -> str:
    """Return which version of the experiments is shown, and the verdict on all of them together."""
    repeats = int(rates["repeats"].max())
    asked = rates[rates["kept"].notna()]
    broken = asked[~asked["kept"].astype(bool)]
    which = (
        f"Shown are the experiments in full, each repeated {repeats:,} times"
        if is_full
        else f"Shown are the experiments in short, repeated {repeats} times while this book was built; "
        "`make calibrate` runs them in full, verdicts on claims included, and the next build shows that"
    )
    outcome = (
        "Every one was kept."
        if broken.empty
        else f"Not kept: {'; '.join(_words(row) for _, row in broken.iterrows())}."
    )
    return (
        f"{which}. Every share of repeats has an interval of its own ({100 * SURENESS:.0f} %, exact binomial). A limit "
        f"counts as not kept when the whole interval lies beyond it. Limits were set for {len(asked)} shares. {outcome}\n"
    )


def _words(row: pd.Series) -> str:
    return f"{row['truth']}, {row['question']} ({100 * row['rate']:.1f} %)"


def alarms_part(rates: pd.DataFrame, figures: PageFigures) -> str:
    """Return how often something was found where nothing was planted."""
    alarms = rates[rates["kind"].isin(ALARMS)]
    warnings = rates[rates["kind"] == Kind.WARNING]
    drawing = control_plots.shares_allowed(alarms, "share of repeats with a false alarm")
    caption = (
        "False alarms, where nothing is to be found. The green bars are what is allowed, the dots what came, with "
        "the interval that the number of repeats leaves."
    )
    alt = "For each analysis, named above it, a dot with an interval over a green bar from zero to the share allowed."
    return (
        figures.show("calibration-alarms", drawing, alarms, caption, alt)
        + "\nSome ways of asking would raise more alarms, which is why the book does not ask so:\n\n"
        + _table(warnings, "False alarms of analyses that are not used as tests")
    )


def planted_part(rates: pd.DataFrame) -> str:
    """Return whether the intervals hold what was planted, and how often it was found."""
    chosen = rates[rates["kind"].isin((Kind.HOLDS_TRUTH, Kind.FOUND)) & ~rates["scenario"].isin(_TONES)]
    return _table(chosen, "Planted on purpose: do intervals hold it, and is it found (simulated predictions)")


def tones_part(rates: pd.DataFrame) -> str:
    """Return which factor the analysis names where tone, or group, decides how well a child is read."""
    return _table(
        rates[rates["scenario"].isin(_TONES)],
        "Tone or group: which of the two the analysis names (simulated)",
    )


def _table(rates: pd.DataFrame, caption: str) -> str:
    shown = pd.DataFrame(
        {
            "what is true": rates["truth"],
            "sizes of": rates["size"],
            "what is asked": rates["question"],
            "yes": [f"{100 * rate:.1f} %" for rate in rates["rate"]],
            "interval": [
                f"{100 * low:.1f} to {100 * high:.1f} %"
                for low, high in zip(rates["low"], rates["high"], strict=True)
            ],
            "allowed": [
                _allowed(low, high)
                for low, high in zip(rates["allowed_low"], rates["allowed_high"], strict=True)
            ],
            "kept": ["" if pd.isna(kept) else "yes" if kept else "no" for kept in rates["kept"]],
        }
    )
    return html_table(shown, caption)


def _allowed(low: float, high: float) -> str:
    if pd.isna(low):
        return "no limit"
    return f"at most {100 * high:g} %" if low == 0 else f"at least {100 * low:g} %"
