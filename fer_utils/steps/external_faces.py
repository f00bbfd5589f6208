"""Step `external_faces`: the photographs of the external test, found, cropped and catalogued."""

from functools import partial
from pathlib import Path

import pandas as pd

from face_sets.catalogue import DROPPED_COLUMNS, catalogue_faces
from face_sets.files import digest
from face_sets.readers.london import read
from face_sets.readers.reading import load_picture
from fer_utils import tables
from fer_utils.paths import LONDON_FOLDER, Paths, data_folder
from fer_utils.study import Study


def london_folder() -> Path | None:
    """Return the folder of the London photographs below `FER_DATA`, or None if it is not there."""
    return data_folder(LONDON_FOLDER)


def photographs_digest() -> str:
    """Return a digest of which photographs are there: names and sizes; `absent` without the folder."""
    if (folder := london_folder()) is None:
        return "absent"
    return digest(
        [[str(path.relative_to(folder)), path.stat().st_size] for path in sorted(folder.rglob("*"))]
    )


def make_external_faces(study: Study, paths: Paths) -> None:
    """Find and crop the photographs and write their `faces` table; without them it has no rows."""
    if folder := london_folder():
        rows = read(folder).rows
        faces, dropped = catalogue_faces(
            rows.assign(face_id=rows["subject_id"] + "-" + rows["expression"], split="external"),
            partial(load_picture, folder=folder),
            paths.external_faces.parent,
            study.face_size,
        )
    else:
        faces = tables.empty("faces")
        dropped = pd.DataFrame({name: [] for name in DROPPED_COLUMNS})
    tables.write_sealed(dropped, paths.external_dropped)
    tables.write(faces, "faces", paths.external_faces)
