"""The tidy tables that pass between stages: their columns and types; reading, checking, writing.

A table is a Parquet file. Categorical columns hold their categories in a fixed order; units stand in the
column's name. Reading checks what writing promised, so a damaged or foreign file never becomes a result.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow

from fer_utils.expressions import EXPRESSIONS, PROBABILITY_COLUMNS
from fer_utils.files import atomic_path

COHORTS: Final = ("child", "adult", "unknown")
TRAINING_COHORTS: Final = ("children", "adults", "known_adults", "all")
SPLITS: Final = ("train", "validation", "test", "reality")
TECHNIQUES: Final = (
    "none", "pruning", "clustering", "quantization_aware", "pruning_clustering", "pruning_quantization_aware",
    "clustering_quantization_aware", "pruning_clustering_quantization_aware",
)  # fmt: skip
PRECISIONS: Final = ("float32", "float16", "dynamic", "int8")
ARITHMETICS: Final = ("float32", "dynamic", "int8")
STATUSES: Final = ("done", "failed", "not attempted")
DEVICE_KINDS: Final = ("phone", "host", "predicted", "browser")

Column = str | tuple[str, ...]
"""A pandas dtype, or the categories of a categorical column."""

COLUMNS: Final[Mapping[str, Mapping[str, Column]]] = {
    "faces": {  # a row is one face image
        "face_id": "string",
        "dataset": "string",
        "subject_id": "string",
        "expression": EXPRESSIONS,
        "cohort": COHORTS,
        "age_years": "Float64",
        "sex": ("female", "male"),
        "ethnicity": "string",
        "skin_tone": "Int8",  # Monk scale, 1 to 10; a factor of its own, known for synthetic faces only
        "mouth": ("open", "closed"),
        "domain": "string",
        "split": SPLITS,
        "path": "string",  # relative to the folder that holds the table
        "sha256": "string",
        "perceptual_hash": "string",  # fer_utils.data.duplicates: near-duplicates are few bits apart
        "may_publish": "bool",
    },
    "ingested": {  # a row is one face of one data set, before any study splits it
        "face_id": "string",
        "dataset": "string",
        "subject_id": "string",  # missing where the owner gives none
        "expression": EXPRESSIONS,
        "cohort": COHORTS,
        "age_years": "Float64",
        "sex": ("female", "male"),
        "ethnicity": "string",
        "mouth": ("open", "closed"),
        "domain": "string",
        "source_key": "string",  # the picture or video that it was cut from
        "owner_split": ("train", "validation", "test"),
        "path": "string",  # relative to the folder that holds the table
        "sha256": "string",
        "perceptual_hash": "string",
    },
    "runs": {  # a row is one model file: trained, compressed or exported, failed attempts included
        "run_id": "string",
        "parent_run_id": "string",
        "architecture": "string",
        "cohort": TRAINING_COHORTS,
        "technique": TECHNIQUES,
        "precision": PRECISIONS,
        "seed": "Int64",
        "initial_weights": "string",
        "image_size": "Int64",
        "parameters": "Int64",
        "train_seconds": "Float64",
        "epochs": "Int64",
        "status": STATUSES,
        "reason": "string",
        "artefact": "string",  # relative to the folder that holds the table
        "sparsity": "Float64",  # share of zeros, 0 to 1, in an exported file's kernels
        "distinct_values": "Int64",  # the most in one output channel of an exported file's kernels
        "data_digest": "string",
        "code_digest": "string",
    },
    "predictions": {  # a row is one face seen by one run
        "run_id": "string",
        "face_id": "string",
        **dict.fromkeys(PROBABILITY_COLUMNS, "float32"),
    },
    "features": {  # a row is what one run's last layer is given of one face
        "run_id": "string",
        "face_id": "string",
        "features": "object",  # an array of float32, as long as the network pools features
    },
    "recalibrations": {  # a row is one face of a held-out child, read by a last layer trained again on others
        "run_id": "string",
        "children": "Int64",  # how many the last layer learned from
        "repeat": "Int64",  # which drawing of those children, from 0
        "face_id": "string",
        "predicted": EXPRESSIONS,
    },
    "measurements": {  # a row is one timing of one file on one device
        "run_id": "string",
        "device": "string",
        "device_kind": DEVICE_KINDS,
        "backend": "string",
        "threads": "Int64",
        "image_size": "Int64",  # side of the square input that was timed, pixels
        "latency_ms_median": "Float64",
        "latency_ms_p90": "Float64",
        "runs": "Int64",
        "warm_ups": "Int64",
        "size_bytes": "Int64",
        "size_gzip_bytes": "Int64",
        "peak_memory_mib": "Float64",
        "interval_low_ms": "Float64",
        "interval_high_ms": "Float64",
        "file_digest": "string",  # of the timed file, where rows outlive the files: a phone's, a browser's
        "remark": "string",  # what speaks against a timing: a hot phone, a throttled clock
    },
    "operators": {  # a row is one operator of one file on one device, in the order of running
        "run_id": "string",
        "device": "string",
        "device_kind": DEVICE_KINDS,
        "backend": "string",
        "threads": "Int64",
        "image_size": "Int64",
        "position": "Int64",
        "operator": "string",  # the kernel's kind, as the runtime names it
        "name": "string",
        "mean_ms": "Float64",
    },
    "emulations": {  # a row is one file run on emulated ARM64 kernels: counts and answers, never times
        "run_id": "string",
        "device": "string",
        "backend": "string",
        "threads": "Int64",
        "image_size": "Int64",  # side of the square input for which instructions were counted, pixels
        "faces": "Int64",  # that both machines were asked about, at the file's own size
        "largest_difference": "Float64",  # of any probability between the two machines, 0 to 1
        "same_class": "Float64",  # share of faces with the same most probable expression
        "arithmetic": ARITHMETICS,  # of most multiply-accumulates
        "output_step": "Float64",  # of a file that answers in integers; missing for others
        "macs": "Int64",  # multiply-accumulates of one inference, by the graph
        "instructions": "Int64",  # executed in one inference, of all kinds
        "fused_multiply_adds": "Int64",
        "integer_multiplies": "Int64",
        "vector_loads_stores": "Int64",
        "other_loads_stores": "Int64",
        "repeat_difference": "Float64",  # between two inferences' instructions, as a share
        "file_digest": "string",
    },
    "layer_errors": {  # a row is one layer of one int8 file: what 8-bit arithmetic does to it
        "run_id": "string",
        "position": "Int64",  # in the order of running
        "operator": "string",
        "layer": "string",  # the name of its output tensor
        "error_steps": "Float64",  # root mean square error, in steps of the layer's 8-bit range
        "noise_share": "Float64",  # squared error over the variance of the layer's output
    },
    "curves": {  # a row is one epoch of one training
        "run_id": "string",
        "epoch": "Int64",
        "loss": "Float64",
        "accuracy": "Float64",
        "validation_loss": "Float64",
        "validation_accuracy": "Float64",
    },
}

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "faces": ("face_id",),
    "ingested": ("face_id",),
    "runs": ("run_id",),
    "predictions": ("run_id", "face_id"),
    "features": ("run_id", "face_id"),
    "recalibrations": ("run_id", "children", "repeat", "face_id"),
    "measurements": ("run_id", "device", "device_kind", "backend", "threads", "image_size"),
    "operators": ("run_id", "device", "device_kind", "backend", "threads", "image_size", "position"),
    "emulations": ("run_id", "device", "backend", "threads", "image_size"),
    "layer_errors": ("run_id", "position"),
    "curves": ("run_id", "epoch"),
}

NEVER_MISSING: Final[Mapping[str, tuple[str, ...]]] = {
    "faces": ("face_id", "dataset", "subject_id", "expression", "cohort", "split", "path", "sha256"),
    "ingested": (
        "face_id",
        "dataset",
        "expression",
        "cohort",
        "source_key",
        "path",
        "sha256",
        "perceptual_hash",
    ),
    "runs": ("run_id", "architecture", "cohort", "technique", "precision", "status"),
    "predictions": ("run_id", "face_id", *PROBABILITY_COLUMNS),
    "features": ("run_id", "face_id", "features"),
    "recalibrations": ("run_id", "children", "repeat", "face_id", "predicted"),
    "measurements": ("run_id", "device", "device_kind", "image_size"),
    "operators": ("run_id", "device", "device_kind", "image_size", "position", "operator", "mean_ms"),
    "emulations": (
        "run_id",
        "device",
        "image_size",
        "faces",
        "largest_difference",
        "same_class",
        "instructions",
    ),
    "layer_errors": ("run_id", "position", "operator", "layer"),
    "curves": ("run_id", "epoch", "loss"),
}


class TableError(ValueError):
    """A table is not what its declaration says; the message names table, column and remedy."""


def conform(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """Return `frame` with the declared columns, in the declared order and types, keys checked.

    Columns that may be missing are filled with missing values if `frame` lacks them.
    Raises TableError for an unknown or missing column, a value outside its categories, a repeated key.
    """
    declared = COLUMNS[table]
    if unknown := sorted(set(frame.columns) - set(declared)):
        raise TableError(
            f"table {table!r}: unknown column(s) {', '.join(unknown)}; known are {', '.join(declared)}"
        )
    needed = [c for c in NEVER_MISSING[table] if c not in frame.columns]
    if needed:
        raise TableError(
            f"table {table!r}: column(s) {', '.join(needed)} are missing; make the stage that writes it again"
        )
    columns = {name: _typed(frame, table, name, kind) for name, kind in declared.items()}
    result = pd.DataFrame(columns).reset_index(drop=True)
    for name in NEVER_MISSING[table]:
        if (count := int(result[name].isna().sum())) > 0:
            raise TableError(f"table {table!r}: {count} row(s) have no {name}")
    if (repeated := result.duplicated(list(KEYS[table]))).any():
        first = result.loc[repeated, list(KEYS[table])].iloc[0].to_dict()
        raise TableError(f"table {table!r}: {int(repeated.sum())} repeated key(s), the first is {first}")
    return result


def _typed(frame: pd.DataFrame, table: str, name: str, kind: Column) -> pd.Series:
    values = frame[name] if name in frame.columns else pd.Series(pd.NA, index=frame.index, dtype="object")
    if isinstance(kind, tuple):
        if foreign := sorted(set(values.dropna().astype(str)) - set(kind)):
            raise TableError(
                f"table {table!r}, column {name}: {', '.join(foreign)} not among {', '.join(kind)}"
            )
        return pd.Series(pd.Categorical(values, categories=list(kind)), index=frame.index)
    try:
        return values.astype(kind)  # type: ignore[call-overload]
    except (TypeError, ValueError) as error:
        raise TableError(f"table {table!r}, column {name}: expected {kind}, {error}") from error


def empty(table: str) -> pd.DataFrame:
    """Return a table without rows, in its declared types."""
    return conform(pd.DataFrame({name: [] for name in COLUMNS[table]}), table)


def write(frame: pd.DataFrame, table: str, path: Path) -> pd.DataFrame:
    """Check `frame` and write it atomically as Parquet; return what was written."""
    checked = conform(frame, table)
    with atomic_path(path) as temporary:
        checked.to_parquet(temporary, index=False)
    return checked


def read(table: str, *paths: Path) -> pd.DataFrame:
    """Read a table from one or more Parquet files (a table written in parts) and check it as a whole.

    Raises FileNotFoundError naming the first absent file, TableError for a damaged or foreign one.
    """
    return conform(concatenated(_read_part(table, path) for path in paths), table)


def concatenated(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Concatenate frames row-wise; none gives an empty frame."""
    frames = list(parts)
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _read_part(table: str, path: Path) -> pd.DataFrame:
    if not path.exists():
        raise FileNotFoundError(
            f"table {table!r} is not at {path}: run the stage that writes it (`fer status` says which)"
        )
    try:
        return pd.read_parquet(path)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise TableError(
            f"table {table!r}: {path} is damaged ({error}); delete it and run the stage again"
        ) from error
