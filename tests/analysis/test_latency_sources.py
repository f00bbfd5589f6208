import pandas as pd
import pytest

from fer_utils.analysis.published_tables import (
    LATENCY_COLUMNS,
    SOURCES,
    all_sources,
    claims_against_predictions,
)


def row(
    architecture: str, kind: str, threads: int, ms: float | None, image_size: int = 224
) -> dict[str, object]:
    return {
        "architecture": architecture, "device_kind": kind, "device": "a device", "threads": threads,
        "image_size": image_size, "latency_ms_median": ms, "interval_low_ms": ms and 0.8 * ms,
        "interval_high_ms": ms and 1.4 * ms,
    }  # fmt: skip


def test_every_kind_of_latency_keeps_its_own_name() -> None:
    kinds = [("predicted", 1), ("predicted", 4), ("phone", 1), ("browser", 1), ("host", 1)]
    found = all_sources(
        pd.DataFrame([row("mobilenet_v3_large", kind, threads, 50.0) for kind, threads in kinds])
    )
    assert list(found.columns) == list(LATENCY_COLUMNS)
    assert set(found["source"]) == set(SOURCES)
    assert found.groupby("source")["device"].first()["Moto G6, published"] == "Moto G6"


def test_only_graphs_of_224_pixels_may_stand_beside_published_times() -> None:
    with pytest.raises(ValueError, match="64"):
        all_sources(pd.DataFrame([row("mobilenet_v2", "host", 1, 5.0, image_size=64)]))


def test_peers_are_those_of_the_networks_at_hand_and_name_their_source() -> None:
    found = all_sources(pd.DataFrame([row("efficientnet_b0", "host", 1, 20.0)]))
    peers = found[found["source"] == SOURCES[-1]]
    assert set(peers["architecture"]) == {"efficientnet_b0"}
    assert peers["reference"].str.contains(" at [0-9a-f]{8}").all()


def test_published_times_are_inside_an_interval_or_not() -> None:
    rows = [row("mobilenet_v3_large", "predicted", threads, ms) for threads, ms in ((1, 100.0), (4, 45.0))]
    found = claims_against_predictions(pd.DataFrame([*rows, row("mobilenet_v2", "predicted", 1, 117.0)]))
    inside = found.set_index(["architecture", "threads"])["lies_inside"].to_dict()
    assert inside == {  # 90 in 80-140; 90 above 63; the preprint's 45 below 94
        ("mobilenet_v3_large", 1): True, ("mobilenet_v3_large", 4): False, ("mobilenet_v2", 1): False,
    }  # fmt: skip
