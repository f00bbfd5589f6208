"""A rendered Sphinx book printed to one PDF by Chromium, without LaTeX, and what the PDF holds."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from pypdf import PdfReader, PdfWriter

from printed_book.one_document import PrintError, one_document

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
SECONDS: Final = 300  # a book of twenty pages takes about ten; a browser that hangs must not hang a release


def print_book(
    html: Path, pages: Sequence[str], pdf: Path, about: Mapping[str, str], *, site: str | None = None
) -> int:
    """Print pages of a rendered book into one PDF, with outline and working links; return how many sheets it has.

    Arguments as for `one_document`. The old file stays until the new one is whole. Raises PrintError if there is no
    Chromium, if it fails, or if a page or picture is missing.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise PrintError(
            f"none of {', '.join(BROWSERS)} is installed: install Chromium (`apt-get install chromium`)"
        )
    pdf.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=pdf.parent, prefix=".print-") as folder:
        source, printed, whole = (Path(folder, name) for name in ("book.html", "printed.pdf", "book.pdf"))
        source.write_text(one_document(html, pages, about, site), encoding="utf-8")
        _print(browser, source, printed)
        sheets = _describe(printed, whole, about)
        os.replace(whole, pdf)
    return sheets


def _print(browser: str, source: Path, target: Path) -> None:
    command = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", "--generate-pdf-document-outline",
        f"--user-data-dir={source.with_name('profile')}", f"--print-to-pdf={target}", source.resolve().as_uri(),
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise PrintError(f"{browser} had not printed the book after {SECONDS} s: try again") from None
    if not target.is_file():
        said = done.stderr.strip().splitlines() or ["no reason given"]
        raise PrintError(f"{browser} could not print the book: {said[-1]}")


def _describe(printed: Path, target: Path, about: Mapping[str, str]) -> int:
    """Write the PDF with its title and without the browser's and the clock's traces; every sheet must open."""
    writer = PdfWriter(clone_from=PdfReader(printed))
    writer.metadata = {"/Title": next(iter(about.values())), "/Subject": "; ".join(list(about.values())[1:])}
    writer.compress_identical_objects()
    with target.open("wb") as file:
        writer.write(file)
    return len(PdfReader(target).pages)
