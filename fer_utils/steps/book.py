"""Step `book`: the pages that are computed, and the book rendered from them and the executed notebooks."""

from collections.abc import Mapping

import pandas as pd

from face_sets.files import atomic_path
from face_sets.manifests import load_manifest, manifest_names
from fer_utils.analysis.claims import CLAIMS_FILE, load_claims
from fer_utils.analysis.evidence import Tables
from fer_utils.analysis.verdicts import scoreboard
from fer_utils.paths import Paths
from fer_utils.published.numbers import PUBLISHED_FILE
from fer_utils.reporting import claims_pages
from fer_utils.reporting.build import build_book
from fer_utils.reporting.data_sheets import data_sheets_page
from fer_utils.reporting.device_page import device_page
from fer_utils.reporting.pages import times_page
from fer_utils.reporting.provenance import provenance
from fer_utils.reporting.published_pages import CHAPTER, published_pages
from fer_utils.steps.controls import calibration_pages
from fer_utils.steps.export import app_part
from fer_utils.study import Study


def make_book(study: Study, paths: Paths) -> None:
    """Write the computed pages of a study and render the book."""
    device = device_page(study, paths)
    for_apps, packs = app_part(study, paths)
    pages = {**computed_pages(study, paths), **for_apps, "device": device.text}
    build_book(paths, pages, served={**device.files, **packs})


def computed_pages(study: Study, paths: Paths) -> Mapping[str, str]:
    """Return the book's computed pages, MyST text by name; figures of theirs are saved with the study's."""
    files = {"claims": CLAIMS_FILE, "published": PUBLISHED_FILE}
    printed = provenance(study, files, kind="published numbers")
    chapter = published_pages(paths.figures(CHAPTER), printed)  # saves figures that claims lead to
    return {
        **chapter,
        **calibration_pages(study, paths),
        **pages_of_claims(study, paths),
        "data_sheets": data_sheets_page([load_manifest(name) for name in manifest_names()]),
        "times": times_page(durations(paths)),
    }


def pages_of_claims(study: Study, paths: Paths) -> Mapping[str, str]:
    """Return the scoreboard, the rules and what others report; the scoreboard is also saved as data."""
    claims = load_claims()
    board = scoreboard(claims, Tables.of(study, paths))
    with atomic_path(paths.figures(claims_pages.PAGE) / "scoreboard.csv") as path:
        board.to_csv(path, index=False)
    read = {str(path.relative_to(paths.root)): path for path in Tables.files(paths)}
    return claims_pages.claims_pages(board, claims, paths.figures("x").parent, provenance(study, read))


def durations(paths: Paths) -> pd.DataFrame:
    """Return how long each job of the run took: wall and processor seconds, peak memory; the last row is the sum."""
    files = sorted(paths.duration("x").parent.glob("*.tsv"))
    rows = [
        {
            "job": file.stem,
            "wall seconds": float(row["s"]),
            "processor seconds": float(row["cpu_time"]),
            "peak memory MiB": float(row["max_rss"]),
        }
        for file in files
        for row in pd.read_csv(file, sep="\t", na_values="-").fillna(0).to_dict("records")
    ]
    jobs = pd.DataFrame(rows, columns=["job", "wall seconds", "processor seconds", "peak memory MiB"])
    total = {
        "job": "all, one after the other",
        "wall seconds": jobs["wall seconds"].sum(),
        "processor seconds": jobs["processor seconds"].sum(),
        "peak memory MiB": jobs["peak memory MiB"].max(),
    }
    return pd.concat([jobs, pd.DataFrame([total])], ignore_index=True)
