import shutil
import warnings

import numpy as np
import pandas as pd
import pytest

from face_sets.files import digest
from fer_utils import tables
from fer_utils.compression.export import to_tflite
from fer_utils.models.prediction import predict_tflite
from fer_utils.profiling import arm64
from fer_utils.profiling.arm64 import Emulation, agrees, output_step
from fer_utils.profiling.arm64_processor import CORES, processor_files
from fer_utils.profiling.arm64_system import EmulationError
from fer_utils.profiling.graph_costs import graph_costs
from fer_utils.profiling.interpreters import ProfilingError

STEP = (
    1 / 256
)  # of softmax in 8 bits: TensorFlow Lite's specification of quantization fixes its output's scale


@pytest.fixture(scope="session")
def small_file(tiny_network, striped_faces, tmp_path_factory):
    """A network with the five's kinds of layers as a file, in a given precision: floats in, probabilities out."""
    folder = tmp_path_factory.mktemp("emulated")

    def made(precision):
        path = folder / f"small.{precision}.tflite"
        if not path.exists():
            path.write_bytes(to_tflite(tiny_network, precision, striped_faces[0]))
        return path

    return made


@pytest.fixture
def somewhere(tmp_path):
    return Emulation(tmp_path / "arm64", tmp_path / "counts.so", "7.2.22")


DECLARED = processor_files()["proc/cpuinfo"]


def printing(somewhere, monkeypatch, text, answers, processor=DECLARED):
    """Have the emulated program print a text and write its answers, without emulation."""

    def run(command, environment, path):
        np.savez(command[-1], answers=answers, processor=np.array(processor))
        return text

    monkeypatch.setattr(arm64, "_printed", run)


def marks(*totals):
    names = "fused_multiply_adds", "integer_multiplies", "vector_loads_stores", "other_loads_stores", "others"
    return "".join(
        f"COUNTED {number} {' '.join(f'{name}={total}' for name in names)}\n"
        for number, total in enumerate(totals)
    )


def test_qemu_is_told_the_processor_the_system_and_the_plugin(somewhere, tmp_path):
    command = somewhere.command(tmp_path / "model.tflite", tmp_path / "given", tmp_path / "answered")
    assert command[0].endswith("qemu-aarch64")
    assert command[1:7] == [
        "-cpu", "cortex-a53", "-L", str(tmp_path / "arm64" / "system"), "-plugin",
        str(tmp_path / "counts.so"),
    ]  # fmt: skip
    assert command[7:9] == [str(tmp_path / "arm64" / "system" / "usr/bin/python3.11"), "-P"]
    assert command[-3:] == [str(tmp_path / name) for name in ("model.tflite", "given", "answered")]


def test_the_emulated_program_sees_no_variable_of_ours(somewhere, monkeypatch):
    monkeypatch.setenv("LD_LIBRARY_PATH", "/somewhere")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    assert set(somewhere.environment) == {"PYTHONPATH", "PYTHONHASHSEED"}
    assert somewhere.environment["PYTHONPATH"].endswith("arm64/site")


def test_a_row_tells_answers_and_counts_and_no_time(somewhere, monkeypatch, small_file, striped_faces):
    path, faces = small_file("float32"), striped_faces[0][:7]
    answers = predict_tflite(path, faces)
    answers[3, 2] += 2e-6
    printing(somewhere, monkeypatch, marks(1000, 3000, 5010), answers)
    row = somewhere.measure("small", path, faces, 64).iloc[0]
    assert row["largest_difference"] == pytest.approx(2e-6, rel=0.2)
    assert (row["faces"], row["same_class"], row["threads"], row["image_size"]) == (7, 1, 1, 64)
    assert row["instructions"] == 5 * 2010
    assert row["fused_multiply_adds"] == row["vector_loads_stores"] == 2010
    assert row["repeat_difference"] == pytest.approx(10 / 2010)
    assert (row["macs"], row["arithmetic"]) == (graph_costs(path, 64).macs, "float32")
    assert row["file_digest"] == digest(path)
    assert "QEMU 7.2.22" in row["backend"]
    assert f"{CORES} cores declared" in row["device"]
    assert not [
        column for column in tables.COLUMNS["emulations"] if "ms" in column.split("_") or "seconds" in column
    ]


def test_another_processor_than_the_declared_one_is_an_error(
    somewhere, monkeypatch, small_file, striped_faces
):
    printing(
        somewhere, monkeypatch, marks(1, 2, 3), np.zeros((7, 7)), "processor\t: 0\nmodel name\t: another\n"
    )
    with pytest.raises(EmulationError, match="saw another processor than the Cortex-A53"):
        somewhere.measure("small", small_file("float32"), striped_faces[0][:7], 32)


