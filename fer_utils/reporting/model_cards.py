"""Model cards for exported files and the pages for app developers: facts here, tables and sentences in templates.

A card is a README in Hugging Face's format (https://github.com/huggingface/hub-docs/blob/main/modelcard.md); its
sections follow Mitchell et al. (2019, https://doi.org/10.1145/3287560.3287596).
"""

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
import yaml

from fer_utils.analysis.card_facts import CardFacts
from fer_utils.compression import golden
from fer_utils.reporting import absent
from fer_utils.reporting.build import render
from fer_utils.reporting.gate import NOT_RELEASED, without_small_cells
from fer_utils.reporting.pages import ABSENT
from fer_utils.reporting.provenance import Provenance
from fer_utils.reporting.style import name
from fer_utils.study import Study
from tflite_files.metadata import FileInterface

APPS_FOLDER: Final = Path("apps")
"""The folder of packs and of the golden pair, below the rendered book's root."""

LICENCE: Final = {"license": "apache-2.0"}  # the project's, as Hugging Face writes it
NO_LICENCE: Final = {"license": "other", "license_name": "not-to-be-released"}
TASK: Final = "image-classification"
DIGITS: Final = 4  # of a share from 0 to 1: finer than any interval here
NO_MODEL: Final = "This run has exported none of the models that are packed for apps."


@dataclass(frozen=True)
class ModelCard:
    """The card of one exported file.

    `run` is its row of `runs`, `path` the file, `faces` the study's table of faces; `measurements` holds the rows of
    this run; `photographs` is its row of `run_scores` on the external test, None where it was not tested on it;
    `forbidding` names the data sets whose terms forbid release.
    """

    study: Study
    run: pd.Series
    path: Path
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

    @property
    def title(self) -> str:
        """Network, technique unless none, precision, kind of faces."""
        run = self.run
        technique = "" if run["technique"] == "none" else f" {name(str(run['technique']))},"
        return f"{name(str(run['architecture']))},{technique} {run['precision']} ({self.study.kind_of_faces})"

    @property
    def pack_name(self) -> str:
        """The name of the archive that packs the file."""
        return f"{self.path.stem}.zip"

    @property
    def anchor(self) -> str:
        """The label of the card on the page of cards."""
        return "card-" + re.sub("[^a-z0-9]+", "-", self.run_id)

    def readme(self) -> str:
        """Return the card as README.md: YAML between two lines of dashes, then Markdown."""
        front = yaml.safe_dump(self.metadata(), sort_keys=False, allow_unicode=True, width=110)
        return f"---\n{front}---\n\n{self.text('#')}"

    def text(self, mark: str) -> str:
        """Return the card as Markdown without the front matter; `mark` is that of its title, "#" say."""
        writers = {"name": name, "percent": percent, "interval": interval, "whole": whole}
        return render("model_card.md.j2", card=self, mark=mark, **writers)

    def training_data(self) -> list[dict[Hashable, Any]]:
        """Return the sizes of training data and test: dataset, split, age_group, subjects, images."""
        faces = self.faces
        used = faces["split"].isin(["train", "validation"])
        of_test_set = (faces["dataset"] == self.facts.dataset) & (faces["age_group"] == "child")
        counts = (
            faces[used | (faces["split"] == "test") & of_test_set]
            .groupby(["dataset", "split", "age_group"], observed=True)
            .agg(subjects=("subject_id", "nunique"), images=("face_id", "size"))
        )
        return without_small_cells(counts.reset_index()).to_dict("records")

    def metadata(self) -> dict[str, Any]:
        """Return the fields of the card's front matter, plain values."""
        kind = self.study.kind_of_faces
        return {
            **(NO_LICENCE if self.forbidding else LICENCE),
            "library_name": "litert",
            "pipeline_tag": TASK,
            "tags": ["tflite", "facial-expression-recognition", kind.replace(" ", "-"), "research",
                     "not-a-medical-device"],
            "metrics": ["accuracy", "recall"],
            "model-index": [{"name": self.run_id, "results": [_result(self.facts, kind)]}],
        }  # fmt: skip


def _result(facts: CardFacts, kind: str) -> dict[str, Any]:
    values = [("accuracy", "accuracy", facts.scores["accuracy"])]
    for row in facts.recalls.dropna(subset=["recall"]).to_dict("records"):
        values.append(("recall", f"recall of {row['expression']}", row["recall"]))
    return {
        "task": {"type": TASK, "name": "one of seven posed expressions"},
        "dataset": {"type": facts.dataset, "name": f"held-out children of {facts.dataset} ({kind})", "split": "test"},
        "metrics": [{"type": t, "name": n, "value": round(float(value), DIGITS)} for t, n, value in values],
    }  # fmt: skip


def percent(value: float) -> str:
    """Return a share from 0 to 1 in percent."""
    return ABSENT if pd.isna(value) else f"{100 * value:.1f}\N{NO-BREAK SPACE}%"


def interval(low: float, high: float) -> str:
    """Return the ends of an interval of shares in percent."""
    return ABSENT if pd.isna(low) else f"{100 * low:.1f} to {100 * high:.1f} %"


def whole(value: float) -> str:
    """Return a number without decimals."""
    return ABSENT if pd.isna(value) else f"{value:.0f}"


def app_pages(cards: Sequence[ModelCard], packs: Path | None) -> dict[str, str]:
    """Return the computed pages for app developers, MyST text by name.

    `packs` is the folder of the packs, None where none may be released.
    """
    missing = f"{absent.note(NO_MODEL).data}\n"
    values = {"cards": cards, "packs": packs, "missing": missing, "folder": APPS_FOLDER, "golden": golden}
    pages = {
        page: render(f"{page}.md.j2", **values) if cards or page == "model_cards" else missing
        for page in ("model_cards", "app_tensors", "app_files")
    }
    if packs is None:
        return {**pages, "app_packs": f"{absent.note(NOT_RELEASED).data}\n"}
    return {**pages, "app_packs": render("app_packs.md.j2", **values) if cards else missing}
