"""A model card for an exported file, in Hugging Face's format: a README with YAML in front.

Its fields are those of https://github.com/huggingface/hub-docs/blob/main/modelcard.md; the sections follow Mitchell et
al. (2019, https://doi.org/10.1145/3287560.3287596). Every figure comes from the tables of the run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
import yaml

from fer_utils.analysis.card_facts import CardFacts
from fer_utils.reporting import card_tables, card_words
from fer_utils.reporting.card_inputs import CardInputs
from fer_utils.reporting.file_tables import tensor_table
from fer_utils.reporting.pages import html_table
from fer_utils.reporting.style import name

LICENCE: Final = "apache-2.0"  # the project's, as Hugging Face writes it
TASK: Final = "image-classification"
DIGITS: Final = 4  # of a share from 0 to 1: finer than any interval here


@dataclass(frozen=True)
class Part:
    """One part of a card: a title (empty for the lead), Markdown, and a table of texts and whole numbers, or none."""

    title: str
    text: str = ""
    table: pd.DataFrame | None = None


@dataclass(frozen=True)
class ModelCard:
    """A card: the run, its title, what stands in front for programs, and its parts for people."""

    run_id: str
    title: str
    metadata: dict[str, Any]
    parts: Sequence[Part]

    def readme(self) -> str:
        """Return the card as README.md: YAML between two lines of dashes, then Markdown."""
        front = yaml.safe_dump(self.metadata, sort_keys=False, allow_unicode=True, width=110)
        return f"---\n{front}---\n\n# {self.title}\n\n" + "\n".join(_markdown(part) for part in self.parts)

    def section(self) -> str:
        """Return the card as a section of a page of the book, without what is for programs."""
        return f"## {self.title}\n\n" + "\n".join(_myst(part) for part in self.parts)


def model_card(known: CardInputs) -> ModelCard:
    """Return the card of one exported run."""
    return ModelCard(known.run_id, title(known), metadata(known), parts(known))


def title(known: CardInputs) -> str:
    """Return a card's title: network, technique unless none, precision, kind of faces."""
    run = known.run
    technique = "" if run["technique"] == "none" else f" {name(str(run['technique']))},"
    return f"{name(str(run['architecture']))},{technique} {run['precision']} ({known.study.kind_of_faces})"


def parts(known: CardInputs) -> list[Part]:
    """Return the parts of a card in the order of reading."""
    words, tables, facts = card_words, card_tables, known.facts
    return [
        Part("", words.lead(known)),
        Part("The model", table=tables.model_table(known)),
        Part("What it is for, and what not", words.USES),
        Part("What goes in and what comes out", words.PREPARING, tensor_table(known.interface)),
        Part("What it learned from", words.learned_text(known), tables.learned_table(known)),
        Part("How well it reads held-out children", words.scores_text(known)),
        Part("By expression", table=tables.recall_table(facts)),
        Part("By group", words.groups_text(known), tables.group_table(known)),
        Part("How far its probabilities can be trusted", words.calibration_text(facts)),
        Part("Size and time", words.TIMES, tables.measurement_table(known)),
        Part("Known failures", words.failures_text(known)),
        Part("Release", words.release_text(known)),
        Part("Where it comes from", f"{known.source.line()} {words.SOURCE}"),
    ]


def metadata(known: CardInputs) -> dict[str, Any]:
    """Return the fields that stand in front of a card, plain values."""
    forbidden = bool(known.forbidding)
    licence = (
        {"license": "other", "license_name": "not-to-be-released"} if forbidden else {"license": LICENCE}
    )
    kind = known.study.kind_of_faces.replace(" ", "-")
    return {
        **licence,
        "library_name": "litert",
        "pipeline_tag": TASK,
        "tags": ["tflite", "facial-expression-recognition", kind, "research", "not-a-medical-device"],
        "metrics": ["accuracy", "recall"],
        "model-index": [{"name": known.run_id, "results": [_result(known.facts, known.study.kind_of_faces)]}],
    }


def _result(facts: CardFacts, kind: str) -> dict[str, Any]:
    recalls = facts.recalls.dropna(subset=["recall"])
    return {
        "task": {"type": TASK, "name": "one of seven posed expressions"},
        "dataset": {"type": facts.dataset, "name": f"held-out children of {facts.dataset} ({kind})", "split": "test"},
        "metrics": [
            {"type": "accuracy", "name": "accuracy", "value": round(float(facts.scores["accuracy"]), DIGITS)},
            *(
                {"type": "recall", "name": f"recall of {row['expression']}", "value": round(float(row["recall"]), DIGITS)}
                for row in recalls.to_dict("records")
            ),
        ],
    }  # fmt: skip


def _markdown(part: Part) -> str:
    return _joined(part, "## ", markdown_table)


def _myst(part: Part) -> str:
    return _joined(part, "### ", html_table)


def _joined(part: Part, mark: str, show: Any) -> str:
    pieces = [f"{mark}{part.title}\n" if part.title else "", f"{part.text}\n" if part.text else ""]
    return "\n".join([*filter(None, pieces), *([show(part.table)] if part.table is not None else [])])


def markdown_table(table: pd.DataFrame) -> str:
    """Return a table as Markdown; its values are texts and whole numbers already."""
    rows = [[str(value).replace("|", "\\|") for value in row] for row in table.itertuples(index=False)]
    lines = [[str(column).replace("_", " ") for column in table.columns], ["---"] * len(table.columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
