import shutil
import warnings

import numpy as np
import pandas as pd
import pytest

from arm_latency.arm64_system import PROCESSOR_FILES, EmulationError
from arm_latency.interpreters import ProfilingError
from face_sets.files import digest
from fer_utils import tables
from fer_utils.compression.export import to_tflite
from fer_utils.models.prediction import predict_tflite
from fer_utils.paths import Paths
from fer_utils.profiling import arm64
from fer_utils.profiling.arm64 import Emulation, agrees, current_emulations, output_step
from fer_utils.study import load_study

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
    return Emulation(tmp_path / "arm64", "qemu-aarch64 version 7.2.22")


@pytest.fixture
def answering(monkeypatch):
    """Have the emulated program write given answers, without emulation; return how it was called."""

    def answer(answers, processor=PROCESSOR_FILES["proc/cpuinfo"]):
        calls = []

        def run(command, failure, *, environment):
            calls.append((command, environment))
            np.savez(command[-1], answers=answers, processor=np.array(processor))

        monkeypatch.setattr(arm64, "run", run)
        return calls

    return answer


def test_the_emulated_program_is_given_the_processor_the_system_and_no_variable_of_ours(
    somewhere, answering, monkeypatch, tmp_path
):
    monkeypatch.setenv("LD_LIBRARY_PATH", "/somewhere")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    calls = answering(np.zeros((1, 7)))
    somewhere.answers(tmp_path / "model.tflite", np.zeros((1, 32, 32, 3), np.float32))
    ((command, environment),) = calls
    system = tmp_path / "arm64" / "system"
    assert command[0].endswith("qemu-aarch64")
    assert command[1:7] == ["-cpu", "cortex-a53", "-L", str(system), str(system / "usr/bin/python3.11"), "-P"]
    assert command[7].endswith("arm64_guest.py")
    assert command[8] == str(tmp_path / "model.tflite")
    assert environment == {"PYTHONPATH": str(tmp_path / "arm64" / "site"), "PYTHONHASHSEED": "0"}


def test_a_row_holds_answers_and_no_time(somewhere, answering, small_file, striped_faces):
    path, faces = small_file("float32"), striped_faces[0][:7]
    answers = predict_tflite(path, faces)
    answers[3, 2] += 2e-6
    answering(answers)
    row = somewhere.measure("small", path, faces).iloc[0]
    assert row["largest_difference"] == pytest.approx(2e-6, rel=0.2)
    assert (row["faces"], row["same_class"], row["threads"]) == (7, 1, 1)
    assert (row["image_size"], row["arithmetic"]) == (faces.shape[1], "float32")
    assert row["file_digest"] == digest(path)
    assert "qemu-aarch64 version 7.2.22" in row["backend"]
    assert not [
        column for column in tables.COLUMNS["emulations"] if "ms" in column.split("_") or "seconds" in column
    ]


def test_another_processor_than_the_declared_one_is_an_error(somewhere, answering, small_file, striped_faces):
    answering(np.zeros((7, 7)), "processor\t: 0\nmodel name\t: another\n")
    with pytest.raises(EmulationError, match="saw a processor other than the declared Cortex-A53"):
        somewhere.measure("small", small_file("float32"), striped_faces[0][:7])


def test_a_program_that_fails_ends_in_a_sentence():
    crash = ["/bin/sh", "-c", "echo first >&2; echo 'uncaught target signal 11' >&2; exit 139"]
    with pytest.raises(EmulationError) as said:
        arm64.run(crash, "model.tflite failed under emulation")
    assert str(said.value) == "model.tflite failed under emulation (code 139): uncaught target signal 11"
    with pytest.raises(EmulationError, match=r"^it failed: not done within 0\.01 seconds$"):
        arm64.run(["sleep", "5"], "it failed", seconds=0.01)


def test_a_file_that_is_no_model_ends_in_a_sentence_before_anything_is_emulated(somewhere, tmp_path):
    (tmp_path / "no.tflite").write_text("no model")
    with pytest.raises(ProfilingError, match=r"no\.tflite cannot be opened"):
        somewhere.measure("no", tmp_path / "no.tflite", np.zeros((1, 32, 32, 3), np.uint8))


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


NETWORK = "mobilenet_v3_small"


@pytest.fixture
def study():
    return load_study("quick", architectures=[NETWORK])


@pytest.fixture
def paths(study, tmp_path):
    """A study with two exported files, both emulated."""
    here = Paths.of(study, tmp_path)
    folder = here.compressed("runs", NETWORK).parent
    folder.mkdir(parents=True)
    names = {precision: f"{NETWORK}.all.none.{precision}" for precision in ("float32", "int8")}
    for precision, run_id in names.items():
        (folder / f"{run_id}.tflite").write_text(precision)
    runs = [
        {"run_id": run_id, "architecture": NETWORK, "cohort": "all", "technique": "none", "precision": precision,
         "status": "done", "artefact": f"{run_id}.tflite"}
        for precision, run_id in names.items()
    ]  # fmt: skip
    tables.write(pd.DataFrame(runs), "runs", here.compressed("runs", NETWORK))
    rows = [
        {"run_id": run_id, "device": "emulated", "image_size": 64, "faces": 7, "largest_difference": 0.0,
         "same_class": 1.0, "file_digest": digest(folder / f"{run_id}.tflite")}
        for run_id in names.values()
    ]  # fmt: skip
    tables.write(pd.DataFrame(rows), "emulations", here.emulations)
    return here


def test_rows_of_the_files_that_are_here_are_current(study, paths):
    assert len(current_emulations(study, paths)) == 2
    assert paths.emulations not in paths.all_measurements(), "answers are no measurements of time"


def test_rows_of_files_that_were_made_anew_or_are_gone_are_left_out(study, paths):
    folder = paths.compressed("runs", NETWORK).parent
    (folder / f"{NETWORK}.all.none.int8.tflite").write_text("made anew")
    assert list(current_emulations(study, paths)["run_id"]) == [f"{NETWORK}.all.none.float32"]
    runs = tables.read("runs", folder / "runs.parquet")
    tables.write(runs[runs["precision"] == "int8"], "runs", folder / "runs.parquet")
    assert current_emulations(study, paths).empty


def test_where_nothing_was_emulated_the_table_is_empty_and_typed(study, paths):
    paths.emulations.unlink()
    found = current_emulations(study, paths)
    assert found.empty
    assert list(found.columns) == list(tables.COLUMNS["emulations"])


@pytest.fixture(scope="module")
def emulated():
    if shutil.which("qemu-aarch64") is None:
        warnings.warn(
            "ARM64 IS NOT TESTED: qemu-aarch64 is missing, `apt-get install qemu-user`", stacklevel=1
        )
        pytest.skip("qemu-aarch64 is missing, so nothing runs on ARM64 kernels: apt-get install qemu-user")
    return arm64.prepare_emulation()


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_arm64_kernels_give_this_machines_answers_and_repeat_them(
    emulated, small_file, striped_faces, precision
):
    path, faces = small_file(precision), striped_faces[0][:14]
    spread = predict_tflite(path, faces).max(0)
    assert (spread > 0.3).sum() >= 2, "answers that are all alike would prove nothing"
    once, twice = (emulated.measure("small", path, faces) for _ in range(2))
    assert agrees(once).all(), once["largest_difference"]
    assert once["largest_difference"].iloc[0] == twice["largest_difference"].iloc[0]
