"""Exported files: their names, and which of a network's were made."""

from pathlib import Path

from fer_utils import tables
from fer_utils.study import Architecture, Paths


def file_name(run_id: str, image_size: int) -> str:
    """Return the name of an exported file: network, cohort, technique, precision and input side."""
    return f"{run_id}.{image_size}.tflite"


def exported_files(architecture: Architecture, paths: Paths, table: str = "runs") -> dict[str, Path]:
    """Return the TFLite files of one network that were made, by run id; `table` may be "variant_runs"."""
    path = paths.compressed(table, architecture)
    runs = tables.read("runs", path)
    made = runs[(runs["status"] == "done") & runs["artefact"].str.endswith(".tflite").fillna(False)]
    return {str(row.run_id): path.parent / str(row.artefact) for row in made.itertuples()}
