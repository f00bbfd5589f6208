"""The computed parts of the page on the instrument's calibration."""

from collections.abc import Mapping

import pandas as pd

from fer_utils import tables
from fer_utils.analysis import planted
from fer_utils.analysis.claims import CLAIMS_FILE
from fer_utils.analysis.metrics import join
from fer_utils.models.face_images import load_pixels
from fer_utils.paths import Paths
from fer_utils.published.numbers import PUBLISHED_FILE
from fer_utils.reporting import absent, control_pages, drawn_controls
from fer_utils.reporting.control_pages import PAGE
from fer_utils.reporting.page_figures import PageFigures
from fer_utils.reporting.provenance import provenance
from fer_utils.simulation import shuffled_labels
from fer_utils.simulation.runs import in_short, read_full
from fer_utils.study import Study
from synthetic_faces.design import DATASET

SHUFFLES = 100
"""Of labels: the mean is then known to a tenth of the spread between shuffles."""

LABEL_DRAWS = 400
"""Of the bootstrap for each shuffle: their mean counts, not the ends of each."""

NOT_DRAWN = (
    "This run's faces are photographs: nothing was planted in them. The profile quick draws its faces."
)


def calibration_pages(study: Study, paths: Paths) -> Mapping[str, str]:
    """Return the page's computed parts, MyST text by name; its figures are saved with the study's."""
    full = read_full(paths.validation)
    rates = in_short(study.seed) if full is None else full
    files = {"claims": CLAIMS_FILE, "published": PUBLISHED_FILE}
    files |= {} if full is None else {"controls": paths.validation}
    figures = PageFigures(paths.figures(PAGE), provenance(study, files, kind="simulated predictions"))
    parts = {
        "version": control_pages.version_part(rates, full is not None),
        "alarms": control_pages.alarms_part(rates, figures),
        "recovered": control_pages.planted_part(rates),
        "tones": control_pages.tones_part(rates),
        **_drawn(study, paths),
    }
    return {f"calibration_{name}": text for name, text in parts.items()}


def _drawn(study: Study, paths: Paths) -> dict[str, str]:
    """Return the parts that need drawn faces and networks that learned from them."""
    if study.face_source != "synthetic":
        return dict.fromkeys(("drawn_labels", "drawn_planted", "drawn_tones"), absent.note(NOT_DRAWN).data)
    faces = tables.read("faces", paths.faces)
    read = {file.parent.name: file for file in paths.all_trained("predictions")}
    figures = PageFigures(paths.figures(PAGE), provenance(study, {"faces": paths.faces, **read}))
    tested = faces[faces["split"] == "test"]
    predictions = tables.read("predictions", *read.values())
    joined = join(predictions[predictions["face_id"].isin(tested["face_id"])], tested)
    everyone = joined[joined["run_id"].isin([f"{network}.all" for network in study.architectures])]
    children = everyone[everyone["age_group"] == "child"]
    draws, seed = study.bootstrap_draws, study.seed
    return {
        "drawn_labels": _labels(study, paths, faces, children),
        "drawn_planted": drawn_controls.planted_part(
            planted.gap_by_twins(children, draws, seed),
            planted.shift_between_ages(everyone, draws, seed),
            planted.shift_between_copies(joined, study.architectures),
            figures,
        ),
        "drawn_tones": drawn_controls.tones_part(planted.tone_or_group(children, draws - 1, seed)),
    }


def _labels(study: Study, paths: Paths, faces: pd.DataFrame, children: pd.DataFrame) -> str:
    plain = children[children["dataset"] == DATASET]
    training = faces[faces["split"] == "train"]
    tested = faces[faces["face_id"].isin(plain["face_id"])]
    pixels = [load_pixels(part, paths.faces.parent, shuffled_labels.SIDE) for part in (training, tested)]
    network = study.architectures[0]
    learned = shuffled_labels.learned_from_labels(
        training, pixels[0], tested, pixels[1], SHUFFLES, LABEL_DRAWS, study.seed
    )
    asked = plain[plain["run_id"] == f"{network}.all"]
    scored = shuffled_labels.scored_against_shuffled(asked, SHUFFLES, LABEL_DRAWS, study.seed)
    return drawn_controls.labels_part(learned, scored, network)
