"""The simulation study in full, saved as a table, and in short, for every build of the book."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

import pandas as pd

from face_sets.code_digests import code_digest
from face_sets.files import atomic_path
from fer_utils.simulation.experiments import RATES, rates, run_scenarios, simulate
from fer_utils.simulation.scenarios import scenarios

SHORT_REPEATS: Final = 50
SHORT_DRAWS: Final = 99
"""Of each scenario, at every build: about fifteen seconds; enough to see an analysis that is broken."""

FULL_REPEATS: Final = 2000
"""A rate of 5 % is then known to a point and a quarter either way (99 %)."""

FULL_DRAWS: Final = 999

_BLOCK: Final = 100
"""Repeats that one process does in one go."""

_COLUMNS: Final = (*RATES, "draws", "code")


def in_short(seed: int = 0) -> pd.DataFrame:
    """Return the rates of all scenarios but those that take long, from few repeats."""
    return run_scenarios([s for s in scenarios() if not s.in_full_only], SHORT_REPEATS, SHORT_DRAWS, seed)


def in_full(path: Path, repeats: int = FULL_REPEATS, draws: int = FULL_DRAWS, seed: int = 0) -> Iterator[str]:
    """Write the rates of all scenarios to a CSV file once all are done; yield each scenario's name when it is.

    Uses all processors.
    """
    parts = []
    blocks = [range(start, min(start + _BLOCK, repeats)) for start in range(0, repeats, _BLOCK)]
    with ProcessPoolExecutor(os.cpu_count() or 1) as pool:
        for scenario in scenarios():
            jobs = [pool.submit(simulate, scenario, block, draws, seed) for block in blocks]
            parts.append(rates(scenario, pd.concat([job.result() for job in jobs])))
            yield scenario.name
    table = pd.concat(parts, ignore_index=True).assign(draws=draws, code=_code())
    with atomic_path(path) as temporary:
        table[list(_COLUMNS)].to_csv(temporary, index=False)


def read_full(path: Path) -> pd.DataFrame | None:
    """Return the table that `in_full` wrote, or None if there is none or the analysis has changed since.

    Raises ValueError for a file that is not such a table.
    """
    if not path.is_file():
        return None
    try:
        table = pd.read_csv(path, dtype={"within_limit": "boolean", "code": "string"})
    except ValueError:  # pandas' errors of parsing are among them
        table = pd.DataFrame()
    if list(table.columns) != list(_COLUMNS) or table.empty:
        raise ValueError(f"{path} is not a table of simulations: delete it, or run `fer validate` again")
    return table if (table["code"] == _code()).all() else None


def _code() -> str:
    return code_digest("fer_utils.simulation.scenarios")
