"""The tables of a model card, all texts and whole numbers."""

from typing import Any

import pandas as pd

from fer_utils.analysis.card_facts import CardFacts
from fer_utils.reporting.card_inputs import FACTOR_NAMES, CardInputs, interval, percent
from fer_utils.reporting.pages import ABSENT
from fer_utils.reporting.style import name


def model_table(known: CardInputs) -> pd.DataFrame:
    """Return what the model is: what, value."""
    run = known.run
    rows = {
        "file": known.file_name,
        "run": known.run_id,
        "network": name(str(run["architecture"])),
        "technique": name(str(run["technique"])),
        "precision": run["precision"],
        "parameters": f"{int(run['parameters']):,}",
        "initial weights": run["initial_weights"],
        "seed": str(run["seed"]),
        "profile": known.study.name,
        "lowest runtime": f"TensorFlow Lite {known.interface.lowest_runtime}, and so every LiteRT",
    }
    return pd.DataFrame(rows.items(), columns=["what", "value"])


def learned_table(known: CardInputs) -> pd.DataFrame:
    """Return how many were learned from and tested on: data set, split, age group, subjects, images."""
    used = known.faces["split"].isin(["train", "validation"])
    tested = (
        (known.faces["split"] == "test")
        & (known.faces["dataset"] == known.facts.dataset)
        & (known.faces["age_group"] == "child")
    )
    counts = (
        known.faces[used | tested]
        .groupby(["dataset", "split", "age_group"], observed=True)
        .agg(subjects=("subject_id", "nunique"), images=("face_id", "size"))
        .reset_index()
        .rename(columns={"dataset": "data set"})
    )
    return counts.astype({"data set": str, "split": str, "age_group": str})


def recall_table(facts: CardFacts) -> pd.DataFrame:
    """Return a row an expression: children, images, recall with its interval, the wrong answer given most often."""
    return pd.DataFrame(
        {
            "expression": row["expression"],
            "children": row["subjects"],
            "images": row["images"],
            "recall": percent(row["recall"]),
            "95 % interval": interval(row["low"], row["high"]),
            "most often taken for": _mistake(row),
        }
        for row in facts.recalls.to_dict("records")
    )


def _mistake(row: Any) -> str:
    return ABSENT if pd.isna(row["taken_for"]) else f"{row['taken_for']} ({percent(row['taken_share'])})"


def group_table(known: CardInputs) -> pd.DataFrame | None:
    """Return a row a group with its accuracy; None where nothing parts the children.

    Small cells of licensed sets are not shown: they could tell of single children.
    """
    if known.facts.groups.empty:
        return None
    hidden = known.study.face_source != "synthetic"
    return pd.DataFrame(
        {
            "by": FACTOR_NAMES.get(row["factor"], row["factor"]),
            "group": row["group"],
            "children": row["subjects"],
            "images": row["images"],
            "accuracy": ABSENT if hidden and row["too_small"] else percent(row["accuracy"]),
            "95 % interval": ABSENT if hidden and row["too_small"] else interval(row["low"], row["high"]),
            "too small": "yes" if row["too_small"] else "no",
        }
        for row in known.facts.groups.to_dict("records")
    )


def measurement_table(known: CardInputs) -> pd.DataFrame:
    """Return the file's size and a row a timing, told apart by kind."""
    rows = [
        {"kind": "file", "device": known.file_name, "threads": ABSENT, "side": known.run["image_size"],
         "result": f"{known.size_bytes:,} bytes"}
    ]  # fmt: skip
    for row in known.measurements.to_dict("records"):
        within = (
            f" ({row['interval_low_ms']:.0f} to {row['interval_high_ms']:.0f})"
            if pd.notna(row["interval_low_ms"])
            else ""
        )
        threads = ABSENT if pd.isna(row["threads"]) else row["threads"]
        rows.append(
            {"kind": row["device_kind"], "device": row["device"], "threads": threads, "side": row["image_size"],
             "result": f"{row['latency_ms_median']:.1f} ms{within}"}
        )  # fmt: skip
    return pd.DataFrame(rows)