def test_a_program_that_fails_ends_in_a_sentence(tmp_path):
    crash = ["/bin/sh", "-c", "echo first >&2; echo 'uncaught target signal 11' >&2; exit 139"]
    with pytest.raises(EmulationError) as said:
        arm64._printed(crash, {}, tmp_path / "model.tflite")
    assert str(said.value) == "model.tflite failed under emulation with code 139: uncaught target signal 11"


def test_a_file_that_is_no_model_ends_in_a_sentence_before_anything_is_emulated(somewhere, tmp_path):
    (tmp_path / "no.tflite").write_text("no model")
    with pytest.raises(ProfilingError, match=r"no\.tflite cannot be opened"):
        somewhere.measure("no", tmp_path / "no.tflite", np.zeros((1, 32, 32, 3), np.uint8), 32)


def test_files_that_answer_in_integers_have_a_step(small_file):
    steps = {
        precision: output_step(small_file(precision))
        for precision in ("float32", "float16", "dynamic", "int8")
    }
    assert steps == {"float32": None, "float16": None, "dynamic": None, "int8": pytest.approx(STEP)}


def test_each_kind_of_file_agrees_by_the_rule_of_its_arithmetic():
    rows = [  # arithmetic, largest difference, share of the same class, step, agreed?
        ("float32", 0.0, 1.0, None, True), ("float32", 9.9e-6, 1.0, None, True), ("float32", 1.1e-5, 1.0, None, False),
        ("float32", 9.9e-6, 0.9, None, True), ("int8", 0.0, 1.0, STEP, True), ("int8", STEP, 1.0, STEP, True),
        ("int8", STEP, 0.9, STEP, False), ("int8", 2 * STEP, 1.0, STEP, False), ("int8", 0.0, 1.0, None, False),
        ("dynamic", 0.02, 1.0, None, True), ("dynamic", 0.02, 0.9, None, False),
    ]  # fmt: skip
    columns = ["arithmetic", "largest_difference", "same_class", "output_step", "agreed"]
    frame = pd.DataFrame(rows, columns=columns).astype({"output_step": "Float64", "same_class": "Float64"})
    assert list(agrees(frame)) == list(frame["agreed"])


@pytest.fixture(scope="module")
def emulated():
    if shutil.which("qemu-aarch64") is None:
        warnings.warn(
            "ARM64 IS NOT TESTED: qemu-aarch64 is missing, `apt-get install qemu-user`", stacklevel=1
        )
        pytest.skip("qemu-aarch64 is missing, so nothing runs on ARM64 kernels: apt-get install qemu-user")
    with arm64.emulation() as here:
        yield here


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_arm64_kernels_give_this_machines_answers_and_counts_repeat(
    emulated, small_file, striped_faces, precision
):
    path, faces = small_file(precision), striped_faces[0][:14]
    spread = predict_tflite(path, faces).max(0)
    assert (spread > 0.3).sum() >= 2, "answers that are all alike would prove nothing"
    once, twice = (emulated.measure("small", path, faces, 64) for _ in range(2))
    assert agrees(once).all(), once["largest_difference"]
    first, second = once.iloc[0], twice.iloc[0]
    assert first["largest_difference"] == second["largest_difference"]
    assert second["instructions"] == pytest.approx(first["instructions"], rel=1e-3)
    assert first["repeat_difference"] < 1e-3
    multiplying = "integer_multiplies" if precision == "int8" else "fused_multiply_adds"
    other = "fused_multiply_adds" if precision == "int8" else "integer_multiplies"
    assert first[multiplying] > 10 * first[other]
    # Four floats or eight short integers a vector: no kernel does its MACs in fewer multiplications
    lanes = 8 if precision == "int8" else 4
    assert first["macs"] / lanes * 0.5 < first[multiplying] < first["macs"]


@pytest.mark.slow
def test_more_pixels_take_more_instructions_in_proportion(emulated, small_file, striped_faces):
    small, large = (
        emulated.measure("small", small_file("float32"), striped_faces[0][:1], side).iloc[0]
        for side in (64, 128)
    )
    assert large["macs"] / small["macs"] == pytest.approx(4, rel=0.01)
    assert large["fused_multiply_adds"] / small["fused_multiply_adds"] == pytest.approx(4, rel=0.05)
