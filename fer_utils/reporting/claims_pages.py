"""The claims as pages: the rules, what others report, and links to each claim's rule, figure, table and notebook."""

import re
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from expression_scores import metrics
from face_sets.folders import MANIFESTS_FOLDER
from fer_utils.analysis.claims import Claim, Quantity, printed, published
from fer_utils.analysis.evidence import Tables
from fer_utils.analysis.verdicts import CANNOT_TELL, REPRODUCED, rule_in_words
from fer_utils.reporting.build import render
from fer_utils.reporting.gate import publishable, without_small_cells
from fer_utils.reporting.pages import html_table
from fer_utils.reporting.provenance import Provenance
from fer_utils.reporting.style import named
from fer_utils.simulation import operating_characteristics

PAGE: Final = "claims"
"""Name of the page of rules, and of the folder that holds the scoreboard as data."""

ABOUT_TRAINING: Final = ("run_id", "architecture", "cohort", "seed")

NOT_SHOWN: Final = ("kind", "metric", "dataset", "children")
"""Fields of a quantity that its sentence names already."""

ESTIMANDS: Final = {
    "sample": "The children are a sample of others like them. ",
    "fixed": "The photographs are those of the published number, so only the training may differ. ",
}
"""What a quantity is about, by its `children`."""

CHANGES: Final = MANIFESTS_FOLDER / "rule_changes.csv"
"""Every change of the rules since they were frozen: date, digest, and what changed."""


class Link(NamedTuple):
    """A text and its address."""

    text: str
    address: str


def claims_pages(
    board: pd.DataFrame, claims: Sequence[Claim], figures: Path, source: Provenance
) -> Mapping[str, str]:
    """Return the generated pages about claims, MyST text by name: rules, and what others report.

    `board` is that of `analysis.verdicts`, `figures` the folder of all pages' figures.
    """
    tried = operating_characteristics.read_table()
    rates = operating_characteristics.summary(tried)
    rows = {str(row["claim_id"]): row for row in board.to_dict("records")}
    sections = [
        (c, rows[c.id], _rule(c), links(c, figures, "../")[1:], rates[rates["claim_id"] == c.id].to_dict("records"))
        for c in claims
    ]  # fmt: skip
    return {
        PAGE: render(
            "claims.md.j2", sections=sections, source=source, in_words=quantity_in_words, printed=printed, tried=tried,
            changes=html_table(pd.read_csv(CHANGES, dtype="str")), digest=operating_characteristics.rules_digest(),
            operating=html_table(for_readers(rates)),
        ),
        "comparators": render("comparators.md.j2", printed=printed, published=published),
    }  # fmt: skip


def answers_of_children(tables: Tables) -> pd.DataFrame:
    """Return the answers of all trained networks, no exported files, to the test children's photographs."""
    runs = tables.runs.loc[tables.runs["parent_run_id"].isna(), list(ABOUT_TRAINING)]
    children = tables.faces[(tables.faces["split"] == "test") & (tables.faces["age_group"] == "child")]
    asked = tables.predictions["run_id"].isin(runs["run_id"])
    asked &= tables.predictions["face_id"].isin(children["face_id"])
    answers = metrics.join(tables.predictions[asked], children).merge(runs, on="run_id")
    return answers.astype({"expression": str, "predicted": str, "seed": str})


def scores_by_training(answers: pd.DataFrame) -> pd.DataFrame:
    """Return one row per training and test set: children, photographs, and each score of all of them, 0 to 1."""
    rows = []
    for about, part in answers.groupby([*ABOUT_TRAINING, "dataset"], observed=True):
        children, confusions = metrics.confusions_by_subject(part)
        scores = metrics.scores_of_confusions(confusions.sum(axis=0)).values()
        rows.append([*about, len(children), len(part), *scores])
    columns = [*ABOUT_TRAINING, "dataset", "children", "photographs", *metrics.METRICS]
    return pd.DataFrame(rows, columns=columns)


def right_and_wrong(answers: pd.DataFrame) -> pd.DataFrame:
    """Return of each two all-data networks, per seed and test set, how many photographs both, one or none got right."""
    rows = []
    for about, part in answers[answers["cohort"] == "all"].groupby(["seed", "dataset"], observed=True):
        right = part.assign(right=metrics.is_right(part)).pivot(
            index="face_id", columns="architecture", values="right"
        )
        for one, other in combinations(right, 2):
            counts = pd.crosstab(right[one], right[other]).reindex([True, False], axis=0, fill_value=0)
            rows.append(
                [*about, one, other, *counts.reindex([True, False], axis=1, fill_value=0).to_numpy().ravel()]
            )
    columns = ["seed", "dataset", "first", "second", "both", "first_alone", "second_alone", "neither"]
    return pd.DataFrame(rows, columns=columns)


