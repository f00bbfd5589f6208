"""Exported files: their names, and which of a network's were made."""

from collections.abc import Sequence
from pathlib import Path

from fer_utils import tables
from fer_utils.paths import Paths
from fer_utils.study import Architecture


def file_name(run_id: str, image_size: int) -> str:
    """Return the name of an exported file: network, cohort, technique, precision and input side."""
    return f"{run_id}.{image_size}.tflite"


def exported_files(
    architectures: Sequence[Architecture], paths: Paths, table: str = "runs"
) -> dict[str, Path]:
    """Return the TFLite files of some networks that were made, by run id; `table` may be "variant_runs".

    What is not compressed yet has none.
    """
    files: dict[str, Path] = {}
    for path in paths.all_compressed(table, architectures):
        if path.exists():
            runs = tables.read("runs", path)
            made = runs[(runs["status"] == "done") & runs["artefact"].str.endswith(".tflite").fillna(False)]
            files |= {str(row.run_id): path.parent / str(row.artefact) for row in made.itertuples()}
    return files
