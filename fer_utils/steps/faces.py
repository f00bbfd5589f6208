"""Step `faces`: the study's faces, rendered or taken from the data sets that were ingested, split and catalogued."""

import os
from dataclasses import fields
from functools import partial
from pathlib import Path

import pandas as pd

from face_sets.catalogue import DROPPED_COLUMNS, catalogue_faces
from face_sets.files import digest
from face_sets.ingested import IngestedSet, IngestError
from face_sets.leaks import TEST_ONLY, check_no_leak
from face_sets.manifests import manifest_of
from face_sets.processes import usable_cores
from face_sets.readers.london import LONDON
from face_sets.splits import assign_splits
from fer_utils import tables
from fer_utils.paths import Paths
from fer_utils.study import Study
from rendered_faces.design import Design, plan_faces
from rendered_faces.person import PICTURE_COLUMNS
from rendered_faces.portrait import render_face

FRAME_SHARE = 0.8
"""A crop is about this share of the rendered frame (mean of 160 faces: 0.79), so cropping hardly changes the scale."""


def make_faces(study: Study, paths: Paths) -> None:
    """Make the study's faces and write the `faces` table; beside it `dropped.parquet` lists those left out, and why.

    Rendered faces are found and cropped by the one rule. Licensed faces were, when they were ingested; they stay
    where they are, and the table's paths lead there; what is like a photograph of the external test is left out.
    Raises IngestError if CAFE, or every set to learn from, is missing, or no face to test on is left.
    """
    faces, dropped = _rendered(study, paths) if study.face_source == "synthetic" else _licensed(study, paths)
    check_no_leak(faces)
    faces = faces[faces["dataset"] != LONDON.dataset]  # of a table of its own
    if not ((faces["dataset"] == study.test_set) & (faces["split"] == "test")).any():
        raise IngestError(
            f"no face of {study.test_set} is left to test on: `fer data status` says what became of them"
        )
    tables.write_sealed(dropped, paths.dropped)
    tables.write(faces, "faces", paths.faces)


def ingested_digest(study: Study, paths: Paths) -> str:
    """Return a digest of what is ingested of a licensed study's sets and of what their manifests say; for the workflow."""
    here = [IngestedSet(paths.results, name) for name in study.sets]
    reports = [[each.name, each.report().made_from] for each in here if each.is_whole]
    return digest(reports, [manifest_of(str(name)).model_dump(mode="json") for name, _ in reports])


def _rendered(study: Study, paths: Paths) -> tuple[pd.DataFrame, pd.DataFrame]:
    return catalogue_faces(
        plan_faces(Design(**{field.name: getattr(study, field.name) for field in fields(Design)})),
        partial(render_face, size=round(study.face_size / FRAME_SHARE)),
        paths.faces.parent,
        study.face_size,
        usable_cores(),
        PICTURE_COLUMNS,  # most faces of the set with a planted gap are those of their twins
    )


def _licensed(study: Study, paths: Paths) -> tuple[pd.DataFrame, pd.DataFrame]:
    here = [each for name in study.sets if (each := IngestedSet(paths.results, name)).is_whole]
    _check(here, study)
    external = tables.read("faces", paths.external_faces).drop(columns="split")
    faces = tables.concatenated([*(_faces_of(each, paths.faces.parent) for each in here), external])
    rows, left_out = assign_splits(faces, study.faces_seed)
    permitted = {name: manifest_of(name).study.may_publish for name in rows["dataset"].unique()}
    faces = rows.assign(may_publish=rows["dataset"].map(permitted).astype(bool))
    missed = tables.concatenated([*(each.dropped() for each in here), left_out])
    columns = [column for column in tables.COLUMNS["faces"] if column in faces]
    return tables.conform(faces[columns], "faces"), missed.reindex(columns=list(DROPPED_COLUMNS))


def _check(here: list[IngestedSet], study: Study) -> None:
    names = {each.name for each in here}
    wanted = [f"CAFE ({name})" for name in study.sets if name in TEST_ONLY - names]
    wanted += [] if names - TEST_ONLY else ["one data set to learn from"]
    if wanted or not TEST_ONLY & set(study.sets):
        raise IngestError(
            f"the licensed study needs {' and '.join(wanted) or 'CAFE among its sets'}: "
            "run `fer data ingest SET --from FOLDER`; `fer data status` says how to ask for what is missing"
        )
    if other := [each.name for each in here if each.report().face_size != study.face_size]:
        raise IngestError(
            f"{', '.join(other)} were ingested at another face size than the study's {study.face_size}: "
            f"ingest again with --face-size {study.face_size}"
        )


def _faces_of(each: IngestedSet, folder: Path) -> pd.DataFrame:
    """The rows of a set, `path` relative to the folder of the study's table."""
    faces = each.faces()
    place = Path(os.path.relpath(each.folder, folder)).as_posix()
    return faces.assign(path=place + "/" + faces["path"])