def answers_by_child(answers: pd.DataFrame) -> pd.DataFrame:
    """Return how many photographs of each test child each training read as what: no zeros, no row per photograph.

    Where a set's terms do not let its pictures be shown, `subject_id` and `ethnicity` are missing: its children's
    answers are added up, `subjects` says of how many, and the gate hides cells of few.
    """
    answers = answers.assign(child=metrics.subjects_of(answers))
    private = ~answers["face_id"].isin(publishable(answers)["face_id"])
    for column in ("ethnicity", "subject_id"):
        answers[column] = answers[column].astype("object").mask(private)
    keys = [*ABOUT_TRAINING, "dataset", "subject_id", "ethnicity", "expression", "predicted"]
    cells = answers.groupby(keys, dropna=False, observed=True)
    counted = cells.agg(subjects=("child", "nunique"), photographs=("face_id", "size"))
    return without_small_cells(counted.reset_index())


def links(claim: Claim, figures: Path, base: str = "") -> tuple[Link, ...]:
    """Return the links from a claim to its rule, figure, table and notebook, as far as they exist.

    `base` leads from the page of the links to the folder `book/`. A section that is not a figure has its table in the
    text and is linked as `section`.
    """
    page, name = claim.shown.split("#")
    is_stage = page[:1].isdigit()
    has_table = (figures / page / f"{name}.csv").is_file()
    shown = "figure" if has_table or is_stage else "section"
    addresses = {
        "rule": f"stages/{PAGE}.html#claim-{claim.id}",
        shown: f"{'stages/' if is_stage else ''}{page}.html#{name}",
        "table": f"figures/{page}/{name}.csv" if has_table else "",
        "notebook": f"stages/{page}.ipynb" if is_stage else "",
    }
    return tuple(Link(text, base + address) for text, address in addresses.items() if address)


def quantity_in_words(quantity: Quantity) -> str:
    """Return what a quantity is: the sentence that describes its kind, and the values of its fields."""
    what = re.sub(r"\s+", " ", (type(quantity).__doc__ or "").strip()).replace("`", "")
    values: dict[str, Any] = quantity.model_dump()
    fields = [f"{name.replace('_', ' ')} {_value(value)}" for name, value in values.items()
              if name not in NOT_SHOWN and value not in ((), None)]  # fmt: skip
    on = f"on {values['dataset']}, " if "dataset" in values else ""
    metric = f"{str(values['metric']).replace('_', ' ')}; " if "metric" in values else ""
    about = ESTIMANDS.get(values.get("children", ""), "")
    return f"{what} {about}In detail: {metric}{on}{'; '.join(fields)}."


def for_readers(rates: pd.DataFrame) -> pd.DataFrame:
    """Return the summary of the rules' operating characteristics as text, in percent."""
    shares = {name: [f"{100 * share:.1f}" for share in rates[name]]
              for name in ("least_power", "most_power", "false_reproduced", "false_contradicted")}  # fmt: skip
    return pd.DataFrame({
        "claim": rates["claim_id"],
        "trainings": rates["trainings"],
        "reproduced where the paper is true, %": [
            f"{a} to {b}" for a, b in zip(shares["least_power"], shares["most_power"], strict=True)
        ],
        "falsely reproduced, at most %": shares["false_reproduced"],
        "falsely contradicted, at most %": shares["false_contradicted"],
        "likelihood ratio, at least": [
            "—" if np.isnan(r) else "none false" if np.isinf(r) else f"{r:.0f}" for r in rates["ratio"]
        ],
    })  # fmt: skip


def _rule(claim: Claim) -> str:
    if claim.rule is None:
        return ""
    words = rule_in_words(claim).removeprefix("rule: ")
    if claim.rule.never_reproduced:  # what would be reproduced cannot be told
        words = words.replace(REPRODUCED, CANNOT_TELL, 1)
    return f"{_sentence(words)} {_sentence(claim.rule.because)}"


def _sentence(text: str) -> str:
    plain = text.strip().removesuffix(".")
    return f"{plain[:1].upper()}{plain[1:]}."


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else named(str(value)).replace("_", " ")
