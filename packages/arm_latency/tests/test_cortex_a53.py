from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from arm_latency import cortex_a53
from arm_latency.graph_costs import GraphCosts, graph_costs
from arm_latency.interpreters import ProfilingError

# MobileNetV3-Large, 7 classes, 224 pixels, as counted from a file of it.
V3_LARGE = GraphCosts(188762112, 5419008, 0, 18392640, 2744960, 15667987, 124, "float32")

coefficient = st.floats(0.01, 10)


@settings(max_examples=8, deadline=None)
@given(st.tuples(coefficient, coefficient, coefficient, st.floats(1e4, 1e6)), st.floats(0.5, 3))
def test_coefficients_that_made_the_measurements_are_found_again(
    truth: tuple[float, float, float, float], gigahertz: float
) -> None:
    costs = cortex_a53.network_costs()
    cycles = {
        name: truth[0] * (c.pointwise_macs + c.convolution_macs + cortex_a53.GROUPED_FACTOR * c.grouped_macs)
        + truth[1] * c.depthwise_macs
        + truth[2] * c.activation_values
        + truth[3] * c.operators
        for name, c in costs.items()
    }
    rows = [
        {"board": board, "gigahertz": clock, "network": name, "min_ms": cycles[name] / clock / 1e6}
        for board, clock in (("a", gigahertz), ("b", 2 * gigahertz))
        for name in costs
    ]
    model = cortex_a53.fit_to(pd.DataFrame(rows), costs, threads=1)
    assert model.coefficients == pytest.approx(truth, rel=1e-5)
    assert model.held_out_error.both == pytest.approx(0, abs=1e-5)
    assert model.held_out_error.clock_scaled == pytest.approx(0, abs=1e-12)
    assert model.predict_ms(costs["mnasnet"], 1.0) == pytest.approx([cycles["mnasnet"] / 1e6] * 3, rel=1e-5)


def test_one_board_gone_wrong_does_not_move_the_others_prediction() -> None:
    """Least absolute errors, unlike least squares, do not follow a single bad measurement."""
    costs, measured = cortex_a53.network_costs(), cortex_a53.published(1)
    spoilt = measured.assign(min_ms=measured["min_ms"].where(measured.index != 0, measured["min_ms"] * 10))
    features = np.array([cortex_a53.features_of(costs[name]) for name in measured["network"]])
    whole, bad = (
        features @ cortex_a53.coefficients(features, (each["min_ms"] * each["gigahertz"] * 1e6).to_numpy())
        for each in (measured, spoilt)
    )
    assert np.abs(bad / whole - 1).max() < 0.05


def test_the_published_points_are_all_there() -> None:
    assert len(cortex_a53.published(1)) == 7 * 9  # boards x networks
    assert len(cortex_a53.published(4)) == 9 * 9
    for threads in (1, 4):
        rows = cortex_a53.published(threads)
        assert not rows.duplicated(["board", "network"]).any()
        assert set(rows["network"]) == set(cortex_a53.network_costs())
        assert rows["source"].str.contains("a4d2ea1d").all()


def test_held_out_errors_are_those_reported_and_below_those_of_least_squares() -> None:
    one, four = cortex_a53.fit(1).held_out_error, cortex_a53.fit(4).held_out_error
    assert one.network == pytest.approx(0.123, abs=0.003)
    assert one.board == pytest.approx(0.112, abs=0.003)
    assert one.both == pytest.approx(0.127, abs=0.003)
    assert four.both == pytest.approx(0.191, abs=0.003)
    for found, threads in ((one, 1), (four, 4)):
        assert found.both < least_squares_error(cortex_a53.published(threads))


def least_squares_error(measured: pd.DataFrame) -> float:
    """Held-out error of the plain way: least squares on relative error, three features."""
    costs = cortex_a53.network_costs()
    features = np.array([cortex_a53.features_of(costs[name])[:3] for name in measured["network"]])
    cycles = (measured["min_ms"] * measured["gigahertz"]).to_numpy()
    board, network = measured["board"].to_numpy(), measured["network"].to_numpy()
    scaled, errors = features / features.max(axis=0), []
    for row in range(len(cycles)):
        seen = (board != board[row]) & (network != network[row])
        found, _ = nnls(scaled[seen] / cycles[seen, None], np.ones(seen.sum()))
        errors.append(abs(scaled[row] @ found / cycles[row] - 1))
    return float(np.mean(errors))


def test_a_network_scaled_by_the_clock_has_the_median_cycles_of_the_other_boards() -> None:
    rows = pd.DataFrame({"network": "n", "board": list("abc"), "cycles": [100.0, 110.0, 130.0]})
    assert cortex_a53.clock_scaled(rows).tolist() == [120.0, 115.0, 105.0]


