"""Files to emulate, their faces, and the rows that are kept; the emulation itself in tests/profiling/test_arm64.py."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from arm_latency.arm64_system import EmulationError
from arm_latency.interpreters import ProfilingError
from face_sets.expressions import EXPRESSIONS
from face_sets.files import digest
from face_sets.images import encode_png
from fer_utils import tables
from fer_utils.paths import Paths
from fer_utils.profiling.arm64 import DEVICE
from fer_utils.steps import devices
from fer_utils.study import load_study

NETWORK = "mobilenet_v3_small"
RUNS = [f"{NETWORK}.all.none.{precision}" for precision in ("float32", "int8")]


@pytest.fixture
def study():
    return load_study("quick", architectures=[NETWORK], image_size=32)


@pytest.fixture
def paths(study, tmp_path):
    """A study with two exported files, and faces whose red is the place of their expression."""
    here = Paths.of(study, tmp_path)
    folder = here.compressed("runs", NETWORK).parent
    folder.mkdir(parents=True)
    for run_id in RUNS:
        (folder / f"{run_id}.tflite").write_text(run_id)
    runs = [
        {"run_id": run_id, "architecture": NETWORK, "cohort": "all", "technique": "none", "status": "done",
         "precision": run_id.rpartition(".")[2], "artefact": f"{run_id}.tflite"}
        for run_id in RUNS
    ]  # fmt: skip
    tables.write(pd.DataFrame(runs), "runs", here.compressed("runs", NETWORK))
    faces = []
    for split in ("train", "test"):
        for number in range(2):
            for place, expression in reversed(list(enumerate(EXPRESSIONS))):
                path = here.faces.parent / f"{split}{number}{expression}.png"
                path.parent.mkdir(exist_ok=True)
                shade = 10 * place + 100 * number + (split == "train")
                path.write_bytes(encode_png(np.full((32, 32, 3), shade, np.uint8)))
                faces.append(
                    {"face_id": path.stem, "dataset": study.test_set, "subject_id": "a", "age_group": "child",
                     "expression": expression, "split": split, "path": path.name, "may_publish": True,
                     "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
                )  # fmt: skip
    tables.write(pd.DataFrame(faces), "faces", here.faces)
    return here


class MadeUpEmulation:
    """Takes note of what it is asked, and answers with a row that agrees."""

    backend = "made up"

    def __init__(self):
        self.asked = []

    def measure(self, run_id, path, faces):
        self.asked.append((run_id, faces))
        row = {
            "run_id": run_id, "device": DEVICE, "backend": self.backend, "threads": 1, "image_size": faces.shape[1],
            "faces": len(faces), "largest_difference": 0.0, "same_class": 1.0, "arithmetic": "float32",
            "file_digest": digest(path),
        }  # fmt: skip
        return tables.conform(pd.DataFrame([row]), "emulations")


@pytest.fixture
def emulated(monkeypatch):
    made_up = MadeUpEmulation()

    monkeypatch.setattr(devices, "prepare_emulation", lambda: made_up)
    return made_up


def measure(study, paths, *run_ids):
    lines = []
    table = devices.measure_emulated(study, paths, run_ids=list(run_ids), report=lines.append)
    return tables.read("emulations", table), lines


def test_every_file_gets_a_row_and_a_line_without_any_time(study, paths, emulated):
    rows, lines = measure(study, paths)
    assert list(rows["run_id"]) == RUNS
    assert [line.split()[0] for line in lines] == RUNS
    assert all("same answers" in line and " ms" not in line for line in lines)
    assert set(rows["image_size"]) == {study.image_size}
    assert not paths.measurements.exists()


def test_both_machines_are_asked_about_the_first_test_face_of_each_expression(study, paths, emulated):
    measure(study, paths)
    faces = emulated.asked[0][1]
    assert faces.shape == (7, 32, 32, 3)
    assert [int(face[0, 0, 0]) for face in faces] == [0, 10, 20, 30, 40, 50, 60]


def test_what_is_kept_is_left_alone_until_the_file_changes(study, paths, emulated):
    measure(study, paths)
    assert measure(study, paths)[1] == []
    (paths.compressed("runs", NETWORK).parent / f"{RUNS[1]}.tflite").write_text("made anew")
    rows, lines = measure(study, paths)
    assert [line.split()[0] for line in lines] == [RUNS[1]]
    assert len(rows) == 2
    emulated.backend = "another version"
    assert len(measure(study, paths)[1]) == 2


def test_only_the_named_files_are_run_and_an_unknown_name_lists_those_that_are_here(study, paths, emulated):
    assert list(measure(study, paths, RUNS[1])[0]["run_id"]) == [RUNS[1]]
    with pytest.raises(ProfilingError, match=f"no exported file magic is here; there are {RUNS[0]}"):
        measure(study, paths, "magic")


def test_other_answers_are_reported_and_kept(study, paths, emulated, monkeypatch):
    alike = emulated.measure
    monkeypatch.setattr(emulated, "measure", lambda *given: alike(*given).assign(largest_difference=0.2))
    rows, lines = measure(study, paths, RUNS[0])
    assert "OTHER ANSWERS than on this machine" in lines[0]
    assert rows["largest_difference"].iloc[0] == 0.2


def test_an_interrupted_run_keeps_what_was_done(study, paths, emulated, monkeypatch):
    alike = emulated.measure

    def failing(run_id, *rest):
        if run_id == RUNS[1]:
            raise EmulationError("the disk is full")
        return alike(run_id, *rest)

    monkeypatch.setattr(emulated, "measure", failing)
    with pytest.raises(EmulationError, match="the disk is full"):
        measure(study, paths)
    assert list(tables.read("emulations", paths.emulations)["run_id"]) == [RUNS[0]]


def test_without_qemu_a_sentence_says_what_to_install(study, paths, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(
        EmulationError, match="emulating ARM64 needs qemu-aarch64, apt-get.*`apt-get install qemu-user apt"
    ):
        measure(study, paths)
    assert not paths.emulations.exists()
