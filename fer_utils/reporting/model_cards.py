"""Model cards for exported files and the pages for app developers: the tables here, the sentences in templates.

A card is a README in Hugging Face's format (https://github.com/huggingface/hub-docs/blob/main/modelcard.md); its
sections follow Mitchell et al. (2019, https://doi.org/10.1145/3287560.3287596).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
import yaml

from fer_utils.analysis.card_facts import CardFacts
from fer_utils.compression.file_interface import FileInterface
from fer_utils.compression.golden import FACE_FILE, GOLDEN_FILE, PICTURE_FILE
from fer_utils.reporting import absent
from fer_utils.reporting.gate import NOT_RELEASED
from fer_utils.reporting.pages import ABSENT, Link, html_table, markdown_table, render
from fer_utils.reporting.provenance import Provenance
from fer_utils.reporting.style import name
from fer_utils.study import Study

APPS_FOLDER: Final = Path("apps")
"""The folder of packs and of the golden pair, below the rendered book's root."""

CARDS_PAGE: Final = "model_cards"
LICENCE: Final = {"license": "apache-2.0"}  # the project's, as Hugging Face writes it
NO_LICENCE: Final = {"license": "other", "license_name": "not-to-be-released"}
TASK: Final = "image-classification"
DIGITS: Final = 4  # of a share from 0 to 1: finer than any interval here
FACTOR_NAMES: Final = {"ethnicity": "group", "skin_tone": "skin tone", "age_band": "age"}
ORDER: Final = "batch, rows from the top, columns from the left, colours red, green, blue"
DIFFERS: Final = "differs between files: see the model cards"
NO_MODEL: Final = "This run has exported none of the models that are packed for apps."


@dataclass(frozen=True)
class ModelCard:
    """The card of one exported file.

    `run` is its row of `runs`, `faces` the study's table of faces; `measurements` holds the rows of this run;
    `photographs` is its row of `run_scores` on the external test, None where it was not tested on it; `forbidding` names
    the data sets whose terms forbid release.
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

    @property
    def title(self) -> str:
        """Network, technique unless none, precision, kind of faces."""
        run = self.run
        technique = "" if run["technique"] == "none" else f" {name(str(run['technique']))},"
        return f"{name(str(run['architecture']))},{technique} {run['precision']} ({self.study.kind_of_faces})"

    @property
    def pack_name(self) -> str:
        """The name of the archive that packs the file."""
        return f"{Path(self.file_name).stem}.zip"

    def readme(self) -> str:
        """Return the card as README.md: YAML between two lines of dashes, then Markdown."""
        front = yaml.safe_dump(self.metadata(), sort_keys=False, allow_unicode=True, width=110)
        return f"---\n{front}---\n\n{self._filled('#', markdown_table)}"

    def section(self) -> str:
        """Return the card as a section of a page of the book, without the metadata."""
        return self._filled("##", html_table)

    def _filled(self, mark: str, table: Any) -> str:
        return render(
            "model_card.md.j2", card=self, mark=mark, table=table, tensors=tensor_table(self.interface),
            percent=percent, interval=interval, factor_name=_factor_name,
        )  # fmt: skip

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

    def model_table(self) -> pd.DataFrame:
        """Return what the model is: what, value."""
        run = self.run
        rows = {
            "file": self.file_name,
            "run": self.run_id,
            "network": name(str(run["architecture"])),
            "technique": name(str(run["technique"])),
            "precision": run["precision"],
            "parameters": f"{int(run['parameters']):,}",
            "initial weights": run["initial_weights"],
            "seed": str(run["seed"]),
            "profile": self.study.name,
            "lowest runtime": f"TensorFlow Lite {self.interface.lowest_runtime}, and so every LiteRT",
        }
        return pd.DataFrame(rows.items(), columns=["what", "value"])

    def training_table(self) -> pd.DataFrame:
        """Return the size of the training data and of the test: data set, split, age group, subjects, images."""
        faces = self.faces
        used = faces["split"].isin(["train", "validation"])
        of_test_set = (faces["dataset"] == self.facts.dataset) & (faces["age_group"] == "child")
        counts = (
            faces[used | (faces["split"] == "test") & of_test_set]
            .groupby(["dataset", "split", "age_group"], observed=True)
            .agg(subjects=("subject_id", "nunique"), images=("face_id", "size"))
            .reset_index()
            .rename(columns={"dataset": "data set"})
        )
        return counts.astype({"data set": str, "split": str, "age_group": str})

    def recall_table(self) -> pd.DataFrame:
        """Return one row per expression: children, images, recall with its interval, the most frequent wrong answer."""
        return pd.DataFrame(
            {
                "expression": row["expression"],
                "children": row["subjects"],
                "images": row["images"],
                "recall": percent(row["recall"]),
                "95 % interval": interval(row["low"], row["high"]),
                "most often taken for": ABSENT
                if pd.isna(row["taken_for"])
                else f"{row['taken_for']} ({percent(row['taken_share'])})",
            }
            for row in self.facts.recalls.to_dict("records")
        )

    def group_table(self) -> pd.DataFrame:
        """Return one row per group with its accuracy.

        Small cells of licensed sets are hidden: they could identify single children.
        """
        licensed = self.study.face_source != "synthetic"
        rows = []
        for row in self.facts.groups.to_dict("records"):
            shown = (percent(row["accuracy"]), interval(row["low"], row["high"]))
            accuracy, ends = (ABSENT, ABSENT) if licensed and row["too_small"] else shown
            rows.append(
                {"by": _factor_name(row["factor"]), "group": row["group"], "children": row["subjects"],
                 "images": row["images"], "accuracy": accuracy, "95 % interval": ends,
                 "too small": "yes" if row["too_small"] else "no"}
            )  # fmt: skip
        return pd.DataFrame(rows)

    def measurement_table(self) -> pd.DataFrame:
        """Return the file's size, and one row per timing with its kind."""
        rows = [
            {"kind": "file", "device": self.file_name, "threads": ABSENT, "side": self.run["image_size"],
             "result": f"{self.size_bytes:,} bytes"}
        ]  # fmt: skip
        for row in self.measurements.to_dict("records"):
            low, high = row["interval_low_ms"], row["interval_high_ms"]
            within = f" ({low:.0f} to {high:.0f})" if pd.notna(low) else ""
            threads = ABSENT if pd.isna(row["threads"]) else row["threads"]
            rows.append(
                {"kind": row["device_kind"], "device": row["device"], "threads": threads, "side": row["image_size"],
                 "result": f"{row['latency_ms_median']:.1f} ms{within}"}
            )  # fmt: skip
        return pd.DataFrame(rows)