@pytest.mark.parametrize("threads", [1, 4])
def test_residuals_are_held_out_and_give_the_error(threads: cortex_a53.Threads) -> None:
    model = cortex_a53.fit(threads)
    relative = model.residuals["predicted_ms"] / model.residuals["measured_ms"] - 1
    assert relative.abs().mean() == pytest.approx(model.held_out_error.both)
    last = model.residuals.iloc[-1]
    seen = cortex_a53.published(threads).query("board != @last.board and network != @last.network")
    alone = cortex_a53.fit_to(seen, cortex_a53.network_costs(), threads)
    point = alone.predict_ms(cortex_a53.network_costs()[last["network"]], last["gigahertz"])[0]
    assert last["predicted_ms"] == pytest.approx(point)


@pytest.mark.parametrize("threads", [1, 4])
def test_the_band_covers_at_least_nine_tenths_of_what_it_was_made_from(
    threads: cortex_a53.Threads,
) -> None:
    model = cortex_a53.fit(threads)
    point, low, high = model.predict_ms(V3_LARGE)
    assert 0.9 <= model.residuals["ratio"].between(low / point - 1e-9, high / point + 1e-9).mean() < 0.95


def test_mobilenet_v3_large_on_the_moto_g6() -> None:
    point, low, high = cortex_a53.fit(1).predict_ms(V3_LARGE)
    assert point == pytest.approx(98, rel=0.03)
    assert low == pytest.approx(82, rel=0.05)
    assert high == pytest.approx(144, rel=0.05)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(
        [
            "pointwise_macs",
            "convolution_macs",
            "grouped_macs",
            "depthwise_macs",
            "activation_values",
            "operators",
        ]
    ),
    st.integers(1, 10**9),
    st.sampled_from([1, 4]),
)
def test_more_work_never_takes_less_time(field: str, more: int, threads: cortex_a53.Threads) -> None:
    model = cortex_a53.fit(threads)
    larger = replace(V3_LARGE, **{field: getattr(V3_LARGE, field) + more})
    assert all(np.greater(model.predict_ms(larger), model.predict_ms(V3_LARGE)))


def test_a_faster_clock_and_more_cores_take_less_time() -> None:
    one, four = cortex_a53.fit(1), cortex_a53.fit(4)
    assert one.predict_ms(V3_LARGE, 0.9) == pytest.approx([2 * ms for ms in one.predict_ms(V3_LARGE, 1.8)])
    assert four.predict_ms(V3_LARGE)[0] < one.predict_ms(V3_LARGE)[0]


def test_int8_takes_the_published_share_of_the_float_time() -> None:
    assert sorted(cortex_a53.int8_ratios()) == pytest.approx([30 / 79, 46 / 114])
    full = cortex_a53.fit(1).predict_ms(V3_LARGE)
    integer = cortex_a53.fit(1).predict_ms(replace(V3_LARGE, arithmetic="int8"))
    assert 0.38 < integer[0] / full[0] < 0.404
    assert integer[1] / integer[0] < full[1] / full[0]
    assert integer[2] / integer[0] > full[2] / full[0]


def test_dynamic_range_is_not_guessed() -> None:
    with pytest.raises(ProfilingError, match="dynamic-range"):
        cortex_a53.fit(1).predict_ms(replace(V3_LARGE, arithmetic="dynamic"))


def test_predicted_files_have_a_row_each(tiny_file: Callable[[str], Path]) -> None:
    files = {precision: tiny_file(precision) for precision in ("float32", "float16", "dynamic", "int8")}
    table = cortex_a53.predict_files(files, image_size=224, threads=4)
    rows = table.set_index("run_id")
    assert set(table["device_kind"]) == {"predicted"}
    assert set(table["device"]) == {"Moto G6 (Cortex-A53, 1.8 GHz)"}
    assert set(table["threads"]) == {4}
    timed = rows.drop("dynamic")
    assert (timed["interval_low_ms"] < timed["latency_ms_median"]).all()
    assert (timed["latency_ms_median"] < timed["interval_high_ms"]).all()
    point = cortex_a53.fit(4).predict_ms(graph_costs(files["float32"], 224))[0]
    assert rows.loc["float32", "latency_ms_median"] == rows.loc["float16", "latency_ms_median"] == point
    assert rows.loc["int8", "latency_ms_median"] == pytest.approx(point * np.mean(cortex_a53.int8_ratios()))
    assert "0.38-0.40 for int8" in rows.loc["int8", "backend"]
    assert pd.isna(rows.loc["dynamic", "latency_ms_median"])
    assert "dynamic-range" in rows.loc["dynamic", "backend"]


def test_a_model_with_more_threads_than_were_published_is_refused() -> None:
    with pytest.raises(ProfilingError, match="1 or 4"):
        cortex_a53.fit(2)  # type: ignore[arg-type]
