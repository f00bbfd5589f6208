"""Rendered faces that the benchmarks share."""

from face_sets.images import Pixels
from rendered_faces.design import Design, plan_faces
from rendered_faces.portrait import render_face


def rendered_faces(count: int, size: int) -> tuple[list[str], list[Pixels]]:
    """Return the subjects and pictures, `size` pixels a side, of faces sampled from the quick plan."""
    rows = plan_faces(Design()).sample(count, random_state=0)
    records = [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]
    return rows["subject_id"].tolist(), [render_face(record, size) for record in records]
