"""What a model card is made from, and how it writes shares and intervals."""

from dataclasses import dataclass
from typing import Final

import pandas as pd

from fer_utils.analysis.card_facts import CardFacts
from fer_utils.compression.metadata import FileInterface
from fer_utils.reporting.pages import ABSENT
from fer_utils.reporting.provenance import Provenance
from fer_utils.study import Study

FACTOR_NAMES: Final = {"ethnicity": "group", "skin_tone": "skin tone", "age_band": "age"}
"""What readers call the columns by which children are parted; others by their own name."""


@dataclass(frozen=True)
class CardInputs:
    """What a card is made from: the study, the file (its row of `runs`, size, ends), and what the tables say of it.

    `faces` is the study's table of faces; `measurements` holds the rows of this run; `photographs` its score on the
    external test's photographs (a row of `run_scores`), None where it was not asked; `forbidding` the data sets whose
    terms forbid release.
    """

    study: Study
    run: pd.Series
    file_name: str
    size_bytes: int
    interface: FileInterface
    facts: CardFacts
    faces: pd.DataFrame
    measurements: pd.DataFrame
    photographs: pd.Series | None
    forbidding: list[str]
    source: Provenance

    @property
    def run_id(self) -> str:
        """The run's key."""
        return str(self.run["run_id"])


def share(scores: pd.Series, metric: str) -> str:
    """Return a metric of a row of `run_scores` with its interval, as words."""
    return f"{percent(scores[metric])} ({interval(scores[f'{metric}_low'], scores[f'{metric}_high'])})"


def percent(value: float) -> str:
    """Return a share from 0 to 1 in percent."""
    return ABSENT if pd.isna(value) else f"{100 * value:.1f}\N{NO-BREAK SPACE}%"


def interval(low: float, high: float) -> str:
    """Return the ends of an interval of shares in percent."""
    return ABSENT if pd.isna(low) else f"{100 * low:.1f} to {100 * high:.1f} %"
