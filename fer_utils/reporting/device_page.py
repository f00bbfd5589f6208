"""The page that runs the study's models in the reader's browser: its data and the files that it serves.

The page's own modules are in `book/_root/device/`. What they share with the training code (expressions, crop rule,
face detector, sizes) is passed to them here as JSON, so that it is defined in one place.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from arm_latency.litert_js import litert_js_files, litert_js_version
from expression_scores.external_test import named
from expression_scores.metrics import join
from face_sets import detection
from face_sets.expressions import EXPRESSIONS
from face_sets.face_model import face_model_path
from face_sets.files import digest
from fer_utils import tables
from fer_utils.paths import Paths
from fer_utils.reporting import absent, style
from fer_utils.reporting.build import COMPRESSED, render
from fer_utils.reporting.gate import NOT_RELEASED, best_models, forbidding_sets
from fer_utils.reporting.provenance import provenance
from fer_utils.reporting.released import released
from fer_utils.study import Study

FOLDER: Final = Path("device")
"""The folder of the page's modules, LiteRT.js and the models, below the rendered book's root."""

NO_RUNTIME: Final = (
    "LiteRT.js is missing: run `python -m arm_latency.litert_js` with a network, then `make book`."
)
NO_MODEL: Final = "This run has exported none of the models that the page shows."


class DevicePage(NamedTuple):
    """The generated part of the page, and the files to serve: place below the book's root to path here."""

    text: str
    files: Mapping[Path, Path]


def device_page(study: Study, paths: Paths) -> DevicePage:
    """Return the page's data and files, or in their place a note of what is missing and what to do.

    The released model comes first: a run on synthetic faces has no better one, and one on licensed sets may not show
    its own. Of several files the smallest comes first: what an answer costs a reader is the download.
    """
    forbidding, runtime, book = forbidding_sets(study), litert_js_files(), released()
    own, given = {} if forbidding else best_models(study, paths), book.files if book else {}
    lacking = {
        NOT_RELEASED: forbidding and not given,
        NO_MODEL: not {**own, **given},
        NO_RUNTIME: not runtime,
    }
    for sentence, holds in lacking.items():
        if holds:
            return DevicePage(f"{absent.note(sentence).data}\n", {})
    source, detector = provenance(study, own), face_model_path()
    files = {FOLDER / "litert" / name: path for name, path in runtime.items()}
    models = (*given.values(), *own.values(), detector)
    files |= {FOLDER / "models" / f"{path.name}{COMPRESSED}": path for path in models}
    records = (records_on_adults(paths) if own else {}) | (book.records if book else {})
    text = render(
        "device.md.j2", source=source, study=study, detection=detection, expressions=EXPRESSIONS,
        detector=detector, litert=litert_js_version(), name=style.name, book=book, own=own,
        models=[
            (run_id, path, digest(path), records.get(run_id))
            for models in (given, own)
            for run_id, path in sorted(models.items(), key=lambda each: each[1].stat().st_size)
        ],
    )  # fmt: skip
    return DevicePage(text, files)


def records_on_adults(paths: Paths) -> dict[str, dict[str, list[int]]]:
    """Return by exported file and expression how many of the external test's photographs it named, and of how many.

    Empty where there are no photographs.
    """
    faces = tables.read("faces", paths.external_faces)
    return named(join(tables.read("predictions", paths.external_compressed_predictions), faces))
