"""The model that is released with the book: its files, what they learned from, and the tables of the ladder it is from.

`fer ladder --seeds 3 --to results/reference` writes them; they are in git: a fresh clone has a model that reads real faces.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from expression_scores.external_test import named, rung_scores
from expression_scores.metrics import join
from face_sets.code_digests import code_digest
from face_sets.files import atomic_path, digest, write_text
from face_sets.folders import PROJECT_FOLDER
from fer_utils.reporting.build import render
from fer_utils.study import Precision

FOLDER: Final = PROJECT_FOLDER / "results" / "reference"
ABOUT, RUNGS, ANSWERS, CARD = "released.json", "ladder.csv", "london.csv", "README.md"
COMMAND: Final = "fer ladder --seeds 3 --to results/reference"

PRECISIONS: Final[tuple[Precision, ...]] = ("float16", "int8")
"""Of the files; float32 would be twice as large and answer the same."""

ABOUT_FACES: Final = "Names one of seven posed facial expressions. Trained on rendered faces; see its card."
LICENCE: Final = "apache-2.0"  # the project's, as Hugging Face writes it
TRAINED_ON: Final = "rendered faces alone, starting from ImageNet weights"
REMEDY: Final = "`git checkout -- results/reference` brings it back"


class ReleaseError(RuntimeError):
    """The released model is not whole; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class Released:
    """The released model: `files` by run id, the float one first, checked by their digests.

    `code` is the digest of the code that trained it and drew its faces. `records` says by run id and expression how
    many photographs of the external test it named, and of how many.
    """

    rung: str
    image_size: int
    trained_on: str
    code: str
    files: dict[str, Path]
    records: dict[str, dict[str, list[int]]]


def released(folder: Path | None = None) -> Released | None:
    """Return the released model, or None if this copy of the project has none.

    Raises ReleaseError if a file is missing or is not what was released.
    """
    folder = folder or FOLDER
    if not (folder / ABOUT).is_file():
        return None
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        files = {file["run_id"]: folder / file["name"] for file in about["files"]}
        kept = {name: about[name] for name in ("rung", "image_size", "trained_on", "code", "records")}
    except (ValueError, KeyError, TypeError) as error:
        raise ReleaseError(f"{ABOUT} is damaged: {REMEDY}") from error
    for file in about["files"]:
        path = folder / file["name"]
        if not path.is_file() or digest(path) != file["digest"]:
            raise ReleaseError(f"{path.name} is not the file that was released: {REMEDY}")
    return Released(files=files, **kept)


def ladder_tables(folder: Path | None = None) -> dict[str, pd.DataFrame]:
    """Return the tables of the ladder: RUNGS, one row per rung and seed; ANSWERS, one per rung, seed and photograph.

    Raises ReleaseError if one is missing.
    """
    folder = folder or FOLDER
    if absent := [name for name in (RUNGS, ANSWERS) if not (folder / name).is_file()]:
        raise ReleaseError(f"{absent[0]} is not in {folder.name}: `{COMMAND}` makes it")
    return {name: pd.read_csv(folder / name) for name in (RUNGS, ANSWERS)}


def write(
    folder: Path, row: Mapping[str, Any], files: Mapping[str, Path],
    rungs: pd.DataFrame, answers: pd.DataFrame,
) -> None:  # fmt: skip
    """Write what belongs to a released model beside its files: tables of the ladder, digests, model card."""
    for name, table in {RUNGS: rungs, ANSWERS: answers}.items():
        with atomic_path(folder / name) as temporary:
            table.to_csv(temporary, index=False)
    about = {
        "rung": row["rung"], "seed": row["seed"], "image_size": row["image_size"], "trained_on": TRAINED_ON,
        "command": COMMAND, "code": code_digest("fer_utils.steps.ladder"),
        "records": _records(answers, files),
        "files": [
            {"run_id": run_id, "name": path.name, "bytes": path.stat().st_size, "digest": digest(path)}
            for run_id, path in files.items()
        ],
    }  # fmt: skip
    scores = rung_scores(answers) if len(answers) else answers
    values = {"about": about, "row": row, "scores": scores.to_dict("records"), "licence": LICENCE}
    write_text(folder / CARD, render("released.md.j2", **values))
    write_text(folder / ABOUT, json.dumps(about, indent=1) + "\n")


def _records(answers: pd.DataFrame, run_ids: Iterable[str]) -> dict[str, dict[str, list[int]]]:
    if answers.empty:
        return {}
    rungs = {f"released, {run_id.split('.')[-1]} file": run_id for run_id in run_ids}
    own = answers[answers["rung"].isin(rungs)].assign(run_id=lambda part: part["rung"].map(rungs))
    return named(join(own, own[["face_id", "expression"]].drop_duplicates()))
