"""What each kind of plot shows, in one sentence with its numbers: for captions and alternative texts.

Every function takes the table of the plot of the same name in `plots`; shares become percent, differences points.
"""

from typing import Final

import pandas as pd

from fer_utils.reporting.style import name

LEVEL: Final = 0.05
"""Share of 95 % intervals that miss the truth, by their definition."""


def faces(shown: int) -> str:
    """Say how many faces a contact sheet shows."""
    return f"The sheet shows {shown} faces."


def learning_curves(curves: pd.DataFrame) -> str:
    """Say between which accuracies the trainings end, on held-out faces."""
    last = curves.sort_values("epoch").groupby(["architecture", "cohort"], observed=True).tail(1)
    last = last.sort_values("validation_accuracy")
    ends = [f"{_percent(row['validation_accuracy'])} ({name(str(row['architecture']))})"
            for row in (last.iloc[-1], last.iloc[0])]  # fmt: skip
    return f"After {curves['epoch'].max()} epochs validation accuracy is {ends[0]} at most and {ends[1]} at least."


def scores(table: pd.DataFrame, rows: str, series: str, chance: float, at_chance: str = "guessing") -> str:
    """Say which score is highest and lowest, with intervals, and how many intervals lie above what chance gives."""
    known = table[table["estimate"].notna()].sort_values("estimate")
    if known.empty:
        return "No score is known."
    first, last = (
        f"{_who(row, table, rows, series)}, {_percent(row['estimate'])}{_ends(row)}"
        for row in (known.iloc[-1], known.iloc[0])
    )
    above = int((known["low"].fillna(known["estimate"]) > chance).sum())
    return (
        f"Highest: {first}. Lowest: {last}. "
        f"{above} of {len(known)} lie above {at_chance} ({_percent(chance)}) with their whole interval."
    )


def scores_near(table: pd.DataFrame, level: float, level_label: str) -> str:
    """Say how wide the intervals are, and how many of the others contain the score to compare with."""
    widths = 50 * (table["high"] - table["low"])
    others = table[(table["estimate"] - level).abs() > 1e-9]
    inside = int((others["low"].le(level) & others["high"].ge(level)).sum())
    return (
        f"The intervals reach {widths.min():.1f} to {widths.max():.1f} points to either side; {inside} of the "
        f"{len(others)} intervals of other scores contain {level_label}."
    )


def differences(table: pd.DataFrame, rows: str, series: str, *, simultaneous: bool) -> str:
    """Say the largest and smallest difference, and how many intervals exclude zero, and how many would by chance.

    `simultaneous`: the intervals of one series hold together at 95 %. A difference of zero, of equal answers, has no chance.
    """
    known = table[table["estimate"].notna()].sort_values("estimate")
    if known.empty:
        return "No difference is known."
    least, most = (
        f"{_points(row['estimate'])} ({_who(row, table, rows, series)})"
        for row in (known.iloc[0], known.iloc[-1])
    )
    above, below = int((known["low"] > 0).sum()), int((known["high"] < 0).sum())
    alone = f"about {LEVEL * known['estimate'].ne(0).sum():.2g} would exclude zero by chance if all true ones were zero"
    together = f"if nothing differed, at least one would exclude zero in {_percent(LEVEL)} of such series"
    return (
        f"Differences from {least} to {most} points. Of {len(known)} intervals {above} lie above zero and {below} below; "
        f"{together if simultaneous else alone}."
    )


def confusion(matrix: pd.DataFrame) -> str:
    """Say which expression is named best and worst, and which is mistaken most often for which."""
    shown = matrix.copy().astype(float)
    right = pd.Series({each: shown.loc[each, each] for each in shown.index if each in shown.columns}).dropna()
    if right.empty:
        return "No expression is known."
    cells = [(float(shown.loc[a, b]), str(a), str(b)) for a in shown.index for b in shown.columns]
    share, true, named = max(cell for cell in cells if cell[1] != cell[2])
    return (
        f"Recognised most often: {right.idxmax()} ({_percent(float(right.max()))}); least often: {right.idxmin()} "
        f"({_percent(float(right.min()))}). Most frequent error: {true} named {named} ({_percent(share)})."
    )


def recalls(shares: pd.DataFrame) -> str:
    """Say the highest and lowest share of a combination, missing ones left out."""
    cells = [(float(shares.loc[a, b]), f"{name(str(a))}, {b}") for a in shares.index for b in shares.columns]
    known = sorted(cell for cell in cells if not pd.isna(cell[0]))
    if not known:
        return "No share is known."
    lowest, highest = (f"{_percent(share)} ({who})" for share, who in (known[0], known[-1]))
    return f"Highest: {highest}. Lowest: {lowest}."


