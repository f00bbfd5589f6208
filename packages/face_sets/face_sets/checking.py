"""Whether what was ingested is as it was left: manifests, tables, stored images, and no way for a test face to leak."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from face_sets import tables
from face_sets.croissant import validate_manifest
from face_sets.ingested import IngestedSet, IngestError, ingested_sets
from face_sets.leaks import LeakError, check_no_leak
from face_sets.manifests import ManifestError, manifest_names
from face_sets.splits import assign_splits
from face_sets.tables import TableError


def problems(results: Path, seed: int) -> Iterator[str]:
    """Yield one sentence for each thing that is wrong; none names a picture."""
    yield from _of_manifests()
    faces = []
    for each in ingested_sets(results):
        try:
            table, report = each.faces(), each.report()
        except (TableError, IngestError, OSError) as error:
            yield str(error)
            continue
        if len(table) != report.found:
            yield f"{each.name}: {len(table)} faces are in its table, {report.found} were found: ingest it again"
        if bad := damaged(table, each):
            yield f"{each.name}: {bad} of {len(table)} stored faces are missing or damaged: ingest it again"
        faces.append(table)
    try:
        check_no_leak(assign_splits(tables.concatenated(faces), seed)[0]) if faces else None
    except LeakError as error:
        yield str(error)


def damaged(table: pd.DataFrame, each: IngestedSet, threads: int = 4) -> int:
    """Return how many stored faces are not there or not as they were stored, by SHA-256."""

    def is_bad(path: str, sha256: str) -> bool:
        try:
            return hashlib.sha256((each.folder / path).read_bytes()).hexdigest() != sha256
        except OSError:
            return True

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(is_bad, table["path"], table["sha256"]))


def _of_manifests() -> Iterator[str]:
    for name in manifest_names():
        try:
            validate_manifest(name)
        except ManifestError as error:
            yield str(error)
