import gzip
import os
import platform
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from arm_latency import host
from arm_latency.interpreters import ProfilingError, open_at
from arm_latency.programs import peak_memory_mib, random_input
from fer_utils import tables

TinyFile = Callable[[str], Path]


@pytest.mark.parametrize("precision", ["float32", "float16", "dynamic", "int8"])
def test_every_precision_is_measured_as_a_row_of_measurements(tiny_file: TinyFile, precision: str) -> None:
    path = tiny_file(precision)
    table = host.measure_files({"tiny": path}, image_size=64, warm_ups=1, runs=5)
    row = table.iloc[0]
    assert len(table) == 1
    assert len(tables.conform(table, "measurements")) == 1
    assert (row["run_id"], row["device_kind"], row["threads"]) == ("tiny", "host", 1)
    assert (row["image_size"], row["runs"], row["warm_ups"]) == (64, 5, 1)
    assert row["backend"].startswith("litert-xnnpack ")
    assert 0 < row["latency_ms_median"] <= row["latency_ms_p90"]
    assert row["size_bytes"] == path.stat().st_size
    assert row["peak_memory_mib"] > 0


def test_no_files_give_an_empty_table() -> None:
    assert host.measure_files({}, image_size=64, warm_ups=1, runs=5).empty


def test_gzip_size_is_that_of_a_file_that_unpacks_to_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "zeros"
    path.write_bytes(bytes(100_000))
    size, compressed = host.file_sizes(path)
    assert size == 100_000
    assert compressed == len(gzip.compress(bytes(100_000), 9, mtime=0)) < 1000


def test_a_larger_input_takes_longer(tiny_file: TinyFile) -> None:
    small, large = (
        np.min(host.latencies_ms(open_at(tiny_file("float32"), side), warm_ups=2, runs=10))
        for side in (32, 256)
    )
    assert large > 4 * small  # 64 times the pixels


def test_the_cores_allowed_before_are_allowed_after(tiny_file: TinyFile) -> None:
    before = os.sched_getaffinity(0)
    host.latencies_ms(open_at(tiny_file("float32"), 32), warm_ups=0, runs=1)
    assert os.sched_getaffinity(0) == before


def test_random_input_fits_the_type_and_repeats(tiny_file: TinyFile) -> None:
    integer, full = (open_at(tiny_file(p), 32) for p in ("int8", "float32"))
    assert random_input(integer).dtype == np.int8
    assert random_input(integer).min() < -100
    assert random_input(integer).max() > 100
    assert random_input(full).dtype == np.float32
    assert np.array_equal(random_input(full), random_input(full))


def test_resizing_changes_the_size_not_the_function(tiny_file: TinyFile) -> None:
    grey = np.full((1, 96, 96, 3), 0.5, np.float32)  # a border aside, a flat image answers alike at any size
    answers = []
    for side in (96, 192):
        interpreter = open_at(tiny_file("float32"), side)
        interpreter.set_tensor(
            interpreter.get_input_details()[0]["index"], np.resize(grey, (1, side, side, 3))
        )
        interpreter.invoke()
        answers.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
    assert answers[0] == pytest.approx(answers[1], abs=0.02)


def test_peak_memory_is_the_models_own_not_this_process(tiny_file: TinyFile) -> None:
    ballast = np.ones(400 * 2**20, np.uint8)  # a large parent must not hide or swell what its child needs
    measured = peak_memory_mib(tiny_file("float32"), 512)
    assert ballast[-1] == 1
    assert measured is not None
    # Two activations of 256 x 256 x 32 floats are 16 MiB alone; the whole is far below the parent's 400.
    assert 8 < measured < 100


def test_the_device_is_described_without_the_hosts_name() -> None:
    described = host.host_device()
    assert platform.machine() in described
    assert platform.node() not in described


def test_one_sentence_for_what_cannot_be_measured(tmp_path: Path, reshaping_file: Path) -> None:
    with pytest.raises(ProfilingError, match=r"absent\.tflite cannot be opened"):
        host.measure_files({"a": tmp_path / "absent.tflite"}, image_size=32, warm_ups=1, runs=5)
    with pytest.raises(ProfilingError, match="cannot be resized to 32 pixels"):
        host.measure_files({"a": reshaping_file}, image_size=32, warm_ups=1, runs=5)
    with pytest.raises(ProfilingError, match="cannot be resized to 32 pixels"):
        peak_memory_mib(reshaping_file, 32)
    with pytest.raises(ProfilingError, match="at least one run"):
        host.measure_files({}, image_size=32, warm_ups=1, runs=0)
