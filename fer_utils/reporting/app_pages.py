"""The computed parts of the page For app developers, and the page of model cards."""

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from fer_utils.compression.golden import FACE_FILE, GOLDEN_FILE, PICTURE_FILE
from fer_utils.compression.metadata import FileInterface
from fer_utils.reporting import absent
from fer_utils.reporting.best_models import NOT_RELEASED
from fer_utils.reporting.file_tables import tensor_table
from fer_utils.reporting.model_card import ModelCard
from fer_utils.reporting.pages import Link, html_table

APPS_FOLDER: Final = Path("apps")
"""Where packs and the golden pair lie, below the rendered book's root."""

CARDS_PAGE: Final = "model_cards"
DIFFERS: Final = "differs from file to file: see the model cards"
NO_MODEL: Final = "This run has exported none of the models that are packed for apps."
INTRODUCTION: Final = """# Model cards

One for each exported model that this book offers, as it lies in the model's pack ([](../for_app_developers.md)), there
in Hugging Face's format. Every figure comes from the tables of the run on show.
"""


def app_pages(
    cards: Sequence[ModelCard],
    interfaces: Mapping[str, FileInterface],
    files: Mapping[str, Path],
    packs: Path | None,
) -> dict[str, str]:
    """Return the computed pages, MyST text by name. `packs` is the folder of the packs, None where none may be given."""
    sections = [f"({anchor(card.run_id)})=\n{card.section()}" for card in cards]
    missing = absent.note(NO_MODEL).data
    refused = absent.note(NOT_RELEASED).data
    return {
        CARDS_PAGE: "\n".join([INTRODUCTION, *(sections or [missing])]),
        "app_tensors": _tensors(interfaces) if files else missing,
        "app_files": _files(interfaces, files) if files else missing,
        "app_packs": refused if packs is None else _packs(cards, files, packs) if files else missing,
    }


def anchor(run_id: str) -> str:
    """Return where the card of a run begins on its page."""
    return "card-" + re.sub("[^a-z0-9]+", "-", run_id)


def _tensors(interfaces: Mapping[str, FileInterface]) -> str:
    """One table for all files, in which what differs between them is not told."""
    first, *others = (tensor_table(interface) for interface in interfaces.values())
    for other in others:
        first = first.where(first == other, DIFFERS)
    return html_table(first, "What each file takes and gives")


def _files(interfaces: Mapping[str, FileInterface], files: Mapping[str, Path]) -> str:
    rows = [
        {
            "file": path.name,
            "bytes": f"{path.stat().st_size:,}",
            "lowest runtime": f"TensorFlow Lite {interfaces[run_id].lowest_runtime}",
        }
        for run_id, path in files.items()
    ]
    return html_table(pd.DataFrame(rows), "The files, and the oldest runtime that knows their operators")


def _packs(cards: Sequence[ModelCard], files: Mapping[str, Path], packs: Path) -> str:
    rows = [
        {
            "model": card.title,
            "pack": (_served(archive := packs / f"{files[card.run_id].stem}.zip", "download"),),
            "bytes": f"{archive.stat().st_size:,}",
            "model card": (Link("card", f"stages/{CARDS_PAGE}.html#{anchor(card.run_id)}"),),
        }
        for card in cards
    ]
    table = html_table(pd.DataFrame(rows), "Packs of this run's best models")
    words = {
        GOLDEN_FILE: "the answers",
        FACE_FILE: "the input as bytes",
        PICTURE_FILE: "the input as a picture",
    }
    links = ", ".join(
        f'<a href="{html.escape(link.address)}">{link.text}</a>'
        for link in (_served(packs / name, text) for name, text in words.items())
    )
    return f"{table}\n<p>The golden pair of these models, which lies in each pack too: {links}.</p>\n"


def _served(path: Path, text: str) -> Link:
    return Link(text, f"../{(APPS_FOLDER / path.name).as_posix()}")
