"""The page that runs the study's models in the reader's browser: which models, and what the page must know of them.

The page's own modules are in `book/_root/device/`. Everything that they share with the training code (expressions,
crop rule, face detector, sizes) is handed to them here as JSON, so that it is written in one place.
"""

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from face_sets import detection
from face_sets.expressions import EXPRESSIONS
from face_sets.face_model import face_model_path
from face_sets.files import digest
from fer_utils.paths import Paths
from fer_utils.reporting import style
from fer_utils.reporting.best_models import NOT_RELEASED, best_models, forbidding_sets
from fer_utils.reporting.litert_js import litert_js_files, litert_js_version
from fer_utils.reporting.provenance import Provenance, provenance
from fer_utils.study import Study

FOLDER: Final = Path("device")
"""Where the page's modules, LiteRT.js and the models lie, below the rendered book's root."""

NO_RUNTIME: Final = (
    "LiteRT.js is missing: run `python -m fer_utils.reporting.litert_js` with a network, then `make book`."
)
NO_MODEL: Final = "This run has exported none of the models that the page shows."


@dataclass(frozen=True)
class DevicePage:
    """The generated part of the page, and the files to serve: place below the book's root to path here."""

    text: str
    files: Mapping[Path, Path]


def device_page(study: Study, paths: Paths) -> DevicePage:
    """Return the page's data and files, or in their place a note of what is missing and how to get it."""
    models = best_models(study, paths)
    runtime = litert_js_files()
    if forbidding_sets(study):
        return _absent(NOT_RELEASED)
    if not models:
        return _absent(NO_MODEL)
    if not runtime:
        return _absent(NO_RUNTIME)
    source = provenance(study, models)
    known = json.dumps(page_data(study, models, source), indent=1).replace("<", "\\u003c")
    text = (
        f"<p>The models were trained on <strong>{source.kind}</strong> by the profile <strong>{source.profile}</strong> "
        f"and take a face of {study.image_size} by {study.image_size} pixels.</p>\n"
        f'<p class="source-line">{html.escape(source.line())}</p>\n\n'
        f'<script type="application/json" id="device-data">\n{known}\n</script>\n'
    )
    files = {FOLDER / "litert" / name: path for name, path in runtime.items()}
    files |= {FOLDER / "models" / path.name: path for path in (*models.values(), face_model_path())}
    return DevicePage(text, files)


def page_data(study: Study, models: Mapping[str, Path], source: Provenance) -> dict[str, Any]:
    """Return what the page's modules need to know, as JSON values."""
    return {
        "profile": source.profile,
        "faces": source.kind,
        "digest": source.digest,
        "commit": source.commit,
        "litert": litert_js_version(),
        "expressions": EXPRESSIONS,
        "crop": {
            "margin": detection.MARGIN,
            "spacing": detection.SPACING,
            "smoothing": list(detection.SMOOTHING),
        },
        "detector": {
            "file": face_model_path().name,
            "size": detection.INPUT_SIZE,
            "anchorsACell": [[stride, count] for stride, count in detection.ANCHORS_A_CELL.items()],
            "scoreThreshold": detection.SCORE_THRESHOLD,
            "overlapThreshold": detection.OVERLAP_THRESHOLD,
        },
        "imageSize": study.image_size,
        "warmUps": study.warm_up_runs,
        "runs": study.timed_runs,
        "models": [_model(run_id, path) for run_id, path in models.items()],
    }


def _model(run_id: str, path: Path) -> dict[str, Any]:
    architecture, *_, precision = run_id.split(".")
    return {
        "runId": run_id,
        "label": f"{style.name(architecture)}, {precision}",
        "file": path.name,
        "bytes": path.stat().st_size,
        "digest": digest(path),
    }


def _absent(sentence: str) -> DevicePage:
    note = f'<p class="absent"><strong>Not available here.</strong> {html.escape(sentence)}</p>\n'
    return DevicePage(note, {})
