"""The tables that pass between the study's steps: their columns and types; `face_sets.tables` reads and writes them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from face_sets.expressions import EXPRESSIONS, PROBABILITY_COLUMNS
from face_sets.files import digest
from face_sets.tables import (
    AGE_GROUPS,
    COLUMNS,
    KEYS,
    NEVER_MISSING,
    RANGES,
    SPLITS,
    SUMS,
    TableError,
    concatenated,
    conform,
    empty,
    read,
    read_sealed,
    write,
    write_sealed,
)  # fmt: skip
from fer_utils.study import COHORTS, PRECISIONS, TECHNIQUES

__all__ = [
    "AGE_GROUPS", "COLUMNS", "KEYS", "NEVER_MISSING", "RANGES", "SPLITS", "SUMS", "TableError", "concatenated", "conform",
    "empty", "file_of", "read", "read_sealed", "with_file", "write", "write_sealed",
]  # fmt: skip

ARITHMETICS: Final = ("float32", "dynamic", "int8")
STATUSES: Final = ("done", "failed", "not attempted")
DEVICE_KINDS: Final = ("phone", "host", "predicted", "browser")

COLUMNS.update(
    {
        "runs": {  # a row is one model file: trained, compressed or exported, failed attempts included
            "run_id": "string",
            "parent_run_id": "string",
            "architecture": "string",
            "cohort": COHORTS,
            "technique": TECHNIQUES,
            "precision": PRECISIONS,
            "seed": "Int64",
            "initial_weights": "string",
            "image_size": "Int64",
            "parameters": "Int64",
            "train_seconds": "Float64",
            "epochs": "Int64",
            "device": "string",  # what trained it: the kind of processor or GPU
            "threads": "Int64",  # of one operation: they decide the last bits
            "deterministic": "boolean",  # whether training again on that device gives the same bits
            "status": STATUSES,
            "reason": "string",
            "artefact": "string",  # relative to the folder that holds the table
            "file_digest": "string",  # of the artefact as it was written
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
        "few_shot": {  # a row is one face of a held-out child, read by a last layer trained again on others
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
            "remark": "string",  # why a timing may be off: a hot phone, a throttled clock
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
        "emulations": {  # a row is one file run on emulated ARM64 kernels: its answers, never times
            "run_id": "string",
            "device": "string",
            "backend": "string",
            "threads": "Int64",
            "image_size": "Int64",  # side of the square input, pixels
            "faces": "Int64",  # that both machines were asked about
            "largest_difference": "Float64",  # of any probability between the two machines, 0 to 1
            "same_class": "Float64",  # share of faces with the same most probable expression
            "arithmetic": ARITHMETICS,  # of most multiply-accumulates
            "output_step": "Float64",  # of a file that answers in integers; missing for others
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
)

KEYS.update(
    {
        "runs": ("run_id",),
        "predictions": ("run_id", "face_id"),
        "features": ("run_id", "face_id"),
        "few_shot": ("run_id", "children", "repeat", "face_id"),
        "measurements": ("run_id", "device", "device_kind", "backend", "threads", "image_size"),
        "operators": ("run_id", "device", "device_kind", "backend", "threads", "image_size", "position"),
        "emulations": ("run_id", "device", "backend", "threads", "image_size"),
        "layer_errors": ("run_id", "position"),
        "curves": ("run_id", "epoch"),
    }
)

NEVER_MISSING.update(
    {
        "runs": ("run_id", "architecture", "cohort", "technique", "precision", "status"),
        "predictions": ("run_id", "face_id", *PROBABILITY_COLUMNS),
        "features": ("run_id", "face_id", "features"),
        "few_shot": ("run_id", "children", "repeat", "face_id", "predicted"),
        "measurements": ("run_id", "device", "device_kind", "image_size"),
        "operators": ("run_id", "device", "device_kind", "image_size", "position", "operator", "mean_ms"),
        "emulations": ("run_id", "device", "image_size", "faces", "largest_difference", "same_class"),
        "layer_errors": ("run_id", "position", "operator", "layer"),
        "curves": ("run_id", "epoch", "loss"),
    }
)

_SHARE: Final = (0.0, 1.0)
_NOT_NEGATIVE: Final = (0.0, float("inf"))  # a training that diverges has an infinite loss
_COUNT: Final = (0.0, 2.0**53)

RANGES.update(
    dict.fromkeys((*PROBABILITY_COLUMNS, "sparsity", "largest_difference", "same_class", "accuracy"), _SHARE)
    | dict.fromkeys(("validation_accuracy", "output_step"), _SHARE)
    | dict.fromkeys(("loss", "validation_loss", "error_steps", "noise_share"), _NOT_NEGATIVE)
    | dict.fromkeys(
        ("train_seconds", "latency_ms_median", "latency_ms_p90", "mean_ms", "peak_memory_mib"), _COUNT
    )
    | dict.fromkeys(
        ("interval_low_ms", "interval_high_ms", "size_bytes", "size_gzip_bytes", "image_size"), _COUNT
    )
    | dict.fromkeys(
        ("seed", "parameters", "epochs", "epoch", "distinct_values", "children", "repeat"), _COUNT
    )
    | dict.fromkeys(("threads", "runs", "warm_ups", "position", "faces"), _COUNT)
)

# An 8-bit softmax rounds each of seven probabilities by up to half a step of 1/256 (LiteRT's quantization specification)
SUMS["predictions"] = (PROBABILITY_COLUMNS, 1.0, 4 / 256)


def file_of(run: Mapping[Any, Any] | pd.Series, table: Path) -> Path:
    """Return the file of a row of the table of runs at `table`. Raises TableError if it is not as it was written."""
    path = table.parent / str(run["artefact"])
    noted = run.get("file_digest")
    if pd.notna(noted) and not (path.is_file() and digest(path) == noted):
        raise TableError(f"{path} is missing, cut or changed: `fer run` with its profile makes it again")
    return path


def with_file(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table of runs that are a TFLite file."""
    return runs[runs["artefact"].str.endswith(".tflite").fillna(False)]
