"""The page that runs the study's models in the reader's browser: its data and the files that it serves.

The page's own modules are in `book/_root/device/`. What they share with the training code (expressions, crop rule,
face detector, sizes) is passed to them here as JSON, so that it is defined in one place.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from face_sets import detection
from face_sets.expressions import EXPRESSIONS
from face_sets.face_model import face_model_path
from face_sets.files import digest
from fer_utils.paths import Paths
from fer_utils.reporting import absent, style
from fer_utils.reporting.gate import NOT_RELEASED, best_models, forbidding_sets
from fer_utils.reporting.litert_js import litert_js_files, litert_js_version
from fer_utils.reporting.pages import render
from fer_utils.reporting.provenance import Provenance, provenance
from fer_utils.study import Study

FOLDER: Final = Path("device")
"""The folder of the page's modules, LiteRT.js and the models, below the rendered book's root."""

NO_RUNTIME: Final = (
    "LiteRT.js is missing: run `python -m fer_utils.reporting.litert_js` with a network, then `make book`."
)
NO_MODEL: Final = "This run has exported none of the models that the page shows."


class DevicePage(NamedTuple):
    """The generated part of the page, and the files to serve: place below the book's root to path here."""

    text: str
    files: Mapping[Path, Path]


def device_page(study: Study, paths: Paths) -> DevicePage:
    """Return the page's data and files, or in their place a note of what is missing and what to do."""
    models, runtime = best_models(study, paths), litert_js_files()
    lacking = {NOT_RELEASED: forbidding_sets(study), NO_MODEL: not models, NO_RUNTIME: not runtime}
    for sentence, holds in lacking.items():
        if holds:
            return DevicePage(f"{absent.note(sentence).data}\n", {})
    source = provenance(study, models)
    data = json.dumps(page_data(study, models, source), indent=1).replace("<", "\\u003c")
    files = {FOLDER / "litert" / name: path for name, path in runtime.items()}
    files |= {FOLDER / "models" / path.name: path for path in (*models.values(), face_model_path())}
    return DevicePage(render("device.md.j2", source=source, side=study.image_size, data=data), files)


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
    label = f"{style.name(architecture)}, {precision}"
    return {
        "runId": run_id,
        "label": label,
        "file": path.name,
        "bytes": path.stat().st_size,
        "digest": digest(path),
    }
