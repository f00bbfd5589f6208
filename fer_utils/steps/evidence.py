"""The tables of a study that claims are judged by and model cards are written from."""

from pathlib import Path

from fer_utils import tables
from fer_utils.analysis.evidence import Tables
from fer_utils.paths import Paths
from fer_utils.study import Study


def tables_of_claims(paths: Paths) -> list[Path]:
    """Return the files of all tables that claims are judged by."""
    parts = [paths.all_trained(table) + paths.all_compressed(table) for table in ("runs", "predictions")]
    return [
        paths.faces,
        paths.external_faces,
        *parts[0],
        *parts[1],
        *paths.all_external_predictions(),
        paths.measurements,
    ]


def evidence(study: Study, paths: Paths) -> Tables:
    """Return the tables of a study from which claims are judged."""
    faces = tables.concatenated(
        [tables.read("faces", paths.faces), tables.read("faces", paths.external_faces)]
    )
    return Tables(
        faces=tables.conform(faces, "faces"),
        predictions=tables.read(
            "predictions",
            *paths.all_trained("predictions"),
            *paths.all_compressed("predictions"),
            *paths.all_external_predictions(),
        ),
        runs=tables.read("runs", *paths.all_trained("runs"), *paths.all_compressed("runs")),
        measurements=tables.read("measurements", *paths.all_measurements()),
        draws=study.bootstrap_draws,
        seed=study.seed,
    )
