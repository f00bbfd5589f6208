"""Step `faces`: the study's faces, drawn, found, cropped and catalogued."""

import os
from functools import partial

from fer_utils import tables
from fer_utils.data.catalogue import catalogue_faces
from fer_utils.data.leaks import check_no_leak
from fer_utils.data.synthetic.design import plan_faces
from fer_utils.data.synthetic.portrait import draw_face
from fer_utils.files import atomic_path
from fer_utils.study import Paths, Study

FRAME_SHARE = 0.8
"""A crop is about this share of the drawn frame (mean of sixty faces: 0.79), so cropping hardly changes the scale."""


def make_faces(study: Study, paths: Paths) -> None:
    """Draw the planned faces, find and crop each by the one rule, and write the `faces` table.

    Beside it `dropped.parquet` lists the faces that were not found, with the reason.
    """
    plan = plan_faces(study)
    frame = round(study.face_size / FRAME_SHARE)
    faces, dropped = catalogue_faces(
        plan,
        partial(draw_face, size=frame),
        paths.faces.parent,
        study.face_size,
        processes=os.cpu_count() or 1,
    )
    check_no_leak(faces)
    with atomic_path(paths.dropped) as temporary:
        dropped.to_parquet(temporary, index=False)
    tables.write(faces, "faces", paths.faces)
