"""Step `book`: the pages that are computed, and the book rendered from them and the executed notebooks."""

from collections.abc import Mapping

from face_sets.data_sheets import class_coverage, data_sheet, ordered, overview
from face_sets.files import atomic_path
from face_sets.manifests import load_manifest, manifest_names
from fer_utils.accounting import costs
from fer_utils.analysis.claims import load_claims
from fer_utils.analysis.evidence import Tables
from fer_utils.analysis.verdicts import scoreboard
from fer_utils.paths import Paths
from fer_utils.reporting import claims_pages
from fer_utils.reporting.build import build_book, render
from fer_utils.reporting.device_page import device_page
from fer_utils.reporting.gate import guard
from fer_utils.reporting.provenance import provenance
from fer_utils.steps.export import app_part
from fer_utils.study import Study


def make_book(study: Study, paths: Paths) -> None:
    """Write the computed pages of a study and render the book."""
    guard(study)
    device = device_page(study, paths)
    for_apps, packs = app_part(study, paths)
    pages = {**computed_pages(study, paths), **for_apps, "device": device.text}
    build_book(paths, pages, served={**device.files, **packs})


def computed_pages(study: Study, paths: Paths) -> Mapping[str, str]:
    """Return the pages on claims, data sets and times, MyST text by name; the scoreboard is also saved as data."""
    claims = load_claims()
    board = scoreboard(claims, Tables.of(study, paths))
    with atomic_path(paths.figures(claims_pages.PAGE) / "scoreboard.csv") as path:
        board.to_csv(path, index=False)
    read = {str(path.relative_to(paths.root)): path for path in Tables.files(paths)}
    return {
        **claims_pages.claims_pages(board, claims, paths.figures("x").parent, provenance(study, read)),
        "data_sheets": data_sheets_page(),
        "times": render("times.md.j2", times=costs(paths)),
    }


def data_sheets_page() -> str:
    """Return a page with a table of all data sets, their classes, and one section per set, as MyST Markdown."""
    manifests = ordered([load_manifest(name) for name in manifest_names()])
    sheets = [(manifest, data_sheet(manifest)) for manifest in manifests]
    return render(
        "data_sheets.md.j2", overview=overview(manifests), coverage=class_coverage(manifests), sheets=sheets
    )
