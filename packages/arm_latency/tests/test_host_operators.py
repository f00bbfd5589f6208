from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from arm_latency import host
from arm_latency.interpreters import ProfilingError, open_at
from fer_utils import tables


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_the_layers_of_a_network_are_found_and_their_times_add_up_to_an_inference(
    tiny_file: Callable[[str], Path], precision: str
) -> None:
    path = tiny_file(precision)
    rows = host.measure_operators({"tiny": path}, image_size=512)
    assert len(tables.conform(rows, "operators")) == len(rows)
    kinds = rows["operator"].str.cat(sep=" ")
    for kernel in ("IGEMM", "DWConv", "Fully Connected", "SOFTMAX"):
        assert kernel.lower() in kinds.lower()
    # The least of several: other work on the machine only ever adds
    least = min(rows["mean_ms"].sum(), host.measure_operators({"a": path}, image_size=512)["mean_ms"].sum())
    whole = np.min(host.latencies_ms(open_at(path, 512), warm_ups=3, runs=20))
    assert 0.5 * whole < least < 5 * whole


def test_the_graph_is_profiled_at_the_size_asked_for(tiny_file: Callable[[str], Path]) -> None:
    small, large = (
        host.measure_operators({"tiny": tiny_file("float32")}, image_size=side) for side in (64, 512)
    )
    assert list(small["operator"]) == list(large["operator"])
    assert large["mean_ms"].sum() > 8 * small["mean_ms"].sum()  # 64 times the pixels


def test_files_profiled_together_keep_their_own_operators(tiny_file: Callable[[str], Path]) -> None:
    files = {precision: tiny_file(precision) for precision in ("int8", "float32")}
    together = host.measure_operators(files, image_size=64)
    assert list(dict.fromkeys(together["run_id"])) == list(files)
    for run_id, path in files.items():
        alone = host.measure_operators({"a": path}, image_size=64)
        assert list(together.loc[together["run_id"] == run_id, "operator"]) == list(alone["operator"])


def test_no_files_give_an_empty_table() -> None:
    assert host.measure_operators({}, image_size=64).empty


def test_a_file_or_a_library_that_does_not_serve_ends_in_a_sentence(
    tiny_file: Callable[[str], Path], reshaping_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(ProfilingError, match="cannot be resized to 32 pixels"):
        host.measure_operators({"a": reshaping_file}, image_size=32)
    # A package of that name without the library, as on a system that it is not built for
    (tmp_path / "ai_edge_litert").mkdir()
    (tmp_path / "ai_edge_litert" / "__init__.py").touch()
    (tmp_path / "ai_edge_litert" / "libLiteRt.so").write_text("no library")
    monkeypatch.setattr(host, "open_at", lambda path, side: None)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    with pytest.raises(
        ProfilingError, match=r"operators of float32\.tflite cannot be profiled with ai-edge-litert"
    ) as said:
        host.measure_operators({"a": tiny_file("float32")}, image_size=32)
    assert "\n" not in str(said.value)
