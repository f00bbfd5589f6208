import hashlib
import os
import subprocess
import sys
import zipfile

import pytest
from erratic_server import CUT, UNAVAILABLE, ErraticServer

from face_sets import face_model, patience


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(face_model, "MODEL_FILE", tmp_path / "models" / face_model.MODEL_FILE.name)
    return face_model.MODEL_FILE


def test_the_lock_pins_one_hashed_wheel_and_names_no_address():
    text = face_model.LOCK_FILE.read_text()
    assert "mediapipe==0.10.21" in text
    assert text.count("--hash=sha256:") == 1
    assert "://" not in text


def test_fetching_again_is_fast_and_changes_nothing():
    path = face_model.face_model_path()
    before = path.stat().st_mtime_ns
    assert face_model.fetch_face_model() == path
    assert path.stat().st_mtime_ns == before


def test_a_missing_model_says_what_to_run(elsewhere):
    with pytest.raises(face_model.FaceModelError, match=r"python -m face_sets\.face_model"):
        face_model.face_model_path()


def test_a_damaged_model_is_not_used(elsewhere):
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(b"damaged")
    with pytest.raises(face_model.FaceModelError, match="damaged"):
        face_model.fetch_face_model()


def test_a_wheel_with_another_model_is_refused_and_nothing_is_stored(elsewhere, monkeypatch, tmp_path):
    wheel = tmp_path / "mediapipe-0.10.21-other.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(face_model.MEMBER, b"another model")
    monkeypatch.setattr(face_model, "_downloaded_wheel", lambda folder: wheel)
    with pytest.raises(face_model.FaceModelError, match="another model"):
        face_model.fetch_face_model()
    assert not elsewhere.exists()


def test_the_model_is_taken_out_of_the_wheel(elsewhere, monkeypatch, tmp_path):
    wheel = tmp_path / "mediapipe-0.10.21-right.whl"
    data = (
        face_model.PROJECT_FOLDER / ".cache" / "models" / "face_detection_short_range.tflite"
    ).read_bytes()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(face_model.MEMBER, data)
    monkeypatch.setattr(face_model, "_downloaded_wheel", lambda folder: wheel)
    assert face_model.fetch_face_model().read_bytes() == data


@pytest.fixture
def server(elsewhere, monkeypatch, tmp_path):
    """The only place that pip knows: serves a wheel that holds the right model, and that the lock names."""
    wheel = tmp_path / "mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl"
    about = "mediapipe-0.10.21.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        model = face_model.PROJECT_FOLDER / ".cache" / "models" / elsewhere.name
        archive.write(model, face_model.MEMBER)
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: mediapipe\nVersion: 0.10.21\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\n")
        archive.writestr(f"{about}/RECORD", "")
    lock = tmp_path / "lock"
    lock.write_text(f"mediapipe==0.10.21 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    monkeypatch.setattr(face_model, "LOCK_FILE", lock)
    monkeypatch.setattr(patience, "PAUSES", (0, 0))
    with ErraticServer(wheel) as server:
        settings = {"NO_INDEX": "1", "FIND_LINKS": server.address, "EXTRA_INDEX_URL": "", "NO_CACHE_DIR": "1"}
        for name, value in settings.items():
            monkeypatch.setenv(f"PIP_{name}", value)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("NO_PROXY", "*")
        yield server


def test_an_erratic_server_is_asked_until_the_whole_wheel_is_here(server, elsewhere, capsys):
    server.faults = [UNAVAILABLE, CUT, CUT]
    assert face_model.fetch_face_model() == elsewhere
    assert server.faults == []
    assert [path.name for path in elsewhere.parent.iterdir()] == [elsewhere.name]
    assert "Attempt 1 of 3 failed" in capsys.readouterr().err


def test_a_server_that_always_breaks_off_leaves_nothing_and_the_next_run_ends_it(server, elsewhere):
    server.faults = [CUT] * 3
    with pytest.raises(face_model.FaceModelError, match="run again"):
        face_model.fetch_face_model()
    assert not elsewhere.exists()
    assert face_model.fetch_face_model() == elsewhere


def test_without_a_network_one_sentence_says_what_to_do(elsewhere, monkeypatch):
    monkeypatch.setattr(patience, "PAUSES", (0,))
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": ""}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(face_model.FaceModelError, match="by hand") as error:
        face_model.fetch_face_model()
    assert "\n" not in str(error.value)
    assert not elsewhere.exists()


def test_the_command_prints_one_line():
    done = subprocess.run(
        [sys.executable, "-m", "face_sets.face_model"], capture_output=True, text=True, check=True
    )
    assert done.stdout.count("\n") == 1
    assert str(face_model.PROJECT_FOLDER) not in done.stdout