def coverage(counts: pd.DataFrame) -> str:
    """Say how many faces there are in all, and between which numbers per combination; hidden ones are not counted."""
    cells = counts.astype(float).stack().dropna()
    if cells.empty:
        return "All numbers are hidden."
    least, most = cells.min(), cells.max()
    each = f"from {least:,.0f} to {most:,.0f}" if least < most else f"{least:,.0f}"
    return f"In all {cells.sum():,.0f}, {each} per combination."


def accuracy_against(table: pd.DataFrame, column: str, unit: str) -> str:
    """Say the most accurate file and the one of the lowest cost, each with both."""
    best, cheapest = _extremes(table, "estimate")[1], _extremes(table, column)[0]
    what, short = unit.rsplit(", ", 1)[0], unit.rsplit(", ", 1)[-1]
    first, second = (
        f"{name(str(row['architecture']))}, {name(str(row['technique']))}, {row['precision']} "
        f"({_percent(row['estimate'])}, {row[column]:,.0f} {short})"
        for row in (best, cheapest)
    )
    frontier = int(table["on_frontier"].sum()) if "on_frontier" in table else 0
    rest = f" {frontier} of {len(table)} files are on the frontier." if frontier else f" {len(table)} files."
    return f"Most accurate: {first}. Lowest {what}: {second}.{rest}"


def operator_shares(shares: pd.DataFrame) -> str:
    """Say which kind of operator takes most of the time, and between which shares of a file's."""
    most = str(shares.mean().idxmax())
    least, largest = (_percent(float(end)) for end in (shares[most].min(), shares[most].max()))
    return f"{most} takes most on average: from {least} to {largest} of a file's time."


def latencies(table: pd.DataFrame) -> str:
    """Say the fastest and the slowest file of each device."""
    parts = []
    for device, rows in table.groupby("device", observed=True, sort=False):
        told = [f"{row['latency_ms_median']:.3g} ms ({name(str(row['architecture']))}, {row['precision']})"
                for row in _extremes(rows, "latency_ms_median")]  # fmt: skip
        parts.append(f"{device}: from {told[0]} to {told[1]}")
    return f"{'; '.join(parts)}."


def sources(table: pd.DataFrame) -> str:
    """Say between which times the networks lie, by each source."""
    groups = table.groupby("source", observed=True)["ms"]
    parts = [
        f"{source}: {ms.min():.3g} ms" + (f" to {ms.max():.3g} ms" if len(ms) > 1 else "")
        for source, ms in groups
    ]
    return f"{'; '.join(parts)}."


def residuals(table: pd.DataFrame) -> str:
    """Say how far the predictions are from the measurements, typically and at worst."""
    error = table["predicted_ms"] / table["measured_ms"] - 1
    return (
        f"Of {len(table)} predictions half are within {_percent(error.abs().median())} of the measured time; "
        f"they lie from {100 * error.min():+.0f} % to {100 * error.max():+.0f} %."
    )


def curves(points: pd.DataFrame, x: str, y: str, level: float) -> str:
    """Say each series' value at both ends of its range, and whether the series lies above the level to compare with."""
    parts = []
    for series, part in points.groupby("series", sort=False):
        ends = part.sort_values(x).iloc[[0, -1]]
        values, places = ends[y].tolist(), ends[x].tolist()
        side = "above" if part[y].min() > level else "below" if part[y].max() < level else "partly above"
        told = f"from {values[0]:.3g} at {places[0]:.3g} to {values[1]:.3g} at {places[1]:.3g}"
        parts.append(f"{series}: {told}, {side} {level:.4g}")
    return f"By curve: {'; '.join(parts)}."


def rates(table: pd.DataFrame) -> str:
    """Say how many rates exceed their limits, and the highest of all."""
    beyond, top = int((~table["within_limit"].astype(bool)).sum()), _extremes(table, "rate")[1]
    return (
        f"Of {len(table)} rates {beyond} exceed their limit with their whole interval. "
        f"Highest: {top['truth']}, {top['question']}, "
        f"{100 * top['rate']:.1f} % ({100 * top['allowed_high']:.1f} % allowed)."
    )


def _extremes(table: pd.DataFrame, column: str) -> tuple[pd.Series, pd.Series]:
    """The rows of a column's lowest and highest value."""
    ordered = table.sort_values(column)
    return ordered.iloc[0], ordered.iloc[-1]


def _who(row: pd.Series, table: pd.DataFrame, rows: str, series: str) -> str:
    words = [
        name(str(row[column])) for column in (rows, series) if column == rows or table[column].nunique() > 1
    ]
    return ", ".join(words)


def _ends(row: pd.Series) -> str:
    return "" if pd.isna(row["low"]) else f" [{100 * row['low']:.0f}, {100 * row['high']:.0f}]"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"
