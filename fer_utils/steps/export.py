"""Exported models for app developers: their model cards, and packs that hold all that a port needs."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from face_sets.files import write_bytes
from face_sets.folders import PROJECT_FOLDER
from fer_utils import tables
from fer_utils.analysis.card_facts import CardFacts, card_facts, photographs_score
from fer_utils.analysis.evidence import Tables
from fer_utils.compression.exported_files import exported_files
from fer_utils.compression.golden import golden_files
from fer_utils.paths import Paths
from fer_utils.reporting.gate import NOT_RELEASED, best_models, forbidding_sets, without_small_cells
from fer_utils.reporting.model_cards import APPS_FOLDER, ModelCard, app_pages
from fer_utils.reporting.provenance import provenance
from fer_utils.study import Study
from tflite_files.metadata import LABELS_FILE, NO_DATE, file_interface, labels

LICENCE_FILE: Final = "LICENSE"


class ExportError(RuntimeError):
    """A model cannot be packed; the message says why and what to do."""


def model_cards(study: Study, paths: Paths, run_ids: Sequence[str]) -> list[ModelCard]:
    """Return the model cards of exported runs. Raises ExportError for a run that has no exported file."""
    files = exported_files(study.architectures, paths, only=run_ids)
    for run_id in run_ids:
        if run_id not in files:
            there = ", ".join(exported_files(study.architectures, paths)) or "none: run `make book`"
            raise ExportError(f"no exported file {run_id!r} is here; there are {there}")
    return _cards(study, paths, {run_id: files[run_id] for run_id in run_ids}) if run_ids else []


def _cards(study: Study, paths: Paths, files: Mapping[str, Path]) -> list[ModelCard]:
    known, photographs = Tables.of(study, paths), tables.read("faces", paths.external_faces)
    read = {str(table.relative_to(paths.root)): table for table in Tables.files(paths)}
    source, forbidding = provenance(study, read), forbidding_sets(study)
    return [
        ModelCard(
            study=study, run=known.runs[known.runs["run_id"] == run_id].iloc[0], path=path, interface=file_interface(path),
            facts=_printable(card_facts(known, run_id, study.test_set)), faces=known.faces,
            measurements=known.measurements[known.measurements["run_id"] == run_id],
            photographs=photographs_score(known, run_id, photographs), forbidding=forbidding, source=source,
        )
        for run_id, path in files.items()
    ]  # fmt: skip


def _printable(card: CardFacts) -> CardFacts:
    return card._replace(recalls=without_small_cells(card.recalls), groups=without_small_cells(card.groups))


def check_release(forbidding: Sequence[str]) -> None:
    """Raise ExportError, naming them, if the terms of any data sets forbid the release of a study's models."""
    if forbidding:
        raise ExportError(f"{NOT_RELEASED.removesuffix('.')}: {', '.join(forbidding)}; nothing was packed")


def export(study: Study, paths: Paths, run_ids: Sequence[str], folder: Path) -> list[Path]:
    """Pack exported runs, the best ones if none is named, into `folder`; return the archives, named after the files.

    Nothing is written unless all can be. Raises ExportError for a run that has no exported file, where there is no best
    model, and where terms forbid it.
    """
    check_release(forbidding_sets(study))
    wanted = list(run_ids) or list(best_models(study, paths))
    if not wanted:
        raise ExportError("this run has exported none of the best models yet: run `make book`, or name runs")
    packs = {folder / card.pack_name: pack(card) for card in model_cards(study, paths, wanted)}
    for place, content in packs.items():
        write_bytes(place, content)
    return list(packs)


def app_part(study: Study, paths: Paths) -> tuple[dict[str, str], dict[Path, Path]]:
    """Return the book's pages for app developers, and the packs to serve: place below the book's root to path here."""
    cards = model_cards(study, paths, list(best_models(study, paths)))
    if forbidding_sets(study):
        return app_pages(cards, None), {}
    files = {card.pack_name: pack(card) for card in cards} | golden_pair(cards)
    for name, content in files.items():
        write_bytes(paths.packs / name, content)
    return app_pages(cards, paths.packs), {APPS_FOLDER / name: paths.packs / name for name in files}


def pack(card: ModelCard) -> bytes:
    """Return a zip archive of a card's run: file, labels, golden pair, card, licence; equal runs give equal bytes.

    Raises ExportError where the terms of the training sets forbid the release.
    """
    check_release(card.forbidding)
    return _zipped(
        {
            card.path.name: card.path.read_bytes(),
            LABELS_FILE: labels().encode(),
            **golden_pair([card]),
            "README.md": card.readme().encode(),
            LICENCE_FILE: (PROJECT_FOLDER / LICENCE_FILE).read_bytes(),
        }
    )


def golden_pair(cards: Sequence[ModelCard]) -> dict[str, bytes]:
    """Return the golden pair of some exported runs, computed on this machine: contents by file name."""
    models = {card.path: card.run["precision"] for card in cards}
    return golden_files(models, cards[0].study.image_size) if cards else {}


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, NO_DATE)
            entry.external_attr = 0o644 << 16  # without it nobody may read the unpacked files
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
