"""Step `book`: the pages that are computed, of the graph too, and the book rendered from them and the notebooks."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from arm_latency.litert_js import chart_files
from face_sets.data_sheets import class_coverage, data_sheet, ordered, overview
from face_sets.files import atomic_path
from face_sets.manifests import load_manifest, manifest_names
from fer_utils.analysis.claims import load_claims
from fer_utils.analysis.evidence import Tables
from fer_utils.analysis.limitations import hyper_parameters, threats
from fer_utils.analysis.verdicts import scoreboard
from fer_utils.graph import STAGES, Job, jobs, jobs_for
from fer_utils.paths import Paths
from fer_utils.reporting import claims_pages
from fer_utils.reporting.build import build_book, render
from fer_utils.reporting.device_page import device_page
from fer_utils.reporting.front_page import FOLDER, front_page
from fer_utils.reporting.gate import guard
from fer_utils.reporting.provenance import provenance
from fer_utils.simulation.operating_characteristics import read_table
from fer_utils.steps.export import app_part
from fer_utils.study import Study, load_study, parameters
from workflow_runs.accounting import costs

CHARTS_FOLDER: Final = Path("charts")
"""The folder of Vega and Vega-Lite below the rendered book's root, where `charts.js` looks for them."""


def make_book(study: Study, paths: Paths) -> None:
    """Write the computed pages of a study and render the book."""
    guard(study)
    device = device_page(study, paths)
    for_apps, packs = app_part(study, paths)
    pages = {**computed_pages(study, paths), **for_apps, "device": device.text}
    charts = {CHARTS_FOLDER / name: path for name, path in chart_files().items()}
    build_book(paths, pages, served={**device.files, **packs, **charts})


def computed_pages(study: Study, paths: Paths) -> Mapping[str, str]:
    """Return the pages on claims, data sets and times, MyST text by name; the scoreboard is also saved as data."""
    claims = load_claims()
    evidence = Tables.of(study, paths)
    board = scoreboard(claims, evidence)
    answers = claims_pages.answers_of_children(evidence)
    shipped = {
        "scoreboard": board, "operating_characteristics": read_table(),
        "answers_by_child": claims_pages.answers_by_child(answers),
        "scores_by_training": claims_pages.scores_by_training(answers),
        "right_and_wrong": claims_pages.right_and_wrong(answers),
    }  # fmt: skip
    for name, table in shipped.items():
        with atomic_path(paths.figures(claims_pages.PAGE) / f"{name}.csv") as path:
            table.to_csv(path, index=False)
    read = {str(path.relative_to(paths.root)): path for path in Tables.files(paths)}
    source = provenance(study, read)
    limits = {"threats": threats(study, evidence), "settings": hyper_parameters(study)}
    addresses = {claim.id: claims_pages.links(claim, paths.figures("x").parent) for claim in claims}
    return {
        FOLDER: front_page(board, claims, addresses, paths),
        **claims_pages.claims_pages(board, claims, paths.figures("x").parent, source),
        "limitations": render("limitations.md.j2", study=study, source=source, **limits),
        "data_sheets": data_sheets_page(),
        "times": render("times.md.j2", times=costs(paths.durations)),
        "parameters": parameters_page(study, paths),
    }


def parameters_page(study: Study, paths: Paths) -> str:
    """Return the generated part of How to run: what stages and examples need and took in this run, and all parameters."""
    took = costs(paths.durations).set_index("job")["wall seconds"]
    declared = list(jobs(study, paths))
    needs = pd.DataFrame({"stage": stage, **_needs(stage, declared, paths, took)} for stage in STAGES)
    small: dict[str, Any] = {"architectures": ["mobilenet_v3_small"]}
    examples = {
        (stage, json.dumps(changes)): _needs(stage, list(jobs(other, there)), there, took)
        for stage, changes in (
            ("07_published_numbers", {}),
            ("02_architectures", {"seed": 7, **small}),
            ("06_ethnicity_analysis", {"planted_gap": 0.2, **small}),
        )
        for other in [load_study(study.profile, **study.changes | changes)]
        for there in [Paths.of(other)]
    }
    every = pd.DataFrame(parameters())
    return render("parameters.md.j2", profile=study.profile, needs=needs, examples=examples, parameters=every)


def _needs(stage: str, declared: Sequence[Job], paths: Paths, took: pd.Series) -> dict[str, float]:
    """How many jobs a stage waits for, and how long jobs of the same names took in this run, one after the other."""
    needed = [job.name for job in jobs_for(declared, os.path.relpath(paths.notebook(stage)))]
    return {"jobs": len(needed), "minutes": float(took.reindex(needed).sum()) / 60}


def data_sheets_page() -> str:
    """Return a page with a table of all data sets, their classes, and one section per set, as MyST Markdown."""
    manifests = ordered([load_manifest(name) for name in manifest_names()])
    sheets = [(manifest, data_sheet(manifest)) for manifest in manifests]
    return render(
        "data_sheets.md.j2", overview=overview(manifests), coverage=class_coverage(manifests), sheets=sheets
    )
