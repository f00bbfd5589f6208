"""Step `book`: the pages that are computed, and the book rendered from them and the executed notebooks."""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from face_sets.data_sheets import class_coverage, data_sheet, ordered, overview
from face_sets.files import atomic_path
from face_sets.manifests import load_manifest, manifest_names
from fer_utils.analysis.claims import load_claims
from fer_utils.analysis.evidence import Tables
from fer_utils.analysis.verdicts import scoreboard
from fer_utils.paths import Paths
from fer_utils.reporting import claims_pages
from fer_utils.reporting.build import build_book, render
from fer_utils.reporting.device_page import device_page
from fer_utils.reporting.provenance import provenance
from fer_utils.steps.export import app_part
from fer_utils.study import Study

MEASURED: Final = {"s": "wall seconds", "cpu_time": "processor seconds", "max_rss": "peak memory MiB"}
"""The columns of Snakemake's benchmark files that are shown, and their names for readers."""


def make_book(study: Study, paths: Paths) -> None:
    """Write the computed pages of a study and render the book."""
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
        "times": render("times.md.j2", times=durations(paths)),
    }


def durations(paths: Paths) -> pd.DataFrame:
    """Return how long each job of the run took: wall and processor seconds, peak memory; the last row is the sum."""
    jobs = [
        pd.read_csv(file, sep="\t", na_values="-")
        .fillna(0)[list(MEASURED)]
        .astype(float)
        .assign(job=file.stem)
        for file in sorted(paths.duration("x").parent.glob("*.tsv"))
    ]
    none = pd.DataFrame(columns=["job", *MEASURED]).astype(dict.fromkeys(MEASURED, float))
    table = pd.concat([none, *jobs], ignore_index=True)
    total = {"job": "all, one after the other", "s": table["s"].sum(), "cpu_time": table["cpu_time"].sum(),
             "max_rss": table["max_rss"].max()}  # fmt: skip
    return pd.concat([table, pd.DataFrame([total])], ignore_index=True).rename(columns=MEASURED)


def data_sheets_page() -> str:
    """Return a page with a table of all data sets, their classes, and one section per set, as MyST Markdown."""
    manifests = ordered([load_manifest(name) for name in manifest_names()])
    sheets = [(manifest, data_sheet(manifest)) for manifest in manifests]
    return render(
        "data_sheets.md.j2", overview=overview(manifests), coverage=class_coverage(manifests), sheets=sheets
    )
