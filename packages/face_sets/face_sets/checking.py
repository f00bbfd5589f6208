"""Whether what was ingested is as it was left: manifests, tables, stored images, and no way for a test face to leak."""

from collections.abc import Iterator
from pathlib import Path

from face_sets import tables
from face_sets.croissant import validate_manifest
from face_sets.ingested import IngestError, damaged, ingested_sets
from face_sets.leaks import LeakError, check_no_leak
from face_sets.manifests import ManifestError, manifest_names
from face_sets.packed_faces import NAME, is_packed
from face_sets.splits import assign_splits
from face_sets.tables import TableError


def problems(results: Path, seed: int) -> Iterator[str]:
    """Yield one sentence for each thing that is wrong; none names a picture."""
    yield from _of_manifests()
    faces = []
    for each in ingested_sets(results):
        try:
            table, report, _ = each.faces(), each.report(), each.dropped()
        except (TableError, IngestError, OSError) as error:
            yield str(error)
            continue
        if len(table) != report.found:
            yield f"{each.name}: {len(table)} faces are in its table, {report.found} were found: ingest it again"
        if bad := damaged(table, each.folder):
            yield f"{each.name}: {bad} of {len(table)} stored faces are missing or damaged: ingest it again"
        for folder, part in table.groupby(table["path"].str.partition("/")[0]):
            packed, below = each.folder / str(folder), part.assign(path=part["path"].str.partition("/")[2])
            if (packed / NAME).is_file() and not is_packed(packed, below):
                yield f"{each.name}: {NAME}, which holds all its faces, is damaged: ingest it again"
        faces.append(table)
    try:
        check_no_leak(assign_splits(tables.concatenated(faces), seed)[0]) if faces else None
    except LeakError as error:
        yield str(error)


def _of_manifests() -> Iterator[str]:
    for name in manifest_names():
        try:
            validate_manifest(name)
        except ManifestError as error:
            yield str(error)
