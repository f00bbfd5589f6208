"""Exported models for app developers: their model cards, and packs that hold all that a port needs."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import pandas as pd

from face_sets.files import write_bytes
from face_sets.folders import PROJECT_FOLDER
from fer_utils import tables
from fer_utils.analysis.card_facts import card_facts, photographs_score
from fer_utils.analysis.evidence import Tables
from fer_utils.compression.exported_files import exported_files
from fer_utils.compression.golden import golden_files
from fer_utils.compression.metadata import LABELS_FILE, NO_DATE, file_interface, labels
from fer_utils.paths import Paths
from fer_utils.reporting.app_pages import APPS_FOLDER, app_pages
from fer_utils.reporting.best_models import NOT_RELEASED, best_models, forbidding_sets
from fer_utils.reporting.card_inputs import CardInputs
from fer_utils.reporting.model_card import ModelCard, model_card
from fer_utils.reporting.provenance import Provenance, provenance
from fer_utils.steps.evidence import evidence, tables_of_claims
from fer_utils.study import Study

CARD_FILE: Final = "README.md"
LICENCE_FILE: Final = "LICENSE"


class ExportError(RuntimeError):
    """A model cannot be packed; the message says why and what to do."""


@dataclass(frozen=True)
class Exports:
    """The exported files of a study, with the tables that their cards are written from, read once."""

    study: Study
    paths: Paths

    @cached_property
    def files(self) -> dict[str, Path]:
        """Every exported file, by run id."""
        return exported_files(self.study.architectures, self.paths)

    @cached_property
    def tables(self) -> Tables:
        """What the cards' figures come from."""
        return evidence(self.study, self.paths)

    @cached_property
    def photographs(self) -> pd.DataFrame:
        """The photographs of the external test, rows of `faces`."""
        return tables.read("faces", self.paths.external_faces)

    @cached_property
    def source(self) -> Provenance:
        """Where the cards' figures come from."""
        read = {str(table.relative_to(self.paths.root)): table for table in tables_of_claims(self.paths)}
        return provenance(self.study, read)

    def card(self, run_id: str) -> ModelCard:
        """Return the model card of an exported run. Raises ExportError for a run that has no exported file."""
        if run_id not in self.files:
            raise ExportError(
                f"no exported file {run_id!r} is here; there are {', '.join(self.files) or 'none: run `make book`'}"
            )
        path, runs = self.files[run_id], self.tables.runs
        measured = self.tables.measurements
        return model_card(
            CardInputs(
                study=self.study,
                run=runs[runs["run_id"] == run_id].iloc[0],
                file_name=path.name,
                size_bytes=path.stat().st_size,
                interface=file_interface(path),
                facts=card_facts(self.tables, run_id, self.study.test_set),
                faces=self.tables.faces,
                measurements=measured[measured["run_id"] == run_id],
                photographs=photographs_score(self.tables, run_id, self.photographs),
                forbidding=forbidding_sets(self.study),
                source=self.source,
            )
        )

    def pack(self, card: ModelCard) -> bytes:
        """Return a zip archive of a card's run: file, labels, golden pair, card, licence; equal runs give equal bytes.

        Raises ExportError where terms of what the run may have learned from forbid to give it away.
        """
        check_release(self.study)
        path = self.files[card.run_id]
        return _zipped(
            {
                path.name: path.read_bytes(),
                LABELS_FILE: labels().encode(),
                **self.golden_pair([card.run_id]),
                CARD_FILE: card.readme().encode(),
                LICENCE_FILE: (PROJECT_FOLDER / LICENCE_FILE).read_bytes(),
            }
        )

    def golden_pair(self, run_ids: Sequence[str]) -> dict[str, bytes]:
        """Return the golden pair of some exported runs, made here and now: contents by file name."""
        precisions = self.tables.runs.set_index("run_id")["precision"]
        models = {self.files[run_id]: precisions[run_id] for run_id in run_ids}
        return golden_files(models, self.study.image_size)


def check_release(study: Study) -> None:
    """Raise ExportError, naming the data sets, where their terms forbid to give a study's models away."""
    if forbidding := forbidding_sets(study):
        raise ExportError(f"{NOT_RELEASED.removesuffix('.')}: {', '.join(forbidding)}; nothing was packed")


def export(study: Study, paths: Paths, run_ids: Sequence[str], folder: Path) -> list[Path]:
    """Pack exported runs, the best ones if none is named, into `folder`; return the archives, called after the files.

    Nothing is written unless all can be. Raises ExportError for a run that is not there, where there is no best
    model, and where terms forbid it.
    """
    check_release(study)
    wanted = list(run_ids) or list(best_models(study, paths))
    if not wanted:
        raise ExportError("this run has exported none of the best models yet: run `make book`, or name runs")
    exports = Exports(study, paths)
    packs = [exports.pack(card) for card in [exports.card(run_id) for run_id in wanted]]
    places = [folder / f"{exports.files[run_id].stem}.zip" for run_id in wanted]
    for place, content in zip(places, packs, strict=True):
        write_bytes(place, content)
    return places


def app_part(study: Study, paths: Paths) -> tuple[dict[str, str], dict[Path, Path]]:
    """Return the book's pages for app developers, and the packs to serve: place below the book's root to path here."""
    exports = Exports(study, paths)
    best = best_models(study, paths)
    cards = [exports.card(run_id) for run_id in best]
    interfaces = {run_id: file_interface(path) for run_id, path in best.items()}
    if forbidding_sets(study):
        return app_pages(cards, interfaces, best, None), {}
    files = {f"{best[card.run_id].stem}.zip": exports.pack(card) for card in cards}
    files |= exports.golden_pair(list(best)) if best else {}
    for name, content in files.items():
        write_bytes(paths.packs / name, content)
    pages = app_pages(cards, interfaces, best, paths.packs)
    return pages, {APPS_FOLDER / name: paths.packs / name for name in files}


def _zipped(files: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, NO_DATE)
            entry.external_attr = 0o644 << 16  # else unpacked files can be read by nobody
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return whole.getvalue()
