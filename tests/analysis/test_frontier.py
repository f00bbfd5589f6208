import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_utils.analysis.frontier import on_frontier

points = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 6)), min_size=1, max_size=12)


@settings(deadline=None)
@given(points)
def test_every_point_off_the_frontier_is_beaten_by_one_on_it_and_none_on_it_is(
    rows: list[tuple[int, int]],
) -> None:
    frame = pd.DataFrame(rows, columns=["cost", "score"])
    found = on_frontier(frame["cost"], frame["score"])
    best = frame[found]
    assert found.any()
    for cost, score, on_it in zip(frame["cost"], frame["score"], found, strict=True):
        beats = best[(best["cost"] <= cost) & (best["score"] >= score)]
        assert (beats[["cost", "score"]] != (cost, score)).any(axis=1).any() != on_it


def test_a_known_frontier_and_missing_numbers() -> None:
    frame = pd.DataFrame({"cost": [1, 2, 3, 3, None], "score": [0.5, 0.4, 0.9, 0.8, 1.0]})
    assert on_frontier(frame["cost"], frame["score"]).to_list() == [True, False, True, False, False]