def percent(value: float) -> str:
    """Return a share from 0 to 1 in percent."""
    return ABSENT if pd.isna(value) else f"{100 * value:.1f}\N{NO-BREAK SPACE}%"


def interval(low: float, high: float) -> str:
    """Return the ends of an interval of shares in percent."""
    return ABSENT if pd.isna(low) else f"{100 * low:.1f} to {100 * high:.1f} %"


def tensor_table(interface: FileInterface) -> pd.DataFrame:
    """Return what a file takes as input and gives as output, all text: tensor, input, output."""
    ends = (interface.entrance, interface.exit)
    labels = ", ".join(f"{place} {label}" for place, label in enumerate(interface.labels))
    rows = {
        "what": ("a face, already cropped", "probabilities of seven expressions"),
        "shape": tuple(" × ".join(str(side) for side in end.shape) for end in ends),
        "type": tuple(end.kind for end in ends),
        "values": ("0 to 255, as in an image file", "0 to 1, sum 1"),
        "order": (ORDER, f"as in the labels: {labels}"),
        "name in the graph": tuple(end.name for end in ends),
    }
    return pd.DataFrame([(what, *both) for what, both in rows.items()], columns=["tensor", "input", "output"])


def _factor_name(factor: str) -> str:
    return FACTOR_NAMES.get(factor, factor)


def _result(facts: CardFacts, kind: str) -> dict[str, Any]:
    values = [("accuracy", "accuracy", facts.scores["accuracy"])]
    for row in facts.recalls.dropna(subset=["recall"]).to_dict("records"):
        values.append(("recall", f"recall of {row['expression']}", row["recall"]))
    return {
        "task": {"type": TASK, "name": "one of seven posed expressions"},
        "dataset": {"type": facts.dataset, "name": f"held-out children of {facts.dataset} ({kind})", "split": "test"},
        "metrics": [{"type": t, "name": n, "value": round(float(value), DIGITS)} for t, n, value in values],
    }  # fmt: skip


def app_pages(cards: Sequence[ModelCard], packs: Path | None) -> dict[str, str]:
    """Return the computed pages for app developers, MyST text by name.

    `packs` is the folder of the packs, None where none may be released.
    """
    missing = absent.note(NO_MODEL).data
    refused = absent.note(NOT_RELEASED).data
    return {
        CARDS_PAGE: render("model_cards.md.j2", cards=cards, anchor=anchor, missing=missing),
        "app_tensors": _common_tensors(cards) if cards else missing,
        "app_files": _runtimes(cards) if cards else missing,
        "app_packs": refused if packs is None else _packs(cards, packs) if cards else missing,
    }


def anchor(run_id: str) -> str:
    """Return the label of a run's card on the page of cards."""
    return "card-" + re.sub("[^a-z0-9]+", "-", run_id)


def _common_tensors(cards: Sequence[ModelCard]) -> str:
    """One table for all files; where they differ it says so."""
    first, *others = (tensor_table(card.interface) for card in cards)
    for other in others:
        first = first.where(first == other, DIFFERS)
    return html_table(first, "Input and output of each file")


def _runtimes(cards: Sequence[ModelCard]) -> str:
    rows = [
        {"file": card.file_name, "bytes": f"{card.size_bytes:,}",
         "lowest runtime": f"TensorFlow Lite {card.interface.lowest_runtime}"}
        for card in cards
    ]  # fmt: skip
    return html_table(pd.DataFrame(rows), "The files, and the oldest runtime that has their operators")


def _packs(cards: Sequence[ModelCard], packs: Path) -> str:
    rows = [
        {
            "model": card.title,
            "pack": (_served((archive := packs / card.pack_name).name, "download"),),
            "bytes": f"{archive.stat().st_size:,}",
            "model card": (Link("card", f"stages/{CARDS_PAGE}.html#{anchor(card.run_id)}"),),
        }
        for card in cards
    ]
    golden = {
        GOLDEN_FILE: "the answers",
        FACE_FILE: "the input as bytes",
        PICTURE_FILE: "the input as a picture",
    }
    links = [_served(file, text) for file, text in golden.items()]
    return render("app_packs.md.j2", packs=pd.DataFrame(rows), golden=links)


def _served(file: str, text: str) -> Link:
    return Link(text, f"../{(APPS_FOLDER / file).as_posix()}")
