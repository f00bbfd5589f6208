import numpy as np

from fer_utils.data.synthetic.design import plan_faces
from fer_utils.data.synthetic.drawing import draw_faces
from fer_utils.data.synthetic.portrait import draw_face
from fer_utils.study import load_study


def test_pictures_come_in_the_order_of_the_plan_whatever_the_number_of_processes() -> None:
    plan = plan_faces(load_study("quick")).iloc[::20].head(150)  # three chunks
    alone = list(draw_faces(plan, 48, processes=1))
    together = list(draw_faces(plan, 48, processes=2))
    assert len(alone) == len(together) == 150
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))
    assert np.array_equal(alone[77], draw_face(plan.iloc[77], 48))


def test_an_empty_plan_gives_no_pictures() -> None:
    assert list(draw_faces(plan_faces(load_study("quick")).head(0), 48, processes=2)) == []
